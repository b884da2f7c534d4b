"""The compiled pass against its NumPy twin: every number of the summary, on rows chosen to be awkward."""

from __future__ import annotations

import numpy as np
import pytest

import logloss as ll
from hazards import numbers, same
from logloss import folding, observe
from logloss.kernels import fold_binary_p


def awkward(n: int, dtype: type, *, certain: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    odds = rng.normal(0, 1, n) * rng.choice([0.1, 1.0, 5.0, 20.0], n)
    p = (1 / (1 + np.exp(-odds))).astype(dtype)
    y = (rng.random(n) < p).astype(np.int64)
    if certain:
        p[rng.integers(0, n, n // 50)] = 0
        p[rng.integers(0, n, n // 50)] = 1
    w = rng.gamma(0.7, 2.0, n)
    w[rng.integers(0, n, n // 20)] = 0.0
    return y, p, w


@pytest.mark.parametrize("n", [1, 511, 512, 513, 5000])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("certain", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_both_twins_agree(
    n: int, dtype: type, certain: bool, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    y, p, w = awkward(n, dtype, certain=certain)
    if weighted and not w.any():
        w[:] = 1.0
    record = observe(y, p, weight=w if weighted else None, labels=[0, 1], group=y + n % 3)
    by_numpy = folding.fold_record(record)
    monkeypatch.setattr("logloss.kernels.COMPILE_FROM", 1)
    compiled = folding.fold_record(record)
    same(numbers(compiled.to_dict()), numbers(by_numpy.to_dict()))


@pytest.mark.parametrize(
    ("y", "p", "w"),
    [
        (2, 0.5, 1.0),
        (-1, 0.5, 1.0),
        (1, np.nan, 1.0),
        (1, 1.0000001, 1.0),
        (0, -1e-9, 1.0),
        (0, np.inf, 1.0),
        (1, 0.5, np.nan),
        (1, 0.5, -1e-300),
        (1, 0.5, np.inf),
    ],
)
def test_a_row_that_is_not_clean_is_noticed(y: int, p: float, w: float) -> None:
    rows = 700
    outcome, forecast, weight = np.ones(rows, np.int8), np.full(rows, 0.25), np.ones(rows)
    options = {
        "edges": (0.1, 1.0, 2.0, 3.0),
        "rounded_edges": (1e-7, 16.0),
        "limits": folding.LIMITS,
        "top": 3,
    }
    assert fold_binary_p(outcome, forecast, weight, **options) is not None
    outcome[600], forecast[600], weight[600] = y, p, w
    assert fold_binary_p(outcome, forecast, weight, **options) is None


def test_the_float32_view_far_from_the_float64_one() -> None:
    # 1 - p of about 1e-9 is not there in float32: the view differs by more than its series can follow.
    p = np.full(60_000, 1 - 1e-9)
    y = (np.arange(60_000) % 7 > 0).astype(int)
    found = ll.score(y, p)
    zeros = (y == 0).mean()
    assert found.conventions["xgboost"] == pytest.approx(zeros * -np.log(1e-16), rel=1e-9)
    assert found.conventions["keras"] == pytest.approx(
        zeros * -np.log(2.0**-23) - (1 - zeros) * np.log1p(-(2.0**-23)), rel=1e-9
    )


def test_the_result_does_not_depend_on_threads() -> None:
    y, p, w = awkward(1_200_000, np.float64, certain=True)
    table = {"y": y, "p": p, "w": w}
    one, two, three = (
        ll.summarize(table, "p", outcome="y", weight="w", threads=threads).to_dict() for threads in (1, 2, 3)
    )
    assert one == two == three


@pytest.mark.parametrize("K", [3, 10])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_both_twins_agree_on_classes(K: int, dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(K)
    n = 900
    P = rng.dirichlet(np.full(K, 0.2), n)
    y = np.array([int(rng.choice(K, p=row)) for row in P])
    P[:40] = 0.0
    P[np.arange(40), y[:40]] = 1.0  # certain and right
    P[40:50] = np.eye(K)[(y[40:50] + 1) % K]  # certain and wrong
    P[50:90] *= 1 - 0.004 * rng.random((40, 1))  # off by more than rounding
    P = P.astype(dtype)
    w = rng.gamma(1.0, 1.0, n)
    w[::17] = 0.0
    record = observe(y, P, weight=w, labels=list(range(K)), group=y % 2)
    by_numpy = folding.fold_record(record)
    monkeypatch.setattr("logloss.kernels.COMPILE_FROM", 1)
    compiled = folding.fold_record(record)
    assert compiled.infinite[0] == by_numpy.infinite[0] > 0
    same(numbers(compiled.to_dict()), numbers(by_numpy.to_dict()))


def test_of_equal_costs_the_first_rows_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logloss.kernels.COMPILE_FROM", 1)
    y = np.zeros(3000, int)
    y[[700, 40, 2900]] = 1
    found = ll.score(y, np.full(3000, 0.25), weight=np.where(y == 1, 1.0, 2.0))
    rows = [row for _, (_, row), _ in found.summary.top.entries]
    assert rows == [40, 700, 2900, *range(17)]
