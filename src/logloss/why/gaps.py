"""Train against validation: how much worse the forecast does on rows it was not fitted to, and why."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.codes import Coded
from logloss.errors import AlignmentError, LoglossError, UsageError, listing
from logloss.interval import Sample, hall_welch
from logloss.notes import Note
from logloss.panel import Panel
from logloss.passes import height
from logloss.plain import plain
from logloss.record import Observations
from logloss.scoring import Score, of_summary
from logloss.sources import Opened, gather, opened
from logloss.stages import staged
from logloss.summaries import folded, summary_of
from logloss.summary import Summary
from logloss.why.contrast import Gap, verdict_of
from logloss.why.sides import by_belief, by_class, side_of_record, side_of_summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logloss.record import Space
    from logloss.why.sides import Part

__all__ = ["gap", "of_sides", "open_sides", "split_record", "split_rows"]

MOST_ROWS = 5_000_000  # rows of a side that are held in memory; more are told from one pass
TRAINING = ("train", "training", "trn", "fit", "learn", "learning")
HELD_OUT = ("valid", "validation", "val", "dev", "test", "testing", "holdout", "held-out", "held_out", "heldout",
            "hold-out", "eval", "evaluation", "oof", "out")  # fmt: skip
# Errors of one side that the classes of the other may cure.
UNSEEN = ("one-class", "labels-count", "columns-without-class", "classes-without-column", "too-many-classes",
          "positive-unknown")  # fmt: skip


def gap(
    train: Any,
    validation: Any = None,
    *,
    split: Any = None,
    training: Any = None,
    forecast: Any = None,
    outcome: Any = None,
    space: Space = "p",
    weight: Any = None,
    ids: Any = None,
    truth: Any = None,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    normalize_rows: bool = False,
    skip_missing: bool = False,
    skip_unreadable: bool = False,
    level: float = 0.95,
) -> Gap:
    """Compare the loss on validation rows with that on the rows a model was trained on, and say what the gap is made of.

    Both must be losses of the same, finished model. The training loss that frameworks print is a running mean over an
    epoch, of a model that changes meanwhile and with dropout on: predict the training rows anew in evaluation mode.

    Parameters
    ----------
    train, validation
        A table as :func:`logloss.score` reads it, a pair (outcomes, forecasts), or a :class:`Summary`.
        Sides of more than 5,000,000 rows, and summaries, are told from one pass, without the parts' standard errors.
    split
        Instead of `validation`: the column of the one table `train` that tells the two sides apart (with a pair of
        arrays, an array of shape (n,)).
    training
        The value of `split` in the training rows, where it is not called "train" or the like.
    forecast, outcome, space, weight, ids, truth, labels, positive, normalize_rows, skip_missing, skip_unreadable
        As in :func:`logloss.score`, for both sides (a summary has its columns behind it).
    level
        Coverage of the intervals.

    Returns
    -------
    Gap

    Raises
    ------
    LoglossError
        UsageError for a call that does not fit together, DataError for data that cannot be scored or compared.

    Examples
    --------
    >>> import logloss as ll
    >>> found = ll.gap(([1, 0, 1, 0], [0.9, 0.1, 0.8, 0.2]), ([1, 0, 1, 0], [0.9, 0.1, 0.2, 0.3]))
    >>> round(found.train.log_loss, 3), round(found.validation.log_loss, 3), round(found.difference, 3)
    (0.164, 0.544, 0.38)
    """
    options = {
        "forecast": forecast, "outcome": outcome, "space": space, "weight": weight, "ids": ids, "truth": truth,
        "labels": labels, "positive": positive, "normalize_rows": normalize_rows, "skip_missing": skip_missing,
        "skip_unreadable": skip_unreadable,
    }  # fmt: skip
    if split is not None and validation is None:
        return of_sides(*split_rows(train, split, training, options), level=level)
    if validation is None or split is not None or training is not None:
        raise UsageError(
            "two-sides",
            "Two sides are compared: two sets of rows, or one with a column that splits it.",
            cure="Call gap(train, validation), or gap(table, split=COLUMN, training=VALUE) (CLI: --train FILE, or --split COLUMN).",
        )
    return of_sides(*open_sides(train, validation, options), level=level)


@staged("comparing training with validation")
def of_sides(
    train: Observations | Summary, validation: Observations | Summary, *, level: float = 0.95
) -> Gap:
    """Compare two checked records, or summaries."""
    scores = []
    for rows in (train, validation):
        score = of_summary(rows if isinstance(rows, Summary) else summary_of(rows), level=level)
        assert isinstance(score, Score)
        scores.append(score)
    a, b = scores
    _refuse_strangers(a, b)
    notes = [*_notes(a, b), *_shared_ids(train, validation)]
    found = hall_welch(_sample(b.summary), _sample(a.summary), level=level)
    infinite = bool(a.infinite_rows or b.infinite_rows)
    parts: tuple[Part, ...] = ()
    classes: tuple[dict[str, Any], ...] = ()
    if a.summary.moments.n and b.summary.moments.n:
        sides = [
            side_of_summary(r) if isinstance(r, Summary) else side_of_record(r) for r in (train, validation)
        ]
        cut, classes = by_class(*sides)
        parts = (*by_belief(*sides), *cut)
    if infinite:
        text = f"Rows of infinite surprise are carried apart ({a.infinite_rows:,} of training, {b.infinite_rows:,} of validation): what the gap is made of is about the others."
        notes.append(Note("infinite-apart", text))
    with np.errstate(invalid="ignore"):
        difference = float(np.float64(b.log_loss) - np.float64(a.log_loss))
    known = None if infinite or found is None else found
    result = Gap(
        train=a,
        validation=b,
        difference=difference,
        difference_finite=b.log_loss_finite - a.log_loss_finite,
        standard_error=None if known is None else known.standard_error,
        interval=None if known is None else (known.low, known.high),
        level=level,
        parts=parts,
        classes=classes,
        verdict="",
        notes=tuple(notes),
    )
    return replace(result, verdict=verdict_of(result))


@staged("reading")
def split_rows(
    data: Any, split: Any, training: Any, options: dict[str, Any]
) -> tuple[Observations, Observations]:
    """Return the training and the validation rows of one table; `options` are those of :func:`gap`."""
    whole = data if isinstance(data, Summary) else _rows(data, {**options, "group": split})
    if isinstance(whole, Summary):
        raise UsageError(
            "rows-needed",
            "A summary does not hold rows that could be split.",
            cure="Give a summary of each side.",
        )
    return split_record(whole, training)


def split_record(record: Observations, training: Any = None) -> tuple[Observations, Observations]:
    """Return the training and the validation rows of a record by its two groups; see :func:`gap`."""
    assert record.group is not None
    coded = (record.group if isinstance(record.group, Coded) else Coded.of(record.group)).used()
    found = [plain(key) for key in coded.keys]
    if len(found) != 2:
        raise AlignmentError(
            "not-two-sides",
            f"The column that splits the rows has {len(found)} values ({listing(map(repr, found))}), not two.",
            cure="Leave the other rows out, or give two tables: gap(train, validation).",
        )
    names = [str(value).strip().lower() for value in found]
    if training is not None:
        known = [str(value) == str(plain(training)) for value in found]
    else:
        known = [name in TRAINING for name in names]
        known = [other in HELD_OUT for other in reversed(names)] if not any(known) else known
    if sum(known) != 1:
        raise UsageError(
            "which-is-training",
            f"It cannot be told which rows the model was trained on: the values are {listing(map(repr, found))}.",
            cure="Name the value of the training rows: training=VALUE (CLI: --split COLUMN=VALUE).",
        )
    picked = coded.code == known.index(True)
    told = Note(
        "sides", f"Rows with {found[known.index(True)]!r} are read as training, rows with {found[known.index(False)]!r} as validation."
    )  # fmt: skip
    # What was counted over the whole is said as it stands: it cannot be told how much of it is of either side.
    notes = tuple(replace(note, remark=None) for note in record.notes)
    both = replace(record, group=None, notes=(*notes, told))
    return both.take(picked), both.take(~picked)


def open_sides(train: Any, validation: Any, options: dict[str, Any]) -> list[Observations | Summary]:
    """Return the record or summary of both sides; where one alone does not show all classes, with those of the other."""
    opened_: list[Observations | Summary | LoglossError] = []
    names = ("The training rows", "The validation rows")
    for data in (train, validation):
        try:
            opened_.append(_rows(data, options))
        except LoglossError as error:
            opened_.append(error)
    for at, data in enumerate((train, validation)):
        one, other = opened_[at], opened_[1 - at]
        if not isinstance(one, LoglossError):
            continue
        curable = one.slug in UNSEEN and options["labels"] is None and options["positive"] is None
        if isinstance(other, LoglossError) or not curable or hasattr(data, "__next__"):
            raise one.within(names[at])
        try:
            opened_[at] = _rows(data, {**options, "labels": list(other.classes)})
        except LoglossError as error:
            raise error.within(names[at]) from None
    return [one for one in opened_ if not isinstance(one, LoglossError)]


@staged("reading")
def _rows(data: Any, options: dict[str, Any]) -> Observations | Summary:
    """Return the record of whatever was given; the summary of more rows than are held in memory."""
    if isinstance(data, Summary | Observations):
        return data
    if isinstance(data, Panel):
        raise UsageError(
            "one-forecast",
            f"There are several forecasts: {listing(data.names)}.",
            cure="Compare one of them: panel.summaries[name].",
        )
    if (
        isinstance(data, tuple)
        and len(data) == 2
        and not all(isinstance(part, str | os.PathLike) for part in data)
    ):
        if options["forecast"] is not None:
            raise UsageError(
                "array-and-names",
                "A pair (outcomes, forecasts) has no columns that could be named.",
                cure="Leave forecast= out.",
            )
        return gather(data[0], data[1], **{key: value for key, value in options.items() if key != "forecast"})
    rest = dict(options)
    found = opened(data, rest.pop("forecast"), **rest)
    if not isinstance(found, Opened):
        return found
    if found.asked.models:
        raise UsageError(
            "one-forecast",
            f"There are several forecasts: {listing(found.asked.models)}.",
            cure="Compare one of them: forecast=COLUMN.",
        )
    if options.get("group") is None and any(
        _many(part) for part in (found.stream, found.answers) if part is not None
    ):
        summary = folded(found)
        assert isinstance(summary, Summary)
        return summary
    return found.record()


def _many(stream: Any) -> bool:
    expected = stream.expected()
    return bool((height(stream.head(MOST_ROWS + 1)) if expected is None else expected) > MOST_ROWS)


def _sample(summary: Summary) -> Sample:
    """Return the mean surprise of the finite rows with the moments of u = w (s - mean)."""
    mean = summary.mean_finite
    second, third = summary.moments.along(np.array([-mean, 1.0]))
    return Sample(mean, summary.moments.n, second, third, float(summary.moments.mean[0]))


def _refuse_strangers(a: Score, b: Score) -> None:
    """Refuse sides of other classes, and one set of rows given twice."""
    one, other = a.summary, b.summary
    if set(one.classes) != set(other.classes):
        raise AlignmentError(
            "different-classes",
            f"The classes differ: {listing(map(repr, one.classes))} in training, {listing(map(repr, other.classes))} in validation.",
            cure="Name them for both: labels=[...] (CLI: --labels).",
        )
    same = one.fingerprint == other.fingerprint and one.n == other.n
    if same and one.finite_nats == other.finite_nats and one.mass["entropy"] == other.mass["entropy"]:
        raise AlignmentError(
            "same-part-twice",
            "Training and validation are equal in all sums: they seem to be the same rows, and have no gap.",
            cure="Give the rows that the model was not trained on as validation.",
        )


def _notes(a: Score, b: Score) -> list[Note]:
    """Return the notes of both sides: what is the same once, the others with their side."""
    shared = [note for note in a.notes if note in b.notes]
    apart = [
        replace(note, text=f"{side}: {note.text}")
        for side, notes in (("Training", a.notes), ("Validation", b.notes))
        for note in notes
        if note not in shared
    ]
    return [*shared, *apart]


def _shared_ids(train: Observations | Summary, validation: Observations | Summary) -> list[Note]:
    """Note ids that are on both sides."""
    if isinstance(train, Summary) or isinstance(validation, Summary):
        return []
    if train.ids is None or validation.ids is None:
        return []
    first = set(train.ids.tolist())
    both = [value for value in dict.fromkeys(validation.ids.tolist()) if value in first]
    if not both:
        return []
    text = f"On both sides: {len(both):,} of the ids ({listing(map(repr, both), limit=3)}). If they are the same rows, these were not held out, and the interval, which takes the sides for independent, does not hold."
    return [Note("ids-on-both-sides", text)]
