"""Sentences of a report where data are odd: no row of finite loss, none that costs, a forecast beside it, few rows or millions."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from reported import binary, many
from scipy.special import expit

import logloss as ll
from logloss.figures.segments import SLICES


def lost(n: int = 400, zeros: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Return over-confident forecasts of which the first were 0 for what happened."""
    random = np.random.default_rng(3)
    z = random.normal(0, 2, n)
    y = (random.random(n) < expit(0.5 * z)).astype(int)
    p = expit(z)
    p[:zeros] = 1.0 - y[:zeros]
    return y, p


def test_an_infinite_loss_is_said_apart_from_the_rest() -> None:
    y, p = lost()
    made = ll.report(y, p)
    finite = -np.log(np.where(y == 1, p, 1 - p)[8:])
    told = made.explanation.alt("budget")
    assert told.startswith(f"The log loss is infinite; that of the other rows, {finite.mean():.4f} nats, ")
    assert "inf " not in told
    parts = [float(word.strip(",.")) for word in told.split() if word[0] in "+-"]
    assert sum(parts) == pytest.approx(finite.mean(), abs=2e-4)
    # After the maps all rows have a finite loss: that is no difference to the mean of those that had one before.
    tile = made.contents.tiles[-1]
    assert tile.aside.startswith("all rows, from infinite: ")


def test_where_every_row_is_lost_nothing_is_made_up() -> None:
    made = ll.report([1, 0, 1, 1], [0.0, 1.0, 0.0, 0.0])
    for kind in ("text", "md", "html"):
        told = made.written(kind)
        assert "undefined nats" not in told
        assert "inf nats" not in told
    assert made.explanation.alt("belief") == "4 rows of infinite loss."
    assert "There are no others." in " ".join(note.text for note in made.contents.notes)


def test_where_no_row_costs_no_row_is_listed() -> None:
    made = ll.report([1, 0] * 30, [1.0, 0.0] * 30)
    assert made.contents.section("rows") is None
    assert "In each bin it happens as often as it is said." in made.explanation.alt("reliability")
    assert made.explanation.alt("belief") == "In 2 bins, the loss is what the forecast expects."


def test_a_share_is_a_percentage_and_nowhere_is_said_as_that() -> None:
    told = ll.report([1, 0, 1], [0.9, 0.2, 0.3]).explanation.alt("reliability")
    assert "on 0 %" not in told
    assert "leaves the 90 % band of right ones nowhere." in told
    assert "where it says 0.3: it happens in 100 % (" in told


def test_a_slice_that_stands_out_may_cost_less() -> None:
    found = ll.explain(binary(1500).select("y", "p", "segment")).slices
    assert found is not None
    worse = replace(found.rows[0], excess=-0.011, verdict="worse calibrated")
    told = SLICES.tell(SimpleNamespace(looked_at=4, named=[worse]), "nats")
    assert told.endswith(" of the loss) costs 0.0110 nats a row less than all and is worse calibrated.")


def test_what_stands_out_is_said_once() -> None:
    made = ll.report(binary(1500).select("y", "p", "month"))
    section = made.contents.section("slices")
    assert section is not None
    assert "stand" not in section.said[0]
    assert not section.said[0].endswith(":")


def test_rows_are_counted_in_digits() -> None:
    rng = np.random.default_rng(1)
    y = rng.random(2_200_000) < 0.5
    made = ll.report(ll.summarize(y.astype(int), np.full(len(y), 0.4)))
    section = made.contents.section("classes")
    assert section is not None
    assert section.sheets[0].rows[0][1] == f"{int(y.sum()):,}"


def test_a_column_that_it_is_set_against_is_not_sliced_by() -> None:
    rows = binary(1500).select("y", "p", "other", "segment")
    found = ll.report(rows, "p", outcome="y", against="other").explanation.slices
    assert found is not None
    assert list(found.columns) == ["segment"]
    asked = ll.report(rows, "p", outcome="y", against="other", by=["other"]).explanation.slices
    assert asked is not None
    assert list(asked.columns) == ["other"]


def test_what_is_neither_file_nor_column_is_said_to_be_neither() -> None:
    rows = binary(200).select("y", "p")
    with pytest.raises(
        ll.LoglossError, match=r"'gone\.csv' is no file, and .* no column 'gone\.csv'"
    ) as known:
        ll.report(rows, "p", outcome="y", against="gone.csv")
    assert known.value.slug == "against-what"
    with pytest.raises(ll.LoglossError, match="no-such-column"):
        ll.report(rows, "q", outcome="y", against="p")


def test_the_unit_of_sentences_is_said_for_what_is_in_nats_alone() -> None:
    rows = pl.DataFrame(many(300, 3))
    made = ll.report(rows.drop("id"), unit="bits")
    assert (
        made.contents.in_nats
        == "The sentences of this list, the sliders, and the numbers under figures are in nats."
    )
    budget = made.contents.section("budget")
    assert budget is not None
    assert "bits" in budget.said[0]
