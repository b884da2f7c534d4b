"""A million rows: temperature, isotonic regression and Venn-Abers against the packages that fit them.

Peers that are not installed are left out with a line. All contenders are given the same rows, in the form each of them
takes, prepared beforehand; our temperature goes through the public `fit_map`, which checks them; PyTorch and ourselves run on all cores.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import log_softmax
from sklearn.calibration import _TemperatureScaling
from sklearn.isotonic import IsotonicRegression
from timing import Check, arguments, conclude, faster, measure, show

import logloss as ll
from logloss.calibrate.isotonic import isotonic, pool
from logloss.calibrate.venn_abers import fit_venn_abers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

ROWS, CLASSES = 10**6, 10
OURS, SKLEARN, PROBMETRICS, VENN = "logloss", "scikit-learn", "probmetrics", "venn-abers"


def missing(package: str) -> bool:
    if find_spec(package):
        return False
    print(f"{package} is not installed: left out\n")
    return True


def temperature(random: np.random.Generator, rows: int, rounds: int) -> list[Check]:
    """Fit overconfident logits: outcomes follow softmax(0.6 z)."""
    Z = 2 * random.normal(size=(rows, CLASSES))
    y = (0.6 * Z + random.gumbel(size=Z.shape)).argmax(axis=1)
    found: dict[str, float] = {}

    def ours() -> None:
        found[OURS] = float(ll.fit_map(y, Z, "temperature", space="logit", ridge=0).steps[0].slope[0])

    def sklearn() -> None:
        found[SKLEARN] = float(_TemperatureScaling().fit(Z, y).beta_)

    contenders = {OURS: ours, SKLEARN: sklearn}
    if not missing("probmetrics"):
        import torch
        from probmetrics.calibrators import TemperatureScalingCalibrator
        from probmetrics.distributions import CategoricalLogits

        forecast, outcome = CategoricalLogits(torch.from_numpy(Z)), torch.from_numpy(y)

        def probmetrics() -> None:
            fitted = TemperatureScalingCalibrator()
            fitted.fit_torch(forecast, outcome)
            found[PROBMETRICS] = float(fitted.invtemp_)

        contenders[PROBMETRICS] = probmetrics
    times = measure(contenders, rounds, few={SKLEARN: 3, PROBMETRICS: 3})
    show(f"Temperature of {rows:,} x {CLASSES} float64 logits", times)
    losses = {
        name: -float(log_softmax(b * Z, axis=1)[np.arange(rows), y].mean()) for name, b in found.items()
    }
    for name, b in found.items():
        print(f"  {name:12}  T = {1 / b:.12f}   loss {losses[name]:.15f} nats")
    print()
    checks = []
    for peer in list(found)[1:]:
        off, more = abs(1 / found[OURS] - 1 / found[peer]), losses[OURS] - losses[peer]
        assert off < 1e-6, f"{peer} found another temperature"
        checks += [
            named("temperature", faster(times, OURS, peer, 5)),
            Check(f"temperature: difference from {peer}", f"{off:.1e}", "<= 1e-6", off <= 1e-6),
            Check(
                f"temperature: our loss less that of {peer}", f"{more:+.1e} nats", "<= 1e-14", more <= 1e-14
            ),
        ]
    return checks


def binary(random: np.random.Generator, rows: int) -> tuple[Array, Array]:
    p = random.beta(0.7, 0.9, rows)
    return (random.random(rows) < p**1.5).astype(np.float64), p


def isotonic_regression(y: Array, p: Array, rounds: int) -> list[Check]:
    """Both find the distinct forecasts and the fitted share at each."""
    times = measure(
        {OURS: lambda: isotonic(pool(p, y)), SKLEARN: lambda: IsotonicRegression().fit(p, y)}, rounds
    )
    show(f"Isotonic regression of {len(p):,} rows", times)
    pooled = pool(p, y)
    off = float(np.abs(isotonic(pooled) - IsotonicRegression().fit(p, y).predict(pooled.at)).max())
    return [
        named("isotonic", faster(times, OURS, SKLEARN, 1)),
        Check("isotonic: largest difference", f"{off:.1e}", "<= 1e-12", off <= 1e-12),
    ]


def venn_abers(y: Array, p: Array, rounds: int) -> list[Check]:
    """Fit only: the two bounds at every distinct forecast."""
    if missing("venn_abers"):
        return []
    from venn_abers import VennAbers

    both, weight = np.column_stack([1 - p, p]), np.ones(len(p))
    fitted: dict[str, Any] = {}

    def ours() -> None:
        fitted[OURS] = fit_venn_abers(p, y, weight)

    def theirs() -> None:
        fitted[VENN] = VennAbers().fit(both, y)

    times = measure({OURS: ours, VENN: theirs}, rounds, few={VENN: 1})
    show(f"Inductive Venn-Abers of {len(p):,} rows", times)
    some = p[:: max(1, len(p) // 5000)]
    bounds = fitted[VENN].predict_proba(np.column_stack([1 - some, some]))[1]
    off = float(np.abs(np.column_stack(fitted[OURS].bounds(some)) - bounds).max())
    return [
        named("Venn-Abers", faster(times, OURS, VENN, 10)),
        Check("Venn-Abers: largest difference", f"{off:.1e}", "<= 1e-9", off <= 1e-9),
    ]


def named(kind: str, check: Check) -> Check:
    return Check(f"{kind}: {check.what}", check.measured, check.claim, check.passed)


def main() -> None:
    options = arguments(__doc__, rounds=9, rows=ROWS)
    random = np.random.default_rng(7)
    checks = temperature(random, options.rows, options.rounds)
    y, p = binary(random, options.rows)
    checks += isotonic_regression(y, p, options.rounds)
    checks += venn_abers(y, p, options.rounds)
    conclude(checks, strict=options.strict)


if __name__ == "__main__":
    main()
