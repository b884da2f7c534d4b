"""Several yes/no labels per row."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit

import logloss as ll

OUTCOME = ["y_cat", "y_dog", "y_fox"]


def data(n: int = 80, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    P = rng.uniform(0.02, 0.98, (n, 3))
    return (rng.uniform(size=P.shape) < P).astype(float), P


def nats(Y: np.ndarray, P: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return -np.log(np.where(Y == 1, P, 1 - P))


def test_keras_reference() -> None:
    """Keras, tests of binary_crossentropy: 0.20046903, in float32."""
    Y, P = np.eye(3), np.array([[0.9, 0.1, 0.2], [0.3, 0.8, 0.1], [0.1, 0.2, 0.7]])
    result = ll.multilabel(Y, P)
    assert result.mean_over_cells.value == pytest.approx(0.20046903, rel=1e-6)
    assert result.mean_over_cells.value == pytest.approx(nats(Y, P).mean(), rel=1e-14)
    logits = ll.multilabel([[1, 0, 1], [0, 1, 1]], [[10, -10, 10], [10, 10, -10]], space="logit")
    assert logits.mean_over_cells.value == pytest.approx(3.3333, rel=1e-4)


def test_each_label_is_scikit_learns_log_loss() -> None:
    from sklearn.metrics import log_loss

    Y, P = data()
    result = ll.multilabel(Y, P)
    for at, one in enumerate(result.labels):
        assert one.log_loss == pytest.approx(log_loss(Y[:, at], P[:, at]), rel=1e-12)
        assert one.positives == Y[:, at].mean()
        plain = ll.score(Y[:, at], P[:, at])
        assert (one.interval, one.base_rate, one.skill) == (plain.interval, plain.base_rate, plain.skill)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.booleans(), st.sampled_from(["p", "logp", "logit"]))
def test_the_averages_are_those_of_the_labels(seed: int, weighted: bool, space: str) -> None:
    Y, P = data(30, seed)
    rng = np.random.default_rng(seed)
    Y[rng.uniform(size=Y.shape) < 0.2] = np.nan
    w = rng.uniform(0.5, 2, 30) if weighted else np.ones(30)
    F = {"p": P, "logp": np.log(P), "logit": np.log(P) - np.log1p(-P)}[space]
    result = ll.multilabel(Y, F, space=space, weight=w)
    loss, mass = [], []
    for at in range(3):
        known = ~np.isnan(Y[:, at])
        loss.append(ll.log_loss(Y[known, at].astype(int), P[known, at], sample_weight=w[known]))
        mass.append(w[known].sum())
        assert result.labels[at].log_loss == pytest.approx(loss[-1], rel=1e-9)
        assert result.labels[at].missing == (~known).sum()
    assert result.mean_over_labels.value == pytest.approx(np.mean(loss), rel=1e-9)
    assert result.mean_over_cells.value == pytest.approx(np.average(loss, weights=mass), rel=1e-9)
    whole = ~np.isnan(Y).any(axis=1)
    joint = np.average(nats(Y[whole], P[whole]).sum(axis=1), weights=w[whole])
    assert result.sum_over_labels.value == pytest.approx(joint, rel=1e-9)
    assert (result.sum_over_labels.rows, result.sum_over_labels.cells) == (whole.sum(), 3 * whole.sum())


def test_intervals_take_rows_as_the_unit() -> None:
    Y, P = data(50)
    result = ll.multilabel(Y, P)
    rows = nats(Y, P).mean(axis=1)
    n, s, g = 50, rows.std(ddof=1), stats.skew(rows)
    q = stats.t.ppf(0.975, n - 1)

    def inverse(v: float) -> float:
        return 3 * np.sqrt(n) / g * (np.cbrt(1 + g * v / np.sqrt(n) - g**2 / (6 * n)) - 1)

    hall = (rows.mean() - s / np.sqrt(n) * inverse(q), rows.mean() - s / np.sqrt(n) * inverse(-q))
    for part, times in (("mean_over_cells", 1), ("mean_over_labels", 1), ("sum_over_labels", 3)):
        found = getattr(result, part)
        assert found.method == "Hall's t"
        assert found.interval == pytest.approx([times * v for v in hall], rel=1e-10)
        assert found.standard_error == pytest.approx(times * s / np.sqrt(n), rel=1e-12)


def test_intervals_with_missing_cells_are_the_jackknife_over_rows() -> None:
    """S = (3, 1.2, 4.4, 2), n = (5, 3, 6, 4): standard error 0.073800957178353524, 60-digit arithmetic."""
    S, n = [3, 1.2, 4.4, 2], [5, 3, 6, 4]
    Y, P = np.full((4, 6), np.nan), np.full((4, 6), 0.5)
    for row, (total, count) in enumerate(zip(S, n, strict=True)):
        Y[row, :count], P[row, :count] = 1, math.exp(-total / count)
    found = ll.multilabel(Y, P).mean_over_cells
    assert found.method == "jackknife over rows"
    assert found.value == pytest.approx(10.6 / 18, rel=1e-13)
    assert found.standard_error == pytest.approx(0.073800957178353524, rel=1e-12)
    assert found.interval[1] == pytest.approx(
        10.6 / 18 + stats.t.ppf(0.975, 3) * 0.073800957178353524, rel=1e-10
    )


def test_copies_of_a_label_do_not_narrow_the_interval() -> None:
    Y, P = data(60)
    one = ll.multilabel(Y[:, :1], P[:, :1]).mean_over_cells
    five = ll.multilabel(Y[:, [0] * 5], P[:, [0] * 5]).mean_over_cells
    assert five.interval == pytest.approx(one.interval, rel=1e-12)


def test_mean_over_labels_jackknife() -> None:
    Y, P = data(25)
    Y[3, 0] = Y[7, 2] = np.nan
    s = np.where(np.isnan(Y), np.nan, nats(Y, P))
    left = np.array([np.nanmean(np.delete(s, row, axis=0), axis=0).mean() for row in range(25)])
    found = ll.multilabel(Y, P).mean_over_labels
    assert found.standard_error == pytest.approx(
        math.sqrt(24 / 25 * ((left - left.mean()) ** 2).sum()), rel=1e-10
    )


def test_infinities_are_carried_apart() -> None:
    Y, P = data(20)
    Y[4, 1], P[4, 1] = 1, 0
    result = ll.multilabel(Y, P)
    assert (result.labels[1].log_loss, result.labels[1].infinite_rows, result.labels[1].first_infinite) == (
        math.inf,
        1,
        (4,),
    )
    rest = np.delete(nats(Y, P).ravel(), 4 * 3 + 1)
    for part in (result.mean_over_cells, result.mean_over_labels, result.sum_over_labels):
        assert (part.value, part.interval) == (math.inf, None)
    assert result.mean_over_cells.finite == pytest.approx(rest.mean(), rel=1e-13)
    assert result.sum_over_labels.finite == pytest.approx(
        np.delete(nats(Y, P), 4, axis=0).sum(axis=1).mean(), rel=1e-13
    )
    assert json.loads(json.dumps(result.to_dict()))["mean_over_cells"]["value"] == "inf"
    assert any(note.id == "infinite" and "row 4" in note.text for note in result.notes)


def frames(Y: np.ndarray, P: np.ndarray) -> tuple[dict[str, Any], dict[str, Any]]:
    order = [2, 0, 1]
    names = ["cat", "dog", "fox"]
    return (
        {OUTCOME[at]: Y[:, at] for at in range(3)},
        {f"p_{names[at]}": P[:, at] for at in order},
    )


@pytest.mark.parametrize("kind", [dict, pd.DataFrame, pl.DataFrame])
def test_columns_are_paired_by_name(kind: Any) -> None:
    Y, P = data()
    outcome, forecast = frames(Y, P)
    expected = ll.multilabel(Y, P)
    one = ll.multilabel(kind(outcome), kind(forecast))
    both = ll.multilabel(kind(outcome | forecast), outcome=OUTCOME)
    said = ll.multilabel(
        kind(outcome | forecast), outcome=OUTCOME, forecast=["p_fox", "p_cat", "p_dog"], weight=None
    )
    for result in (one, both, said):
        assert [label.label for label in result.labels] == OUTCOME
        assert [label.log_loss for label in result.labels] == [label.log_loss for label in expected.labels]
        assert not any(note.id == "class-order" for note in result.notes)
    assert both.notes[0].id == "columns-found"


def test_labels_name_and_order_columns() -> None:
    Y, P = data()
    outcome, forecast = frames(Y, P)
    named = ll.multilabel(Y, P, labels=["cat", "dog", "fox"])
    assert [one.label for one in named.labels] == ["cat", "dog", "fox"]
    turned = ll.multilabel(outcome, forecast, labels=["fox", "cat", "dog"])
    assert [one.log_loss for one in turned.labels] == [named.labels[at].log_loss for at in (2, 0, 1)]
    with pytest.raises(ll.UsageError, match="not all labels are among them"):
        ll.multilabel(outcome, forecast, labels=["cow", "cat", "dog"])
    odd = ll.multilabel(outcome, dict(zip("abc", P.T, strict=True)))
    assert odd.notes[0].id == "class-order"
    assert odd.labels[0].log_loss == named.labels[0].log_loss


def test_soft_labels_and_booleans() -> None:
    result = ll.multilabel([[0.25, 1.0]], [[0.5, 0.8]])
    assert [one.log_loss for one in result.labels] == pytest.approx([math.log(2), -math.log(0.8)], rel=1e-14)
    yes = ll.multilabel(pd.DataFrame({"a": [True, False, None]}), pd.DataFrame({"a": [0.9, 0.2, 0.5]}))
    assert (yes.labels[0].n, yes.labels[0].missing) == (2, 1)


def test_a_label_nobody_knows_is_said_to_be_so() -> None:
    result = ll.multilabel([[1, None], [0, None]], [[0.9, 0.5], [0.2, 0.5]])
    assert result.labels[1].n == 0
    assert math.isnan(result.labels[1].log_loss)
    assert result.mean_over_labels.value == pytest.approx(-(math.log(0.9) + math.log(0.8)) / 2, rel=1e-14)
    assert "Missing and left out: 2 of 4 outcomes (1 2)." in result.notes[0].text
    assert "undefined" in str(result)


def test_rows_of_weight_0_count_nowhere() -> None:
    Y, P = data(20)
    w = np.ones(20)
    w[:3] = 0
    P[0], Y[0] = [1, 1, 1], [0, 0, 0]
    some, rest = ll.multilabel(Y, P, weight=w), ll.multilabel(Y[3:], P[3:])
    assert some.mean_over_cells.interval == pytest.approx(rest.mean_over_cells.interval, rel=1e-12)
    assert some.rows == 17


@pytest.mark.parametrize(
    ("args", "options", "slug"),
    [
        (([[2, 1]], [[0.5, 0.5]]), {}, "not-yes-or-no"),
        (([["yes", "no"]], [[0.5, 0.5]]), {}, "not-a-number"),
        (([[1, 0]], [[0.5, math.nan]]), {}, "missing-values"),
        (([[1, 0]], [[0.5, 1.5]]), {}, "out-of-range"),
        (([[1, 0]], [[0.5, 0.5, 0.5]]), {}, "columns-without-class"),
        (([[1, 0]], [[0.5, 0.5]] * 2), {}, "different-lengths"),
        (([[1, 0]], None), {}, "no-forecast"),
        (([[1, 0]], [[0.5, 0.5]]), {"outcome": "y"}, "array-and-names"),
        (([[1, 0]], [[0.5, 0.5]]), {"level": 95}, "bad-level"),
        (([[1, 0]], [[0.5, 0.5]]), {"labels": ["a"]}, "labels-count"),
        (([[None, None]], [[0.5, 0.5]]), {}, "no-rows"),
        (([[1, 0]], [[0.5, 0.5]]), {"weight": [-1]}, "bad-weights"),
        (({"a": [1], "p": [0.5]},), {}, "no-outcome-column"),
        (({"a": [1], "p": [0.5], "q": [0.4]},), {"outcome": ["a"]}, "no-forecast-column"),
        (({"a": [1], "p": [0.5]},), {"outcome": ["b"]}, "no-such-column"),
        (({"a": [1], "b": [1]}, ["a", "b"]), {"outcome": ["a", "b"]}, "one-column-two-roles"),
    ],
)
def test_what_cannot_be_scored(args: tuple[Any, ...], options: dict[str, Any], slug: str) -> None:
    with pytest.raises(ll.LoglossError) as caught:
        ll.multilabel(*args, **options)
    assert caught.value.slug == slug


def test_an_error_names_its_label() -> None:
    with pytest.raises(ll.ForecastError, match=r"Label 'dog': .*row 1"):
        ll.multilabel([[1, 0], [0, 1]], [[0.5, 0.5], [0.5, math.nan]], labels=["cat", "dog"])
    with pytest.raises(ll.OutcomeError, match=r"Label 'dog' .*row 1: 3"):
        ll.multilabel([[1, 0], [0, 3]], [[0.5, 0.5]] * 2, labels=["cat", "dog"])


def test_pandas_rows_that_do_not_belong_together() -> None:
    Y, P = data(3)
    with pytest.raises(ll.AlignmentError, match="index-mismatch"):
        ll.multilabel(pd.DataFrame(Y), pd.DataFrame(P, index=[2, 1, 0]))


def test_text_is_safe_and_complete() -> None:
    Y, P = data()
    result = ll.multilabel(Y, P, labels=["a\x1b[31m", "<b>", "c"])
    screen = result.show("bits")
    assert "\x1b" not in screen
    assert screen.startswith(
        f"Log loss {result.mean_over_cells.value / math.log(2):.4f} bits a cell   80 rows"
    )
    assert "&lt;b&gt;" in result._repr_html_()
    many = ll.multilabel(np.tile(Y, 12), np.tile(P, 12))
    assert "and 6 more" in str(many)


def written(path: Path) -> tuple[np.ndarray, np.ndarray]:
    Y, P = data(40)
    logits = np.log(P) - np.log1p(-P)
    frame = pl.DataFrame(
        {"id": range(40), "y_cat": Y[:, 0].astype(int), "y_dog": [str(bool(v)) for v in Y[:, 1]]}
        | {"y_fox": ["NA" if row == 5 else str(int(v)) for row, v in enumerate(Y[:, 2])]}
        | {f"p_{name}": expit(logits[:, at]) for at, name in ((1, "dog"), (2, "fox"), (0, "cat"))}
    )
    frame.write_csv(path)
    return Y, P


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "logloss", "score", *words],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def test_on_the_command_line(tmp_path: Path) -> None:
    Y, P = written(tmp_path / "tags.csv")
    words = [str(tmp_path / "tags.csv"), "--multilabel", *(w for y in OUTCOME for w in ("--outcome", y))]
    done = command(*words, "--json")
    assert done.returncode == 0, done.stderr
    state = json.loads(done.stdout)
    cells = np.delete(nats(Y, P).ravel(), 5 * 3 + 2)
    assert state["mean_over_cells"]["value"] == pytest.approx(cells.mean(), rel=1e-10)
    assert state["labels"][2]["missing"] == 1
    screen = command(*words)
    assert "mean over cells" in screen.stdout
    assert "[labels-missing]" in screen.stderr
    named = command(*words, "--forecast", "p_cat", "--forecast", "p_dog", "--forecast", "p_fox", "--json")
    assert json.loads(named.stdout)["labels"] == state["labels"]


@pytest.mark.parametrize("option", [["--group", "id"], ["--model", "a=b"], ["--counts"], ["--id", "id"]])
def test_options_that_do_not_go_together(option: list[str], tmp_path: Path) -> None:
    written(tmp_path / "tags.csv")
    done = command(str(tmp_path / "tags.csv"), "--multilabel", "--outcome", "y_cat", *option)
    assert done.returncode == 2
    assert "multilabel-alone" in done.stderr
    assert option[0] in done.stderr


def test_nothing_is_warned_of() -> None:
    Y, P = data(5)
    Y[0] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ll.multilabel(Y, P)
