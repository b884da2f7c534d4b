"""Outcomes with one column per class: shares, and annotators counted."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import logloss as ll
from logloss.labels import bare
from logloss.sources import gather

VOTES = {
    "votes_dog": [2, 0, 5, 1],
    "votes_cat": [3, 5, 0, 0],
    "p_cat": [0.6, 0.9, 0.2, 0.25],
    "p_dog": [0.4, 0.1, 0.8, 0.75],
}
# By hand: (3 log .6 + 2 log .4) / 5, log .9, log .8, log .75, and their mean.
ROWS = [-(0.6 * math.log(0.6) + 0.4 * math.log(0.4)), -math.log(0.9), -math.log(0.8), -math.log(0.75)]


def remark(result: ll.Score) -> object:
    return next(r for r in result.summary.remarks if r.id == "annotator-counts")


def test_counts_become_shares_and_each_row_counts_once() -> None:
    result = ll.score(VOTES, outcome=["votes_dog", "votes_cat"], counts=True)
    assert result.log_loss == pytest.approx(np.mean(ROWS), rel=1e-14)
    assert ll.score(
        VOTES | {"w": [5, 5, 5, 1]}, outcome=["votes_dog", "votes_cat"], counts=True, weight="w"
    ).log_loss == pytest.approx(np.average(ROWS, weights=[5, 5, 5, 1]), rel=1e-14)
    assert result.summary.classes == ("dog", "cat")


def test_the_note_counts_annotators() -> None:
    result = ll.score(VOTES, outcome=["votes_dog", "votes_cat"], counts=True)
    said = next(note.text for note in result.notes if note.id == "annotator-counts")
    assert said.startswith(
        "Outcomes are 16 votes of annotators, 1 to 5 per row, taken as shares; they disagree in 1 of 4 rows."
    )
    assert "too low by about 0.0250 nats" in said  # (2 - 1) / (2 * 5) in one of four rows
    found = remark(result)
    assert (found.rows, found.least, found.most) == (4, 1, 5)
    assert found.nats == pytest.approx(0.1, rel=1e-15)


def test_a_single_column_of_forecasts_is_about_the_class_it_is_named_after() -> None:
    outcome = ["votes_dog", "votes_cat"]
    both = ll.score(VOTES, outcome=outcome, counts=True).log_loss
    for column in ("p_cat", "p_dog"):
        one = ll.score(VOTES, outcome=outcome, forecast=column, counts=True)
        assert one.log_loss == pytest.approx(both, rel=1e-14)
        assert f"'{column}' is read as the probability of '{column[2:]}'" in one.notes[0].text
    labels = ll.score(VOTES, outcome=outcome, forecast="p_dog", counts=True, labels=["cat", "dog"])
    assert labels.log_loss == pytest.approx(both, rel=1e-14)
    assert ll.score([[2, 3], [0, 5]], [0.6, 0.9], counts=True).log_loss == pytest.approx(
        np.mean(ROWS[:2]), rel=1e-14
    )
    named = ll.score([[2, 3], [0, 5]], [0.6, 0.9], counts=True, labels=["dog", "cat"])
    assert named.log_loss == pytest.approx(np.mean(ROWS[:2]), rel=1e-14)


def test_columns_are_matched_without_what_all_their_names_share() -> None:
    record = gather(VOTES, ["p_cat", "p_dog"], outcome=["votes_dog", "votes_cat"], counts=True)
    assert record.forecast[:, 0].tolist() == VOTES["p_dog"]
    assert not any(note.id == "class-order" for note in record.notes)
    assert bare(["cat", "car"]) is None
    assert bare(["n_a_x", "n_b_x"]) == ("a", "b")
    assert bare(["n_", "n_b"]) is None
    assert bare(["only"]) is None


def test_blanks_around_names_in_a_header_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("id; cat ; dog;prob dog;prob cat\na;3;2;0,4;0,6\nb;0;5;0,9;0,1\n")
    result = ll.score(path, outcome=[" cat ", " dog"], counts=True)
    assert result.log_loss == pytest.approx((ROWS[0] - math.log(0.9)) / 2, rel=1e-14)
    assert not any(note.id == "class-order" for note in result.notes)


@pytest.mark.parametrize("split", [1, 2, 3])
def test_parts_add_up(split: int) -> None:
    outcome = ["votes_dog", "votes_cat"]
    whole = ll.score(VOTES, outcome=outcome, counts=True)
    parts = [
        ll.summarize(
            {name: column[part] for name, column in VOTES.items()},
            ["p_cat", "p_dog"],
            outcome=outcome,
            counts=True,
        )
        for part in (slice(0, split), slice(split, None))
    ]
    merged = ll.score(ll.merge([ll.Summary.from_dict(part.to_dict()) for part in parts]))
    assert merged.log_loss == pytest.approx(whole.log_loss, rel=1e-14)
    assert remark(merged) == remark(whole)


def test_a_stream_gives_what_the_rows_in_memory_give() -> None:
    import polars as pl

    rng = np.random.default_rng(3)
    p = rng.dirichlet([1, 1, 1], 500)
    votes = np.stack([rng.multinomial(rng.integers(1, 7), row) for row in p])
    frame = pl.DataFrame({f"n_{k}": votes[:, k] for k in range(3)} | {f"p_{k}": p[:, k] for k in (2, 0, 1)})
    options = {"outcome": ["n_0", "n_1", "n_2"], "counts": True}
    whole = ll.score(frame, **options)
    stream = ll.score(iter([frame[:3], frame[3:200], frame[200:]]), **options)
    shares = votes / votes.sum(axis=1, keepdims=True)
    assert whole.log_loss == pytest.approx(-(shares * np.log(p)).sum(axis=1).mean(), rel=1e-13)
    assert stream.log_loss == pytest.approx(whole.log_loss, rel=1e-13)
    assert remark(stream).nats == pytest.approx(remark(whole).nats, rel=1e-13)
    assert remark(stream).most == votes.sum(axis=1).max()
    assert remark(stream).kinds["annotators"][0] == votes.sum()


@pytest.mark.parametrize(
    ("votes", "slug", "said"),
    [
        ([[3, -1], [1, 1]], "bad-counts", r"1 outcome \(row 0: -1\)"),
        ([[3, 1], [0.5, 0.5]], "bad-counts", r"row 1: 0.5, 0.5"),
        ([[3, np.inf], [1, 1]], "bad-counts", "row 0"),
        ([[3, np.nan], [1, 1]], "missing-values", "1 missing outcome"),
        ([[3, 1], [0, 0]], "missing-values", r"1 missing outcome \(row 1\)"),
    ],
)
def test_what_are_no_counts(votes: list[list[float]], slug: str, said: str) -> None:
    with pytest.raises(ll.OutcomeError, match=said) as caught:
        ll.score(votes, [[0.5, 0.5]] * 2, counts=True)
    assert caught.value.slug == slug


def test_rows_nobody_looked_at_can_be_left_out() -> None:
    result = ll.score([[3, 1], [0, 0]], [[0.5, 0.5]] * 2, counts=True, skip_missing=True)
    assert result.n == 1


def test_counts_need_a_column_per_class() -> None:
    with pytest.raises(ll.UsageError, match="counts-one-column"):
        ll.score([3, 2], [0.5, 0.5], counts=True)


def test_without_counts_the_error_names_both_ways_out() -> None:
    with pytest.raises(ll.OutcomeError, match=r"multilabel.*counts=True"):
        ll.score([[3, 2], [0, 5]], [[0.5, 0.5]] * 2)
    with pytest.raises(ll.OutcomeError) as caught:
        ll.score([[0.3, 0.2], [0, 1]], [[0.5, 0.5]] * 2)
    assert "counts=True" not in caught.value.cure


def test_rows_of_weight_0_are_not_counted() -> None:
    result = ll.score([[3, 1], [1, 8]], [[0.5, 0.5]] * 2, counts=True, weight=[1, 0])
    assert (remark(result).rows, remark(result).most, remark(result).kinds["annotators"][0]) == (1, 4, 4)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.floats(0.01, 0.99)), min_size=1))
def test_counts_are_votes_weighted_by_one_over_their_number(
    rows: list[tuple[int, int, float]],
) -> None:
    """Every vote as a row of its own, of weight 1 / votes of the row, has the same loss."""
    rows = [row for row in rows if row[0] + row[1]] or [(1, 0, 0.5)]
    counted = ll.score([row[:2] for row in rows], [[1 - p, p] for *_, p in rows], counts=True).log_loss
    votes = [
        (y, p, 1 / (no + yes))
        for no, yes, p in rows
        for y, times in ((0, no), (1, yes))
        for _ in range(times)
    ]
    y, p, w = zip(*votes, strict=True)
    assert counted == pytest.approx(ll.score(y, p, weight=w, labels=[0, 1]).log_loss, rel=1e-12)


@pytest.mark.parametrize("verb", ["score", "explain"])
def test_on_the_command_line(verb: str, tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    lines = [",".join(VOTES), *(",".join(map(str, row)) for row in zip(*VOTES.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n")
    words = [verb, str(path), "--outcome", "votes_dog", "--outcome", "votes_cat", "--counts"]
    done = subprocess.run(
        [sys.executable, "-m", "logloss", *words],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert f"{np.mean(ROWS):.4f}" in done.stdout
    assert "16 votes of annotators" in " ".join(done.stderr.split())
