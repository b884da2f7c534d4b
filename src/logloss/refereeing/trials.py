"""`referee`: hypotheses are fitted, judged by rows that they have not seen, and their surprises set against each other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.codes import distinct
from logloss.comparing.bases import TARGETS
from logloss.comparing.contest import Contest
from logloss.comparing.verdicts import of_contest
from logloss.display.shown import Shown
from logloss.errors import AlignmentError, ForecastError, LoglossError, UsageError
from logloss.notes import Note
from logloss.plain import jsonable, plain
from logloss.refereeing.heldout import (
    below_zero_notes,
    need_labels,
    own_words,
    record_of,
    split_notes,
    unseen_note,
)
from logloss.refereeing.hypotheses import (
    LONG,
    Given,
    Said,
    check_length,
    fitted,
    hypotheses,
    is_forecast,
    say,
)
from logloss.refereeing.portions import count_of, portion, settled
from logloss.refereeing.repeats import of_repeats
from logloss.refereeing.splits import Splits, splits_of
from logloss.refereeing.witnesses import check_rows, groups_of, kinds_of, outcomes_of, weights_of
from logloss.stages import stage, staged
from logloss.surprises import per_row
from logloss.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from logloss.codes import Coded
    from logloss.comparing.results import Comparison, Pair
    from logloss.record import Observations

    Float = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Trial", "referee"]


@dataclass(frozen=True, eq=False, repr=False)
class Trial(Shown):
    """Hypotheses judged by rows that they had not seen. Nats.

    Attributes
    ----------
    comparison
        The :class:`logloss.Comparison` of their held-out surprises: who is better, and how sure that is.
    names
        The hypotheses, as given.
    surprise
        Of each row under each hypothesis, fitted without that row, shape (n, M); the mean where it was held out more than
        once; NaN where it never was, or has weight 0.
    fold
        The split that held each row out (the first of several), shape (n,); -1 where none did.
    times
        How many splits held each row out, shape (n,).
    words
        How the rows were split.
    records
        The checked record of the held-out probabilities of each hypothesis that gave some, in the order of the rows that were
        held out; empty where rows were held out more than once.
    """

    comparison: Comparison
    names: tuple[str, ...]
    surprise: Float
    fold: Ints
    times: Ints
    words: str
    records: dict[str, Observations] = field(default_factory=dict)

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """One column per hypothesis, and the split, for a data frame: {"fold": (n,), name: (n,)}."""
        return {"fold": self.fold, **{name: self.surprise[:, at] for at, name in enumerate(self.names)}}

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison for JSON, and how the rows were split."""
        told = {"splits": self.words, "held_out": int((self.times > 0).sum())}
        found: dict[str, Any] = self.comparison.to_dict() | jsonable(told)
        return found

    def show(self, unit: str = "nats", *, notes: bool = True) -> str:
        """Return one screen of text with losses in `unit`."""
        return f"Judged by rows that they had not seen: {self.words}.\n\n{self.comparison.show(unit, notes=notes)}"

    def __str__(self) -> str:
        return self.show()


def referee(
    models: Any,
    X: Any,
    y: Any,
    cv: Any = 10,
    *,
    groups: Any = None,
    weight: Any = None,
    labels: Sequence[Any] | None = None,
    level: float = 0.95,
    target: str | None = None,
    reference: str | None = None,
    seed: int = 0,
    watch: Callable[[int, int], None] | None = None,
) -> Trial:
    """Let hypotheses compete: each is fitted to some rows and pays -log p for what happened in the others.

    Parameters
    ----------
    models
        {name: hypothesis}, or a list. A hypothesis has `fit(X, y)`, and `predict_proba(X)` with `classes_`, or
        `surprise(X, y)`: -log p of what happened in each row, in nats, shape (n,). One without `fit` has nothing to be fitted; probabilities
        that are there already, shape (n,) or (n, K), are such a one. A function `(X, y) -> model` fits as it likes. Copies are fitted; what is given stays as it is.
    X, y
        Arrays, frames, lists or mappings of columns, with n rows; hypotheses get some of the rows of what was given.
    cv
        A number of folds (stratified by outcome; with `groups`, of whole groups); "leave-one-out" (each group in turn, if there
        are groups); an object with `split(X, y, groups)`; or pairs (training rows, test rows). Rows may be held out more than once: their
        surprise is the mean.
    groups
        The group of each row (a brood, a female, a patient), shape (n,). Groups, not rows, are then what is drawn at random.
    weight
        How much each row counts in the losses, shape (n,). Hypotheses are fitted without; rows of weight 0 are left out altogether.
    labels
        The classes in the order of the columns of `predict_proba`, for hypotheses that do not tell.
    level
        Coverage of the intervals.
    target
        "algorithm": the expected loss of fitting so to a sample of this size, by Nadeau and Bengio's correction over splits.
        "models": the average loss of those that were fitted, from all held-out rows together. By default the former, but the
        latter where each row (or group) is left out by itself, and for a single split. The other one stands beside.
    reference
        The hypothesis that all others are set against; by default every two.
    seed
        Of the folds. The same for all hypotheses.
    watch
        Called with (fits done, fits to do).

    Returns
    -------
    Trial
        The comparison, and what each held-out row cost under each hypothesis.

    Raises
    ------
    LoglossError
        UsageError for a call that does not fit together; ForecastError where a hypothesis fails or forecasts what is no forecast,
        with its name and the split.

    Notes
    -----
    A class that a hypothesis has not seen in training has probability 0 under it: the loss is infinite, and a note says which rows. The
    score of a density is not one of a probability: it depends on the unit of measurement. Compare densities with densities of the
    same quantity, and probabilities with probabilities of the same events.

    Examples
    --------
    >>> import logloss as ll
    >>> from logloss.models.broods import raffles
    >>> from logloss.models.raffles import Raffle
    >>> broods = raffles(40, r=2, seed=7)
    >>> trial = ll.referee({"fair": Raffle(), "loaded": Raffle(loaded=True)}, broods.X, broods.y, "leave-one-out")
    >>> pair = trial.comparison.pair("fair", "loaded")
    >>> pair.better, round(trial.comparison.best.log_loss, 4)
    ('loaded', 2.2764)

    References
    ----------
    Geisser (1975), The predictive sample reuse method with applications, J. Am. Stat. Assoc. 70:320-328. Bayle, Bayle, Janson and
    Mackey (2020), Cross-validation confidence intervals for test error, NeurIPS 33. Nadeau and Bengio (2003), Inference for the
    generalization error, Mach. Learn. 52:239-281.
    """
    named = hypotheses(models)
    _check_call(named, level, target, reference)
    X, y, groups = settled(X), settled(y), settled(groups)
    given = {f"models[{printable(name, LONG)!r}]": model for name, model in named.items() if is_forecast(model)}  # fmt: skip
    n = check_rows(X, y, groups=groups, weight=weight, **given)
    mass = weights_of(weight, n)
    for name, model in named.items():
        if is_forecast(model) and count_of(model, repr(name)) != n:
            raise AlignmentError("different-lengths", f"The parts have different lengths: {n:,} outcomes, {count_of(model, repr(name)):,} forecasts of {printable(name, LONG)!r}.", cure="Give one of each per row.")  # fmt: skip
    happened = outcomes_of(y)
    of_group = groups_of(groups, n)
    splits = splits_of(cv, mass > 0, kinds=kinds_of(happened), groups=None if of_group is None else of_group.code, data=(X, y, groups), seed=seed)  # fmt: skip
    if target == "algorithm" and len(splits) < 2:
        raise UsageError("bad-cv", "cv has one split, which does not tell how other rows to train on would change the loss.", cure='Give more of them, or ask of the models that were fitted: target="models".')  # fmt: skip
    said = _hear(named, X, y, happened, splits, labels, watch)
    return _judged(said, happened, mass, of_group, splits, level=level, target=target, reference=reference, seed=seed)  # fmt: skip


def _hear(
    named: dict[str, Any],
    X: Any,
    y: Any,
    happened: NDArray[Any] | None,
    splits: Splits,
    labels: Sequence[Any] | None,
    watch: Callable[[int, int], None] | None,
) -> dict[str, list[Said]]:
    """Fit every hypothesis to every split, and return what it says of the rows held out.

    Each gets rows of its own, so that what one writes into them no other sees.
    """
    said: dict[str, list[Said]] = {name: [] for name in named}
    with stage("fitting and forecasting", len(splits) * len(named), "fits") as step:
        code, done = kinds_of(happened), 0
        every = [] if code is None or happened is None else distinct(happened)
        for at, (train, test) in enumerate(splits.pairs()):
            known = [] if code is None else [every[one] for one in np.flatnonzero(np.bincount(code[train]))]
            for name, model in named.items():
                where = f"{printable(name, LONG)!r}, split {at} of {len(splits)}, rows counted within it"
                try:
                    made = Given(portion(model, test)) if is_forecast(model) else fitted(model, portion(X, train), portion(y, train))  # fmt: skip
                    answer = say(made, portion(X, test), portion(y, test), known, labels)
                    check_length(answer, len(test))
                    if answer.p is not None:
                        need_labels(happened)
                except LoglossError as error:
                    raise error.within(where) from error
                except Exception as error:
                    told = " ".join(str(error).split())
                    raise ForecastError(
                        "hypothesis-failed",
                        f"{where}: {type(error).__name__}: {printable(told, 300)}{'' if told.endswith(('.', '!', '?')) else '.'}",
                        cure="Fit it to some of the rows by hand to see more; its own error stands above this one.",
                    ) from error
                said[name].append(answer)
                done += 1
                step()
                if watch is not None:
                    watch(done, len(splits) * len(named))
    return said


@staged("comparing")
def _judged(
    said: dict[str, list[Said]],
    happened: NDArray[Any] | None,
    mass: Float,
    groups: Coded | None,
    splits: Splits,
    **asked: Any,
) -> Trial:
    """Set the surprises of held-out rows against each other."""
    n = len(mass)
    rows = np.concatenate(splits.tests)
    times, fold = splits.times(n), splits.first(n)
    held = np.flatnonzero(times)
    again = bool((times > 1).any())
    target = asked["target"] or ("algorithm" if len(splits) > 1 else "models")
    drawn = target == "algorithm" and not splits.partition
    often = (mass * times / np.average(times[held], weights=mass[held])) if drawn else mass
    notes = split_notes(splits, times, mass, groups)
    every = np.full((n, len(said)), np.nan)
    long = np.empty((len(rows), len(said)))
    records, unseen = {}, {}
    classes: set[int | None] = set()
    for at, (name, answers) in enumerate(said.items()):
        kinds = {answer.p is None for answer in answers}
        if len(kinds) > 1:
            raise ForecastError("hypothesis-failed", f"{printable(name, LONG)!r} gave probabilities in some splits and surprises in others.", cure="Give the same in all.")  # fmt: skip
        if kinds == {True}:
            long[:, at] = np.concatenate([answer.surprise for answer in answers])
            classes.add(None)
            notes += below_zero_notes(name, long[:, at], rows, happened)
        else:
            record, lost = record_of(name, answers, happened, rows)
            long[:, at], unseen[name] = per_row(record), lost
            classes.add(len(record.classes))
            notes += [replace(note, text=f"{printable(name, LONG)}: {note.text}") for note in record.notes]
            if any(answer.assumed for answer in answers):
                notes.append(Note("class-order", f"{printable(name, LONG)}: it has no classes_, so its columns were taken as the labels in ascending order."))  # fmt: skip
            if not again:
                records[name] = record.take(np.argsort(rows, kind="stable"))
        with np.errstate(invalid="ignore"):
            every[held, at] = (np.bincount(rows, long[:, at], n) / np.maximum(times, 1))[held]
    notes += unseen_note(unseen, rows, splits, happened)
    contest = Contest(
        names=tuple(said),
        surprise=every[held],
        weight=often[held],
        cluster=None if groups is None else groups[held].used().code,
        fold=np.unique(fold[held], return_inverse=True)[1] if splits.partition else None,
        numbers=held,
        records=records,
        notes=tuple(notes),
    )
    comparison = of_contest(contest, **(asked if splits.partition else asked | {"target": None}))
    if not splits.partition:
        comparison = of_repeats(
            comparison, tuple(said), long, mass[rows], splits, level=asked["level"], target=target
        )
    comparison = replace(
        comparison,
        classes=classes.pop() if len(classes) == 1 else None,
        pairs=tuple(_with_outcomes(pair, happened) for pair in comparison.pairs),
        notes=tuple(own_words(note) for note in comparison.notes),
    )
    return Trial(comparison, tuple(said), every, fold, times, splits.words, records)


def _with_outcomes(pair: Pair, happened: NDArray[Any] | None) -> Pair:
    """Return a pair whose rows say what happened, also where a hypothesis gave no probabilities of it."""
    if happened is None:
        return pair
    return replace(pair, top=tuple(replace(row, outcome=plain(happened[row.row])) for row in pair.top))


def _check_call(named: dict[str, Any], level: float, target: str | None, reference: str | None) -> None:
    """Refuse before anything is fitted what cannot be answered after."""
    if len(named) < 2:
        raise UsageError(
            "too-few-forecasts",
            f"A comparison needs two hypotheses, and there {'is one' if named else 'are none'}.",
            cure="Add a simple one to beat: a fixed forecast, or a constant such as scikit-learn's DummyClassifier(strategy='prior').",
        )
    if target is not None and target not in TARGETS:
        raise UsageError("unknown-target", f"{target!r} is nothing that a cross-validation estimates here.", cure=f"Targets: {', '.join(TARGETS)}.")  # fmt: skip
    if not 0 < level < 1:
        raise UsageError("bad-level", f"level is {level}, but it is a probability.", cure="Give one between 0 and 1, such as 0.95.")  # fmt: skip
    if reference is not None and reference not in named:
        raise UsageError("no-such-model", f"There is no hypothesis {reference!r} to set the others against.", cure=f"There are {list(named)}.")  # fmt: skip
