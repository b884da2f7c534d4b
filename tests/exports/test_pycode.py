"""A map as the source of a function: read by a Python that has NumPy only, it does what `apply` does."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import logloss as ll
from logloss.calibrate import maps
from logloss.calibrate.fitted import LEAST, MOST, finite, forecasts_of
from logloss.calibrate.venn_abers import fit_venn_abers
from logloss.record import Space
from mapcases import BOTH, SPACES, THREE, forecasts

HOSTILE = [
    '"""\nimport os; os.abort()\n"""',
    "'''\nraise SystemExit\n'''",
    "back\\",
    "\\",
    '"',
    "\u2028raise SystemExit\u2029",
    "\u202eevil\u202c",
    "tab\tnull\x00\r\n",
    "\ud800",
    "{0} %s",
]


class Rogue:
    """A label whose repr tries to leave the docstring."""

    def __repr__(self) -> str:
        return '"""\nraise SystemExit\n"""'


def function(fitted: ll.FittedMap, name: str = "recalibrate") -> Any:
    """Return the exported function, from a namespace that holds nothing else."""
    scope: dict[str, Any] = {"__name__": "exported"}
    exec(compile(fitted.python(name), "<exported>", "exec"), scope)
    assert set(scope) == {"__name__", "__builtins__", "np", name}
    return scope[name]


def close(got: Any, expected: Any, space: Space) -> None:
    """Compare to 1e-12; logs and logits near 0 to a few of the last digits of 1."""
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=0.0 if space == "p" else 1e-15)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(("steps", "classes"), BOTH)
def test_it_does_what_apply_does(
    steps: tuple[maps.Map, ...], classes: tuple[object, ...], space: Space
) -> None:
    fitted = ll.FittedMap("any", steps, classes, space=space)
    same = function(fitted)
    for given in forecasts(space, len(classes)):
        got = same(given)
        assert got.dtype == np.float64
        assert got.shape == given.shape
        close(got, fitted.apply(given), space)
        if space == "p":
            assert (got >= LEAST).all()
            assert (got <= MOST).all()


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_venn_abers_finds_the_forecasts_it_was_fitted_to(space: Space, dtype: Any) -> None:
    """Its values jump there: one digit of rounding would show."""
    rng = np.random.default_rng(3)
    for exact in forecasts(space, 2, seed=4):
        given = exact.astype(dtype)
        plain = ll.FittedMap("do nothing", (maps.Scaling(np.ones(1), np.zeros(1)),), (0, 1), space=space)
        z = np.concatenate([finite(Z)[:, 0] for Z, _ in forecasts_of(plain.checked(given, space))])
        one = fit_venn_abers(z, (rng.random(len(z)) < 0.5).astype(float), np.ones(len(z)))
        fitted = ll.FittedMap("venn_abers", (one,), (0, 1), space=space)
        close(function(fitted)(given), fitted.apply(given), space)


def test_a_python_without_logloss_runs_it(tmp_path: Path) -> None:
    fitted = ll.FittedMap("platt", (maps.Scaling(np.array([0.7]), np.array([-0.3])),), ("no", "yes"), ("p",))
    (tmp_path / "exported.py").write_text(fitted.python(), encoding="ascii")
    code = (
        "import sys, json; sys.modules['logloss'] = None; sys.modules['scipy'] = None;"
        "from exported import recalibrate; print(json.dumps(recalibrate([0.9, 0.5, 0.0]).tolist()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, env={}
    )
    close(json.loads(done.stdout), fitted.apply([0.9, 0.5, 0.0]), "p")


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_names_cannot_leave_the_docstring(hostile: str) -> None:
    fitted = ll.FittedMap(hostile, (maps.Beta(1.2, 0.7, -0.1),), (hostile, "b"), (hostile * 9,))
    source = fitted.python()
    assert source.isascii()
    assert function(fitted)([0.9]) == pytest.approx(fitted.apply([0.9]), rel=1e-12)
    tree = ast.parse(source)
    assert [type(node).__name__ for node in tree.body] == ["Import", "FunctionDef"]
    told = ast.get_docstring(tree.body[1])
    assert told is not None
    assert ascii(hostile) in " ".join(told.split()) or ascii(hostile) in told


def test_labels_with_a_repr_of_their_own_cannot_either() -> None:
    fitted = ll.FittedMap("any", (maps.Beta(1.2, 0.7, -0.1),), (Rogue(), "b"))
    assert len(ast.parse(fitted.python()).body) == 2


@pytest.mark.parametrize("bad", ["", "two words", "class", "f(x): pass\ndef g", "1st", "np", 3, None])
def test_it_is_called_by_a_name(bad: Any) -> None:
    with pytest.raises(ll.UsageError) as caught:
        ll.FittedMap.temperature(2.0).python(bad)
    assert caught.value.slug == "bad-name"
    assert function(ll.FittedMap.temperature(2.0), "softer")([0.5]).tolist() == [0.5]


@pytest.mark.parametrize(
    ("space", "bad"),
    [
        ("p", [1.2]),
        ("p", [-0.1]),
        ("p", [np.nan]),
        ("p", [[0.2, 0.3]]),
        ("p", [[0.2, 0.3, 0.5]]),
        ("logp", [0.1]),
        ("logp", [[-1.0, -9.0]]),
        ("logit", [np.nan]),
        ("logit", [[np.inf, 0.0]]),
        ("logit", [[-np.inf, -np.inf]]),
    ],
)
def test_what_apply_refuses_is_refused(space: Space, bad: Any) -> None:
    fitted = ll.FittedMap("beta", (maps.Beta(1.2, 0.7, -0.1),), (0, 1), space=space)
    with pytest.raises(ValueError):
        fitted.apply(bad)
    with pytest.raises(ValueError):
        function(fitted)(bad)


def test_no_rows_give_none() -> None:
    for classes, steps in (
        ((0, 1), (maps.Beta(1.2, 0.7, -0.1),)),
        (THREE, (maps.Mix(0.1, np.full(3, 1 / 3)),)),
    ):
        given = np.zeros((0, len(classes)))
        assert function(ll.FittedMap("any", steps, classes))(given).shape == given.shape


def test_a_single_number_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        function(ll.FittedMap.temperature(2.0))(0.5)


@pytest.mark.parametrize(("steps", "classes"), BOTH)
def test_it_can_be_read(steps: tuple[maps.Map, ...], classes: tuple[object, ...]) -> None:
    source = ll.FittedMap("any", steps, classes).python()
    assert len(source.splitlines()) <= 55
    assert max(map(len, source.splitlines())) <= 110
