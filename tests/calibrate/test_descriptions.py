"""Maps in words: the numbers are those of the map, and text of strangers stays text."""

from __future__ import annotations

import numpy as np
import pytest

import logloss as ll
from logloss.calibrate.descriptions import describe
from logloss.calibrate.maps import (
    Beta,
    Clip,
    Identity,
    Isotonic,
    Map,
    Matrix,
    Mix,
    Quadratic,
    Scaling,
    VennAbers,
)


def said(*steps: Map, classes: tuple = ("no", "yes")) -> str:
    return "\n".join(describe(ll.FittedMap("any", steps, classes)))


def scaling(slope: list[float], offset: list[float]) -> Scaling:
    return Scaling(np.array(slope), np.array(offset))


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (scaling([0.5], [0.0]), "Temperature 2 (softer)."),
        (scaling([4.0], [0.0]), "Temperature 0.25 (sharper)."),
        (scaling([1.0], [-0.25]), "Log-odds of yes -0.25."),
        (scaling([0.5], [0.25]), "Temperature 2 (softer); log-odds of yes +0.25."),
        (scaling([-0.5], [0.0]), "Log-odds times -0.5 (what was likely becomes unlikely)."),
        (Clip.at(0.02), "Probabilities are kept within 0.02 and 0.98."),
        (Clip(0.1, 0.25), "The probability of yes is kept within 0.25 and 0.9."),
        (Mix.uniform(0.125, 2), "12.5 % of the uniform forecast is mixed in."),
        (Mix(0.125, np.array([0.3, 0.7])), "12.5 % of the rates no 0.3, yes 0.7 is mixed in."),
        (Beta(0.5, 2.0, -1.0), "Log-odds become 0.5 log p - 2 log(1 - p) -1."),
        (Quadratic(0.5, 1.0, 0.25), "It turns round at log-odds of -1"),
        (
            Isotonic(np.array([-1.0, 1.0]), np.array([0.0, np.log(3)])),
            "A rising curve through 2 knots, from 0.5 to 0.75.",
        ),
        (
            VennAbers(np.array([0.0, 1.0]), np.array([0.25, 0.5]), np.array([0.5, 0.75])),
            "2 knots; the two differ by 0.2500",
        ),
    ],
)
def test_two_classes(step: Map, words: str) -> None:
    assert words in said(step)


def test_more_classes() -> None:
    classes = ("a", "b", "c")
    assert said(scaling([0.5] * 3, [0.0] * 3), classes=classes) == "Temperature 2 (softer)."
    # Offsets are told with a mean of 0: what all classes have in common makes no difference.
    assert "a -1, b 0, c 1" in said(scaling([1.0] * 3, [4.0, 5.0, 6.0]), classes=classes)
    assert "times a 0.5, b 1, c 2" in said(scaling([0.5, 1.0, 2.0], [0.0] * 3), classes=classes)
    assert "3 x 3" in said(Matrix(np.eye(3), np.zeros(3)), classes=classes)
    many = tuple(f"k{at}" for at in range(10))
    assert "k5 1.5 and 4 more" in said(scaling(np.linspace(1, 1.9, 10).tolist(), [0.0] * 10), classes=many)


def test_nothing_is_said_of_nothing() -> None:
    assert said(Identity()) == ""
    assert said(scaling([1.0], [0.0])) == ""
    assert said(Clip.at(0.25), scaling([0.5], [0.0])).count("\n") == 1


def test_names_of_strangers_are_printable() -> None:
    shown = said(scaling([1.0], [0.5]), classes=("a", "\x1b[31mred\nline"))
    assert "\x1b" not in shown
    assert "\n" not in shown
