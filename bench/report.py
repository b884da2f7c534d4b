"""The report: seconds in a fresh process and bytes of the page, ours beside evidently's and skore's of the same file.

The peers live in environments of their own, named by the variables EVIDENTLY_PYTHON and SKORE_PYTHON; one that is not
named is left out. skore reports on estimators: it is given one that says the probabilities of the file. Seconds of the
processor stand beside those of the clock, as the machine may be busy.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl
from timing import Check, Times, arguments, conclude, measure, table

OURS, EVIDENTLY, SKORE = "logloss", "evidently", "skore"
CLASSES = (2, 10)
SECONDS = 3.0
BYTES = {"rows": 200_000, "large": 260_000, "huge": 260_000}

PROGRAMS = {
    EVIDENTLY: """
import sys
import pandas as pd
from evidently import BinaryClassification, DataDefinition, Dataset, MulticlassClassification, Report
from evidently.presets import ClassificationPreset
file, page = sys.argv[1:]
table = pd.read_csv(file)
classes = [name for name in table if name.startswith("c")]
if classes:
    task = MulticlassClassification(target="y", prediction_probas=classes)
else:
    task = BinaryClassification(target="y", prediction_probas="p", pos_label=1)
data = Dataset.from_pandas(table, data_definition=DataDefinition(classification=[task]))
Report([ClassificationPreset()]).run(data, None).save_html(page)
""",
    SKORE: """
import sys
from pathlib import Path
import numpy as np
import pandas as pd
import skore
from sklearn.base import BaseEstimator, ClassifierMixin
class Given(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self
    def predict_proba(self, X):
        P = np.asarray(X)
        return P if P.shape[1] > 1 else np.column_stack([1 - P, P])
    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
file, page = sys.argv[1:]
table = pd.read_csv(file)
classes = [name for name in table if name.startswith("c")]
X, y = table[classes or ["p"]], table["y"]
report = skore.EstimatorReport(Given().fit(X, y), X_test=X, y_test=y, pos_label=None if classes else 1)
Path(page).write_text(report._repr_html_(), encoding="utf-8")
""",
}


@dataclass
class Maker:
    """One way to make a page of one file: the command, where the page lies, and what the processor took each time."""

    command: list[str]
    page: Path
    processor: list[float] = field(default_factory=list)

    def __call__(self) -> None:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(self.command, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.processor.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)

    @property
    def size(self) -> int:
        return self.page.stat().st_size


def forecasts(n: int, K: int) -> pl.DataFrame:
    """Return rows of over-confident forecasts, a few of them blunders, with a column to slice by."""
    random = np.random.default_rng(3)
    columns: dict[str, np.ndarray] = {}
    if K == 2:
        z = random.normal(-1.6, 1.6, n)
        columns["y"] = (random.random(n) < 1 / (1 + np.exp(-z))).astype(np.int8)
        z *= 1.6
        z[random.integers(0, n, max(n // 1000, 1))] *= -2.5
        columns["p"] = 1 / (1 + np.exp(-z))
    else:
        Z = 1.5 * random.normal(size=(n, K))
        columns["y"] = np.array([f"c{k}" for k in range(K)])[(Z + random.gumbel(size=(n, K))).argmax(axis=1)]
        P = np.exp(1.5 * Z)
        P /= P.sum(axis=1, keepdims=True)
        columns |= {f"c{k}": P[:, k] for k in range(K)}
    columns["segment"] = random.choice(["app", "web", "partner", "store"], n)
    return pl.DataFrame(columns)


def ours(source: Path, page: Path) -> Maker:
    return Maker([sys.executable, "-m", "logloss", "report", str(source), "-o", str(page), "--force"], page)


def peers(source: Path, folder: Path) -> dict[str, Maker]:
    """Return the peers whose interpreters are named."""
    found = {}
    for name, program in PROGRAMS.items():
        python = os.environ.get(f"{name.upper()}_PYTHON")
        if python:
            page = folder / f"{name}.html"
            found[name] = Maker([python, "-c", program, str(source), str(page)], page)
    return found


def side_by_side(what: str, makers: dict[str, Maker], rounds: int) -> Times:
    """Time the makers in turn and print a row for each."""
    times = measure(makers, rounds)
    first = next(iter(makers.values()))
    rows = [("", "seconds", "processor", "bytes", "times our seconds", "times our bytes")]
    for name, maker in makers.items():
        took, size = median(times[name]), maker.size
        ratios = (f"{took / median(times[OURS]):.2f}", f"{size / first.size:.1f}")
        busy = median(maker.processor[1:])
        rows.append((name, f"{took:.2f}", f"{busy:.2f}", f"{size:,}", *ratios))
    print(what)
    table(rows)
    return times


def judged(what: str, maker: Maker, seconds: float | None, most: int) -> list[Check]:
    """Hold our page to its size, its time where one is claimed, and to the same bytes on a second run."""
    before = maker.page.read_bytes()
    maker()
    same = maker.page.read_bytes() == before
    checks = [
        Check(f"{what}: bytes", f"{maker.size:,}", f"< {most:,}", maker.size < most),
        Check(f"{what}: a second run", "same bytes" if same else "other bytes", "same bytes", same),
    ]
    if seconds is not None:
        checks.append(Check(f"{what}: seconds", f"{seconds:.2f}", f"< {SECONDS:g}", seconds < SECONDS))
    return checks


def from_summary(folder: Path, n: int) -> tuple[Times, Maker]:
    """Score many rows once, and make the page of what was saved."""
    source, saved = folder / "huge.parquet", folder / "huge.json"
    forecasts(n, 2).write_parquet(source)
    score = [sys.executable, "-m", "logloss", "score", str(source), "--save", str(saved)]
    subprocess.run(score, check=True, capture_output=True)
    maker = ours(saved, folder / "huge.html")
    return side_by_side(f"{n:,} rows, from a saved summary", {OURS: maker}, 1), maker


def main() -> None:
    options = arguments(__doc__, rounds=3, rows=12_000, large=10**6, huge=10**7)
    for name in PROGRAMS:
        if not os.environ.get(f"{name.upper()}_PYTHON"):
            print(f"{name} is left out: {name.upper()}_PYTHON names no interpreter that has it.")
    checks = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for label, n, rounds in (("rows", options.rows, options.rounds), ("large", options.large, 1)):
            for K in CLASSES:
                source = folder / f"{label}{K}.csv"
                forecasts(n, K).write_csv(source)
                maker = ours(source, folder / "ours.html")
                what = f"{n:,} rows, {K} classes"
                times = side_by_side(what, {OURS: maker, **peers(source, folder)}, rounds)
                took = median(times[OURS]) if label == "rows" else None
                checks += judged(what, maker, took, BYTES[label])
                source.unlink()
        times, maker = from_summary(folder, options.huge)
        checks += judged(f"{options.huge:,} rows", maker, median(times[OURS]), BYTES["huge"])
    conclude(checks, strict=options.strict)


if __name__ == "__main__":
    main()
