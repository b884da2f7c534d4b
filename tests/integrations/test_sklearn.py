"""The drop-in against the original: same values, same refusals, same warnings, and its own test suite."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sklearn = pytest.importorskip("sklearn")

from sklearn.metrics import log_loss as original  # noqa: E402

from logloss.integrations.sklearn import log_loss  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RELEASE = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
since_1_9 = pytest.mark.skipif(RELEASE < (1, 9), reason="the convention followed is that of scikit-learn 1.9")

CLOSE = {"float64": 1e-12, "float32": 1e-6, "float16": 2e-3}
KINDS = ("one column", "n by 1", "two columns", "K columns")
NAMES: dict[str, Callable[[np.ndarray], Any]] = {
    "int": lambda codes: codes,
    "int8": lambda codes: (codes * 40 - 100).astype(np.int8),
    "far apart": lambda codes: codes * 10**12 - 7,
    "uint64": lambda codes: codes.astype(np.uint64) + np.uint64(2**63),
    "float": lambda codes: codes.astype(float),
    "text": lambda codes: np.array(["ham", "spam", "tofu", "zander"])[codes],
    "objects": lambda codes: np.array(["ham", "spam", "tofu", "zander"], object)[codes],
    "list": lambda codes: [["ham", "spam", "tofu", "zander"][code] for code in codes],
}
CORNERS = (0.0, 1.0, 1e-320, 1e-17, 1e-10, 1 - 1e-10, 1e-7, 1 - 1e-7)


def forecasts(rng: np.random.Generator, kind: str, rows: int, dtype: str) -> tuple[np.ndarray, int]:
    """Return forecasts, some of them certain or nearly so, and the number of classes."""
    first = np.where(rng.random(rows) < 0.3, rng.choice(CORNERS, rows), rng.random(rows))
    if kind == "K columns":
        rest = rng.dirichlet(np.ones(3), rows) * (1 - first)[:, None]
        return np.column_stack([first, rest]).astype(dtype), 4
    p = first.astype(dtype)
    return {"one column": p, "n by 1": p[:, None], "two columns": np.column_stack([1 - p, p])}[kind], 2


def outcomes(rng: np.random.Generator, rows: int, count: int) -> np.ndarray:
    """Return codes in which every class happens."""
    codes = rng.integers(0, count, rows)
    codes[:count] = np.arange(count)
    return rng.permutation(codes)


def ascending(y: Any) -> Any:
    return sorted(set(y)) if isinstance(y, list) else np.unique(y)


def outcome_of(function: Callable[..., float], *args: Any, **kwargs: Any) -> tuple[Any, list[type[Warning]]]:
    """Return the value or the error, and the categories of warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value: Any = function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001
            value = error
    return value, [warning.category for warning in caught]


# ---------------------------------------------------------------- values


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_values_agree(
    kind: str, names: str, dtype: str, weighted: bool, normalize: bool, rng: np.random.Generator
) -> None:
    P, count = forecasts(rng, kind, 200, dtype)
    y = NAMES[names](outcomes(rng, len(P), count))
    weight = rng.random(len(P)) if weighted else None
    for labels in (None, ascending(y)):
        expected = original(y, P, normalize=normalize, sample_weight=weight, labels=labels)
        found = log_loss(y, P, normalize=normalize, sample_weight=weight, labels=labels)
        assert type(found) is float
        assert found == pytest.approx(expected, rel=CLOSE[dtype], abs=0)


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    names=st.sampled_from(sorted(NAMES)),
    dtype=st.sampled_from(["float64", "float32"]),
    rows=st.integers(4, 40),
    seed=st.integers(0, 2**32 - 1),
    weights=st.sampled_from(["none", "float64", "float32", "int64", "list"]),
    declared=st.booleans(),
    normalize=st.booleans(),
)
def test_values_agree_on_anything(
    kind: str, names: str, dtype: str, rows: int, seed: int, weights: str, declared: bool, normalize: bool
) -> None:
    rng = np.random.default_rng(seed)
    P, count = forecasts(rng, kind, rows, dtype)
    y = NAMES[names](outcomes(rng, rows, count))
    weight: Any = rng.integers(1, 9, rows)
    weight = None if weights == "none" else weight.tolist() if weights == "list" else weight.astype(weights)
    labels = ascending(y) if declared else None
    expected = original(y, P, normalize=normalize, sample_weight=weight, labels=labels)
    found = log_loss(y, P, normalize=normalize, sample_weight=weight, labels=labels)
    assert found == pytest.approx(expected, rel=CLOSE[dtype], abs=0)


@pytest.mark.parametrize("dtype", CLOSE)
def test_certainty_costs_what_it_costs_there(dtype: str) -> None:
    for right in (True, False):
        p = np.array([0, 1, 1] if right else [1, 0, 0], dtype)
        for P in (p, np.column_stack([1 - p, p])):
            found = log_loss([0, 1, 1], P)
            assert found > 0
            assert found == pytest.approx(original([0, 1, 1], P), rel=CLOSE[dtype], abs=0)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("columns", [3, 40])
def test_large_tables_agree(columns: int, order: Any, rng: np.random.Generator) -> None:
    P = np.asarray(rng.dirichlet(np.ones(columns), 20_000), order=order)
    y = rng.integers(0, columns, len(P))
    assert log_loss(y, P) == pytest.approx(original(y, P), rel=1e-12, abs=0)


@pytest.mark.parametrize(
    "rows", [[[0, 1, 1], [1, 0, 0], [1, 1, 1], [0, 0, 0]], [[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 0, 0]]]
)
def test_indicators_agree(rows: list[list[int]]) -> None:
    P = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.6, 0.2, 0.2], [0.3, 0.3, 0.4]])
    for y in (rows, np.array(rows), np.array(rows, float)):
        assert log_loss(y, P) == pytest.approx(original(y, P), rel=1e-12, abs=0)


def test_indicators_agree_with_one_column() -> None:
    y, p = [[0, 1], [1, 0], [1, 1]], [0.9, 0.2, 0.4]
    assert log_loss(y, p) == pytest.approx(original(y, p), rel=1e-12, abs=0)


def test_data_frames_agree(rng: np.random.Generator) -> None:
    pd = pytest.importorskip("pandas")
    pl = pytest.importorskip("polars")
    P, count = forecasts(rng, "K columns", 60, "float64")
    y = NAMES["text"](outcomes(rng, 60, count))
    expected = original(y, P)
    series: list[Any] = [
        pd.Series(y),
        pd.Series(y, dtype="category"),
        pl.Series(y),
        tuple(y),
        y[:, None],
        pd.DataFrame({"y": y}),
    ]
    for outcome in series:
        for table in (pd.DataFrame(P), pl.DataFrame(P), P.tolist()):
            assert log_loss(outcome, table) == pytest.approx(expected, rel=1e-12, abs=0)
    assert log_loss(pd.Series([0, 1, 1], dtype="Int64"), [0.1, 0.6, 0.7]) == original(
        [0, 1, 1], [0.1, 0.6, 0.7]
    )
    by_label = pd.Series(sorted(set(y)))
    assert log_loss(y, P, labels=by_label, sample_weight=pd.Series(np.ones(60))) == pytest.approx(
        expected, rel=1e-12, abs=0
    )


def test_inputs_are_left_as_they_were(rng: np.random.Generator) -> None:
    for kind in KINDS:
        P, count = forecasts(rng, kind, 50, "float64")
        y, w = outcomes(rng, 50, count), rng.random(50)
        copies = P.copy(), y.copy(), w.copy()
        log_loss(y, P, sample_weight=w)
        for before, after in zip(copies, (P, y, w), strict=True):
            np.testing.assert_array_equal(before, after)


class Elsewhere:
    """An array that can only be had by DLPack, as those on a device are."""

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values)
        self.shape = self.values.shape

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("not in main memory")

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self.values.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.values.__dlpack_device__()


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.1.0", reason="from_dlpack(device=) came with NumPy 2.1"
)
def test_arrays_elsewhere_are_brought_here() -> None:
    y, p, w = [0, 1, 1, 0], [0.2, 0.6, 0.9, 0.4], [1.0, 2.0, 3.0, 4.0]
    found = log_loss(Elsewhere(y), Elsewhere(p), sample_weight=Elsewhere(w), labels=Elsewhere([0, 1]))
    assert found == log_loss(y, p, sample_weight=w)


# ---------------------------------------------------------------- refusals and warnings

Y, PAIR = [0, 1, 1, 0], [0.2, 0.6, 0.9, 0.4]
THREE = [[0.2, 0.3, 0.5], [0.1, 0.1, 0.8], [0.6, 0.2, 0.2], [0.3, 0.3, 0.4]]
REFUSED: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "more classes than columns": ([0, 1, 2, 1], PAIR, {}),
    "fewer classes than columns": (Y, THREE, {}),
    "more labels than columns": (Y, PAIR, {"labels": [0, 1, 2]}),
    "fewer labels than columns": (Y, THREE, {"labels": [0, 1]}),
    "one class": ([1, 1, 1, 1], PAIR, {}),
    "one label": ([1, 1, 1, 1], PAIR, {"labels": [1]}),
    "no labels": (Y, PAIR, {"labels": []}),
    "a label twice": (Y, PAIR, {"labels": [0, 1, 1]}),
    "outcomes not among the labels": ([0, 1, 2, 1], PAIR, {"labels": [0, 1]}),
    "labels of another type": (Y, PAIR, {"labels": ["0", "1"]}),
    "labels beside indicators": ([[0, 1], [1, 0], [1, 0], [0, 1]], PAIR, {"labels": [0, 1]}),
    "indicators of another width": ([[0, 1], [1, 0], [1, 0], [0, 1]], THREE, {}),
    "fewer outcomes": ([0, 1, 1], PAIR, {}),
    "more outcomes": ([0, 1, 1, 0, 1], PAIR, {}),
    "fewer weights": (Y, PAIR, {"sample_weight": [1, 2, 3]}),
    "no rows": ([], [], {}),
    "above one": (Y, [0.2, 0.6, 1.1, 0.4], {}),
    "below zero": (Y, [0.2, 0.6, -0.1, 0.4], {}),
    "forecast missing": (Y, [0.2, 0.6, np.nan, 0.4], {}),
    "forecast infinite": (Y, [0.2, 0.6, np.inf, 0.4], {}),
    "forecast of text": (Y, [["a"], ["b"], ["c"], ["d"]], {}),
    "forecast of three axes": (Y, np.full((4, 2, 2), 0.5), {}),
    "forecast a number": (Y, 0.5, {}),
    "forecast text": (Y, "half", {}),
    "no forecast": (Y, None, {}),
    "outcome missing": ([0, 1, np.nan, 1], PAIR, {}),
    "outcome None": (["a", None, "b", "a"], PAIR, {}),
    "outcome None, labels": (["a", None, "b", "a"], PAIR, {"labels": ["a", "b"]}),
    "outcomes infinite": ([0, 1, np.inf, 1], PAIR, {}),
    "outcomes fractions": ([0.5, 1, 0, 1], PAIR, {}),
    "outcomes fractions, labels": ([0.5, 1, 0, 1], PAIR, {"labels": [0, 0.5, 1]}),
    "outcomes of two types": (["a", 1, "b", 1], PAIR, {}),
    "outcomes bytes": ([b"a", b"b", b"a", b"b"], PAIR, {}),
    "outcomes objects": (np.array([0, 1, 1, 0], object), PAIR, {}),
    "outcomes objects, labels": (np.array([0, 1, 1, 0], object), PAIR, {"labels": [0, 1]}),
    "outcomes sets": ([{1}, {0}, {1}, {0}], PAIR, {}),
    "outcomes ragged": ([[0], [0, 1], [1], [0]], PAIR, {}),
    "outcomes shares of classes": ([[0.3, 0.7], [0.5, 0.5], [1, 0], [0, 1]], PAIR, {}),
    "outcomes in text": ("abab", PAIR, {}),
    "outcomes a number": (1, PAIR, {}),
    "no outcomes": (None, PAIR, {}),
    "weights all zero": (Y, PAIR, {"sample_weight": [0, 0, 0, 0]}),
    "weights cancel": (Y, PAIR, {"sample_weight": [1, -1, 1, -1]}),
    "weights missing": (Y, PAIR, {"sample_weight": [1, np.nan, 1, 1]}),
    "weights of two axes": (Y, PAIR, {"sample_weight": [[1], [2], [3], [4]]}),
    "weights a number": (Y, PAIR, {"sample_weight": 2.0}),
    "labels text": (Y, PAIR, {"labels": "01"}),
    "labels a number": (Y, PAIR, {"labels": 2}),
    "normalize text": (Y, PAIR, {"normalize": "yes"}),
    "normalize a number": (Y, PAIR, {"normalize": 1}),
    "forecast under both names": (Y, PAIR, {"y_pred": PAIR}),
}


@since_1_9
@pytest.mark.parametrize("case", REFUSED)
def test_refusals_agree(case: str) -> None:
    y, p, kwargs = REFUSED[case]
    expected, warned = outcome_of(original, y, p, **kwargs)
    found, warned_too = outcome_of(log_loss, y, p, **kwargs)
    assert isinstance(expected, Exception), "the case is not one"
    assert isinstance(found, Exception)
    kinds = [kind for kind in (ValueError, TypeError, ZeroDivisionError) if isinstance(expected, kind)]
    assert kinds
    assert all(isinstance(found, kind) for kind in kinds), repr(found)
    assert set(warned_too) == set(warned)


def test_a_label_named_twice_is_called_that() -> None:
    with pytest.raises(ValueError, match="twice"):
        log_loss(Y, PAIR, labels=[0, 1, 1])


WARNED: dict[str, tuple[Any, Any, dict[str, Any], str]] = {
    "labels unordered": (
        ["b", "a", "c", "a"],
        THREE,
        {"labels": ["b", "a", "c"]},
        "ordered lexicographically",
    ),
    "labels descending": (Y, PAIR, {"labels": np.array([1, 0])}, "ordered lexicographically"),
    "rows below one": ([0, 1, 2, 1], np.multiply(THREE, 0.9), {}, "do not sum to one"),
    "rows above one": ([0, 1, 2, 1], np.multiply(THREE, 1.1), {}, "do not sum to one"),
    "rows barely below one": ([0, 1, 2, 1], np.multiply(THREE, 1 - 3e-8), {}, "do not sum to one"),
    "half precision": (
        Y,
        np.array([[0.2, 0.7], [0.6, 0.3], [0.4, 0.7], [0.8, 0.3]], "float16"),
        {},
        "do not sum to one",
    ),
}


@pytest.mark.parametrize("case", WARNED)
def test_warnings_agree(case: str) -> None:
    y, p, kwargs, text = WARNED[case]
    with pytest.warns(UserWarning, match=text):
        expected = original(y, p, **kwargs)
    with pytest.warns(UserWarning, match=text) as caught:
        found = log_loss(y, p, **kwargs)
    assert found == pytest.approx(expected, rel=1e-3 if case == "half precision" else 1e-12, abs=0)
    assert len(caught) == 1
    assert caught[0].filename == __file__, "the warning points to the caller"


@pytest.mark.parametrize(
    ("dtype", "factor"), [("float64", 1 + 2e-8), ("float32", 1 + 1e-5), ("float16", 1.0)]
)
def test_rounding_is_not_warned_about(dtype: str, factor: float) -> None:
    P = (np.array(THREE) * factor).astype(dtype)
    for function in (original, log_loss):
        value, warned = outcome_of(function, [0, 1, 2, 1], P)
        assert isinstance(value, float)
        assert not warned


def test_the_former_name_still_works() -> None:
    with pytest.warns(FutureWarning, match="renamed to `y_proba`") as caught:
        found = log_loss(Y, y_pred=PAIR)
    assert found == log_loss(Y, PAIR) == log_loss(Y, y_proba=PAIR)
    assert caught[0].filename == __file__


@pytest.mark.skipif(not (1, 9) <= RELEASE < (1, 11), reason="the signature of scikit-learn 1.9 and 1.10")
def test_signatures_agree() -> None:
    def shape(function: Callable[..., float]) -> list[tuple[str, Any, Any]]:
        return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]

    assert shape(log_loss) == shape(original)


# ---------------------------------------------------------------- scikit-learn's own tests

SWAP = '''
"""Before the tests run, put our function wherever the collected modules hold scikit-learn's."""
from functools import partial
from sklearn.metrics import log_loss as original
from logloss.integrations.sklearn import log_loss

calls = 0

def counted(*args, **kwargs):
    global calls
    calls += 1
    return log_loss(*args, **kwargs)

def pytest_collection_finish(session):
    for module in {item.module for item in session.items}:
        for name, value in list(vars(module).items()):
            if value is original:
                setattr(module, name, counted)
            elif isinstance(value, dict):
                if "log_loss" in value:
                    value["log_loss"] = counted
                if "unnormalized_log_loss" in value:
                    value["unnormalized_log_loss"] = partial(counted, normalize=False)
    for item in session.items:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        params.update({name: counted for name, value in params.items() if value is original})

def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"calls of the replacement: {calls}")
'''


@since_1_9
def test_scikit_learns_own_tests_pass(tmp_path: Path) -> None:
    (tmp_path / "swap_log_loss.py").write_text(SWAP)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")  # scikit-learn's tests, not this project's settings
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(tmp_path), env.get("PYTHONPATH")]))
    command = [
        sys.executable, "-m", "pytest", "-c", str(tmp_path / "pytest.ini"), "--rootdir", str(tmp_path), "-q",
        "-p", "no:cacheprovider", "-p", "swap_log_loss", "-k", "log_loss", "--pyargs",
        "sklearn.metrics.tests.test_classification", "sklearn.metrics.tests.test_common",
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    calls = re.search(r"calls of the replacement: (\d+)", done.stdout)
    assert passed is not None
    assert calls is not None
    assert int(passed[1]) >= 50
    assert int(calls[1]) >= 50
