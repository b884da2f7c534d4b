"""A million rows by fifty columns: all slices against 999 data sets without structure, two statistics each."""

from __future__ import annotations

from statistics import median

import numpy as np
from timing import Check, arguments, conclude, measure, show

import logloss as ll
from logloss.slicing import slices
from logloss.sources import gather
from logloss.surprises import per_row
from logloss.why.remedies import remedies

ROWS, COLUMNS = 10**6, 50
LOOK = "slices of 50 columns, 999 replicates"
LIMIT = 60.0  # seconds


def main() -> None:
    options = arguments(__doc__, rounds=1, rows=ROWS)
    random = np.random.default_rng(0)
    n = options.rows
    z = 2 * random.normal(size=n)
    y = (random.random(n) < 1 / (1 + np.exp(-z))).astype(np.int64)
    columns = {f"x{j}": random.normal(size=n) if j % 2 else random.integers(0, 5, n) for j in range(COLUMNS)}
    p = 1 / (1 + np.exp(-z - 0.5 * (columns["x0"] == 3)))
    record = gather(y, p)
    found = remedies(record)
    assert found is not None
    s = per_row(record)
    named: list[str] = []

    def look() -> None:
        result = slices.of_record(record, columns, found.held, s)
        named[:] = [one.name for one in result.named]

    slices.of_record(record, columns, found.held, s, replicates=2)
    times = measure({LOOK: look}, options.rounds)
    show(f"{n:,} rows", times)
    seconds = median(times[LOOK])
    conclude(
        [
            Check(LOOK, f"{seconds:.1f} s", f"<= {LIMIT:g} s", seconds <= LIMIT),
            Check("the planted slice is named first", ", ".join(named), "x0 = 3", named[:1] == ["x0 = 3"]),
            Check("log loss", f"{ll.log_loss(y, p):.4f}"),
        ],
        strict=options.strict,
    )


if __name__ == "__main__":
    main()
