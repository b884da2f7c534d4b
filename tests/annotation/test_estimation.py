"""estimate: what is read as unlabelled, what is estimated, what is said."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import logloss as ll
from logloss.annotation.estimation import of_record

N, LABELLED = 400, 120


@pytest.fixture(scope="module")
def binary() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return outcomes, probabilities and which rows are labelled."""
    rng = np.random.default_rng(8)
    p = rng.beta(1, 2, N)
    y = (rng.random(N) < p).astype(int)
    known = np.zeros(N, bool)
    known[rng.choice(N, LABELLED, replace=False)] = True
    return y, p, known


@pytest.fixture(scope="module")
def classes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(9)
    P = rng.dirichlet([1.0, 2.0, 0.7], N)
    y = np.array([rng.choice(3, p=row) for row in P])
    return y, P, np.arange(N) % 4 == 0


def by_hand(s: np.ndarray, h: np.ndarray, known: np.ndarray) -> tuple[float, float]:
    """Return the regression estimate and b with NumPy's least squares, apart from the library."""
    b, a = np.polyfit(h[known], s[known], 1)
    return float(a + b * h.mean()), float(b)


def entropy(P: np.ndarray) -> np.ndarray:
    return -(P * np.log(P)).sum(axis=1)


def notes(result: ll.Estimate) -> set[str]:
    return {note.id for note in result.notes}


def test_the_estimate_is_the_regression_line_at_the_files_mean_entropy(binary: Any) -> None:
    y, p, known = binary
    s = -np.log(np.where(y == 1, p, 1 - p))
    h = entropy(np.column_stack([1 - p, p]))
    result = ll.estimate(np.where(known, y, np.nan), p)
    value, slope = by_hand(s, h, known)
    assert (result.log_loss, result.slope) == pytest.approx((value, slope), rel=1e-9)
    assert result.expected == pytest.approx(h.mean(), rel=1e-12)
    assert result.estimates["labelled"].mean == pytest.approx(s[known].mean(), rel=1e-12)
    assert result.correlation == pytest.approx(np.corrcoef(s[known], h[known])[0, 1], rel=1e-9)
    residual = s[known] - slope * h[known]
    error = math.sqrt(((residual - residual.mean()) ** 2).sum() / (LABELLED - 2) * (1 / LABELLED - 1 / N))
    assert result.standard_error == pytest.approx(error, rel=1e-9)
    gain = s[known].var(ddof=1) / ((residual - residual.mean()) ** 2).sum() * (LABELLED - 2)
    assert result.gain == pytest.approx(gain, rel=1e-9)
    assert result.interval[0] < s.mean() < result.interval[1]
    assert (
        result.interval_population[0]
        < result.interval[0]
        < result.interval[1]
        < result.interval_population[1]
    )
    assert (result.labelled, result.rows) == (LABELLED, N)


def variants(y: np.ndarray, p: np.ndarray, known: np.ndarray, folder: Path) -> dict[str, Any]:
    """Return the same partly labelled rows in several guises, as results."""
    blanks = [str(v) if k else "" for v, k in zip(y, known, strict=True)]
    none = [int(v) if k else None for v, k in zip(y, known, strict=True)]
    labelled = np.flatnonzero(known)
    csv, preds, truth = (folder / f"{name}.csv" for name in ("whole", "preds", "truth"))
    pl.DataFrame({"id": np.arange(N), "y": none, "p": p}).write_csv(csv)
    pl.DataFrame({"id": np.arange(N), "p": p}).write_csv(preds)
    pl.DataFrame({"id": labelled[::-1], "outcome": y[labelled][::-1]}).write_csv(truth)
    frame = pd.DataFrame({"y": pd.array(none, dtype="Int64"), "p": p})
    texts = ["dog" if v else "cat" for v in y]
    named = pl.DataFrame(
        {"y": [t if k else None for t, k in zip(texts, known, strict=True)], "p_dog": p, "p_cat": 1 - p}
    )
    masked = np.ma.masked_array(y, mask=~known)
    return {
        "array": ll.estimate(np.where(known, y, np.nan), p),
        "list": ll.estimate(none, p),
        "masked": ll.estimate(masked, p),
        "blank text": ll.estimate(blanks, p),
        "pandas": ll.estimate(frame),
        "categorical": ll.estimate(frame.assign(y=frame["y"].astype("category"))),
        "polars": ll.estimate(pl.DataFrame({"y": none, "p": p})),
        "csv": ll.estimate(csv),
        "truth": ll.estimate(preds, truth=truth),
        "named columns": ll.estimate(named),
        "text labels": ll.estimate(named.select("y", p="p_dog"), labels=["cat", "dog"]),
        "booleans": ll.estimate([bool(v) if k else None for v, k in zip(y, known, strict=True)], p),
        "indicators": ll.estimate(np.where(known[:, None], np.column_stack([1 - y, y]), np.nan), np.column_stack([1 - p, p])),
        "logits": ll.estimate(none, np.log(p / (1 - p)), space="logit"),
        "logs": ll.estimate(none, np.log(np.column_stack([1 - p, p])), space="logp"),
        "weights": ll.estimate(none, p, weight=np.full(N, 2.5)),
    }  # fmt: skip


def test_all_ways_to_leave_an_outcome_out_are_the_same(binary: Any, tmp_path: Path) -> None:
    found = variants(*binary, tmp_path)
    first = found["array"]
    for name, result in found.items():
        assert (result.labelled, result.rows) == (LABELLED, N), name
        assert result.log_loss == pytest.approx(first.log_loss, rel=1e-9), name
        assert result.interval == pytest.approx(first.interval, rel=1e-8), name
        assert result.expected == pytest.approx(first.expected, rel=1e-9), name


def test_classes_and_their_columns(classes: Any) -> None:
    y, P, known = classes
    s, h = -np.log(P[np.arange(N), y]), entropy(P)
    value, _ = by_hand(s, h, known)
    names = np.array(["ant", "bee", "cow"], dtype=object)
    outcome = [names[v] if k else None for v, k in zip(y, known, strict=True)]
    frame = pl.DataFrame({"y": outcome, "cow": P[:, 2], "ant": P[:, 0], "bee": P[:, 1]})
    assert ll.estimate(frame).log_loss == pytest.approx(value, rel=1e-9)
    assert ll.estimate(np.where(known, y, np.nan), P).log_loss == pytest.approx(value, rel=1e-9)
    digits = pl.DataFrame({"y": [int(v) if k else None for v, k in zip(y, known, strict=True)], "p_0": P[:, 0], "p_1": P[:, 1], "p_2": P[:, 2]})  # fmt: skip
    assert ll.estimate(digits).log_loss == pytest.approx(value, rel=1e-9)
    half = np.where(known[:, None], np.eye(3)[y], np.nan)
    assert ll.estimate(half, P).log_loss == pytest.approx(value, rel=1e-9)
    half[np.flatnonzero(~known)[0], 0] = 1.0
    with pytest.raises(ll.AlignmentError) as caught:
        ll.estimate(half, P)
    assert caught.value.slug == "half-labelled"


def test_shares_as_outcomes(binary: Any) -> None:
    _, p, known = binary
    share = np.random.default_rng(1).random(N)
    s = -(share * np.log(p) + (1 - share) * np.log(1 - p))
    value, _ = by_hand(s, entropy(np.column_stack([1 - p, p])), known)
    result = ll.estimate(np.where(known, share, np.nan), p)
    assert result.log_loss == pytest.approx(value, rel=1e-9)
    assert f"{LABELLED} outcomes" in next(n.text for n in result.notes if n.id == "soft-outcomes")


def test_weights_enter_as_numbers_of_equal_rows(binary: Any) -> None:
    y, p, known = binary
    weight = 1.0 + np.arange(N) % 3
    s, h = -np.log(np.where(y == 1, p, 1 - p)), entropy(np.column_stack([1 - p, p]))
    b, a = np.polyfit(h[known], s[known], 1, w=np.sqrt(weight[known]))
    result = ll.estimate(np.where(known, y, np.nan), p, weight=weight)
    assert result.log_loss == pytest.approx(a + b * np.average(h, weights=weight), rel=1e-9)
    assert "weights-linearised" in notes(result)
    none = ll.estimate(np.where(known, y, np.nan), p, weight=np.where(np.arange(N) < 300, 1.0, 0.0))
    kept = ll.estimate(np.where(known, y, np.nan)[:300], p[:300])
    assert none.log_loss == pytest.approx(kept.log_loss, rel=1e-12)
    assert (none.labelled, none.rows) == (kept.labelled, 300)


def test_words_for_no_label_are_said_and_classes_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("y,p\n1,0.8\nNA,0.3\n0,0.2\nNA,0.6\n  ,0.5\n")
    result = ll.estimate(path)
    assert (result.labelled, result.rows) == (2, 5)
    assert "2 outcomes written 'na'" in next(n.text for n in result.notes if n.id == "read-as-unlabelled")
    kept = ll.estimate(["NA", "x", None], [0.5, 0.6, 0.7], labels=["x", "NA"])
    assert kept.labelled == 2
    assert "read-as-unlabelled" not in notes(kept)
    columns = ll.estimate(
        pl.DataFrame({"y": ["na", "de", None], "na": [0.5, 0.2, 0.4], "de": [0.5, 0.8, 0.6]})
    )
    assert columns.labelled == 2


def test_unlabelled_rows_need_a_forecast() -> None:
    with pytest.raises(ll.ForecastError) as caught:
        ll.estimate([1, 0, None], [0.5, 0.4, float("nan")])
    assert caught.value.slug == "missing-values"
    assert ll.estimate([1, 0, None], [0.5, 0.4, float("nan")], skip_missing=True).rows == 2
    with pytest.raises(ll.ForecastError, match=r"row 2: 1\.5"):
        ll.estimate([1, 0, None], [0.5, 0.4, 1.5])
    with pytest.raises(ll.ForecastError, match="row 2"):
        ll.estimate([1, 0, None], [[0.5, 0.5], [0.4, 0.6], [0.9, 0.9]])


def test_truth_may_hold_inclusion_probabilities_and_strangers(tmp_path: Path) -> None:
    preds, truth = tmp_path / "preds.csv", tmp_path / "truth.csv"
    preds.write_text("id,p,w\na,0.9,1\nb,0.2,1\nc,0.6,2\nd,0.5,1\n")
    truth.write_text("id,label,pi,w\nc,1,0.25,9\nzz,0,0.5,9\na,1,0.5,9\nd,,0.5,9\n")
    result = ll.estimate(preds, truth=truth, labels=[0, 1], inclusion="pi", weight="w")
    assert (result.labelled, result.rows) == (2, 4)
    p, w = np.array([0.9, 0.2, 0.6, 0.5]), np.array([1.0, 1, 2, 1])
    h = entropy(np.column_stack([1 - p, p]))
    excess = np.array([-math.log(0.9) - h[0], -math.log(0.6) - h[2]])
    mean = (w * h).sum() / 5 + (w[[0, 2]] * excess / [0.5, 0.25]).sum() / 5
    assert result.estimates["horvitz_thompson"].mean == pytest.approx(mean, rel=1e-12)
    assert "ids-without-outcome" not in notes(result)
    assert "ids-without-forecast" in notes(result)
    assert "assumes-random" not in notes(result)
    unused = ll.estimate(preds, truth=truth, labels=[0, 1], outcome="label")
    assert "inclusion-not-used" not in notes(unused)
    truth.write_text("id,label,inclusion\nc,1,0.25\na,1,0.5\n")
    assert "inclusion-not-used" in notes(ll.estimate(preds, truth=truth, labels=[0, 1]))


@pytest.mark.parametrize("wrong", [float("nan"), 0.0, -0.1, 1.5])
def test_rows_picked_by_hand_have_no_mean(wrong: float) -> None:
    with pytest.raises(ll.WeightError, match="row 1") as caught:
        ll.estimate([1, 0, None, 1], [0.5, 0.4, 0.7, 0.8], inclusion=[0.5, wrong, float("nan"), 0.4])
    assert caught.value.slug == "bad-inclusion"


def test_inclusion_of_other_lengths_or_kinds() -> None:
    for given, slug in (([0.5], "different-lengths"), (["a", "b", "c"], "not-a-number")):
        with pytest.raises(ll.DataError) as caught:
            ll.estimate([1, 0, None], [0.5, 0.4, 0.7], inclusion=given)
        assert caught.value.slug == slug
    with pytest.raises(ll.ColumnError, match="no column 'pi'"):
        ll.estimate({"y": [1, 0, None], "p": [0.5, 0.4, 0.7]}, inclusion="pi")


def test_equal_inclusion_probabilities_are_a_random_sample(binary: Any) -> None:
    y, p, known = binary
    outcome = np.where(known, y, np.nan)
    plain, equal = ll.estimate(outcome, p), ll.estimate(outcome, p, inclusion=np.full(N, 0.3))
    assert equal.interval == plain.interval
    column = ll.estimate({"y": outcome, "p": p, "pi": np.full(N, 0.3)}, inclusion="pi")
    assert column.interval == plain.interval


def test_probabilities_that_do_not_fit_the_file(binary: Any) -> None:
    y, p, known = binary
    shares = (0.3 + 0.01 * (np.arange(N) % 5)) / N
    assert "inclusion-off" in notes(ll.estimate(np.where(known, y, np.nan), p, inclusion=shares))
    assert "inclusion-off" not in notes(ll.estimate(np.where(known, y, np.nan), p, inclusion=shares * N))


def test_labelling_the_uncertain_rows_is_noticed(binary: Any) -> None:
    y, p, _ = binary
    known = np.abs(p - 0.5) < 0.15
    assert "not-random" in notes(ll.estimate(np.where(known, y, np.nan), p))
    known = np.arange(N) % 3 == 0
    assert "not-random" not in notes(ll.estimate(np.where(known, y, np.nan), p))


def test_infinite_rows_are_carried_apart(binary: Any) -> None:
    y, p, known = binary
    q = p.copy()
    at = np.flatnonzero(known & (y == 1))[0]
    q[at] = 0.0
    result = ll.estimate(np.where(known, y, np.nan), q)
    assert result.log_loss == math.inf
    assert result.infinite_rows == 1
    assert result.interval is None
    finite = known.copy()
    finite[at] = False
    s = -np.log(np.where(y == 1, p, 1 - p))[finite]
    assert result.estimates["labelled"].mean == pytest.approx(s.mean(), rel=1e-12)
    assert f"row {at}" in next(n.text for n in result.notes if n.id == "infinite-label")
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["log_loss"] == "inf"
    assert "inf nats" in str(result)


def test_unlabelled_rows_that_may_be_infinite_are_counted(binary: Any) -> None:
    y, p, known = binary
    q = p.copy()
    q[np.flatnonzero(~known)[:3]] = [0.0, 1.0, 0.0]
    result = ll.estimate(np.where(known, y, np.nan), q)
    assert result.exposed == 3
    assert "exposed-rows" in notes(result)
    assert math.isfinite(result.log_loss)


def test_few_labels_and_rare_classes_are_noted() -> None:
    few = ll.estimate([1, 0, 1, None, None], [0.5, 0.4, 0.7, 0.2, 0.3])
    assert "few-labels" in notes(few)
    assert few.method == "labelled"
    assert few.log_loss == pytest.approx(-np.log([0.5, 0.6, 0.7]).mean(), rel=1e-12)
    rng = np.random.default_rng(2)
    p = rng.uniform(0.01, 0.1, 200)
    y = np.where(np.arange(200) < 100, 0.0, np.nan)
    unseen = ll.estimate(y, p)
    assert "1: 0" in next(n.text for n in unseen.notes if n.id == "few-of-a-class")
    p[7], y[7] = 1e-6, 1.0
    hard = ll.estimate(y, p)
    assert "row 7" in next(n.text for n in hard.notes if n.id == "one-label-dominates")


def test_all_and_no_rows_labelled(binary: Any) -> None:
    y, p, _ = binary
    whole = ll.estimate(y, p)
    assert whole.interval == pytest.approx((whole.log_loss, whole.log_loss), rel=1e-12)
    assert whole.log_loss == pytest.approx(ll.log_loss(y, p), rel=1e-12)
    assert "all-labelled" in notes(whole)
    none = ll.estimate([None] * N, p, width=0.05)
    assert math.isnan(none.log_loss)
    assert none.expected == pytest.approx(entropy(np.column_stack([1 - p, p])).mean(), rel=1e-12)
    assert none.more == none.more_labels(0.05) > 0
    assert none.to_dict()["log_loss"] is None
    assert "if the forecasts are calibrated" in str(none)
    assert len(none.next_rows(10).rows) == 10
    named = ll.estimate(
        pl.DataFrame({"y": [None, None], "cat": [0.5, 0.2], "dog": [0.5, 0.8]}), forecast=["cat", "dog"]
    )
    assert (named.labelled, named.known.record.classes) == (0, ("cat", "dog"))
    assert ll.estimate([None, None], [0.2, 0.4], positive="sick").labelled == 0


def test_more_labels_makes_the_interval_that_wide(binary: Any) -> None:
    y, p, known = binary
    result = ll.estimate(np.where(known, y, np.nan), p, width=0.1)
    assert result.more == result.more_labels(0.1)
    assert result.more_labels(10.0) == 0
    assert result.more_labels(1e-9) == N - LABELLED
    total = LABELLED + result.more
    half = result.standard_error / math.sqrt(1 / LABELLED - 1 / N) * math.sqrt(1 / total - 1 / N) * 1.97
    assert 2 * half == pytest.approx(0.1, rel=0.02)
    for wrong in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ll.UsageError) as caught:
            result.more_labels(wrong)
        assert caught.value.slug == "bad-width"


def test_reversed_outcomes_are_noticed(binary: Any) -> None:
    y, _, known = binary
    p = np.where(y == 1, 0.1, 0.9)
    assert "reversed" in notes(ll.estimate(np.where(known, y, np.nan), p))


def test_from_a_checked_record(binary: Any) -> None:
    y, p, known = binary
    record = ll.observe(y, p)
    a, b = of_record(record, known), ll.estimate(np.where(known, y, np.nan), p)
    assert (a.log_loss, a.interval) == (b.log_loss, b.interval)


@pytest.mark.parametrize(
    ("call", "slug"),
    [
        (lambda: ll.estimate([1, None], None), "array-and-names"),
        (lambda: ll.estimate([1, None], [0.5, 0.2], outcome="y"), "array-and-names"),
        (lambda: ll.estimate({"y": [1, None], "a": [0.5, 0.2]}, {"a": "a"}), "one-forecast"),
        (lambda: ll.estimate([1, 0], [0.5, 0.2], level=1.5), "bad-level"),
        (lambda: ll.estimate(["dog", None], [0.5, 0.2]), "one-class"),
    ],
)
def test_calls_that_do_not_fit_together(call: Any, slug: str) -> None:
    with pytest.raises(ll.LoglossError) as caught:
        call()
    assert caught.value.slug == slug


def test_the_screen(binary: Any) -> None:
    y, p, known = binary
    result = ll.estimate(np.where(known, y, np.nan), p, width=0.1)
    text = str(result)
    assert text.startswith(f"Log loss of the file about {result.log_loss:.4f} nats   95 % interval")
    assert "120 of 400 rows labelled" in text
    assert f"about {result.more} more labels" in text
    assert f"{result.log_loss / math.log(2):.4f} bits" in result.show("bits", notes=False)
    assert "[assumes-random]" in text
    assert "<pre>" in result._repr_html_()
    state = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert state["interval"] == list(result.interval)
    assert state["estimates"]["regression"]["mean"] == result.log_loss
