"""Several yes/no labels per row, each a binary forecast of its own: per label, over cells, over labels, per row."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.errors import AlignmentError, LoglossError, UsageError, listing
from logloss.interval import hall_t
from logloss.notes import FEW, Note
from logloss.observations import observe
from logloss.plain import plain
from logloss.recognise import Vector
from logloss.scoring import Score, of_record
from logloss.stages import steps
from logloss.surprises import per_row
from logloss.yesno.columns import Labelled, labelled
from logloss.yesno.results import Average, LabelScore, Multilabel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logloss.record import Space

    Float = NDArray[np.float64]

__all__ = ["multilabel"]

ALONE = ("columns-found", "positive-class", "class-order")  # notes that are not about one label's rows


def multilabel(
    data: Any,
    forecast: Any = None,
    *,
    outcome: Any = None,
    space: Space = "p",
    weight: Any = None,
    labels: Sequence[Any] | None = None,
    level: float = 0.95,
) -> Multilabel:
    """Score several yes/no labels per row, each as a binary forecast of its own: none, one or several can be true.

    Parameters
    ----------
    data
        Outcomes, shape (n, L): 1 where a label is true, 0 where it is not, a share between for a soft label, NaN or
        None where it is not known - or a table as in :func:`logloss.score`, held in memory.
    forecast
        The probability of yes, shape (n, L). With a table: the names of the columns; found by the labels' names if not given.
        Columns with names are paired by name: `cat` with `p_cat`, `y_cat` with `p_cat`.
    outcome
        With a table, the names of the outcome columns, one per label.
    space
        "p" (probabilities), "logp" (natural logs of them) or "logit".
    weight
        One per row, shape (n,), or with a table the name of its column.
    labels
        The labels' names in the order of the columns, where these have none.
    level
        Coverage of the intervals.

    Returns
    -------
    Multilabel

    Raises
    ------
    LoglossError
        Where a label cannot be scored; a missing forecast of a known outcome is an error.

    Examples
    --------
    >>> import logloss as ll
    >>> result = ll.multilabel([[1, 0], [1, 1], [0, None]], [[0.9, 0.2], [0.6, 0.7], [0.1, 0.5]], labels=["cat", "dog"])
    >>> [round(one.log_loss, 4) for one in result.labels], round(result.mean_over_cells.value, 4)
    ([0.2405, 0.2899], 0.2603)
    """
    if not 0 < level < 1:
        raise UsageError(
            "bad-level",
            f"level is {level}, but it is a probability.",
            cure="Give one between 0 and 1, such as 0.95.",
        )
    given = labelled(data, forecast, outcome, weight, labels)
    scores, surprise, weights = _scored(given, space, level)
    used = weights > 0
    known = np.array([one is not None for one in scores])
    if not known.any():
        raise AlignmentError(
            "no-rows", "No label has a known outcome in a row that counts.", cure="Give at least one."
        )
    s, y = (part[:, known][used] for part in (surprise, given.outcome))
    some = ~np.isnan(y).all(axis=1)
    s, y, w = s[some], y[some], weights[used][some]
    missing = np.isnan(given.outcome) & used[:, None]
    told = tuple(
        _label(label, score, given.outcome[:, at], surprise[:, at], weights, int(missing[:, at].sum()))
        for at, (label, score) in enumerate(zip(given.labels, scores, strict=True))
    )
    return Multilabel(
        told,
        _over_cells(s, w, y, level),
        _over_labels(s, w, y, level),
        _over_rows(s, w, y, level),
        int(used.sum()),
        level,
        (*given.notes, *_notes(given, scores, missing)),
    )


def _scored(given: Labelled, space: Space, level: float) -> tuple[list[Score | None], Float, Float]:
    """Return the score of each label, the surprise of each cell (NaN where not known), and the weights."""
    n = len(given.outcome)
    surprise = np.full(given.outcome.shape, np.nan)
    scores: list[Score | None] = []
    weights = np.ones(n)
    if given.weight is not None and given.weight.values.dtype.kind in "biuf":
        weights = np.maximum(
            np.nan_to_num(given.weight.values.astype(np.float64)), 0.0
        )  # the door looks at them
    for at, label in enumerate(steps(given.labels, "scoring", "labels")):
        known = np.flatnonzero(~np.isnan(given.outcome[:, at]))
        weight = None if given.weight is None else given.weight[known]
        try:
            record = observe(
                Vector(given.outcome[known, at]), Vector(given.forecast[known, at]),
                space=space, weight=weight, labels=[0, 1], rows=known, partial=True,
            ) if len(known) else None  # fmt: skip
        except LoglossError as error:
            raise error.within(f"Label {label!r}") from None
        if record is None:
            scores.append(None)
            continue
        surprise[known, at] = per_row(record)
        counts = record.weight is None or bool((record.weight > 0).any())
        scores.append(of_record(record, level=level, surprise=surprise[known, at]) if counts else None)
    return scores, surprise, weights


def _label(
    label: Any, score: Score | None, y: Float, surprise: Float, weight: Float, missing: int
) -> LabelScore:
    if score is None:
        nan = math.nan
        return LabelScore(plain(label), 0, missing, nan, nan, nan, 0, (), None, None, nan, nan)
    known = ~np.isnan(y) & (weight > 0)
    lost = np.flatnonzero(np.isinf(surprise) & known)
    return LabelScore(
        label=plain(label),
        n=score.n,
        missing=missing,
        positives=float(np.average(y[known], weights=weight[known])),
        log_loss=score.log_loss,
        log_loss_finite=score.log_loss_finite,
        infinite_rows=len(lost),
        first_infinite=tuple(int(row) for row in lost[:FEW]),
        standard_error=score.standard_error,
        interval=score.interval,
        base_rate=score.base_rate,
        skill=score.skill,
    )


# ---------------------------------------------------------------- averages


def _over_cells(s: Float, w: Float, y: Float, level: float) -> Average:
    there = ~np.isnan(s)
    cost, mass = w[:, None] * np.where(there, s, 0.0), w[:, None] * there
    value = float(cost.sum() / mass.sum())
    finite = np.isfinite(s)
    rest = float((w[:, None] * np.where(finite, s, 0.0)).sum() / (w[:, None] * finite).sum()) if finite.any() else math.nan  # fmt: skip
    total, part = cost.sum(axis=1), mass.sum(axis=1)
    base = float((mass.sum(axis=0) * _entropies(y, w)).sum() / mass.sum())

    def without() -> Float:
        return np.asarray((total.sum() - total) / (part.sum() - part))

    spread = total - value * part if math.isfinite(value) else None
    return _average(value, rest, spread, part, without, there, base, level)


def _over_labels(s: Float, w: Float, y: Float, level: float) -> Average:
    there = ~np.isnan(s)
    cost, mass = w[:, None] * np.where(there, s, 0.0), w[:, None] * there
    value = float((cost.sum(axis=0) / mass.sum(axis=0)).mean())
    finite = np.isfinite(s)
    weight = (w[:, None] * finite).sum(axis=0)
    sums = (w[:, None] * np.where(finite, s, 0.0)).sum(axis=0)
    rest = float((sums[weight > 0] / weight[weight > 0]).mean()) if finite.any() else math.nan

    def without() -> Float:
        return np.asarray(((cost.sum(axis=0) - cost) / (mass.sum(axis=0) - mass)).mean(axis=1))

    spread = cost.mean(axis=1) - value * w if math.isfinite(value) else None
    return _average(value, rest, spread, w, without, there, float(_entropies(y, w).mean()), level)


def _over_rows(s: Float, w: Float, y: Float, level: float) -> Average | None:
    whole = ~np.isnan(s).any(axis=1)
    if not whole.any():
        return None
    s, w, y = s[whole], w[whole], y[whole]
    joint = s.sum(axis=1)
    value = float(np.average(joint, weights=w))
    finite = np.isfinite(joint)
    rest = float(np.average(joint[finite], weights=w[finite])) if finite.any() else math.nan
    spread = w * (joint - value) if math.isfinite(value) else None
    return _average(value, rest, spread, w, None, ~np.isnan(s), float(_entropies(y, w).sum()), level)


def _average(
    value: float, finite: float, spread: Float | None, mass: Float, without: Any, there: NDArray[np.bool_],
    base: float, level: float,
) -> Average:  # fmt: skip
    """Return an average with its interval: `spread` per row is what it adds beyond `value` times its `mass`.

    Rows without all labels: `without()` are the averages with each row left out, and the jackknife
    V = (n - 1)/n sum (m_(i) - mean of these)^2 with Student's t.
    """
    complete, n = bool(there.all()), len(mass)
    error, low, high = None, math.nan, math.nan
    if spread is not None and n > 1 and complete:
        found = hall_t(value, n, float((spread**2).sum()), float((spread**3).sum()), level=level, scale=float(mass.mean()))  # fmt: skip
        assert found is not None
        error, low, high = found.standard_error, found.low, found.high
    elif spread is not None and n > 1:
        from scipy.special import stdtrit

        with np.errstate(divide="ignore", invalid="ignore"):
            left = without()
        if np.isfinite(left).all():
            error = math.sqrt((n - 1) / n * float(((left - left.mean()) ** 2).sum()))
            reach = float(stdtrit(n - 1, 0.5 + level / 2)) * error
            low, high = value - reach, value + reach
    return Average(
        value=value,
        finite=finite,
        standard_error=error,
        interval=None if error is None else (max(0.0, low), high),
        method="Hall's t" if complete else "jackknife over rows",
        rows=n,
        cells=int(there.sum()),
        base_rate=base,
        skill=1 - value / base if base > 0 else math.nan,
    )


def _entropies(y: Float, w: Float) -> Float:
    """Return the loss of always saying the share of yes, of each label."""
    from scipy.special import entr

    there = ~np.isnan(y)
    share = (w[:, None] * np.where(there, y, 0.0)).sum(axis=0) / (w[:, None] * there).sum(axis=0)
    return np.asarray(entr(share) + entr(1.0 - share))


# ---------------------------------------------------------------- words


def _notes(given: Labelled, scores: list[Score | None], missing: NDArray[np.bool_]) -> list[Note]:
    """Return what is missing, and the notes on labels: of each kind once, with the labels that it is about."""
    notes = []
    if missing.any():
        counts = missing.sum(axis=0)
        each = [f"{label} {count:,}" for label, count in zip(given.labels, counts, strict=True) if count]
        told = f"Missing and left out: {int(counts.sum()):,} of {units.count(missing.size, 'outcome')} ({listing(each, limit=10)})."
        notes.append(Note("labels-missing", told))
    kinds: dict[str, list[tuple[Any, Note]]] = {}
    for label, score in zip(given.labels, scores, strict=True):
        for note in score.notes if score is not None else ():
            if note.id not in ALONE:
                kinds.setdefault(note.id, []).append((label, note))
    for said in kinds.values():
        about = listing([repr(label) for label, _ in said], limit=5)
        more = f" (label {said[0][0]!r})" if len(said) > 1 else ""
        text = f"{'Labels' if len(said) > 1 else 'Label'} {about}: {said[0][1].text}{more}"
        notes.append(replace(said[0][1], text=text, remark=None))
    return notes
