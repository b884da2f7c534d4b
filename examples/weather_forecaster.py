"""A weather forecaster who exaggerates: what surprise is, what a forecast expects of itself, what exaggeration costs.

Run it from anywhere, ``python examples/weather_forecaster.py [--out FOLDER]``. The weather is simulated, so that the truth is
known: on a day of chance q it rains with probability q. Every number is computed by logloss.
"""

from __future__ import annotations

import argparse
import math
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

import logloss as ll

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.entropies.replication import Replicates

OUT = Path(__file__).resolve().parent / "output" / "weather_forecaster"
SEED, SEASONS, DAYS = 20, 20, 90
CHANCES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
OFTEN = (0.22, 0.18, 0.14, 0.1, 0.08, 0.08, 0.08, 0.07, 0.05)  # how often the weather is like that
SAID = (0.01, 0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95, 0.99)  # what is said of it to make an impression
BIT = math.log(2)


@dataclass(frozen=True)
class Stated:
    """Days of one chance of rain, which the honest forecaster states; `said` is what the other one says."""

    chance: float
    said: float
    days: int
    wet: float
    expected: float
    added: float


@dataclass(frozen=True)
class Story:
    """Every number that is told. Losses in nats."""

    wet: float
    dry: float
    honest: float
    exaggerated: float
    expected: float
    worse: float
    low: float
    high: float
    added: float
    parts: Replicates
    impressed: Replicates
    season: Replicates
    stated: tuple[Stated, ...]


def weather() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return for every day the chance of rain, what is said to make an impression, and whether it rained."""
    rng = np.random.default_rng(SEED)
    kind = rng.choice(len(CHANCES), SEASONS * DAYS, p=OFTEN)
    chance = np.array(CHANCES)[kind]
    return chance, np.array(SAID)[kind], (rng.random(len(chance)) < chance).astype(np.int64)


def story() -> Story:
    """Compute everything."""
    chance, said, rain = weather()
    wet, dry = ll.surprise([1, 0], [0.99, 0.99])
    both = ll.score({"rain": rain, "honest": chance, "said": said}, {"honest": "honest", "said": "said"}, outcome="rain")  # fmt: skip
    better = both.pairs[0]
    low, high = better["interval"]
    return Story(
        wet=float(wet),
        dry=float(dry),
        honest=both.models["honest"].log_loss,
        exaggerated=both.models["said"].log_loss,
        expected=float(ll.entropy(rows(chance)).mean()),
        worse=-better["difference"],
        low=-high,
        high=-low,
        added=float(ll.kl_divergence(rows(chance), rows(said)).mean()),
        parts=parts(rain, chance),
        impressed=parts(rain, said),
        season=parts(rain[:DAYS], chance[:DAYS]),
        stated=tuple(
            Stated(q, p, int((chance == q).sum()), float(rain[chance == q].mean()), ll.entropy(q), ll.kl_divergence(q, p))
            for q, p in zip(CHANCES, SAID, strict=True)
        ),
    )  # fmt: skip


def rows(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return chances of rain as distributions over dry and wet."""
    return np.stack([1 - p, p], axis=1)


def parts(rain: NDArray[np.int64], forecast: NDArray[np.float64]) -> Replicates:
    """Split a log loss by what was stated."""
    return ll.decompose_replicates(rain, forecast).replicates  # type: ignore[return-value]


def told(it: Story) -> str:
    """Return the story as text."""
    seven, days = it.stated[6], SEASONS * DAYS
    paragraphs = [
        (f'1. Surprise. "99 % rain", and it rains: {it.wet:.4f} nats, or {it.wet / BIT:.4f} bits. It stays dry: {it.dry:.2f} nats, '
        f"{it.dry / BIT:.2f} bits - as surprising as {it.dry / BIT:.1f} coins that all fall heads."),
        (f"2. What a forecast expects of itself. Who says {seven.chance:.0%} and is right to say so will be surprised by {seven.expected:.4f} nats on "
        f"average, the entropy. Who says {seven.said:.0%} of such a day will be surprised by {seven.added:.4f} more, the divergence: "
        f"{seven.expected + seven.added:.4f} in all, the cross-entropy. Nobody who says anything else than {seven.chance:.0%} does better."),
        (f"3. {SEASONS} seasons, {days:,} days. The honest forecaster's log loss is {it.honest:.4f}; {it.expected:.4f} was to be expected. "
        f"Saying it stronger cost {it.exaggerated:.4f}, {it.worse:.4f} more (95 % interval {it.low:.4f} to {it.high:.4f}); "
        f"{it.added:.4f} was to be expected, the mean divergence."),
        "4. Where it comes from, found from what was stated and what happened alone:",
        ("Both know the same of the weather (resolution); the one who exaggerates pays for it under reliability. Few days of a kind make "
        f"anybody look unreliable: in the first season alone the honest forecaster seems to lose {it.season.reliability:.4f}, "
        f"and {it.season.reliability_corrected:.4f} with the bias taken out. The truth is 0."),
    ]  # fmt: skip
    first = [broken(text) for text in paragraphs[:-1]]
    return "\n\n".join(["The forecaster who exaggerates", *first, table(it), broken(paragraphs[-1])])


def table(it: Story) -> str:
    """Return the parts of both log losses side by side."""
    lines = [f"   {'':12}{'honest':>9}{'bias out':>10}{'stronger':>11}{'bias out':>10}"]
    for name in ("uncertainty", "resolution", "reliability"):
        cells = [getattr(one, name + end) for one in (it.parts, it.impressed) for end in ("", "_corrected")]
        lines.append(f"   {name:12}{cells[0]:9.4f}{cells[1]:10.4f}{cells[2]:11.4f}{cells[3]:10.4f}")
    return "\n".join(lines)


def broken(text: str) -> str:
    """Break text into lines."""
    indent = "" if text[0].isdigit() else "   "
    return textwrap.fill(text, 96, initial_indent=indent, subsequent_indent="   ", break_on_hyphens=False)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="The forecaster who exaggerates.")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for stated.csv")
    folder = parser.parse_args(arguments).out
    it = story()
    print(told(it))
    folder.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(it.stated).write_csv(folder / "stated.csv")
    print(f"\nWritten: {folder / 'stated.csv'}")


if __name__ == "__main__":
    main()
