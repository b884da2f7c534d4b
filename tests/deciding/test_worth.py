"""What recalibration is worth: against row-by-row utilities, known truth, and where nothing is to be gained."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import logloss as ll
from logloss.deciding.worth import of_record

WARD = {"wait": {0: 0, 1: -20}, "treat": {0: -2, 1: 0}}  # treat from 1/11 on (Pauker and Kassirer 1980)


def ward(n: int = 4000, factor: float = 2.5, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return outcomes of which about 16 % happen, log-odds that are `factor` times too extreme, and true ones."""
    random = np.random.default_rng(seed)
    z = random.normal(-2.0, 1.0, n)
    return (random.random(n) < 1 / (1 + np.exp(-z))).astype(int), factor * z, z


def utility(y: np.ndarray, treat: np.ndarray) -> np.ndarray:
    return np.where(treat, -2.0 * (y == 0), -20.0 * (y == 1))


def test_an_overconfident_model_is_worse_than_treating_everyone_and_recalibrated_it_is_better() -> None:
    y, z, truth = ward()
    found = ll.worth_of_calibration(y, z, space="logit", utilities=WARD, maps="temperature")
    given = utility(y, z >= math.log(1 / 10))  # odds of 1/11
    assert found.given.realised == pytest.approx(given.mean(), abs=1e-12)
    everyone = utility(y, np.ones(len(y), bool))
    assert found.best_constant == "always treat"
    assert found.ways[3].realised == pytest.approx(everyone.mean(), abs=1e-12)
    assert found.given_against_constant.high < 0 < found.recalibrated_against_constant.low
    # Deciding by the true probabilities is what recalibration can at best give; the map has one parameter, so it is near.
    best = utility(y, truth >= math.log(1 / 10)).mean()
    assert found.recalibrated.realised == pytest.approx(best, abs=0.03)
    assert found.worth.mean == pytest.approx(found.recalibrated.realised - found.given.realised, abs=1e-12)
    assert found.worth.low > 0
    # They expect far too much as given, and about what comes once recalibrated.
    assert found.given.expected > found.given.realised + 1
    low, high = found.recalibrated.interval.low, found.recalibrated.interval.high
    assert low < found.recalibrated.expected < high
    assert found.perfect == 0.0
    assert found.changed == int(((z >= math.log(0.1)) != (found.fix.held_out(out="p") >= 1 / 11)).sum())


def test_rows_are_judged_under_maps_fitted_without_them() -> None:
    y, z, _ = ward(600)
    record = ll.observe(y, z, space="logit")
    utilities = ll.Utilities(("wait", "treat"), (0, 1), [[0, -20], [-2, 0]])
    found = of_record(record, utilities, maps="temperature")
    held = found.fix.held_out(out="p")
    assert found.recalibrated.realised == pytest.approx(utility(y, held >= 1 / 11).mean(), abs=1e-12)
    again = of_record(record, utilities, fix=found.fix)
    assert again.to_dict() == found.to_dict()


def test_nothing_is_gained_where_nothing_is_wrong() -> None:
    y, z, _ = ward(1500, factor=1.0)
    found = ll.worth_of_calibration(y, z, space="logit", utilities=WARD)
    assert found.chosen == "identity"
    assert (found.worth.mean, found.changed) == (0.0, 0)
    assert math.isnan(found.worth.low)
    assert "nothing-recalibrated" in {note.id for note in found.notes}
    assert "worth nothing that could be shown here" in " ".join(str(found).split())


def test_the_value_of_knowing_is_what_the_forecasts_expect() -> None:
    # By hand, at p = 0.3: treat expects -1.4, knowing would cost nothing: 1.4.
    y = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1, 1] * 3)
    found = ll.worth_of_calibration(y, np.full(30, 0.3), utilities=WARD)
    assert found.perfect_information == pytest.approx(1.4, abs=1e-12)
    assert found.given.realised == pytest.approx(-1.4, abs=1e-12)


def test_weights_groups_classes_and_costs() -> None:
    y, z, _ = ward(1000)
    words = np.array(["well", "ill"])[y]
    p = 1 / (1 + np.exp(-z))
    costs = ll.worth_of_calibration(
        words, p, labels=["well", "ill"], cost_fp=2, cost_fn=20, maps="temperature"
    )
    plain = ll.worth_of_calibration(y, p, utilities=WARD, maps="temperature")
    assert costs.worth.mean == pytest.approx(plain.worth.mean, abs=1e-12)
    more = ll.worth_of_calibration(
        np.append(y, 1),
        np.append(p, 0.001),
        weight=np.append(np.ones(1000), 0),
        utilities=WARD,
        maps="temperature",
    )
    assert (more.n, more.worth.mean) == (1000, pytest.approx(plain.worth.mean, abs=1e-12))
    groups = ll.worth_of_calibration(y, p, group=np.arange(1000) // 50, utilities=WARD, maps="temperature")
    assert groups.worth.standard_error != plain.worth.standard_error
    random = np.random.default_rng(0)
    Z = random.normal(0, 1, (900, 3))
    P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    k = (P.cumsum(axis=1) < random.random((900, 1))).sum(axis=1)
    U = {"a": {0: 3, 1: 0, 2: -5}, "b": {0: 0, 1: 2, 2: 0}, "c": {0: -2, 1: 0, 2: 4}}
    found = ll.worth_of_calibration(k, 4 * Z, space="logit", utilities=U, maps="temperature")
    values = np.array([[3, 0, -5], [0, 2, 0], [-2, 0, 4]])
    raw, held = (4 * Z, np.log(found.fix.held_out(out="p")))
    brought = [
        values[(np.exp(eta) @ values.T / np.exp(eta).sum(axis=1, keepdims=True)).argmax(axis=1), k]
        for eta in (raw, held)
    ]
    assert found.given.realised == pytest.approx(brought[0].mean(), abs=1e-12)
    assert found.recalibrated.realised == pytest.approx(brought[1].mean(), abs=1e-12)
    assert found.perfect == pytest.approx(np.array([3, 2, 4])[k].mean(), abs=1e-12)


def test_it_prints_one_screen_and_writes_json() -> None:
    y, z, _ = ward(1500)
    found = ll.worth_of_calibration(
        y, z, space="logit", cost_fp=2, cost_fn=20, reject=1.0, maps=["temperature"]
    )
    text = str(found)
    assert "Better calibration is worth +" in text
    assert "recalibrated (temperature)" in text
    assert "always refer" in text
    assert len(text.splitlines()) < 30
    json.dumps(found.to_dict(), allow_nan=False)
    assert "<pre>" in found._repr_html_()
    assert "bits" in found.show("bits")
    with pytest.raises(ll.UsageError, match="bad-level"):
        ll.worth_of_calibration(y, z, space="logit", utilities=WARD, level=95)
