"""What shows only after the first rows: every case was a wrong number, a lost row or a traceback once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import logloss as ll
from hazards import numbers, same


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logloss.batches.ROWS", 50)
    monkeypatch.setattr("logloss.passes.HEAD", 40)


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_work_within_work_does_not_wait_for_itself(rng: np.random.Generator) -> None:
    z, y = rng.normal(size=4000), rng.integers(0, 2, 4000)
    found = ll.score(pl.DataFrame({"y": y, "z": z}), "z", outcome="y", space="logit")
    assert found.log_loss == pytest.approx(np.logaddexp(0, np.where(y == 1, -z, z)).mean(), rel=1e-13)


def test_forecasts_of_opposite_classes(rng: np.random.Generator) -> None:
    y, p = np.array(["cat", "dog"])[rng.integers(0, 2, 200)], rng.random(200)
    table = pl.DataFrame({"y": y, "p_cat": p, "p_dog": 1 - p})
    scores = ll.score(table, {"A": "p_cat", "B": "p_dog"}, outcome="y")
    alone = ll.score(table, "p_cat", outcome="y").log_loss
    assert [one.log_loss for one in scores.models.values()] == pytest.approx([alone, alone], rel=1e-12)


def test_a_damaged_file_leaves_nothing_in_the_checkpoints(tmp_path: Path, rng: np.random.Generator) -> None:
    import pyarrow.parquet as pq

    folder = tmp_path / "data"
    folder.mkdir()
    for at, rows in enumerate([10, 3000, 10]):
        p = rng.random(rows)
        frame = pl.DataFrame({"y": (rng.random(rows) < p).astype(int), "p": p})
        frame.write_parquet(folder / f"{at}.parquet", row_group_size=100, compression="uncompressed")
    path = folder / "1.parquet"
    page = pq.ParquetFile(path).metadata.row_group(25).column(1)
    start = page.dictionary_page_offset or page.data_page_offset
    data = bytearray(path.read_bytes())
    data[start : start + 60] = bytes(60)  # the head of a page: rows before it can be read
    path.write_bytes(bytes(data))
    whole = ll.summarize(folder, parts=tmp_path / "kept", skip_unreadable=True)
    assert whole.n == 20
    again = ll.summarize(folder, parts=tmp_path / "kept", skip_unreadable=True)
    assert again.n == 20
    assert "parts-left-out" in {note.id for note in again.notes}
    with pytest.raises(ll.SourceError, match=r"1\.parquet"):
        ll.summarize(folder, parts=tmp_path / "kept")


def test_groups_whose_type_shows_late(tmp_path: Path) -> None:
    path = write(tmp_path / "g.csv", "y,p,g\n" + "1,.9,1\n0,.2,2\n" * 100 + "1,.5,x\n")
    for space in ("p", "logit"):
        found = ll.score(path, "p", outcome="y", group="g", space=space)
        assert {one["group"]: one["rows"] for one in found.groups.rows} == {"1": 100, "2": 100, "x": 1}


def test_groups_of_a_folder_of_two_kinds(tmp_path: Path) -> None:
    pl.DataFrame({"y": [1, 0] * 40, "p": [0.7, 0.2] * 40, "g": [1, 2] * 40}).write_parquet(
        tmp_path / "a.parquet"
    )
    write(tmp_path / "b.csv", "y,p,g\n" + "1,.9,1\n0,.2,2\n" * 40)
    found = ll.score(tmp_path, "p", outcome="y", group="g")
    assert {one["group"]: one["rows"] for one in found.groups.rows} == {1: 80, 2: 80}


def test_declared_categories_of_batches() -> None:
    y = pd.Categorical(["lo", "hi"] * 50, categories=["lo", "hi"])
    whole = pd.DataFrame({"y": y, "p": [0.3, 0.6] * 50})
    pieces: Iterator[Any] = (whole.iloc[start : start + 10] for start in range(0, 100, 10))
    assert ll.score(pieces).log_loss == pytest.approx(ll.score(whole).log_loss, rel=1e-14)
    sorted_ = whole.sort_values("y", kind="stable")
    pieces = (sorted_.iloc[start : start + 10] for start in range(0, 100, 10))
    assert ll.score(pieces).log_loss == pytest.approx(ll.score(whole).log_loss, rel=1e-14)


def test_missing_numbers_are_not_damage(tmp_path: Path) -> None:
    write(tmp_path / "1.csv", "y,p\n" + "1,.9\n0,.2\n" * 10)
    write(tmp_path / "2.csv", "y,p\n" + "1,.9\n0,.2\n" * 100 + "1,NA\n")
    found = ll.score(tmp_path, skip_unreadable=True, skip_missing=True)
    assert (found.n, found.summary.skipped) == (220, 1)


def test_a_thousands_separator_is_no_decimal_comma(tmp_path: Path) -> None:
    path = write(
        tmp_path / "w.csv", "y,p,w\n" + "1,.9,1.5\n0,.2,2.5\n" * 60 + "1,.9,1\n" * 60 + '1,.9,"1,000"\n'
    )
    with pytest.raises(ll.ColumnError, match=r"row 180: '1,000'") as caught:
        ll.score(path, "p", outcome="y", weight="w")
    assert caught.value.slug == "text-in-numbers"


def test_hidden_folders_are_not_data(tmp_path: Path) -> None:
    write(tmp_path / "x.csv", "y,p\n" + "1,.9\n0,.2\n" * 10)
    for hidden in (".ipynb_checkpoints", "_temporary"):
        (tmp_path / hidden).mkdir()
        write(tmp_path / hidden / "x.csv", "y,p\n" + "1,.9\n0,.2\n" * 10)
    assert ll.score(tmp_path).n == 20


def test_lines_without_values_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "y,p\n" + "1,.9\n0,.2\n" * 30 + ",\n\n" + "1,.9\n0,.2\n" * 30)
    found = ll.score(path)
    assert found.n == 120
    assert [note.text for note in found.notes if note.id == "blank-lines"] == [
        "2 lines without any value, blank or of separators only, are no row."
    ]


def test_weights_out_of_all_range() -> None:
    table = {"y": [1, 0] * 60, "p": [0.9, 0.4] * 60, "w": [1e200] * 120}
    with pytest.raises(ll.WeightError, match="leave the range"):
        ll.score(table, "p", outcome="y", weight="w")


def test_first_rows_without_values() -> None:
    table = pl.DataFrame(
        {"y": ["a", "b", "c"] * 60, "a": [None] * 170 + [0.2] * 10, "b": [0.3] * 180, "c": [0.5] * 180}
    )
    found = ll.score(table, ["a", "b", "c"], outcome="y", skip_missing=True)
    assert (found.n, found.summary.skipped) == (10, 170)


def test_rows_sorted_by_class(tmp_path: Path) -> None:
    rows = ["a,.5,.3,.2\n"] * 100 + ["b,.3,.5,.2\n"] * 100 + ["c,.2,.2,.6\n"] * 100
    by_class = ll.score(write(tmp_path / "k.csv", "y,a,b,c\n" + "".join(rows)))
    mixed = ll.score(
        write(tmp_path / "m.csv", "y,a,b,c\n" + "".join(np.random.default_rng(0).permutation(rows)))
    )
    assert by_class.log_loss == pytest.approx(mixed.log_loss, rel=1e-13)
    assert by_class.summary.classes == mixed.summary.classes == ("a", "b", "c")


def test_a_blank_line_does_not_make_the_head_the_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "b.csv", "y,p\na,0.5\n\n" + "a,0.25\n" * 100 + "b,0.5\n")
    assert ll.score(path).summary.classes == ("a", "b")


def test_fractions_of_text_that_come_late(tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", "y,p\n" + "1,0.5\n0,0.25\n" * 60 + "0.3,0.5\n")
    found = ll.score(path)
    total = 60 * (-np.log(0.5) - np.log(0.75)) - np.log(0.5)
    assert found.log_loss == pytest.approx(total / 121, rel=1e-13)


def test_truth_values_with_a_gap(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "y,p\n" + "true,0.8\nfalse,0.3\n" * 50 + ",0.5\n")
    found = ll.score(path, skip_missing=True)
    assert (found.n, found.summary.classes) == (100, (False, True))


@pytest.mark.parametrize("options", [{"positive": 2}, {"labels": ["1", "2"]}, {"labels": [1, 2]}])
def test_declared_classes_that_come_late(options: dict, tmp_path: Path) -> None:
    path = write(tmp_path / "l.csv", "y,p\n" + "1,0.2\n" * 90 + "2,0.7\n" * 30)
    found = ll.score(path, **options)
    assert found.log_loss == pytest.approx(-(90 * np.log(0.8) + 30 * np.log(0.7)) / 120, rel=1e-13)


def test_parts_of_a_folder_that_look_odd_alone(tmp_path: Path) -> None:
    write(tmp_path / "1.csv", "id,y,p\n")
    write(tmp_path / "2.csv", "id,y,p\n" + "A1,1,.9\nA2,0,.2\n" * 30)
    write(tmp_path / "3.csv", "id,y,p\n" + "1,1,.9\n2,0,NA\n" * 30)
    found = ll.score(tmp_path, skip_missing=True)
    assert (found.n, found.summary.skipped) == (90, 30)


def test_columns_that_are_not_asked_for_may_be_anything() -> None:
    for meta in (5, [1, 2], "text"):
        assert ll.score({"y": [0, 1, 1], "p": [0.2, 0.7, 0.8], "meta": meta}, "p", outcome="y").n == 3


def test_explaining_a_folder_reads_as_scoring_does(tmp_path: Path) -> None:
    write(tmp_path / "1.csv", "y,p,g\n" + "1,.9,1\n0,.2,2\n" * 10)
    write(tmp_path / "2.csv", "y,p,g\n" + "1,.8,1\n0,.3,2\n" * 10)
    why, score = ll.explain(tmp_path, "p", outcome="y"), ll.score(tmp_path, "p", outcome="y")
    assert why.score.summary.classes == score.summary.classes == (0, 1)
    same(numbers(why.score.to_dict()["conventions"]), numbers(score.to_dict()["conventions"]))


def test_lists_in_a_frame() -> None:
    P = [[0.2, 0.8], [0.6, 0.4], [0.5, 0.5]]
    want = -(np.log(0.8) + np.log(0.6) + np.log(0.5)) / 3
    for kind in (pl.List(pl.Float64), pl.Array(pl.Float64, 2)):
        frame = pl.DataFrame({"y": [1, 0, 1], "p": pl.Series(P, dtype=kind)})
        for table in (frame, frame.lazy(), iter([frame[:1], frame[1:]])):
            assert ll.score(table, "p", outcome="y").log_loss == pytest.approx(want, rel=1e-14)


@pytest.mark.parametrize("thing", [[1, 2], [{"y": 1, "p": 0.5}], [Path("a.csv")]])
def test_iterators_of_what_is_no_table(thing: list) -> None:
    with pytest.raises(ll.SourceError) as caught:
        ll.score(iter(thing), "p", outcome="y")
    assert caught.value.slug == "not-a-table"


@pytest.mark.parametrize("thing", [[None], [{}], 5, "summary.json", []])
def test_merging_what_is_no_summary(thing: Any) -> None:
    with pytest.raises(ll.UsageError) as caught:
        ll.merge(thing)
    assert caught.value.slug == "nothing-to-merge"


def test_equal_parts_on_purpose() -> None:
    a, b = ll.summarize([1, 0], [0.9, 0.2]), ll.summarize([0, 1], [0.2, 0.9])
    assert ll.merge([a, b], allow_equal=True).n == 4


def test_a_damaged_checkpoint_is_done_again(tmp_path: Path) -> None:
    write(tmp_path / "x.csv", "y,p\n" + "1,.9\n0,.2\n" * 50)
    kept = tmp_path / "kept"
    first = ll.summarize(tmp_path / "x.csv", parts=kept)
    (path,) = kept.iterdir()
    for damage in ("", "{}", path.read_text()[:200], path.read_text().replace('"rows"', '"row"')):
        path.write_text(damage)
        assert ll.summarize(tmp_path / "x.csv", parts=kept).to_dict() == first.to_dict()


def test_the_folder_of_checkpoints_may_lie_among_the_data(tmp_path: Path) -> None:
    write(tmp_path / "x.csv", "y,p\n" + "1,.9\n0,.2\n" * 50)
    write(tmp_path / "y.csv", "y,p\n" + "1,.8\n0,.2\n" * 50)
    first, second = (ll.summarize(tmp_path, parts=tmp_path / "kept") for _ in range(2))
    assert first.to_dict() == second.to_dict()


def test_text_in_a_folder_of_two_kinds(tmp_path: Path) -> None:
    pl.DataFrame({"y": [1, 0] * 10, "p": [0.9, 0.2] * 10}).write_parquet(tmp_path / "a.parquet")
    write(tmp_path / "b.csv", "y,p\n" + "1,.9\n0,.2\n" * 100 + "1,NA\n")
    found = ll.score(tmp_path, skip_missing=True, skip_unreadable=True)
    assert (found.n, found.summary.skipped) == (220, 1)


def test_labels_of_a_folder_of_two_kinds(tmp_path: Path) -> None:
    pl.DataFrame({"y": [1, 2] * 30, "p": [0.2, 0.7] * 30}).write_parquet(tmp_path / "a.parquet")
    write(tmp_path / "b.csv", "y,p\n" + "1,.2\n2,.7\n" * 30 + "2,.5\n")
    found = ll.score(tmp_path, "p", outcome="y")
    assert found.summary.classes == (1, 2)
    assert found.n == 121


def test_groups_as_text_in_one_file_and_numbers_in_another(tmp_path: Path) -> None:
    pl.DataFrame({"y": [1, 0] * 30, "p": [0.9, 0.2] * 30, "g": [1, 2] * 30}).write_parquet(
        tmp_path / "a.parquet"
    )
    pl.DataFrame({"y": [1, 0], "p": [0.9, 0.2], "g": ["1", "2"]}).write_parquet(tmp_path / "b.parquet")
    with pytest.raises(ll.ColumnError, match="'g' holds text in") as caught:
        ll.score(tmp_path, "p", outcome="y", group="g")
    assert caught.value.slug == "different-columns"


def test_the_fingerprint_of_shares_does_not_depend_on_batches() -> None:
    y, p = np.r_[np.zeros(150), 1, 0.3], np.full(152, 0.4)
    whole = ll.summarize(y, p).fingerprint
    frame = pl.DataFrame({"y": y, "p": p})
    assert ll.summarize(frame).fingerprint == ll.summarize(frame.reverse()).fingerprint == whole


def test_checkpoints_of_other_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "x.csv", "y,p\n" + "1,.9\n0,.2\n" * 250)

    def stop(rows: int, _expected: int | None) -> None:
        if rows >= 200:
            raise KeyboardInterrupt

    monkeypatch.setattr("logloss.batches.ROWS", 40)
    with pytest.raises(KeyboardInterrupt):
        ll.summarize(path, parts=tmp_path / "kept", watch=stop)
    monkeypatch.setattr("logloss.batches.ROWS", 61)
    assert ll.summarize(path, parts=tmp_path / "kept").n == 500


@pytest.mark.parametrize("labels", [["1", "2"], [1, 2], ["1.0", "2.0"]])
def test_labels_written_otherwise(labels: list, tmp_path: Path) -> None:
    path = write(tmp_path / "l.csv", "y,p\n" + "1,.9\n" * 100 + "2,.3\n" * 50 + "1.0,.9\n")
    assert ll.score(path, labels=labels).log_loss == pytest.approx(ll.score(path).log_loss, rel=1e-13)


def shares(rows: int = 120) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    T, P = rng.dirichlet(np.ones(3), rows), rng.dirichlet(np.ones(3), rows)
    return {f"{name}{k}": M[:, k] for name, M in (("t", T), ("p", P)) for k in range(3)}


def test_shares_in_columns_with_groups_of_late_type(tmp_path: Path) -> None:
    table = pl.DataFrame({**shares(), "g": ["1"] * 119 + ["x"]})
    table.write_csv(tmp_path / "s.csv")
    outcome, forecast = ["t0", "t1", "t2"], ["p0", "p1", "p2"]
    found = ll.score(tmp_path / "s.csv", forecast, outcome=outcome, group="g")
    want = ll.score(table.select(outcome).to_numpy(), table.select(forecast).to_numpy())
    assert found.log_loss == pytest.approx(want.log_loss, rel=1e-12)
    assert [one["group"] for one in found.groups.rows] == ["1", "x"]


def test_shares_in_columns_with_rows_off_one() -> None:
    table = pl.DataFrame(shares()).with_columns(pl.col("p0") * 0.1)
    with pytest.raises(ll.ForecastError) as caught:
        ll.score(table, ["p0", "p1", "p2"], outcome=["t0", "t1", "t2"])
    assert caught.value.slug == "rows-not-one"


def test_an_iterator_shows_the_error_itself() -> None:
    table = pl.DataFrame({"y": ["a", "b", "c"] * 40, "a": [0.1] * 120, "b": [0.2] * 120, "c": [0.2] * 120})
    with pytest.raises(ll.ForecastError) as caught:
        ll.score(iter([table[:60], table[60:]]), ["a", "b", "c"], outcome="y", labels=["a", "b", "c"])
    assert caught.value.slug == "rows-not-one"


class TestJoins:
    """Large joins against small ones."""

    @pytest.fixture(autouse=True)
    def large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("logloss.summaries.JOINED_IN_MEMORY", 10)
        monkeypatch.setattr("logloss.joins.BUCKET", 13)

    def test_labels_and_groups_that_come_late(self, tmp_path: Path) -> None:
        n = 200
        pl.DataFrame({"id": range(n), "p": [0.3] * n}).write_csv(tmp_path / "a.csv")
        y = ["a"] * 150 + ["b"] * 50
        pl.DataFrame({"id": range(n), "y": y, "g": ["1"] * 199 + ["x"]}).write_csv(tmp_path / "b.csv")
        found = ll.score(tmp_path / "a.csv", truth=tmp_path / "b.csv", outcome="y", group="g")
        assert found.log_loss == pytest.approx(-(150 * np.log(0.7) + 50 * np.log(0.3)) / n, rel=1e-13)
        assert {one["group"]: one["rows"] for one in found.groups.rows} == {"1": 199, "x": 1}

    def test_both_files_call_it_target(self, tmp_path: Path) -> None:
        write(tmp_path / "sub.csv", "id,target\n" + "".join(f"{i},0.{i % 8 + 1}\n" for i in range(60)))
        write(tmp_path / "sol.csv", "id,target\n" + "".join(f"{i},{i % 2}\n" for i in range(60)))
        found = ll.score(tmp_path / "sub.csv", truth=tmp_path / "sol.csv")
        want = ll.log_loss([i % 2 for i in range(60)], [(i % 8 + 1) / 10 for i in range(60)])
        assert found.log_loss == pytest.approx(want, rel=1e-12)

    def test_ids_that_are_missing(self) -> None:
        truth = pl.DataFrame({"id": [1, 2, 3], "y": [1, 0, 1]})
        with pytest.raises(ll.AlignmentError, match="without an id") as caught:
            ll.score(pl.DataFrame({"id": [*range(14), None], "p": [0.5] * 15}), truth=truth)
        assert caught.value.slug == "missing-values"

    def test_iterators(self) -> None:
        truth = pl.DataFrame({"id": range(60), "y": [1, 0] * 30})
        table = pl.DataFrame({"id": range(60), "p": [0.9, 0.2] * 30})
        want = -(np.log(0.9) + np.log(0.8)) / 2
        for data, answers in ((iter([table[:30], table[30:]]), truth), (table, iter([truth]))):
            assert ll.score(data, truth=answers).log_loss == pytest.approx(want, rel=1e-13)

    def test_checkpoints_are_refused(self, tmp_path: Path) -> None:
        truth = pl.DataFrame({"id": [1, 2], "y": [1, 0]})
        with pytest.raises(ll.SourceError) as caught:
            ll.summarize(pl.DataFrame({"id": [1, 2], "p": [0.5, 0.5]}), truth=truth, parts=tmp_path / "kept")
        assert caught.value.slug == "no-checkpoint"
