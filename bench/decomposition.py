"""A million binary rows: the decomposition against model-diagnostics, the exact clip curve against NumPy's sort."""

from __future__ import annotations

import numpy as np
from model_diagnostics.scoring import LogLoss
from model_diagnostics.scoring import decompose as their_decompose
from timing import Check, arguments, conclude, faster, measure, show, within

import logloss as ll
from logloss.calibrate.clip import ClipCurve

ROWS = 10**6
OURS = "ll.decompose(y, p, cross_fit=False)"
PEER = "model_diagnostics.scoring.decompose"
FULL = "ll.decompose(y, p): cross-fitted, with remedies"
CURVE = "the exact clip curve and its minimum"
SORT = "np.sort(p)"


def main() -> None:
    options = arguments(__doc__, rounds=9, rows=ROWS)
    random = np.random.default_rng(0)
    p = random.beta(0.7, 0.9, options.rows)
    y = (random.random(options.rows) < p).astype(np.int64)
    observed = y.astype(float)
    times = measure(
        {
            OURS: lambda: ll.decompose(y, p, cross_fit=False),
            PEER: lambda: their_decompose(y_obs=observed, y_pred=p, scoring_function=LogLoss()),
            FULL: lambda: ll.decompose(y, p),
            CURVE: lambda: ClipCurve.of_probabilities(y, p).best(),
            SORT: lambda: np.sort(p),
        },
        options.rounds,
        few={FULL: 3},
    )
    show(f"{options.rows:,} rows", times)
    ours = ll.decompose(y, p, cross_fit=False).in_sample
    theirs = their_decompose(y_obs=observed, y_pred=p, scoring_function=LogLoss())
    gap = max(
        abs(getattr(ours, name) - theirs[name].item())
        for name in ("miscalibration", "discrimination", "uncertainty")
    )
    conclude(
        [
            faster(times, OURS, PEER, 1.0),
            within(times, CURVE, SORT, 1.5),
            Check("largest difference of the three parts", f"{gap:.1e}", "<= 1e-9", gap <= 1e-9),
        ],
        strict=options.strict,
    )


if __name__ == "__main__":
    main()
