"""After cross-validation: what the interval is about by default, and the other thing that stands beside."""

from __future__ import annotations

import json

import numpy as np
import pytest

import logloss as ll
from logloss.dependence.folded import of_folds
from logloss.interval import of_clusters, of_rows

N = 300
_RANDOM = np.random.default_rng(2)
Z = _RANDOM.normal(size=N)
Y = (_RANDOM.random(N) < 1 / (1 + np.exp(-Z))).astype(int)
P = {"a": 1 / (1 + np.exp(-Z)), "b": 1 / (1 + np.exp(-1.6 * Z))}
FOLD = np.arange(N) % 10
SITE = np.arange(N) // 7


def _differences() -> np.ndarray:
    s = {name: -np.log(np.where(Y == 1, p, 1 - p)) for name, p in P.items()}
    return s["a"] - s["b"]


def test_folds_ask_about_the_ways_of_fitting_and_tell_both() -> None:
    found = ll.compare(Y, P, fold=FOLD)
    pair = found.pair("a", "b")
    algorithm, models = of_folds(_differences(), np.ones(N), FOLD), of_rows(_differences(), np.ones(N))
    assert algorithm is not None
    assert models is not None
    assert (found.target, pair.rule, pair.verdict) == ("algorithm", "nadeau-bengio", "tie")
    assert pair.interval == pytest.approx((algorithm.low, algorithm.high), rel=1e-9)
    beside = pair.beside["models"]
    assert beside["interval"] == pytest.approx([models.low, models.high], rel=1e-9)
    assert (beside["verdict"], beside["rule"]) == ("a better", "hall-t")
    other = ll.compare(Y, P, fold=FOLD, target="models").pair("a", "b")
    assert other.interval == pytest.approx(beside["interval"])
    assert other.beside["algorithm"]["interval"] == pytest.approx(pair.interval)
    assert json.loads(json.dumps(found.to_dict()))["pairs"][0]["beside"]["models"]["about"] == beside["about"]


def test_the_other_interval_is_on_the_screen() -> None:
    shown = " ".join(str(ll.compare(Y, P, fold=FOLD)).split())
    assert "Folds: the interval is about the ways of fitting, given another sample of this size." in shown
    models = of_rows(-_differences(), np.ones(N))  # how far the better one is ahead
    assert models is not None
    assert f"it is +{models.low:.4f} to +{models.high:.4f} (Hall-t): too narrow if" in shown
    shown = " ".join(str(ll.compare(Y, P, fold=FOLD, target="models")).split())
    assert "the interval is about the models that were fitted" in shown
    assert "(Nadeau-Bengio)." in shown


def test_turned_round_the_other_interval_turns_too() -> None:
    found = ll.compare(Y, P, fold=FOLD)
    one, other = found.pair("a", "b").beside["models"], found.pair("b", "a").beside["models"]
    assert other["interval"] == [-end for end in reversed(one["interval"])]
    assert other["difference"] == -one["difference"]
    assert (one["verdict"], other["verdict"]) == ("a better", "b better")


@pytest.mark.parametrize("group", [None, SITE])
def test_rows_or_groups_left_out_one_by_one_stay_rows_or_groups(group: np.ndarray | None) -> None:
    fold = np.arange(N) if group is None else 100 - group
    found = ll.compare(Y, P, fold=fold, group=group)
    assert (found.target, found.unit) == ("models", "row" if group is None else "group")
    assert "algorithm" not in found.pairs[0].beside


def test_groups_and_folds() -> None:
    found = ll.compare(Y, P, fold=SITE % 5, group=SITE)
    assert "folds-before-groups" in {note.id for note in found.notes}
    expected = of_clusters(_differences(), np.ones(N), SITE)
    assert expected is not None
    beside = found.pair("a", "b").beside["models"]
    assert beside["interval"] == pytest.approx([expected.low, expected.high])
    assert beside["rule"] == "jackknife"  # the last site has six rows, the others seven


def test_one_fold_tells_nothing_of_the_ways_of_fitting() -> None:
    assert ll.compare(Y, P, fold=np.zeros(N)).target == "models"
    found = ll.compare(Y, P, fold=np.zeros(N), target="algorithm")
    assert (found.pairs[0].verdict, found.pairs[0].interval) == ("undefined", None)
    assert "one-fold" in {note.id for note in found.notes}


def test_rows_without_a_fold_are_refused() -> None:
    with pytest.raises(ll.ColumnError, match=r"No fold is known of 2 rows \(rows 0, 1\)"):
        ll.compare(Y, P, fold=np.where(np.arange(N) < 2, np.nan, FOLD))
    with pytest.raises(ll.ColumnError, match="no-fold"):
        ll.compare(Y, P, fold=[None, *FOLD[1:].tolist()])


def test_of_three_the_intervals_hold_for_all_at_once() -> None:
    found = ll.compare(Y, P | {"c": 0.9 * P["a"] + 0.05}, fold=FOLD)
    wide = ll.compare(Y, P, fold=FOLD, level=0.975)  # Bonferroni: two differences to the best
    assert found.models["b"].simultaneous == pytest.approx(wide.models["b"].difference_interval)
    assert found.best_set == ()
    assert "no-best-set" in {note.id for note in found.notes}
    infinite = ll.compare(Y, P | {"c": np.where(np.arange(N) == 0, 1.0 - Y, P["a"])}, fold=FOLD)
    assert infinite.models["c"].simultaneous is None
    assert "models" not in infinite.pair("a", "c").beside


def test_what_is_no_target_is_refused() -> None:
    with pytest.raises(ll.UsageError, match="Did you mean 'models'"):
        ll.compare(Y, P, fold=FOLD, target="model")
