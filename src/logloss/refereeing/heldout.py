"""What hypotheses said of rows held out -> checked records, and what has to be said about the splits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.codes import distinct, encode
from logloss.errors import ForecastError, LoglossError, OutcomeError, listing, places
from logloss.notes import Note
from logloss.observations import observe
from logloss.refereeing.hypotheses import LONG
from logloss.rewording import reworded
from logloss.text import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.codes import Coded
    from logloss.record import Observations
    from logloss.refereeing.hypotheses import Said
    from logloss.refereeing.splits import Splits

    Float = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["below_zero_notes", "need_labels", "own_words", "record_of", "split_notes", "unseen_note"]

ANSWERS = (
    (r"say space='logit' \(CLI: --space logit\)", "return probabilities"),
    (r"say space='logp' \(CLI: --space logp\)", "return exp of them"),
    (
        r"say time= or group= \(CLI: --time, --group\)",
        "say groups= (weeks, patients), which are then held out whole",
    ),
)


def record_of(
    name: str, answers: list[Said], happened: NDArray[Any] | None, rows: Ints, *, apart: bool = False
) -> tuple[Observations, NDArray[np.bool_]]:
    """Return held-out probabilities as a checked record, columns by label, and which rows are of a class without one.

    `apart`: none of the classes that happened need be among those forecast.
    """
    where = printable(name, LONG)
    happened = need_labels(happened)
    labels = distinct(happened)
    if not apart and not any(set(answer.labels) & set(labels) for answer in answers):
        raise ForecastError(
            "classes-apart",
            f"{where!r} knows the classes {listing([repr(one) for one in answers[0].labels])}, of which none happened; there were {listing([repr(one) for one in labels])}.",
            cure="Give y as the hypothesis names its classes, or give it classes_.",
        )
    further = dict.fromkeys(label for answer in answers for label in answer.labels if label not in labels)
    labels = [*labels, *further]
    code = encode(happened[rows], labels).astype(np.int64)
    order = np.argsort(rows, kind="stable")  # so that rows are told in the order of the table
    p = np.zeros((len(rows), len(labels)))
    lost = np.zeros(len(rows), bool)
    start = 0
    for answer in answers:
        assert answer.p is not None
        end = start + len(answer.p)
        at = [labels.index(label) for label in answer.labels]
        p[start:end, at] = answer.p
        lost[start:end] = ~np.isin(code[start:end], at)
        start = end
    try:
        record = observe(code[order], p[order], labels=list(range(len(labels))), rows=rows[order])
    except LoglossError as error:
        raise type(error)(error.slug, f"{where!r}: {error.message}", reworded(error.cure, ANSWERS)) from error
    record = record.take(np.argsort(order))
    own = tuple(note for note in record.notes if note.id not in ("class-not-seen", "class-order"))
    return replace(record, classes=tuple(labels), notes=own), lost


def need_labels(happened: NDArray[Any] | None) -> NDArray[Any]:
    """Return the labels; refuse outcomes that are none, of which a hypothesis gave probabilities."""
    if happened is None:
        raise OutcomeError("outcomes-not-classes", "It gives probabilities of classes, but y has several dimensions.", cure="Give y as one column, shape (n,): y[:, 0] or y['name'].")  # fmt: skip
    return happened


def own_words(note: Note) -> Note:
    """Return a note of the comparison with what can be done about it here."""
    return replace(note, text=reworded(note.text, ANSWERS))


def unseen_note(
    unseen: dict[str, NDArray[np.bool_]], rows: Ints, splits: Splits, happened: NDArray[Any] | None
) -> list[Note]:
    """Say which rows are of a class that hypotheses had not seen."""
    whose = {name: lost for name, lost in unseen.items() if lost.any()}
    if not whose or happened is None:
        return []
    any_lost = np.logical_or.reduce(list(whose.values()))
    lost = np.unique(rows[any_lost])
    split = splits.which()
    which = [repr(label) for label in distinct(happened[lost])]
    names = listing([repr(printable(name, LONG)) for name in whose])
    told = f"{units.count(len(lost), 'row')} ({places(lost)}; splits {listing(np.unique(split[any_lost]))}) of {listing(which)} {'was' if len(lost) == 1 else 'were'} held out by hypotheses that had no such class: {names}. Its probability is 0 there, and the loss infinite. Deal every class to several folds (a number of folds does), or leave out classes of single rows."
    return [Note("class-not-trained", told)]


def below_zero_notes(name: str, surprise: Float, rows: Ints, happened: NDArray[Any] | None) -> list[Note]:
    """Say where what happened cost less than nothing, as under a density, though outcomes are whole numbers or labels."""
    low = np.unique(rows[surprise < 0])
    if not len(low) or happened is None or (happened.dtype.kind == "f" and bool((happened != np.floor(happened)).any())):  # fmt: skip
        return []
    return [Note("surprise-below-zero", f"{printable(name, LONG)!r} has surprises below 0 ({places(low)}), but the outcomes are labels or whole numbers, whose probabilities are 1 at most: if these are densities, they do not compare with probabilities; if not, surprise(X, y) is wrong.")]  # fmt: skip


def split_notes(splits: Splits, times: Ints, mass: Float, groups: Coded | None) -> list[Note]:
    """Say which rows were never held out, or several times, and which groups stood on both sides."""
    notes = []
    never = np.flatnonzero((times == 0) & (mass > 0))
    if len(never):
        notes.append(Note("never-held-out", f"No split holds out {len(never):,} of {int((mass > 0).sum()):,} rows ({places(never)}); they count nowhere."))  # fmt: skip
    often = times[times > 0]
    if often.max() > 1:
        span = f"{often.max():,}" if often.min() == often.max() else f"{often.min():,} to {often.max():,}"
        notes.append(Note("held-out-repeatedly", f"Rows were held out {span} times; the surprise of each is the mean."))  # fmt: skip
    torn = set()
    torn_by = splits.pairs() if groups is not None and splits.trains is not None else ()
    for train, test in torn_by:
        torn |= set(np.intersect1d(groups.code[train], groups.code[test]).tolist())  # type: ignore[union-attr]
    if torn:
        notes.append(Note("groups-torn", f"{units.count(len(torn), 'group')} stood on both sides of a split, so the hypotheses had seen others of the group whose rows they were judged by."))  # fmt: skip
    return notes
