from __future__ import annotations

import math

import pytest

from logloss import UsageError, units


@pytest.mark.parametrize(
    ("nats", "text"),
    [
        (0.0, "0"),
        (1e-300, "1.0e-300"),
        (4.9e-5, "4.9e-05"),
        (5e-5, "0.0001"),
        (0.99999, "1.0000"),
        (math.inf, "inf"),
        (math.nan, "undefined"),
        (-0.25, "-0.2500"),
        (2e6, "2.0e+06"),
    ],
)
def test_a_loss_is_printed_honestly(nats: float, text: str) -> None:
    assert units.loss(nats) == text


# Methods note 1.7: p = (.9, .2, .6, .35), y = (1, 0, 1, 1), by mpmath.
def test_units_of_one_mean() -> None:
    nats = 0.47228795380917611
    assert units.UNITS["bits"].convert(nats) == pytest.approx(0.68136748883209418, rel=1e-15)
    assert units.UNITS["bans"].convert(nats) == pytest.approx(0.20511205220870307, rel=1e-15)


@pytest.mark.parametrize("share", [1e-9, 0.0004, 0.5, 0.9996, 1 - 1e-9])
def test_no_rounding_to_nothing_or_all(share: float) -> None:
    assert units.percent(share) not in {"0 %", "0.0 %", "100 %", "100.0 %"}


def test_unknown_unit_suggests() -> None:
    with pytest.raises(UsageError, match="Did you mean 'bits'"):
        units.unit("bit")


def test_signed_and_count() -> None:
    assert units.signed(0.5) == "+0.5000"
    assert units.signed(-0.5) == "-0.5000"
    assert units.count(2, "entry", "entries") == "2 entries"
