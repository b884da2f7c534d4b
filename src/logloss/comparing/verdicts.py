"""The referee: several forecasts of the same rows -> who is better, how sure that is, and what it hangs on."""

from __future__ import annotations

import itertools
import math
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from logloss import units
from logloss.betting.running import of_records
from logloss.comparing.bases import basis_of
from logloss.comparing.clips import clip_change
from logloss.comparing.crowds import among_all
from logloss.comparing.differences import gap_of, pair_of
from logloss.comparing.evidence import evidence
from logloss.comparing.parts import where
from logloss.comparing.ranks import behind, chosen
from logloss.comparing.results import Comparison, Pair, Standing
from logloss.comparing.slices import sliced
from logloss.dependence.series import diebold_mariano, lag_one, reason
from logloss.errors import UsageError
from logloss.notes import Note

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.comparing.bases import Basis
    from logloss.comparing.contest import Contest

    Float = NDArray[np.float64]

__all__ = ["of_contest"]

CLOSE = 4  # forecasts of which every pair is looked at closely
SMALL, LARGE = 100_000, 1_000_000  # rows up to which every pair, and the first one, is clipped
MANY_ROWS = 100  # of which it is worth looking whether neighbours are alike


def of_contest(
    contest: Contest,
    *,
    level: float = 0.95,
    target: str = "models",
    horizon: int = 1,
    reference: str | None = None,
    sequential: bool = False,
    seed: int = 0,
) -> Comparison:
    """Compare the forecasts of a contest.

    Parameters
    ----------
    contest
        Two or more forecasts of the same rows.
    level
        Coverage of the intervals.
    target
        Where rows are of a cross-validation: "models", the average loss of those that were fitted, or "algorithm", the
        expected loss of what fits them.
    horizon
        How many points in time ahead the forecasts were made.
    reference
        The forecast that all others are set against; by default every two.
    sequential
        Bet on the first pair row after row, in order of time, for a p-value that holds whenever one looks.
    seed
        Of what is drawn at random.

    Raises
    ------
    UsageError
        For fewer than two forecasts, or a reference that is none of them.
    """
    names = contest.names
    chosen(names, reference)
    basis = basis_of(contest, level=level, target=target)
    alone = [_alone(contest, at, basis) for at in range(len(names))]
    finite = [math.inf if one.log_loss_finite is None else one.log_loss_finite for one in alone]
    order = sorted(range(len(names)), key=lambda at: (alone[at].log_loss, finite[at]))
    centre = order[0] if reference is None else names.index(reference)
    pairs = [
        pair_of(contest, a, b, basis, level, closer=len(names) <= CLOSE or centre in (a, b))
        for a, b in _couples(order, None if reference is None else centre)
    ]
    notes = [*contest.notes, *basis.notes]
    pairs = [_closer(contest, pair, first=not at, horizon=horizon) for at, pair in enumerate(pairs)]
    if sequential:
        pairs[0], more = _watched(contest, pairs[0], 1 - level, horizon)
        notes += more
    if contest.beside:
        rule = partial(_rule, contest, target)
        slices, more = sliced(contest, names.index(pairs[0].a), names.index(pairs[0].b), rule, level)
        pairs[0] = replace(pairs[0], slices=slices)
        notes += more
    standings = [behind(alone[at], names[centre], pairs) for at in order]
    standings, set_level = among_all(contest, standings, names[centre], basis, level, seed)
    return Comparison(
        standings=tuple(standings),
        pairs=tuple(pairs),
        level=level,
        n=len(contest),
        units=basis.units,
        unit=basis.unit,
        reference=reference,
        set_level=set_level,
        classes=next((len(record.classes) for record in contest.records.values()), None),
        target=None if contest.fold is None else target,
        notes=tuple(dict.fromkeys([*notes, *_remarks(contest, pairs[0], basis, horizon)])),
    )


def _rule(contest: Contest, target: str, level: float) -> Basis:
    return basis_of(contest, level=level, target=target)


def _closer(contest: Contest, pair: Pair, *, first: bool, horizon: int) -> Pair:
    """Return a pair with what is known of it beside its difference; of the first one, more."""
    a, b = contest.records.get(pair.a), contest.records.get(pair.b)
    if a is not None and b is not None and (len(contest) <= SMALL or (first and len(contest) <= LARGE)):
        pair = replace(pair, clip=clip_change(a, b))
        if first:
            pair = replace(pair, **where(a, b))
    at = contest.names.index(pair.a), contest.names.index(pair.b)
    if first:
        with np.errstate(invalid="ignore"):
            told = evidence(contest.surprise[:, at[0]] - contest.surprise[:, at[1]], contest.weight)
        if told is not None:
            pair = replace(pair, beside=pair.beside | {"evidence": told.to_dict()})
    if contest.period is not None:
        gap = gap_of(contest, *at)
        period = contest.period if gap.at is None else contest.period[gap.at]
        tested = diebold_mariano(gap.values, gap.weight, period, horizon=horizon)
        if tested is not None:
            pair = replace(pair, beside=pair.beside | {"diebold_mariano": asdict(tested)})
    return pair


def _watched(contest: Contest, pair: Pair, alpha: float, horizon: int) -> tuple[Pair, tuple[Note, ...]]:
    """Return a pair with what two bettors made of it, in order of time."""
    records = [contest.records.get(name) for name in (pair.a, pair.b)]
    a, b = records
    if a is None or b is None:
        raise UsageError(
            "no-bets",
            "Bets are placed on the classes of single rows, and here only their losses are known.",
            cure="Compare without sequential=.",
        )
    found = of_records(a, b, contest.period, alpha=alpha, horizon=horizon, names=(pair.a, pair.b))
    notes = tuple(note for note in found.notes if note not in a.notes and note not in b.notes)
    return replace(pair, beside=pair.beside | {"sequential": found.to_dict()}), notes


def _remarks(contest: Contest, pair: Pair, basis: Basis, horizon: int) -> list[Note]:
    """Return notes on what the first difference rests on."""
    notes = []
    if pair.infinite_both:
        told = f"{units.count(pair.infinite_both, 'row')} infinite under both {pair.a!r} and {pair.b!r} tell nothing of their difference, which leaves them out."
        notes.append(Note("infinite-under-both", told))
    if basis.unit == "row" and len(contest) > MANY_ROWS:
        gap = gap_of(contest, contest.names.index(pair.a), contest.names.index(pair.b))
        lag = lag_one(gap.values)
        if lag.clear:
            told = f"Differences of neighbouring rows go together (correlation {lag.correlation:.2f}, means of neighbours vary {lag.inflation:.1f} times as much as of rows drawn one by one), so the interval is too narrow if rows follow each other in time or come in groups: say time= or group= (CLI: --time, --group)."
            notes.append(Note("neighbours-alike", told))
    if contest.period is not None and "diebold_mariano" not in pair.beside:
        gap = gap_of(contest, contest.names.index(pair.a), contest.names.index(pair.b))
        period = contest.period if gap.at is None else contest.period[gap.at]
        why = reason(gap.values, gap.weight, period, horizon=horizon)
        notes.append(Note("no-diebold-mariano", f"No Diebold-Mariano test: {why}."))
    return notes


def _couples(order: list[int], reference: int | None) -> list[tuple[int, int]]:
    """Return every two, those with the best first; or every one against the reference."""
    if reference is not None:
        return [(at, reference) for at in order if at != reference]
    return list(itertools.combinations(order, 2))


def _alone(contest: Contest, at: int, basis: Basis) -> Standing:
    """Return one forecast by itself."""
    s, weight = contest.surprise[:, at], contest.weight
    lost = np.isinf(s)
    count = int(lost.sum())
    if not count:
        mean = float((weight * s).sum() / weight.sum())
        found = basis.of(s, weight, None)
        told = None
        if found is not None:  # only a density's surprise may be below 0
            told = (found.low if s.min() < 0 else max(0.0, found.low), found.high)
        return Standing(contest.names[at], mean, mean, 0, told)
    rest = ~lost
    finite = float((weight[rest] * s[rest]).sum() / weight[rest].sum()) if rest.any() else None
    return Standing(contest.names[at], math.inf, finite, count)
