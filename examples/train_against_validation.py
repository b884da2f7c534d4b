"""Why is validation so much worse than training? A network that is too sure of what it has not seen.

Run it from anywhere, ``python examples/train_against_validation.py [--out FOLDER]``. It tells the story with every
number computed by logloss, and writes what its figures are drawn from: the reliability curve of either side with its
band, and the Lorenz curve of the validation loss. See ``predictions/README.md`` for the file it reads.
"""

from __future__ import annotations

import argparse
import math
import textwrap
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from scipy.optimize import minimize_scalar

import logloss as ll

HERE = Path(__file__).resolve().parent
DATA = HERE / "predictions" / "breast_cancer_network.csv"
OUT = HERE / "output" / "train_against_validation"
COLUMNS = {"outcome": "diagnosis", "forecast": "network"}


@dataclass(frozen=True)
class Story:
    """Every number that is told. Losses in nats.

    `temperature_train` is fitted on the training rows; `temperature` on every second validation row, and
    `softened` is what it makes of the loss `other` of the validation rows in between.
    """

    gap: ll.Gap
    temperature_train: float
    temperature: float
    other: float
    softened: float
    curves: dict[str, ll.Reliability]
    lorenz: ll.Lorenz


def story() -> Story:
    """Compute everything."""
    rows = pl.read_csv(DATA)
    sides = {name: rows.filter(pl.col("part") == name) for name in ("train", "valid")}
    fitted_on, held_out = sides["valid"].gather_every(2), sides["valid"].gather_every(2, offset=1)
    temperature = best_temperature(fitted_on)
    return Story(
        gap=ll.gap(rows, split="part", ids="id", **COLUMNS),
        temperature_train=best_temperature(sides["train"]),
        temperature=temperature,
        other=loss_at(held_out, 1.0),
        softened=loss_at(held_out, temperature),
        curves={name: ll.reliability(side, **COLUMNS) for name, side in sides.items()},
        lorenz=ll.lorenz(sides["valid"], **COLUMNS),
    )


def loss_at(rows: pl.DataFrame, temperature: float) -> float:
    """Return the log loss with the log-odds divided by a temperature."""
    p = rows["network"]
    softened = rows.with_columns(network=(p.log() - (-p).log1p()) / temperature)
    return float(ll.score(softened, space="logit", **COLUMNS).log_loss)


def best_temperature(rows: pl.DataFrame) -> float:
    """Return the temperature with the lowest loss on these rows."""
    best = minimize_scalar(lambda log_t: loss_at(rows, math.exp(log_t)), bounds=(-2, 4), method="bounded")
    return math.exp(best.x)


def told(it: Story) -> str:
    """Return the story."""
    gap = it.gap
    train, valid = gap.train, gap.validation
    excess, expected = gap.part("excess surprise"), gap.part("expected loss")
    assert excess is not None
    assert expected is not None
    assert gap.interval is not None
    paragraphs = [
        (
            f"A network was fitted to {train.n} tumours and tried on {valid.n} others. Its log loss is "
            f"{train.log_loss:.4f} nats on the rows it was trained on and {valid.log_loss:.4f} on the others: "
            f"{gap.difference:.4f} more (95 % interval {gap.interval[0]:.4f} to {gap.interval[1]:.4f}), and worse than always "
            f"saying {valid.summary.class_weight[1] / valid.n:.1%}, which costs {valid.base_rate:.4f}."
        ),
        (
            f"Does it know that it knows less there? No. It expects to lose {train.summary.expected:.4f} on the training rows and "
            f"{valid.summary.expected:.4f} on validation: of the gap, {expected.nats:.4f} is rows of which it is less sure, and "
            f"{excess.nats:.4f} (standard error {excess.standard_error:.4f}) is over-confidence."
        ),
        (
            f"On the training rows it loses just what it expects: z = {train.summary.excess_z or 0.0:.2f}. That is no merit. "
            f"Whoever minimises log loss and can scale the log-odds ends where no temperature lowers the loss, and there "
            f"expected and observed loss are equal. The best temperature on the training rows is {it.temperature_train:.3f}; it "
            f"says nothing. On validation, z = {valid.summary.excess_z:.1f}."
        ),
        (
            f"So the temperature is fitted on validation rows. Every second one of them gives {it.temperature:.2f}; the rows in "
            f"between, which it has not seen, go from {it.other:.4f} to {it.softened:.4f}."
        ),
        (
            f"The reliability curve of the training rows is outside its 90 % band on {it.curves['train'].curve.outside:.0%} of "
            f"them, that of validation on {it.curves['valid'].curve.outside:.0%}. Half of the validation loss is on "
            f"{it.lorenz.half} of {it.lorenz.n} rows."
        ),
        f"In one sentence. {gap.verdict}",
    ]
    return "\n\n".join(textwrap.fill(paragraph, 96, break_on_hyphens=False) for paragraph in paragraphs)


def write(it: Story, folder: Path) -> None:
    """Write the data of the figures."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, found in it.curves.items():
        pl.DataFrame(found.frame("steps")).write_csv(folder / f"reliability_{name}.csv")
    pl.DataFrame(it.lorenz.frame()).write_csv(folder / "lorenz.csv")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the data of the figures")
    out = parser.parse_args().out
    it = story()
    print(told(it))
    write(it, out)
    print(f"\nThe data of the figures are in {out}.")


if __name__ == "__main__":
    main()
