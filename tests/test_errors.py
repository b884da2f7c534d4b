"""Errors: one sentence each, a cure, and they survive a trip through another process."""

from __future__ import annotations

import copy
import pickle

import pytest

from logloss import errors


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name.endswith("Error")])
def test_errors_survive_pickling_and_copying(name: str) -> None:
    error = getattr(errors, name)("some-slug", "What is wrong.", cure="What helps.")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert str(twin) == "What is wrong. What helps. [some-slug]"
        assert (twin.slug, twin.message, twin.cure, twin.exit_code) == (
            error.slug,
            error.message,
            error.cure,
            error.exit_code,
        )


def test_usage_errors_and_data_errors_have_their_exit_codes() -> None:
    assert errors.UsageError("a", "b").exit_code == 2
    assert errors.ForecastError("a", "b").exit_code == 1


def test_listing_places_and_suggestion() -> None:
    assert errors.listing([1, 2]) == "1, 2"
    assert errors.listing(range(9), limit=2) == "0, 1 and 7 more"
    assert errors.places([5]) == "row 5"
    assert errors.places([1, 2, 3, 4]) == "rows 1, 2, 3 and 1 more"
    assert errors.suggestion("Outcom", ["outcome", "id"]) == " Did you mean 'outcome'?"
    assert errors.suggestion("zzz", ["outcome"]) == ""
