"""Maps that are applied to new rows, written down and read back."""

from __future__ import annotations

import json
import math
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import logloss as ll
from logloss.calibrate import maps
from logloss.calibrate.fitted import LEAST, MOST
from logloss.calibrate.stored import checksum

mpmath.mp.dps = 60
THREE = ("ant", "bee", "cat")

ONE = {  # one of each kind: two classes
    "identity": maps.Identity(),
    "scaling": maps.Scaling(np.array([0.7]), np.array([-0.3])),
    "clip": maps.Clip(0.01, 0.002),
    "mix": maps.Mix(0.1, np.array([0.8, 0.2])),
    "beta": maps.Beta(1.2, 0.7, -0.1),
    "quadratic": maps.Quadratic(0.05, 0.9, 0.2),
    "isotonic": maps.Isotonic(np.array([-1.0, 0.5, 2.0]), np.array([-2.0, -0.5, 3.0])),
    "venn_abers": maps.VennAbers(
        np.array([-1.0, 0.5, 2.0]), np.array([0.0, 0.3, 0.6]), np.array([0.2, 0.6, 1.0])
    ),
}
MANY = {
    "identity": maps.Identity(),
    "scaling": maps.Scaling(np.array([0.7, 1.1, 0.9]), np.array([0.1, -0.3, 0.2])),
    "mix": maps.Mix(0.1, np.array([0.5, 0.3, 0.2])),
    "matrix": maps.Matrix(
        np.array([[0.9, 0.1, 0.0], [0.0, 1.1, -0.1], [0.2, 0.0, 0.8]]), np.array([0.1, 0.0, -0.1])
    ),
}
BOTH = [(one, (0, 1)) for one in ONE.values()] + [(one, THREE) for one in MANY.values()]


def of_mpmath(one: maps.Map, p: list[float]) -> list[mpmath.mpf]:
    """What a map makes of one row of probabilities, in 60-digit arithmetic from the formulas of the fields."""
    q = [mpmath.mpf(x) for x in p]
    s = one.state()
    if len(p) == 2:
        z = mpmath.log(q[1] / q[0])
        if one.kind == "scaling":
            z = s["slope"][0] * z + s["offset"][0]
        elif one.kind == "clip":
            clipped = min(max(q[1], mpmath.mpf(s["second"])), 1 - mpmath.mpf(s["first"]))
            z = mpmath.log(clipped / (1 - clipped))
        elif one.kind == "mix":
            mixed = (1 - mpmath.mpf(s["share"])) * q[1] + mpmath.mpf(s["share"]) * mpmath.mpf(s["rates"][1])
            other = (1 - mpmath.mpf(s["share"])) * q[0] + mpmath.mpf(s["share"]) * mpmath.mpf(s["rates"][0])
            z = mpmath.log(mixed / other)
        elif one.kind == "beta":
            z = s["a"] * mpmath.log(q[1]) - s["b"] * mpmath.log(q[0]) + s["c"]
        elif one.kind == "quadratic":
            z = s["square"] * z**2 + s["slope"] * z + s["offset"]
        up = 1 / (1 + mpmath.exp(-z))
        return [1 - up, up]
    logs = [mpmath.log(x) for x in q]
    if one.kind == "mix":
        return [
            (1 - mpmath.mpf(s["share"])) * x + mpmath.mpf(s["share"]) * mpmath.mpf(r)
            for x, r in zip(q, s["rates"], strict=True)
        ]
    if one.kind == "scaling":
        eta = [a * x + b for a, x, b in zip(s["slope"], logs, s["offset"], strict=True)]
    elif one.kind == "matrix":
        eta = [
            sum(w * x for w, x in zip(row, logs, strict=True)) + b
            for row, b in zip(s["weights"], s["offset"], strict=True)
        ]
    else:
        eta = logs
    total = sum(mpmath.exp(x) for x in eta)
    return [mpmath.exp(x) / total for x in eta]


@pytest.mark.parametrize("kind", [kind for kind in ONE if kind not in ("isotonic", "venn_abers")])
@pytest.mark.parametrize("p", [0.5, 0.03, 0.999, 1e-12])
def test_two_classes_are_mapped_as_the_formula_says(kind: str, p: float) -> None:
    fitted = ll.FittedMap(kind, (ONE[kind],), (0, 1))
    expected = of_mpmath(ONE[kind], [1 - p, p])
    got = fitted.apply(np.array([[1 - p, p]]))
    assert got[0] == pytest.approx([float(x) for x in expected], rel=1e-9 if p < 1e-9 else 1e-13)
    assert fitted.apply([p])[0] == pytest.approx(float(expected[1]), rel=1e-9 if p < 1e-9 else 1e-13)


@pytest.mark.parametrize("kind", sorted(MANY))
def test_many_classes_are_mapped_as_the_formula_says(kind: str) -> None:
    p = [0.7, 0.25, 0.05]
    got = ll.FittedMap(kind, (MANY[kind],), THREE).apply(np.array([p]))
    assert got[0] == pytest.approx([float(x) for x in of_mpmath(MANY[kind], p)], rel=1e-13)


def test_isotonic_is_straight_between_knots_and_constant_beyond() -> None:
    one = ONE["isotonic"]
    z = np.array([[-5.0], [-1.0], [-0.25], [0.5], [1.25], [9.0]])
    assert one(z)[:, 0].tolist() == [-2.0, -2.0, -1.25, -0.5, 1.25, 3.0]


@pytest.mark.parametrize(("one", "classes"), BOTH, ids=lambda x: getattr(x, "kind", ""))
def test_no_map_says_0_or_1(one: maps.Map, classes: tuple[object, ...]) -> None:
    fitted = ll.FittedMap(one.kind, (one,), classes)
    if len(classes) == 2:
        p = np.array([0.0, 5e-324, 1e-300, 0.5, 1 - 2**-53, 1.0])
        got = fitted.apply(p)
        assert fitted.apply(np.stack([1 - p, p], axis=1)).min() >= LEAST
    else:
        got = fitted.apply(np.array([[0, 0, 1.0], [1.0, 0, 0], [5e-324, 1 - 1e-16, 1e-16], [0.5, 0.5, 0]]))
        assert got.sum(axis=1) == pytest.approx(np.ones(4), abs=1e-12)
    assert (got >= LEAST).all()
    assert (got <= MOST).all()
    assert np.isfinite(fitted.apply(p if len(classes) == 2 else got, out="logp")).all()


def test_doing_nothing_gives_back_every_digit() -> None:
    p = np.random.default_rng(0).random(100)
    assert (ll.FittedMap("identity", (maps.Identity(),), (0, 1)).apply(p) == p).all()


@pytest.mark.parametrize(("one", "classes"), BOTH, ids=lambda x: getattr(x, "kind", ""))
def test_json_gives_back_the_same_map(one: maps.Map, classes: tuple[object, ...], tmp_path: Path) -> None:
    fitted = ll.FittedMap("any", (one,), classes, ("p",), "p", {"rows": 3})
    fitted.save(tmp_path / "map.json")
    again = ll.load_map(tmp_path / "map.json")
    assert again.to_dict() == fitted.to_dict()
    p = np.random.default_rng(1).dirichlet(np.ones(len(classes)), size=50)
    assert (again.apply(p) == fitted.apply(p)).all()


def test_named_columns_are_matched_to_classes() -> None:
    import polars as pl

    fitted = ll.FittedMap("scaling", (MANY["scaling"],), THREE)
    p = np.array([[0.7, 0.25, 0.05], [0.1, 0.2, 0.7]])
    shuffled = pl.DataFrame({"cat": p[:, 2], "ant": p[:, 0], "bee": p[:, 1]})
    assert (fitted.apply(shuffled) == fitted.apply(p)).all()


@given(st.floats(-700, 700), st.floats(0.05, 20))
def test_a_temperature_divides_log_odds(z: float, T: float) -> None:
    assert ll.FittedMap.temperature(T).apply([z], space="logit")[0] == pytest.approx(
        np.clip(z / T, -745, 745), rel=1e-12, abs=1e-300
    )


def broken(change: dict[str, object]) -> dict[str, object]:
    state = ll.FittedMap("beta", (ONE["beta"],), (0, 1)).to_dict()
    return state | change


@pytest.mark.parametrize(
    ("change", "slug", "said"),
    [
        ({"logloss_map": 2}, "newer-map", "schema 2"),
        ({"logloss_map": "x"}, "bad-map", "schema"),
        ({"logloss_map": True}, "bad-map", "schema"),
        ({"name": "temperature"}, "bad-map", "checksum"),
        ({"checksum": None}, "bad-map", "checksum"),
        ({"steps": [{"kind": "beta", "a": 9.0, "b": 0.7, "c": -0.1}]}, "bad-map", "checksum"),
    ],
)
def test_a_changed_or_later_file_is_refused(
    change: dict[str, object], slug: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "map.json"
    path.write_text(json.dumps(broken(change)))
    with pytest.raises(ll.SourceError, match=said) as caught:
        ll.load_map(path)
    assert caught.value.slug == slug
    assert str(path) in caught.value.message


@pytest.mark.parametrize(
    "change",
    [
        {"steps": [{"kind": "os.system", "a": 1}]},
        {"steps": [{"kind": "beta", "a": 1.0}]},
        {"steps": [{"kind": "beta", "a": "1", "b": 1.0, "c": 0.0}]},
        {"steps": [{"kind": "beta", "a": True, "b": 1.0, "c": 0.0}]},
        {"steps": [{"kind": "scaling", "slope": [1.0, 1.0], "offset": [0.0]}]},
        {"steps": [{"kind": "mix", "share": 2.0, "rates": [0.5, 0.5]}]},
        {"steps": [{"kind": "clip", "first": 0.7, "second": 0.7}]},
        {"steps": [{"kind": "isotonic", "at": [0.0, 0.0], "odds": [0.0, 1.0]}]},
        {"steps": [{"kind": "isotonic", "at": [0.0, 1.0], "odds": [1.0, 0.0]}]},
        {"steps": [{"kind": "venn_abers", "at": [0.0], "low": [0.7], "high": [0.2]}]},
        {"steps": [{"kind": "matrix", "weights": [[1.0]], "offset": [0.0]}]},
        {"steps": "beta"},
        {"classes": ["only"]},
        {"space": "odds"},
        {"fitted": 3},
    ],
)
def test_numbers_that_no_fit_gives_are_refused_even_with_a_checksum(change: dict[str, object]) -> None:
    state = broken(change)
    state["checksum"] = checksum(state)
    with pytest.raises(ll.SourceError) as caught:
        ll.FittedMap.from_dict(state)
    assert caught.value.slug == "bad-map"
    assert caught.value.cure


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"logloss_map": NaN}', "[" * 100_000, '{"logloss_map": 1, "x": NaN}']
)
def test_what_is_no_map_is_said(text: str, tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    path.write_text(text)
    with pytest.raises(ll.SourceError) as caught:
        ll.load_map(path)
    assert caught.value.slug == "bad-map"


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ll.SourceError, match="nowhere"):
        ll.load_map(tmp_path / "nowhere.json")


def test_maps_of_other_classes_do_not_chain() -> None:
    one, two = ll.FittedMap.temperature(2.0), ll.FittedMap.temperature(2.0, THREE)
    assert one.after(one).apply([0.9]) == pytest.approx(ll.FittedMap.temperature(4.0).apply([0.9]), rel=1e-13)
    with pytest.raises(ll.UsageError, match="different classes"):
        one.after(two)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.inf, math.nan])
def test_temperatures_are_above_0(bad: float) -> None:
    with pytest.raises(ll.UsageError):
        ll.FittedMap.temperature(bad)
