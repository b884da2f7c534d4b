"""What 500 labels say about 1,797 forecasts, told against the truth that was hidden.

Run it from anywhere, ``python examples/five_hundred_labels.py [--out FOLDER]``. Real out-of-fold predictions of ten
digits by naive Bayes (see ``predictions/README.md``); every outcome but 500 drawn at random is hidden from logloss. It
writes ``todo.csv``, the rows it would label next.
"""

from __future__ import annotations

import argparse
import textwrap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

import logloss as ll

HERE = Path(__file__).resolve().parent
DIGITS = HERE / "predictions" / "digits.csv"
OUT = HERE / "output" / "five_hundred_labels"
LABELS, SEED, WIDTH, NEXT = 500, 12, 0.15, 200


@dataclass(frozen=True)
class Story:
    """What was hidden (`truth`), and what is told about it by 500 labels, by none, and by 500 badly chosen ones."""

    rows: int
    truth: float
    estimate: ll.Estimate
    uncertain: ll.Estimate
    chosen: ll.Selection
    later: ll.Estimate


def hidden(table: pl.DataFrame, rows: np.ndarray) -> pl.DataFrame:
    """Return the table with the outcomes of these rows only."""
    shown = np.isin(np.arange(table.height), rows)
    return table.with_columns(pl.when(pl.Series(shown)).then(pl.col("digit")).alias("digit"))


def story() -> Story:
    """Compute everything that is told."""
    table = pl.read_csv(DIGITS)
    forecast = [name for name in table.columns if name.startswith("p_")]
    rng = np.random.default_rng(SEED)
    known = rng.choice(table.height, LABELS, replace=False)
    estimate = ll.estimate(hidden(table, known), outcome="digit", forecast=forecast, width=WIDTH)
    surest = table.select(pl.max_horizontal(forecast)).to_series().to_numpy()
    uncertain = np.argsort(surest, kind="stable")[:LABELS]
    chosen = estimate.next_rows(NEXT, seed=SEED)
    both = np.concatenate([known, chosen.rows])
    return Story(
        rows=table.height,
        truth=ll.score(table, outcome="digit", forecast=forecast).log_loss,
        estimate=estimate,
        uncertain=ll.estimate(hidden(table, uncertain), outcome="digit", forecast=forecast),
        chosen=chosen,
        later=ll.estimate(hidden(table, both), outcome="digit", forecast=forecast),
    )


def span(interval: tuple[float, float] | None) -> str:
    """Return an interval as text."""
    return "no interval" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def told(it: Story) -> str:
    """Tell the story."""
    one, bad = it.estimate, it.uncertain
    alone = one.estimates["labelled"]
    caught = "says so" if any(note.id == "not-random" for note in bad.notes) else "does not notice"
    paragraphs = [
        f"{one.labelled} of {it.rows:,} rows have been labelled, drawn at random. What is the log loss of them all?",
        (
            f"The labelled rows alone say {alone.mean:.3f} nats ({alone.low:.3f} to {alone.high:.3f}). With what the forecasts expect "
            f"of all rows it is {one.log_loss:.3f} ({span(one.interval)}); the correlation of surprise and entropy is only "
            f"{one.correlation:.2f}, so the forecasts' opinion of themselves is worth little here. The truth, which was hidden: {it.truth:.3f}."
        ),
        (
            f"That is the log loss of these {it.rows:,} rows. Of the digits that such a model will meet it is known less well: "
            f"{span(one.interval_population)}."
        ),
        (
            f"Without any label there is only what the forecasts expect of themselves: {one.expected:.3f}. Naive Bayes is over-confident; "
            f"its loss is {it.truth / one.expected:.0f} times that."
        ),
        (
            f"Had the {bad.labelled} least certain rows been labelled instead, as is often advised, the mean of the labelled rows would "
            f"have been {bad.estimates['labelled'].mean:.3f}, {bad.estimates['labelled'].mean / it.truth:.1f} times the truth, and the line through them "
            f"{bad.log_loss:.3f}. No interval can be trusted there, and estimate {caught}: their forecasts are far more uncertain than the others'."
        ),
        (
            f"For an interval {WIDTH:g} nats wide it takes about {one.more:,} more labels. The next {len(it.chosen.rows)}, drawn at random among the rest, "
            f"bring it to {span(it.later.interval)} about {it.later.log_loss:.3f}."
        ),
    ]
    return "\n\n".join(textwrap.fill(text, 96) for text in paragraphs)


def main() -> None:
    """Tell the story and write the rows to label next."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT, help="folder for todo.csv")
    out = parser.parse_args().out
    it = story()
    print(told(it))
    out.mkdir(parents=True, exist_ok=True)
    todo = out / "todo.csv"
    todo.unlink(missing_ok=True)  # the example's own, of an earlier run
    it.chosen.save(todo)
    print(f"\n{todo}: the rows to label next, and their probabilities.")


if __name__ == "__main__":
    main()
