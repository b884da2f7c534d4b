"""Values that other projects' tests expect, under the convention each of them names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import logloss as ll
from cases import PEERS

ids = [case["id"] for case in PEERS]
CLIPS = {None: "exact", 2.220446049250313e-16: "scikit-learn>=1.5", 1e-7: "keras"}


def forecasts(case: dict[str, Any]) -> tuple[Any, str]:
    if "Z" in case:
        return np.array(case["Z"], float), "logit"
    return np.array(case["P"] if "P" in case else case["p1"], float), "p"


@pytest.mark.parametrize(
    "case", [c for c in PEERS if c["fn"] == "log_loss" and "expected" in c], ids=lambda c: c["id"]
)
def test_log_loss(case: dict[str, Any]) -> None:
    forecast, space = forecasts(case)
    labels = case.get("labels") or sorted(set(case["y_true"]))
    if forecast.ndim == 1 and len(labels) == 1:
        labels = [0, 1]
    result = ll.score(case["y_true"], forecast, space=space, weight=case.get("sample_weight"), labels=labels)
    name = "exact" if space == "logit" else CLIPS[case.get("clip")]
    value = result.log_loss if name == "exact" else result.conventions[name]
    if case.get("normalize") is False:
        value *= result.weight
    assert value == pytest.approx(case["expected"], abs=case["tol"] + 1e-9)


@pytest.mark.parametrize(
    "case", [c for c in PEERS if c["fn"] in {"log_loss_rows", "soft_ce_rows"}], ids=lambda c: c["id"]
)
def test_rows(case: dict[str, Any]) -> None:
    forecast, space = forecasts(case)
    outcome = case["y_true"] if "y_true" in case else case["Y"]
    assert ll.surprise(outcome, forecast, space=space) == pytest.approx(
        np.array(case["expected"], float), abs=case["tol"]
    )


@pytest.mark.parametrize(
    "case", [c for c in PEERS if c["fn"] == "binary_ce_elementwise_mean"], ids=lambda c: c["id"]
)
def test_cells_of_yes_no_tables(case: dict[str, Any]) -> None:
    """Keras and optax average over independent cells; each cell is one binary row of ours."""
    y = np.ravel(case["Y"])
    clip = case.get("clip")
    if "Z" in case:
        cells = ll.surprise(y, np.ravel(case["Z"]).astype(float), space="logit")
    else:
        p = np.clip(np.ravel(case["Pm"]).astype(float), clip or 0, 1 - case.get("clip_hi", clip or 0))
        cells = ll.surprise(y, p)
    rows = cells.reshape(np.shape(case["Y"])).mean(axis=1)
    weight = np.asarray(case.get("sample_weight", np.ones(len(rows))))
    assert (rows * weight).mean() == pytest.approx(case["expected"], abs=case["tol"])


@pytest.mark.parametrize("case", [c for c in PEERS if c["fn"].startswith("brier")], ids=lambda c: c["id"])
def test_brier(case: dict[str, Any]) -> None:
    forecast, _ = forecasts(case)
    result = ll.score(
        case["y_true"],
        forecast,
        labels=case.get("labels") or (sorted(set(case["y_true"])) if forecast.ndim == 2 else [0, 1]),
    )
    assert result.brier == pytest.approx(case["expected"], abs=case["tol"])


@pytest.mark.parametrize("case", [c for c in PEERS if "raises" in c], ids=lambda c: c["id"])
def test_what_others_refuse_we_refuse(case: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        ll.score(case["y_true"], forecasts(case)[0], labels=case.get("labels"))


def test_labels_out_of_order_are_scored_in_the_order_given() -> None:
    # scikit-learn only warns here, and scores the columns in the alphabet's order.
    case = next(c for c in PEERS if c["id"] == "skl_warn_order")
    assert ll.log_loss(case["y_true"], case["P"], labels=case["labels"]) == math.inf
    assert ll.log_loss(case["labels"], case["P"], labels=case["labels"]) == 0


def test_excess_over_the_entropy_of_the_outcome() -> None:
    # model-diagnostics scores soft outcomes by KL: log loss minus the entropy of y.
    case = next(c for c in PEERS if c["fn"] == "log_loss_rows_soft_excess")
    y, p = np.array(case["y"]), np.array(case["p1"])
    entropy = [-sum(q * math.log(q) for q in (t, 1 - t) if q > 0) for t in y]
    assert ll.surprise(y, p) - entropy == pytest.approx(np.array(case["expected"], float), abs=1e-12)


def test_every_case_is_used() -> None:
    used = {
        "log_loss",
        "log_loss_rows",
        "soft_ce_rows",
        "binary_ce_elementwise_mean",
        "brier_multi",
        "brier_binary",
        "log_loss_rows_soft_excess",
    }
    assert {case["fn"] for case in PEERS} == used
    assert len(ids) == len(set(ids)) == 40
