"""A million rows, 99 thresholds: the decision curve with intervals and bands against dcurves' without; the Murphy curve.

Needs ``pip install dcurves``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from dcurves import dca
from timing import Check, arguments, conclude, faster, measure, show, within

import logloss as ll

ROWS = 10**6
OURS = "ll.decision_curve(y, p): with intervals and bands"
PEER = "dcurves.dca"
CURVE = "ll.murphy_curve(y, p): exact"
SORT = "np.sort(p)"


def main() -> None:
    options = arguments(__doc__, rounds=5, rows=ROWS)
    random = np.random.default_rng(0)
    p = random.beta(0.7, 2.0, options.rows)
    y = (random.random(options.rows) < p).astype(np.int64)
    frame = pd.DataFrame({"y": y, "p": p})
    th = np.arange(1, 100) / 100
    times = measure(
        {
            OURS: lambda: ll.decision_curve(y, p, thresholds=th),
            PEER: lambda: dca(data=frame, outcome="y", modelnames=["p"], thresholds=th),
            CURVE: lambda: ll.murphy_curve(y, p),
            SORT: lambda: np.sort(p),
        },
        options.rounds,
        few={PEER: 3},
    )
    show(f"{options.rows:,} rows", times)
    ours = ll.decision_curve(y, p, thresholds=th)
    theirs = dca(data=frame, outcome="y", modelnames=["p"], thresholds=th)
    found = theirs[theirs["model"] == "p"].sort_values("threshold")["net_benefit"].to_numpy()
    gap = float(np.abs(ours.forecasts["forecast"].net_benefit - found).max())
    conclude(
        [
            faster(times, OURS, PEER, 5.0),
            within(times, CURVE, SORT, 10.0),
            Check("largest difference of net benefits", f"{gap:.1e}", "<= 1e-9", gap <= 1e-9),
        ],
        strict=options.strict,
    )


if __name__ == "__main__":
    main()
