"""Mergeable state, ignorant of log loss: what a pass over numbers keeps so that parts add up to the whole."""

from __future__ import annotations

from logloss.tally.bins import Bins
from logloss.tally.keyed import Keyed, sums_by
from logloss.tally.ledger import Ledger
from logloss.tally.moments import Moments
from logloss.tally.table import Table
from logloss.tally.top import Top

__all__ = ["Bins", "Keyed", "Ledger", "Moments", "Table", "Top", "sums_by"]
