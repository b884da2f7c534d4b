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
from logloss.comparing.bases import ABOUT, basis_of, other_target, settled
from logloss.comparing.clips import clip_change
from logloss.comparing.crowds import among_all
from logloss.comparing.differences import concentrated, gap_of, pair_of
from logloss.comparing.evidence import evidence
from logloss.comparing.pairs import same_for_all, span
from logloss.comparing.parts import where
from logloss.comparing.ranks import behind, chosen
from logloss.comparing.results import Comparison, Pair, Standing, verdict_of
from logloss.comparing.slices import sliced
from logloss.dependence.series import diebold_mariano, lag_one, reason
from logloss.errors import UsageError
from logloss.notes import Note

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from logloss.comparing.bases import Basis
    from logloss.comparing.contest import Contest
    from logloss.comparing.differences import Gap

    Float = NDArray[np.float64]

__all__ = ["of_contest"]

CLOSE = 4  # forecasts of which every pair is looked at closely
SMALL, LARGE = 100_000, 1_000_000  # rows up to which pairs with the best, and the first one, are clipped
CLIPPED = 1_000_000  # rows times pairs up to which all pairs are
BETS = 45  # pairs that are bet on: those of ten forecasts
MANY_ROWS = 100  # of which it is worth looking whether neighbours are alike


def of_contest(
    contest: Contest,
    *,
    level: float = 0.95,
    target: str | None = None,
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
        expected loss of what fits them; None: the latter, unless each row or group was left out by itself.
    horizon
        How many points in time ahead the forecasts were made.
    reference
        The forecast that all others are set against; by default every two.
    sequential
        Bet on every pair (of up to ten forecasts; else on the first) row after row, in order of time, for a p-value that
        holds whenever one looks; of several pairs, times their number.
    seed
        Of what is drawn at random.

    Raises
    ------
    UsageError
        For fewer than two forecasts, a reference that is none of them, or a horizon without time or bets.
    """
    names = contest.names
    chosen(names, reference)
    if horizon != 1 and contest.period is None and not sequential:
        raise UsageError(
            "idle-horizon",
            f"A horizon of {horizon} says how many points in time ahead was forecast, and no times are known.",
            cure="Name the column of times: time=... (CLI: --time), or leave the horizon out.",
        )
    target = settled(contest, target)
    basis = basis_of(contest, level=level, target=target)
    alone = [_alone(contest, at, basis) for at in range(len(names))]
    finite = [math.inf if one.log_loss_finite is None else one.log_loss_finite for one in alone]
    order = sorted(range(len(names)), key=lambda at: (alone[at].log_loss, finite[at]))
    centre = order[0] if reference is None else names.index(reference)
    pairs = [
        pair_of(contest, a, b, basis, closer=len(names) <= CLOSE or centre in (a, b))
        for a, b in _couples(order, None if reference is None else centre)
    ]
    notes = [*contest.notes, *basis.notes]
    every = len(contest) * len(pairs) <= CLIPPED
    pairs = [
        _closer(contest, pair, first=not at, clip=every or names[centre] in (pair.a, pair.b), horizon=horizon)
        for at, pair in enumerate(pairs)
    ]
    other = other_target(contest, target)
    if other is not None:
        rest = basis_of(contest, level=level, target=other)
        pairs = [_other(contest, pair, rest, other) for pair in pairs]
    if sequential:
        pairs, more = _watched(contest, pairs, 1 - level, horizon)
        notes += more
    rule = partial(_rule, contest, target)
    if contest.beside:
        slices, told = sliced(contest, names.index(pairs[0].a), names.index(pairs[0].b), rule, level)
        pairs[0] = replace(pairs[0], slices=slices)
        notes += told
    standings = [behind(alone[at], names[centre], pairs) for at in order]
    standings, set_level = among_all(contest, standings, names[centre], rule, level, seed)
    if basis.unit == "fold" and len(names) > 2:
        notes.append(Note("no-best-set", NO_SET))
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
        target=target,
        notes=tuple(dict.fromkeys([*notes, *_remarks(contest, pairs[0], basis, horizon)])),
    )


NO_SET = (
    "Which of these forecasts may be the best is told of the models that were fitted, by target='models' (CLI: --target models), "
    "not of the ways of fitting; the intervals hold for all at once (Bonferroni)."
)


def _rule(contest: Contest, target: str | None, level: float) -> Basis:
    return basis_of(contest, level=level, target=target)


def _closer(contest: Contest, pair: Pair, *, first: bool, clip: bool, horizon: int) -> Pair:
    """Return a pair with what is known of it beside its difference; of the first one, more."""
    a, b = contest.records.get(pair.a), contest.records.get(pair.b)
    if a is not None and b is not None and clip and len(contest) <= (LARGE if first else SMALL):
        pair = replace(pair, clip=clip_change(a, b))
        if first:
            pair = replace(pair, **where(a, b))
    at = contest.names.index(pair.a), contest.names.index(pair.b)
    if first:
        pair = replace(pair, concentration=concentrated(gap_of(contest, *at)))
        with np.errstate(invalid="ignore"):
            told = evidence(contest.surprise[:, at[0]] - contest.surprise[:, at[1]], contest.weight)
        if told is not None:
            drawn = pair.unit in ("group", "point in time") or (pair.unit == "row" and told.counted)
            if drawn and told.standard_error is not None:
                told = replace(told, standard_error=pair.total_error)
            pair = replace(pair, beside=pair.beside | {"evidence": told.to_dict()})
    if contest.period is not None:
        gap = gap_of(contest, *at)
        period = contest.period if gap.at is None else contest.period[gap.at]
        tested = diebold_mariano(gap.values, gap.weight, period, horizon=horizon)
        if tested is not None:
            pair = replace(pair, beside=pair.beside | {"diebold_mariano": asdict(tested)})
    return pair


def _other(contest: Contest, pair: Pair, basis: Basis, target: str) -> Pair:
    """Return a pair with the interval of the other thing that a cross-validation estimates, where both are finite."""
    gap = gap_of(contest, contest.names.index(pair.a), contest.names.index(pair.b))
    found = basis.of(gap.values, gap.weight, gap.at)
    if found is None or pair.difference is None or math.isinf(pair.difference):
        return pair
    told = {
        "about": ABOUT[target],
        "difference": pair.difference,
        "standard_error": found.standard_error,
        "interval": list(span(found) or ()),
        "p_value": found.p_value,
        "verdict": verdict_of(pair.difference, span(found)),
        "rule": basis.named(gap.weight, gap.at),
    }
    return replace(pair, beside=pair.beside | {target: told})


def _watched(
    contest: Contest, pairs: list[Pair], alpha: float, horizon: int
) -> tuple[list[Pair], list[Note]]:
    """Return pairs with what two bettors made of each, in order of time; of many forecasts the first pair alone.

    Whichever pair is looked at was chosen of K by the rows it is tested on: each may spend alpha / K.
    """
    found, notes, K = [], [], len(pairs)
    told = pairs if len(pairs) <= BETS else pairs[:1]
    for pair in told:
        a, b = (contest.records.get(name) for name in (pair.a, pair.b))
        if a is None or b is None:
            raise UsageError(
                "no-bets",
                "Bets are placed on the classes of single rows, and here only their losses are known.",
                cure="Compare without sequential=.",
            )
        bets = of_records(a, b, contest.period, alpha=alpha / K, horizon=horizon, names=(pair.a, pair.b))
        own = {"alpha": round(alpha, 12), "p_value": min(1.0, K * bets.p_value), "chosen_of": K}
        found.append(replace(pair, beside=pair.beside | {"sequential": bets.to_dict() | own}))
        for note in bets.notes:
            if note not in a.notes and note not in b.notes:
                whose = f"{pair.a!r} against {pair.b!r}: " if note.id.startswith("bets-") else ""
                notes.append(replace(note, text=whose + note.text))
    if len(told) < len(pairs):
        text = f"Of {len(pairs)} pairs the first alone was bet on, {pairs[0].a!r} against {pairs[0].b!r}: for the others, compare at most ten forecasts."
        notes.append(Note("one-pair-bet-on", text))
    return [*found, *pairs[len(told) :]], notes


def _remarks(contest: Contest, pair: Pair, basis: Basis, horizon: int) -> list[Note]:
    """Return notes on what the first difference rests on."""
    notes = []
    if pair.infinite_both:
        told = f"{units.count(pair.infinite_both, 'row')} infinite under both {pair.a!r} and {pair.b!r} tell nothing of their difference, which leaves them out."
        notes.append(Note("infinite-under-both", told))
    if pair.interval is None and basis.units == 1 and basis.unit in ("row", "group"):
        told = f"No interval: one {basis.unit} tells nothing of how far others would differ."
        notes.append(Note("no-interval", told))
    if same_for_all(pair.difference, pair.standard_error):
        told = f"Every {pair.unit} differs by the same {abs(pair.difference or 0.0):.4g} nats, so nothing tells how far others would: the interval has no width for that reason alone."
        notes.append(Note("no-spread", told))
    if basis.unit == "row" and len(contest) > MANY_ROWS:
        gap = gap_of(contest, contest.names.index(pair.a), contest.names.index(pair.b))
        lag = lag_one(_within(contest, pair, gap))
        if lag.clear:
            more = f", means of neighbours vary {lag.inflation:.1f} times as much as of rows drawn one by one"
            told = f"Differences of neighbouring rows go together (correlation {lag.correlation:.2f}{more if lag.inflation > 1 else ''}). If rows follow each other in time or come in groups the interval is too narrow: say time= or group= (CLI: --time, --group). If they were only sorted, by a forecast or a column, it is right as it is."
            notes.append(Note("neighbours-alike", told))
    if contest.period is not None and "diebold_mariano" not in pair.beside:
        gap = gap_of(contest, contest.names.index(pair.a), contest.names.index(pair.b))
        period = contest.period if gap.at is None else contest.period[gap.at]
        why = reason(gap.values, gap.weight, period, horizon=horizon)
        notes.append(Note("no-diebold-mariano", f"No Diebold-Mariano test: {why}."))
    return notes


def _within(contest: Contest, pair: Pair, gap: Gap) -> Float:
    """Return the differences in the order of rows; where these are sorted by class, less the mean of each class."""
    record = contest.records.get(pair.a)
    if record is None or record.soft:
        return gap.values
    code = record.outcome.astype(np.int64) if gap.at is None else record.outcome[gap.at].astype(np.int64)
    used, code = np.unique(code, return_inverse=True)
    if int((code[1:] != code[:-1]).sum()) != len(used) - 1:
        return gap.values
    return np.asarray(gap.values - (np.bincount(code, gap.values) / np.bincount(code))[code])


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
