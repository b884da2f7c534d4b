"""The post-mortem of a contest entry: a very good forecast, pushed to be surer, that came back worse.

Run it from anywhere, ``python examples/cats_and_dogs.py [--out FOLDER]``. It tells the story with every number
computed by logloss, and writes what its figures are drawn from: ``clip_curve.csv`` and ``rows.csv``.

The two files it reads are real out-of-fold predictions of a real classifier, but there are no cats and no dogs in
them: handwritten 2s stand in for the cats, handwritten 3s for the dogs. See ``predictions/README.md``.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import sys
import textwrap
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

import logloss as ll

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from logloss.calibrate.clip import Clip
    from logloss.why.blame import Row

HERE = Path(__file__).resolve().parent
SUBMISSION = HERE / "predictions" / "cats_and_dogs_submission.csv"
SOLUTION = HERE / "predictions" / "cats_and_dogs_solution.csv"
OUT = HERE / "output" / "cats_and_dogs"

TINY = 1e-5  # the push is to .99999 and .00001
FIRST_P = 0.03824  # what the dog of the story this one is modelled on had been given
WIDTH = 96


@dataclass(frozen=True)
class Entry:
    """The submission as given."""

    rows: int
    wrong: int
    accuracy: float
    loss: float
    low: float
    high: float
    base_rate: float
    kaggle: float


@dataclass(frozen=True)
class RowCost:
    """What one row cost before and after the push. `p` is the P(dog) that was submitted."""

    id: int
    outcome: str
    p: float
    surprise: float
    surprise_pushed: float
    share: float


@dataclass(frozen=True)
class Push:
    """Every forecast beyond one half, moved to the extreme it leans to.

    `right_given` and `right_pushed` are the losses had the worst row been right. `price` is what that row paid;
    `saving` is what the push saved on each of the other rows, on average; `next_price` is the most that any of
    them paid.
    """

    loss: float
    change: float
    better: int
    worse: int
    next_price: float
    share: float
    right_given: float
    right_pushed: float
    price: float
    saving: float

    @property
    def break_even(self) -> float:
        """How many right rows pay for one wrong one."""
        return self.price / self.saving


@dataclass(frozen=True)
class Position:
    """What comes out when the rows of the two files are paired as they stand."""

    loss: float
    accuracy: float
    paired: int


@dataclass(frozen=True)
class Clipped:
    """What clipping does to one submission; a best clip of 0 means that none helps."""

    best: float
    best_loss: float
    gain: float
    advised: float
    advised_loss: float


@dataclass(frozen=True)
class Repair:
    """Clipping both submissions, and the share of the push's damage that a clip takes back.

    `blind` is the clip advised for the pushed submission without its worst row; `accuracy_only` is the loss of
    saying nothing but the first choice, with the accuracy as its probability.
    """

    given: Clipped
    pushed: Clipped
    blind: float
    blind_loss: float
    accuracy_only: float
    best_share: float
    advised_share: float
    blind_share: float


@dataclass(frozen=True)
class CurvePoint:
    """The loss of both submissions when clipped into [eps, 1 - eps]."""

    eps: float
    loss_as_given: float
    loss_pushed: float


@dataclass(frozen=True)
class Story:
    """Every number that is told, and the rows of both figures. Losses in nats."""

    first_surprise: float
    first_pushed: float
    entry: Entry
    push: Push
    position: Position
    repair: Repair
    rows: tuple[RowCost, ...]
    curve: tuple[CurvePoint, ...]

    @property
    def worst(self) -> RowCost:
        """The row that cost most."""
        return self.rows[0]


def story() -> Story:
    """Compute everything."""
    submission, solution = pl.read_csv(SUBMISSION), pl.read_csv(SOLUTION)
    pushed = submission.with_columns(label=push(submission["label"].to_numpy()))
    given, after = explained(submission, solution), explained(pushed, solution)
    worst = given.worst[0]
    first = ll.surprise(["dog", "dog"], [FIRST_P, TINY], labels=["cat", "dog"])
    return Story(
        first_surprise=float(first[0]),
        first_pushed=float(first[1]),
        entry=entry_of(given),
        push=push_of(given, after, losses_had_it_been_right(worst, submission, pushed, solution)),
        position=position_of(submission, solution),
        repair=repair_of(given, after, explained(pushed.filter(pl.col("id") != worst.id), solution)),
        rows=tuple(row_costs(given, after, submission["label"].to_list())),
        curve=tuple(curve_of(clip_of(given), clip_of(after))),
    )


def push(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move every probability to the extreme it leans to; one half stays where it is."""
    return np.where(p > 0.5, 1 - TINY, np.where(p < 0.5, TINY, p))


def explained(predictions: pl.DataFrame, answers: pl.DataFrame) -> ll.Explanation:
    """Explain a submission, its answers joined by id; `worst` lists every row."""
    return ll.explain(
        predictions,
        forecast="label",
        truth=answers,
        outcome="label",
        ids="id",
        positive="dog",
        rows=len(predictions),
    )


def entry_of(given: ll.Explanation) -> Entry:
    """Take from an explanation what a contestant sees first."""
    score = given.score
    low, high = score.interval or (math.nan, math.nan)
    return Entry(
        rows=score.n,
        wrong=given.census["errors"],
        accuracy=score.accuracy,
        loss=score.log_loss,
        low=low,
        high=high,
        base_rate=score.base_rate,
        kaggle=score.conventions["kaggle"],
    )


def losses_had_it_been_right(
    row: Row, submission: pl.DataFrame, pushed: pl.DataFrame, solution: pl.DataFrame
) -> tuple[float, float]:
    """Return the loss of each submission, had this row been what was said of it."""
    this_row = pl.col("id") == row.id
    answers = solution.with_columns(label=pl.when(this_row).then(pl.lit(row.predicted)).otherwise("label"))
    return explained(submission, answers).score.log_loss, explained(pushed, answers).score.log_loss


def push_of(given: ll.Explanation, after: ll.Explanation, had_it_been_right: tuple[float, float]) -> Push:
    """Compare a submission with its pushed self."""
    edit = next(edit for edit in given.what_ifs if edit.kind == "push")
    price, n = edit.paid[0]["change"], given.score.n
    return Push(
        loss=after.score.log_loss,
        change=edit.change,
        better=edit.better,
        worse=edit.worse,
        next_price=edit.paid[1]["change"],
        share=after.worst[0].share or 0.0,
        right_given=had_it_been_right[0],
        right_pushed=had_it_been_right[1],
        price=price,
        saving=(price - n * edit.change) / (n - 1),
    )


def position_of(submission: pl.DataFrame, solution: pl.DataFrame) -> Position:
    """Fall into the trap: columns alone have no ids, so they are paired as they stand."""
    wrong = ll.score(solution["label"], submission["label"], positive="dog")
    paired = int((solution["id"] == submission["id"]).sum())
    return Position(wrong.log_loss, wrong.accuracy, paired)


def clip_of(why: ll.Explanation) -> Clip:
    """Return the clip of an explanation of two classes, where there always is one."""
    assert why.clip is not None
    return why.clip


def clipped(clip: Clip) -> Clipped:
    """Take from a clip what is told of it."""
    return Clipped(
        best=clip.best,
        best_loss=clip.log_loss,
        gain=math.nan if clip.gain is None else clip.gain,
        advised=clip.suggested,
        advised_loss=clip.suggested_log_loss,
    )


def repair_of(given: ll.Explanation, after: ll.Explanation, without_worst: ll.Explanation) -> Repair:
    """Clip both submissions; the last explanation is of the pushed one without its worst row."""
    blind = clip_of(without_worst).suggested
    blind_loss = clip_of(after).curve.loss(blind)
    before, pushed = given.score.log_loss, clipped(clip_of(after))
    damage = after.score.log_loss - before
    taken_back = [
        (after.score.log_loss - loss) / damage for loss in (pushed.best_loss, pushed.advised_loss, blind_loss)
    ]
    return Repair(
        clipped(clip_of(given)), pushed, blind, blind_loss, after.score.argmax_loss, *taken_back
    )  # fmt: skip


def row_costs(given: ll.Explanation, after: ll.Explanation, p: list[float]) -> Iterable[RowCost]:
    """Yield every row, the costliest first."""
    for row in given.worst:
        pushed = float(after.surprise[row.row])
        yield RowCost(row.id, row.outcome, p[row.row], row.surprise, pushed, row.share or 0.0)


def curve_of(given: Clip, pushed: Clip) -> Iterable[CurvePoint]:
    """Yield the loss over the clip: no clip, a logarithmic grid, and the clips the story speaks of."""
    special = [0.0, given.best, given.suggested, pushed.best, pushed.suggested]
    for eps in sorted({*special, *np.geomspace(1e-9, 0.5, 200).tolist()}):
        yield CurvePoint(eps, given.curve.loss(eps), pushed.curve.loss(eps))


def told(it: Story) -> str:
    """Return the story as text."""
    steps = [as_given, who_carries_it, the_push, by_position, the_clip, moral]
    numbered = [f"{number}. {step(it)}" for number, step in enumerate(steps, 1)]
    return "\n\n".join([opening(it), *numbered])


def paragraph(text: str, indent: str = "   ") -> str:
    """Break text into lines under a heading."""
    return textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def percent(share: float, digits: int = 1) -> str:
    """Format a share."""
    return f"{100 * share:.{digits}f} %"


def step(title: str, *paragraphs: str) -> str:
    """Return a heading with its paragraphs; one that is laid out already stays as it is."""
    return "\n".join([title, *(text if "\n" in text else paragraph(text) for text in paragraphs)])


def opening(it: Story) -> str:
    """Say what this is modelled on, and what the data are."""
    return "\n\n".join(
        [
            "Cats, dogs and one row",
            paragraph(
                "Somebody had a very good model in a contest of telling cats from dogs. Log loss rewards "
                "confidence, they knew, so they pushed every prediction beyond .5 to .99999 or .00001 - and the "
                "score got worse. Labelling images by hand, they found one dog that the model had called a cat, "
                f"with p = {FIRST_P:.3f}. As it stood it cost {it.first_surprise:.2f} nats and was most of the "
                f"whole loss; pushed, it cost {it.first_pushed:.1f}.",
                indent="",
            ),
            paragraph(
                f"That entry is not at hand. This one is: {it.entry.rows} real predictions of a real classifier, "
                "each made by a model that had not seen the row. It has no cats and no dogs: they are handwritten "
                "digits, 2s standing in for cats and 3s for dogs. No prediction was edited. Losses are in nats "
                "per row.",
                indent="",
            ),
        ]
    )


def as_given(it: Story) -> str:
    """Tell step 1."""
    e = it.entry
    return step(
        "The submission as given",
        f"Log loss {e.loss:.5f}, 95 % interval {e.low:.5f} to {e.high:.5f}, on {e.rows} rows, {e.wrong} of them "
        f"wrong at one half. Always saying the share of dogs would score {e.base_rate:.5f}. The contest site "
        f"(Kaggle's rule: clip at 1e-15) would print {e.kaggle:.5f}: nothing here is sure enough to be clipped.",
    )


def who_carries_it(it: Story) -> str:
    """Tell step 2."""
    w, second = it.worst, it.rows[1]
    return step(
        "Who carries it",
        f"Row {w.id}. It is a {w.outcome} and was given P(dog) = {w.p:.4f}, a surprise of {w.surprise:.2f} nats: "
        f"{percent(w.share)} of the loss of {it.entry.rows} rows. The next, row {second.id}, carries "
        f"{percent(second.share)}.",
    )


def the_push(it: Story) -> str:
    """Tell step 3."""
    b, w = it.push, it.worst
    return step(
        f"The push to {1 - TINY:g} and {TINY:.5f}",
        f"Log loss {it.entry.loss:.5f} before, {b.loss:.5f} after: {b.loss / it.entry.loss:.1f} times as much. "
        f"{b.better} rows got cheaper. {b.worse} paid: {b.worse - 1} of them, surer than that already, at most "
        f"{b.next_price:.5f} each, and row {w.id} paid {b.price:.2f}, from {w.surprise:.2f} to "
        f"{w.surprise_pushed:.2f}. It is {percent(b.share, 2)} of the loss now.",
        f"Had that one row been right, the push would have been a triumph: from {b.right_given:.5f} to "
        f"{b.right_pushed:.5f}. It saved {b.saving:.5f} on each of the other rows, on average, so it takes "
        f"{math.ceil(b.break_even):,} right rows to pay for one like it. There were {it.entry.rows - 1}.",
    )


def by_position(it: Story) -> str:
    """Tell step 4."""
    t = it.position
    return step(
        "A trap beside the road: the two files are in different orders",
        f"Matched by position instead of by id, the same files give {t.loss:.5f} with {percent(t.accuracy)} right: "
        f"{t.paired} of {it.entry.rows} rows meet their own answer. A sure forecast that is far worse than "
        f"{it.entry.base_rate:.5f}, which knowing nothing scores, is what mismatched rows look like. Give the two "
        "tables, and they are joined by id.",
    )


def the_clip(it: Story) -> str:
    """Tell step 5."""
    r = it.repair
    return step(
        "What a clip repairs",
        clip_table(it),
        "As given, nothing needs repair; the advised clip (Krichevsky and Trofimov: add half an error and half a "
        f"success) costs {r.given.advised_loss - it.entry.loss:.5f}, the premium of an insurance. Pushed, the best "
        f"clip takes back {percent(r.best_share)} of the damage and the advised one {percent(r.advised_share)}. "
        f"What is advised from the other rows, without ever seeing row {it.worst.id}, is {r.blind:.5f}; it scores "
        f"{r.blind_loss:.5f} and takes back {percent(r.blind_share)}.",
        f"No clip does better than {r.accuracy_only:.5f}, which is what the accuracy alone is worth: the push threw "
        "away which rows were less sure, and that does not come back.",
        "Held out, the best clip loses, because there is one blunder. The rows beside it are all right, so the fold "
        f"that scores row {it.worst.id} clips nothing; the other folds clip for its sake, and pay. With so few "
        "errors the gain has no interval: of the next blunder these rows know nothing. That is why the advice does "
        "not wait for an error.",
    )


def clip_table(it: Story) -> str:
    """Lay out what clipping does to both submissions."""
    given, pushed = it.repair.given, it.repair.pushed
    lines = [
        ("", "as given", "pushed"),
        ("no clip", f"{it.entry.loss:.5f}", f"{it.push.loss:.5f}"),
        ("best clip in this sample", best_text(given), best_text(pushed)),
        ("its gain, held out", gain_text(given), gain_text(pushed)),
        ("advised clip", f"{given.advised:.5f} -> {given.advised_loss:.5f}",
         f"{pushed.advised:.5f} -> {pushed.advised_loss:.5f}"),
    ]  # fmt: skip
    return "\n".join(f"     {name:<26}{left:<22}{right}".rstrip() for name, left, right in lines)


def best_text(c: Clipped) -> str:
    """Say the best clip and its loss."""
    return f"{c.best:.5f} -> {c.best_loss:.5f}" if c.best > 0 else "none helps"


def gain_text(c: Clipped) -> str:
    """Say the held-out gain; nothing was saved where no fold chose a clip."""
    return f"{c.gain:+.5f}" if c.gain else "no fold chose one"


def moral(it: Story) -> str:
    """Tell step 6."""
    b, r = it.push, it.repair.pushed
    return step(
        "The moral",
        f"Being surer than you have earned is a bet of {b.price:.2f} nats a mistake against {b.saving:.5f} a row: "
        f"with {it.entry.wrong} mistake in {it.entry.rows} rows it turned {it.entry.loss:.5f} into {b.loss:.5f}. "
        f"If you must push, clip at what your rows can vouch for, here {r.advised:.5f} instead of {TINY:.5f}, and "
        f"pay {r.advised_loss:.5f}; better still, leave the {it.entry.loss:.5f} alone and look at row {it.worst.id}.",
    )


def write(folder: Path, it: Story) -> list[Path]:
    """Write the data of the figures."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_csv(folder / "clip_curve.csv", CurvePoint, it.curve),
        write_csv(folder / "rows.csv", RowCost, it.rows),
    ]


def write_csv(path: Path, kind: type[Any], rows: Iterable[Any]) -> Path:
    """Write dataclasses as rows, every bit of a float kept. The file appears whole or not at all."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([field.name for field in fields(kind)])
            writer.writerows(astuple(row) for row in rows)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def main(argv: Sequence[str] | None = None) -> None:
    """Tell the story and write its figures' data."""
    parser = argparse.ArgumentParser(description="The post-mortem of a contest entry.")
    parser.add_argument("--out", type=Path, default=OUT, help=f"where the CSV files go (default: {OUT})")
    folder = parser.parse_args(argv).out
    it = story()
    print(told(it))
    print()
    for path in write(folder, it):
        print(f"Wrote {path}")


if __name__ == "__main__":
    main(sys.argv[1:])
