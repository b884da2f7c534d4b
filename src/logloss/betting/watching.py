"""A sequential comparison that lives on: rows are given as they arrive, the state saved between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from logloss.betting.running import staked
from logloss.betting.sequence import check_alpha, p_values, p_words, reached, verdict_of, wealth_words
from logloss.betting.wealth import Book
from logloss.calibrate.stored import checksum
from logloss.errors import LoglossError, OutcomeError, SourceError, UsageError
from logloss.observations import observe
from logloss.plain import jsonable
from logloss.record import SPACES
from logloss.rewording import reworded
from logloss.saving import read_json, write_json
from logloss.text import printable
from logloss.units import count

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from logloss.record import Observations, Space

__all__ = ["SequentialTest"]

SCHEMA = 1
WORDS = (
    (r", or name the classes with labels=\[\.\.\.\] \(CLI: --labels\)", "; a test has the classes it began with: one that may come later is named at the start, SequentialTest([...])"),
    (r"say space='(log\w+)' \(CLI: --space \w+\)", r"say so at the start, SequentialTest(space='\1')"),
)  # fmt: skip


class SequentialTest:
    """Bets on two forecasts that go on as rows arrive: the answer of :func:`logloss.sequential` to all rows so far.

    Parameters
    ----------
    classes
        The labels; with one column, the forecasts are about the second of two, else they have a column for each, in this order.
    alpha
        Probability of ever naming a winner where there is none; half of it in each direction.
    horizon
        How many rows before its outcome each forecast was made; see :func:`logloss.sequential`.
    space
        What the forecasts are: "p", "logp" or "logit".
    names
        What the two forecasts are called.

    Attributes
    ----------
    rows
        How many rows there were.
    not_bet_on
        On how many of them no bet could be placed, or settled, as infinities met: both forecasts called impossible what
        happened, or each calls impossible what the other allows.

    Examples
    --------
    >>> import logloss as ll
    >>> test = ll.SequentialTest()
    >>> for y in [1, 1, 0, 1, 1, 1, 0, 1] * 20:
    ...     test.update(y, 0.5, 0.75)
    >>> test.verdict, test.crossed
    ('b better', 125)
    """

    def __init__(
        self,
        classes: Sequence[Any] = (0, 1),
        *,
        alpha: float = 0.05,
        horizon: int = 1,
        space: Space = "p",
        names: tuple[str, str] = ("a", "b"),
    ) -> None:
        check_alpha(alpha, horizon)
        if space not in SPACES:
            raise UsageError(
                "unknown-space", f"{space!r} is not a space.", cure=f"Spaces: {', '.join(SPACES)}."
            )
        self.classes = tuple(classes)
        if len(self.classes) < 2 or len(set(self.classes)) < len(self.classes):
            raise UsageError(
                "labels-count",
                f"These are no two or more different classes: {list(self.classes)}.",
                cure="Give every class once: classes=['no', 'yes'].",
            )
        self.alpha, self.horizon, self.space = float(alpha), int(horizon), space
        self.names = (str(names[0]), str(names[1]))
        self.crossed: int | None = None
        self.not_bet_on = 0
        self._book = Book.of(self.horizon)

    def update(self, y: Any, p: Any, q: Any) -> None:
        """Enter one row, or a batch of rows in order of time.

        Parameters
        ----------
        y
            What happened: a label, or labels of shape (n,).
        p, q
            The forecasts a and b made before: for one row a number, or one for each class, shape (K,); for a batch shape (n,)
            or (n, K). Named columns are matched to the classes by name.

        Raises
        ------
        LoglossError
            As in :func:`logloss.score`; the rows are then not entered, none of them.
        """
        if np.ndim(y) == 0:
            y, p, q = [y.item() if isinstance(y, np.ndarray) else y], [p], [q]
        a, b = self._checked(y, p, 0), self._checked(y, q, 1)
        before, stakes = self._book.rows, staked(a, b)
        paths = self._book.enter(stakes)
        self.not_bet_on += int((stakes.void | stakes.clash).sum())
        if self.crossed is None:
            at = np.flatnonzero(reached(paths.sure, self.alpha).any(axis=1))
            self.crossed = before + int(at[0]) if len(at) else None

    def _checked(self, y: Any, forecast: Any, which: int) -> Observations:
        try:
            return observe(y, forecast, space=self.space, labels=list(self.classes), partial=True)
        except LoglossError as error:
            where = "" if isinstance(error, OutcomeError) else f"{printable(self.names[which])!r}: "
            cure = f"{reworded(error.cure, WORDS)} No row was entered."
            raise type(error)(error.slug, f"{where}{error.message}", cure) from error

    @property
    def rows(self) -> int:
        """How many rows there were."""
        return self._book.rows

    @property
    def log_wealth(self) -> dict[str, float]:
        """Log of the wealth of the bet on each; see :class:`Sequential`."""
        a, b = map(float, self._book.sure)
        return {self.names[0]: a, self.names[1]: b}

    @property
    def p_values(self) -> dict[str, float]:
        """By forecast: p-value of "the other is at least as good on every row"; valid whenever read."""
        return dict(zip(self.names, p_values(self._book.peak), strict=True))

    @property
    def p_value(self) -> float:
        """Of both directions: twice the smaller, at most 1."""
        return min(1.0, 2.0 * min(p_values(self._book.peak)))

    @property
    def verdict(self) -> str:
        """Return "a better", "b better" (by their names), "undecided so far" or "each better at times"."""
        return verdict_of(self._book.peak, self.alpha, self.names)

    def __str__(self) -> str:
        """One line."""
        wealth = ", ".join(f"bet on {printable(n)} {wealth_words(v)}" for n, v in self.log_wealth.items())
        without = f", {self.not_bet_on:,} of them not bet on" if self.not_bet_on else ""
        return f"{printable(self.verdict, 60)}   p {p_words(self.p_value, float(self._book.peak.max()))}   {count(self.rows, 'row')}{without}   {wealth}"

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON keeps it."""
        state: dict[str, Any] = jsonable(
            {
                "logloss_sequential": SCHEMA,
                "classes": list(self.classes),
                "alpha": self.alpha,
                "horizon": self.horizon,
                "space": self.space,
                "names": list(self.names),
                "crossed": self.crossed,
                "not_bet_on": self.not_bet_on,
                "book": self._book.to_dict(),
            }
        )
        return state | {"checksum": checksum(state)}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> SequentialTest:
        """Return the test that was written down.

        Raises
        ------
        SourceError
            For what is none, was changed, or was written by a later version.
        """
        if not isinstance(state, dict) or state.get("logloss_sequential") != SCHEMA:
            _refuse("it has no such mark, or that of another version")
        try:
            expected = checksum(state)
        except (ValueError, TypeError, RecursionError):
            _refuse("it holds what JSON lacks")
        if state.get("checksum") != expected:
            _refuse("its checksum does not fit, so something in it was changed")
        try:
            names = state["names"]
            test = cls(
                state["classes"],
                alpha=state["alpha"],
                horizon=state["horizon"],
                space=state["space"],
                names=(names[0], names[1]),
            )
            test._book = Book.from_dict(state["book"], test.horizon)
            test.not_bet_on = int(state.get("not_bet_on", 0))
            test.crossed = None if state["crossed"] is None else int(state["crossed"])
        except (KeyError, TypeError, ValueError, IndexError) as error:
            _refuse(str(error))
        return test

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the state as JSON, whole or not at all."""
        write_json(self.to_dict(), path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> SequentialTest:
        """Return the test that was saved; it goes on where it stopped."""
        return read_json(path, cls.from_dict, unlike=_damaged)


def _refuse(why: str) -> NoReturn:
    raise _damaged(why)


def _damaged(why: str) -> SourceError:
    return SourceError(
        "bad-sequential",
        f"This is not a sequential test as it was saved: {why}.",
        cure="Write it again with test.save().",
    )
