"""Which class is which: labels of the outcomes against columns of the forecast. Names decide, not positions."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from logloss.codes import check_labels, distinct
from logloss.errors import ColumnError, OutcomeError, UsageError, listing, suggestion
from logloss.notes import Note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logloss.recognise import Vector

__all__ = [
    "Classes",
    "bare",
    "classes_of_columns",
    "in_order_of_classes",
    "match",
    "names_class",
    "refuse_other_class",
    "two_classes",
]

# Pairs whose second member everybody means by "the" probability. Compared in lower case.
KNOWN_PAIRS = (("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("negative", "positive"), ("neg", "pos"),
               ("absent", "present"), ("off", "on"), ("loss", "win"), ("healthy", "sick"), ("ham", "spam"),
               ("benign", "malignant"), ("0", "1"), ("alive", "dead"), ("fail", "pass"))  # fmt: skip


PREFIXES = ("p", "pr", "prob", "proba", "probability", "pred", "prediction", "score", "forecast")


@dataclass(frozen=True)
class Classes:
    """The classes in order, the forecast column of each (None: as they stand), and what was assumed."""

    labels: tuple[Any, ...]
    columns: tuple[int, ...] | None = None
    notes: list[Note] = field(default_factory=list)


def match(names: Sequence[str], labels: Sequence[Any]) -> tuple[int, ...] | None:
    """Return the column of each label, if every label is a column's name, bare or with one common prefix or suffix.

    >>> match(["p_dog", "p_cat"], ["cat", "dog"])
    (1, 0)
    """
    position = {name: i for i, name in enumerate(names)}
    folded = {name.casefold(): i for i, name in enumerate(names)}
    texts = [str(label) for label in labels]
    stripped = {name.strip().casefold(): i for i, name in enumerate(names)}  # "cat ; dog;" in a header
    for lookup, keys in (
        (position, texts),
        (folded, [text.casefold() for text in texts]),
        (stripped, [text.strip().casefold() for text in texts]),
    ):
        if len(lookup) < len(names):
            continue
        for before, after in _affixes(list(lookup), keys):
            wanted = [before + key + after for key in keys]
            if all(name in lookup for name in wanted):
                return tuple(lookup[name] for name in wanted)
    return None


def in_order_of_classes(columns: Sequence[str], classes: Sequence[Any]) -> list[str]:
    """Return columns in the order of the classes that they are named after; as they stand, where they are not."""
    order = match(list(columns), list(classes)) if len(columns) == len(classes) else None
    return list(columns) if order is None else [columns[at] for at in order]


def refuse_other_class(name: str | None, classes: Sequence[Any]) -> None:
    """Refuse a single column that is named after the first of two classes: it is to be about the second."""
    if name is not None and names_class(name, classes[0]) and not names_class(name, classes[1]):
        raise ColumnError(
            "column-of-other-class",
            f"Column {name!r} is named after {classes[0]!r}, but a single column is to be the forecast of {classes[1]!r}.",
            cure=f"Give the column of {classes[1]!r}, or 1 - p; or rename the column, if its name is wrong.",
        )


def bare(names: Sequence[str]) -> tuple[str, ...] | None:
    """Return names without what they all begin and end with, up to a mark such as "_"; None where that is nothing.

    >>> bare(["votes_cat", "votes_dog"]), bare(["cat", "car"]), bare(["n_1", "n_2"])
    (('cat', 'dog'), None, ('1', '2'))
    """
    if len(names) < 2:
        return None
    start = _shared(names)
    rest = [name[start:] for name in names]
    stop = _shared([name[::-1] for name in rest])
    found = tuple(name[: len(name) - stop] for name in rest)
    return found if found != tuple(names) and all(found) else None


def _shared(names: Sequence[str]) -> int:
    """Return how many characters all names begin with, up to the last mark among them."""
    same = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return max((at for at, letters in enumerate(same, 1) if letters[0] in "_ .:-"), default=0)


def names_class(name: str | None, label: Any) -> bool:
    """Tell whether one column alone is named after a class: the label itself, or set off by a mark or a known prefix.

    >>> names_class("prob_yes", "yes"), names_class("p0", 0), names_class("score", "e"), names_class("model_10", 0)
    (True, True, False, False)
    """
    if name is None:
        return False
    column, text = name.strip().casefold(), str(label).casefold()
    before, after = column.removesuffix(text), column.removeprefix(text)
    if column == text:
        return True
    if before != column and (before in PREFIXES or not before[-1].isalnum()):
        return before.rstrip("_ .-") in PREFIXES or not text.isdigit()
    return after != column and not after[0].isalnum() and not text.isdigit()


def _affixes(names: list[str], keys: list[str]) -> list[tuple[str, str]]:
    """Return (prefix, suffix) candidates: what surrounds the longest label in the names that contain it."""
    probe = max(keys, key=len, default="")
    ends = [(name[: -len(probe)], "") for name in names if probe and name.endswith(probe)]
    starts = [("", name[len(probe) :]) for name in names if probe and name.startswith(probe)]
    return sorted({("", ""), *ends, *starts}, key=lambda affix: len(affix[0]) + len(affix[1]))


def two_classes(outcome: Vector, name: str | None, labels: Sequence[Any] | None, positive: Any) -> Classes:
    """Decide the two classes of a single forecast column, which is the probability of the second one."""
    seen = distinct(outcome.values)
    if labels is not None:
        if len(labels) != 2:
            raise UsageError(
                "labels-count",
                f"One column of forecasts means two classes, but labels has {len(labels)}.",
                cure="Give the forecast one column per class, or two labels.",
            )
        check_labels(labels, 2)
        pair = tuple(labels)
    elif outcome.categories is not None and len(outcome.categories) == 2:
        pair = outcome.categories
    elif set(seen) <= {0, 1}:
        pair = (False, True) if outcome.values.dtype.kind == "b" else (0, 1)
    elif len(seen) == 2:
        pair = tuple(seen)
    elif len(seen) == 1 and positive is not None and positive != seen[0]:
        pair = (seen[0], positive)
    elif len(seen) == 1:
        raise OutcomeError(
            "one-class",
            f"All outcomes are {seen[0]!r}, so the name of the other class is not known.",
            cure=f"Name both classes: labels=[{seen[0]!r}, ...] (CLI: --labels), the one it is the probability of last.",
        )
    else:
        raise OutcomeError(
            "too-many-classes",
            f"One column of forecasts, but {len(seen)} classes in the outcomes: {listing([repr(v) for v in seen])}.",
            cure=_alike(seen) or "Give one column of probabilities per class.",
        )
    if positive is not None:
        if positive not in pair:
            raise UsageError(
                "positive-unknown",
                f"The positive class {positive!r} is not among the classes {pair[0]!r} and {pair[1]!r}.",
                cure="Give one of them, with its type; where no outcome names the classes, name both, this one last: labels= (CLI: --labels).",
            )
        return Classes((pair[0] if pair[1] == positive else pair[1], positive))
    if labels is not None:
        return Classes(pair)
    if pair in ((0, 1), (False, True)) and not names_class(name, pair[0]):
        return Classes(pair)
    return _guess_positive(pair, name, declared=outcome.categories is not None)


def _alike(seen: list[Any]) -> str:
    """Return a cure for labels that differ only in case or blanks."""
    folded: dict[str, list[Any]] = {}
    for label in seen:
        folded.setdefault(str(label).strip().casefold(), []).append(label)
    twins = next((group for group in folded.values() if len(group) > 1), None)
    return (
        f"{listing([repr(v) for v in twins])} differ only in case or blanks: write them alike."
        if twins
        else ""
    )


def _guess_positive(pair: tuple[Any, ...], name: str | None, *, declared: bool) -> Classes:
    """Choose which of two labels the forecast is about, and say why."""
    named_after = [label for label in pair if names_class(name, label)]
    if named_after:  # "p_-1" ends like 1 and like -1: the longer label is meant
        about = max(named_after, key=lambda label: len(str(label)))
        chosen = (pair[1] if about == pair[0] else pair[0], about)
        said = f"Column {name!r} is read as the probability of {about!r}, by its name."
        return Classes(chosen, None, [Note("positive-class", said)])
    lowered = (str(pair[0]).lower(), str(pair[1]).lower())
    if not declared and (lowered in KNOWN_PAIRS or lowered[::-1] in KNOWN_PAIRS):
        pair = pair if lowered in KNOWN_PAIRS else (pair[1], pair[0])
        why = "the usual meaning of these two labels"
    else:
        why = "the last of its categories" if declared else "the greater of the two labels"
    return Classes(
        pair,
        None,
        [
            Note(
                "positive-class",
                f"The forecast is read as the probability of {pair[1]!r}, {why}; positive={pair[0]!r} (CLI: --positive) says otherwise.",
            )
        ],
    )


def classes_of_columns(
    outcome: Vector, names: Sequence[str] | None, count: int, labels: Sequence[Any] | None
) -> Classes:
    """Decide the classes of K forecast columns: by name where they have names, by `labels=`, else by position, said aloud."""
    seen = distinct(outcome.values)
    named = None if names is None or list(names) == [str(i) for i in range(count)] else list(names)
    if labels is not None:
        return _declared(seen, tuple(labels), named, count)
    if named is not None:
        return _by_name(seen, outcome.categories, named)
    if outcome.categories is not None and len(outcome.categories) == count:
        return Classes(
            tuple(outcome.categories),
            None,
            [
                Note(
                    "class-order",
                    f"Columns are taken in the order of the categories: {listing(outcome.categories, limit=10)}.",
                )
            ],
        )
    whole = bool(seen) and all(isinstance(v, int) and not isinstance(v, bool) for v in seen)
    if whole and seen[0] == 0 and seen[-1] < count:
        positions = Note(
            "class-positions",
            f"Outcomes are read as positions of the columns, 0 to {count - 1}; {count - len(seen)} of the classes did not happen.",
        )
        return Classes(tuple(range(count)), None, [positions] if len(seen) < count else [])
    if len(seen) == count:
        return Classes(
            tuple(seen),
            None,
            []
            if whole
            else [
                Note(
                    "class-order",
                    f"The columns have no names; they are taken in ascending order of the labels: {listing([repr(v) for v in seen], limit=10)}.",
                )
            ],
        )
    raise OutcomeError(
        "classes-without-column" if len(seen) > count else "columns-without-class",
        f"The outcomes are {listing([repr(v) for v in seen])}, the forecast has {count} columns without names: which is whose cannot be told.",
        cure="Name the class of each column, in order: labels=[...] (CLI: --labels).",
    )


def _declared(seen: list[Any], labels: tuple[Any, ...], named: list[str] | None, count: int) -> Classes:
    check_labels(labels, count)
    strangers = [v for v in seen if v not in labels]
    if strangers:
        raise OutcomeError(
            "classes-without-column",
            f"Outcomes {listing([repr(v) for v in strangers])} are not among labels {listing([repr(v) for v in labels], limit=10)}.",
            cure="Add them, each with its column.",
        )
    columns = None if named is None else match(named, labels)
    if named is not None and columns is None:
        return Classes(
            labels,
            None,
            [
                Note(
                    "class-order",
                    f"No column is named after a label; columns {listing(named)} are taken in the order of labels.",
                )
            ],
        )
    if columns is not None and columns != tuple(range(count)):
        return Classes(
            labels,
            columns,
            [
                Note(
                    "matched-by-name",
                    "Columns stand in another order than labels; they were matched by name.",
                )
            ],
        )
    return Classes(labels, columns)


def _by_name(seen: list[Any], categories: tuple[Any, ...] | None, named: list[str]) -> Classes:
    if not seen:
        raise OutcomeError(
            "no-rows", "No row has an outcome.", cure="Give rows with an outcome and a forecast."
        )
    columns = match(named, seen)
    if columns is None:
        plain = [v for v in seen if match(named, [v]) is None]
        several = " Forecasts of their own are told apart by a mapping: forecast={name: column} (CLI: --model NAME=COLUMN for each)."
        raise OutcomeError(
            "classes-without-column",
            f"No column for outcome {listing([repr(v) for v in plain or seen])}; the forecast columns are {listing(named, limit=10)}.{suggestion(str((plain or seen)[0]), named)}",
            cure="Name each column after its class, or say labels=[...] (CLI: --labels) in the columns' order."
            + (several if len(plain) == len(seen) else ""),
        )
    before, after = _surroundings(named, columns, seen)
    by_column = dict(zip(columns, seen, strict=True))
    numeric = all(isinstance(v, int) for v in seen)
    classes: list[Any] = []
    for at, name in enumerate(named):
        bare = (
            name[len(before) : len(name) - len(after)]
            if name.startswith(before) and name.endswith(after)
            else name
        )
        classes.append(
            by_column.get(at, int(bare) if numeric and re.fullmatch(r"0|-?[1-9][0-9]*", bare) else bare)
        )
    notes = []
    unseen = [label for at, label in enumerate(classes) if at not in by_column]
    if unseen:
        notes.append(
            Note(
                "class-not-seen",
                f"No outcome is of class {listing([repr(v) for v in unseen])}; the column counts as a class that did not happen.",
            )
        )
    if categories is not None and set(categories) == set(classes) and list(categories) != classes:
        at_of = {label: at for at, label in enumerate(classes)}
        return Classes(tuple(categories), tuple(at_of[label] for label in categories), notes)
    return Classes(tuple(classes), None, notes)


def _surroundings(named: list[str], columns: tuple[int, ...], seen: list[Any]) -> tuple[str, str]:
    name, text = named[columns[0]], str(seen[0])
    at = name.casefold().rfind(text.casefold())
    return name[:at], name[at + len(text) :]
