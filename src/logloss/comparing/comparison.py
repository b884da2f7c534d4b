"""`compare`: whether one forecast really beats another, how sure that is, and what it hangs on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss import units
from logloss.comparing import entrants, matching
from logloss.comparing.bases import TARGETS
from logloss.comparing.clips import clipped
from logloss.comparing.contest import Contest
from logloss.comparing.panels import of_panel
from logloss.comparing.saved import panel_of, refuse_idle
from logloss.comparing.streaming import MOST_ROWS, many, of_stream
from logloss.comparing.verdicts import of_contest
from logloss.errors import ColumnError, UsageError, places, suggestion
from logloss.fixing.divisions import check_time
from logloss.notes import Note
from logloss.recognise import missing_mask
from logloss.sources import Opened, is_rows, opened
from logloss.surprises import per_row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from logloss.comparing.entrants import Entrant
    from logloss.comparing.results import Comparison
    from logloss.record import Observations, Space

__all__ = ["compare", "contest_of"]


def compare(
    data: Any,
    forecast: Any = None,
    *,
    outcome: Any = None,
    space: Space = "p",
    weight: Any = None,
    ids: Any = None,
    group: Any = None,
    truth: Any = None,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    normalize_rows: bool = False,
    skip_missing: bool = False,
    counts: bool = False,
    skip_unreadable: bool = False,
    shared: bool = False,
    clip: float | None = None,
    time: Any = None,
    horizon: int = 1,
    fold: Any = None,
    target: str | None = None,
    by: Any = None,
    reference: str | None = None,
    sequential: bool = False,
    level: float = 0.95,
    seed: int = 0,
    watch: Callable[[int, int | None], None] | None = None,
) -> Comparison:
    """Tell whether one forecast really beats another: paired differences of log losses, and how sure they are.

    Parameters
    ----------
    data, forecast
        One of

        * outcomes and a mapping of arrays: `compare(y, {"a": p, "b": q})`, each of shape (n,) or (n, K);
        * a table and its columns: `compare("preds.csv", {"a": "p_a", "b": "p_b"})`, or a list of columns that are a forecast
          each; for more than two classes, a list of columns per forecast;
        * several tables: `compare(["a.csv", "b.csv"], ids="id")`, or `compare({"old": "a.csv", "new": "b.csv"})`, with
          outcomes in each or in `truth`; `forecast` then names the column in all of them, or of each by its name;
        * a panel that :func:`logloss.summarize` returned for several forecasts, or the file it was saved to.

        A table of more than 5,000,000 rows is passed over once, in bounded memory.
    outcome, space, weight, ids, group, truth, labels, positive, normalize_rows, skip_missing, counts, skip_unreadable
        As in :func:`logloss.score`. With groups the interval is that of groups drawn. Several tables are matched by `ids`.
    shared
        Compare on the rows that all tables have, where they are not the same. Without it that is an error.
    clip
        Clip all forecasts into [clip, 1 - clip] first, on purpose. Noted, with how many rows it changed.
    time
        When each row is from: a column, or an array of shape (n,). The interval then allows for autocorrelation.
    horizon
        How many points in time ahead was forecast, for the classical Diebold-Mariano test that stands beside, and for bets;
        refused without `time` or `sequential`.
    fold
        The fold of a cross-validation that each row was left out in: a column, or an array of shape (n,).
    target
        With folds: "algorithm", how what fits the models differs, given another sample of this size; or "models", how those
        that were fitted do, averaged over the rows that each left out. By default the former, unless each row or group was
        left out by itself; the interval of the other stands beside (`pair.beside`).
    by
        Columns to slice by: names, or a mapping of arrays of shape (n,).
    reference
        The forecast that all others are set against; by default every two.
    sequential
        Also bet on every pair (of up to ten forecasts; of more on the first) row after row, in order of time, for a p-value
        of each that holds whenever one looks, multiplied by the number of pairs; see :func:`logloss.sequential`.
    level
        Coverage of the intervals; a verdict is given where that of the difference leaves out 0.
    seed
        Of what is drawn at random where there are more than two.
    watch
        Called with (rows done, rows expected or None) after every batch of a table that is passed over.

    Returns
    -------
    Comparison
        In nats: the forecasts best first, their paired differences with verdicts, and what these hang on.

    Raises
    ------
    LoglossError
        AlignmentError for forecasts of different rows, OutcomeError for different outcomes, UsageError for a call that does not
        fit together, other DataErrors for data that cannot be scored.

    Notes
    -----
    The difference is the mean of s_a - s_b over the rows, always paired, its interval by Hall's transformation, which
    allows for skewness; over groups by the jackknife (Hall's of their means where they weigh the same), in time by the
    equal-weighted cosine estimate, over folds by Nadeau and Bengio's.

    References
    ----------
    Hall (1992), On the removal of skewness by transformation, J. R. Stat. Soc. B 54:221-228; Lazarus, Lewis, Stock and
    Watson (2018), J. Bus. Econ. Stat. 36:541-559; Hansen, Lunde and Nason (2011), The model confidence set,
    Econometrica 79:453-497.

    Examples
    --------
    >>> import numpy as np
    >>> import logloss as ll
    >>> random = np.random.default_rng(0)
    >>> z = random.normal(0, 1.5, 2000)
    >>> y = (random.random(2000) < 1 / (1 + np.exp(-z))).astype(int)
    >>> result = ll.compare(y, {"sharp": 1 / (1 + np.exp(-2 * z)), "right": 1 / (1 + np.exp(-z))})
    >>> pair = result.pairs[0]
    >>> pair.a, pair.b, pair.verdict, round(pair.difference, 3)
    ('right', 'sharp', 'a better', -0.072)
    """
    _check(level, target, clip, horizon)
    reference = None if reference is None else str(reference)
    options = {
        "outcome": outcome, "space": space, "weight": weight, "ids": ids, "group": group, "truth": truth,
        "labels": labels, "positive": positive, "normalize_rows": normalize_rows, "skip_missing": skip_missing,
        "counts": counts, "skip_unreadable": skip_unreadable,
    }  # fmt: skip
    rows = {
        "shared": shared,
        "clip": clip,
        "time": time,
        "fold": fold,
        "by": by,
        "sequential": sequential,
        "target": target,
        "horizon": None if horizon == 1 else horizon,
    }
    needs = [name for name, value in rows.items() if value is not None and value is not False]
    rule: dict[str, Any] = {"level": level, "reference": reference, "seed": seed}
    panel = panel_of(data)
    if panel is not None:
        refuse_idle(panel, forecast, needs, options)
        return of_panel(panel, **rule)
    found = (
        None
        if entrants.is_several(data, forecast) or not is_rows(data, forecast)
        else opened(data, forecast, **options)
    )
    if isinstance(found, Opened):
        found = entrants.apart(found)
        if not (isinstance(data, str) and data == "-") and many(found) and (found.stream.again or not needs):
            if needs:
                raise UsageError(
                    "not-in-passes",
                    f"More than {MOST_ROWS:,} rows are passed over batch by batch, and {needs[0]}= needs all of them at once.",
                    cure="Give a sample of the rows, or leave it out.",
                )
            return of_stream(found, **rule, watch=watch)
    contest = contest_of(
        data if found is None else found, forecast, shared=shared, clip=clip, time=time, fold=fold, by=by,
        reference=reference, **options,
    )  # fmt: skip
    return of_contest(contest, target=target, horizon=horizon, sequential=sequential, **rule)


def contest_of(
    data: Any,
    forecast: Any,
    *,
    shared: bool = False,
    clip: float | None = None,
    time: Any = None,
    fold: Any = None,
    by: Any = None,
    reference: str | None = None,
    **options: Any,
) -> Contest:
    """Return whatever was given as one contest; see :func:`compare` for the arguments."""
    notes: tuple[Note, ...] = ()
    if isinstance(data, Opened):
        found = entrants.of_table(data)
    elif entrants.is_several(data, forecast):
        found = entrants.of_files(_named(data), forecast, options)
        found, notes = matching.matched(found, partly=shared)
    elif is_rows(data, forecast):
        table = opened(data, forecast, **options)
        assert isinstance(table, Opened)
        found = entrants.of_table(entrants.apart(table))
    else:
        found = entrants.of_arrays(data, forecast, **options)
        matching.check_same(found)
    if reference is not None and reference not in found:
        raise UsageError(
            "no-such-model",
            f"There is no forecast {reference!r} to set the others against.{suggestion(reference, list(found))}",
            cure=f"There are {list(found)}.",
        )
    return _contest(found, notes, clip=clip, time=time, fold=fold, by=by)


def _contest(
    found: dict[str, Entrant], notes: tuple[Note, ...], *, clip: float | None, time: Any, fold: Any, by: Any
) -> Contest:
    """Put forecasts of the same rows together, with what stands beside them."""
    holder = next(iter(found.values()))
    first = holder.record
    beside, more = ({}, ()) if by is None else holder.slices(by)
    when = None if time is None else holder.column(time, "The times")
    if when is not None:
        check_time(when, first)
    folds = None if fold is None else holder.column(fold, "The folds")
    if folds is not None:
        _check_folds(folds, first)
    records = {name: one.record for name, one in found.items()}
    said = [*notes, *_told(records), *more]
    if clip is not None:
        records, told = _clipped(records, clip)
        said.append(told)
    clusters = first.clusters()
    contest = Contest(
        names=tuple(records),
        surprise=np.column_stack([per_row(record) for record in records.values()]),
        weight=np.ones(len(first)) if first.weight is None else first.weight,
        cluster=None if clusters is None else clusters.code,
        period=None if when is None else _positions(when),
        fold=None if folds is None else _positions(folds),
        numbers=first.numbers(),
        records=records,
        beside=beside,
        notes=tuple(dict.fromkeys(said)),
    )
    return contest if contest.weight.all() else contest.take(contest.weight > 0)


def _told(records: dict[str, Observations]) -> list[Note]:
    """Return the notes of all forecasts; one that is not of all of them says which it is about."""
    common = set.intersection(*(set(record.notes) for record in records.values()))
    return [
        note
        if note in common or repr(name) in note.text or f"{name}." in note.text
        else replace(note, text=f"Of {name!r}: {note.text}")
        for name, record in records.items()
        for note in record.notes
    ]


def _check_folds(folds: NDArray[Any], record: Observations) -> None:
    gone = np.flatnonzero(missing_mask(folds))
    if len(gone):
        raise ColumnError(
            "no-fold",
            f"No fold is known of {units.count(len(gone), 'row')} ({places(record.numbers()[gone])}).",
            cure="Fill them in, or leave these rows out.",
        )


def _positions(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return each value's position among the distinct ones, ascending; values of several types by their text."""
    try:
        return np.unique(values, return_inverse=True)[1].astype(np.int64)
    except TypeError:
        return np.unique(np.array([str(one) for one in values.tolist()]), return_inverse=True)[1].astype(
            np.int64
        )


def _clipped(records: dict[str, Observations], eps: float) -> tuple[dict[str, Observations], Note]:
    found = {name: clipped(record, eps) for name, record in records.items()}
    changed = ", ".join(f"{units.count(count, 'row')} of {name!r}" for name, (_, count) in found.items())
    told = f"All forecasts were clipped into [{eps:g}, 1 - {eps:g}] on purpose, which changed the surprise of {changed}."
    return {name: record for name, (record, _) in found.items()}, Note("clipped-on-purpose", told)


def _named(data: Any) -> dict[str, Any]:
    """Return several tables by name: as given, or by the stem of the file, told apart where stems are alike."""
    if isinstance(data, Mapping):
        return {str(name): source for name, source in data.items()}
    paths = [Path(one) if isinstance(one, str | Path) else None for one in data]
    stems = [f"table {at + 1}" if path is None else path.stem for at, path in enumerate(paths)]
    if len(set(stems)) < len(stems):
        stems = [stem if path is None else str(path) for stem, path in zip(stems, paths, strict=True)]
    if len(set(stems)) < len(stems):
        raise UsageError(
            "too-few-forecasts",
            "A file is given twice, and a forecast is not compared with itself.",
            cure="Give each file once.",
        )
    return dict(zip(stems, data, strict=True))


def _check(level: float, target: str | None, clip: float | None, horizon: int) -> None:
    if not isinstance(horizon, int | np.integer) or horizon < 1:
        raise UsageError(
            "horizon",
            f"A horizon of {horizon} is not a number of steps ahead.",
            cure="Give a whole number from 1 on.",
        )
    if not 0 < level < 1:
        raise UsageError(
            "bad-level",
            f"level is {level}, but it is a probability.",
            cure="Give one between 0 and 1, such as 0.95.",
        )
    if target is not None and target not in TARGETS:
        raise UsageError(
            "unknown-target",
            f"{target!r} is nothing that a cross-validation estimates here.{suggestion(target, TARGETS)}",
            cure=f"Targets: {', '.join(TARGETS)}.",
        )
    if clip is not None and not 0 < clip <= 0.5:
        raise UsageError(
            "bad-clip",
            f"A clip of {clip:g} does not keep probabilities within [eps, 1 - eps].",
            cure="Give one above 0 and at most 0.5.",
        )
