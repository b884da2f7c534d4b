from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from logloss.codes import distinct, encode
from logloss.labels import match


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([3, -1, 3]), [-1, 3]),
        (np.array([2**62, 0]), [0, 2**62]),
        (np.array([-100, 100, 100], np.int8), [-100, 100]),
        (np.array([2**64 - 2, 2**64 - 1], np.uint64), [2**64 - 2, 2**64 - 1]),
        (np.array([True, True]), [True]),
        (np.array(["10", "9", "2"]), ["2", "9", "10"]),
        (np.array(["b", "a", "b"], object), ["a", "b"]),
        (np.array([1.0, 0.0]), [0.0, 1.0]),
        (np.array([1, "a", 2], object), [1, 2, "a"]),
        (np.array([], int), []),
    ],
)
def test_distinct(values: np.ndarray, expected: list[Any]) -> None:
    assert distinct(values) == expected


@pytest.mark.parametrize(
    ("values", "labels", "expected"),
    [
        (np.array([1, 0, 1]), [0, 1], [1, 0, 1]),
        (np.array([1, 0, 5]), [0, 1], [1, 0, -1]),
        (np.array([3, 7, 4]), [7, 3], [1, 0, -1]),
        (np.array([True, False]), [False, True], [1, 0]),
        (np.array(["b", "a", "z"]), ["b", "a"], [0, 1, -1]),
        (np.array(["b", "a", None], object), ["a", "b"], [1, 0, -1]),
        (np.array([2, 0, 3]), [0, 1, 2], [2, 0, -1]),
        (np.array(["1"]), [0, 1], [-1]),
    ],
)
def test_encode(values: np.ndarray, labels: list[Any], expected: list[int]) -> None:
    assert encode(values, labels).astype(int).tolist() == expected


@pytest.mark.parametrize(
    ("names", "labels", "expected"),
    [
        (["a", "b"], ["b", "a"], (1, 0)),
        (["p_10", "p_1"], [1, 10], (1, 0)),
        (["is_cat_p", "is_dog_p"], ["cat", "dog"], None),  # text on both sides
        (["true", "false"], [False, True], (1, 0)),
        (["x", "y"], ["a", "b"], None),
        (["p_a", "p_b", "a"], ["a", "b"], (0, 1)),
        (["A", "a"], ["a", "A"], (1, 0)),
    ],
)
def test_match(names: list[str], labels: list[Any], expected: Any) -> None:
    assert match(names, labels) == expected


def test_blanks_around_names_in_a_header_do_not_matter() -> None:
    assert match(["prob cat", "prob bird", "prob dog"], [" cat ", " dog", "bird"]) == (0, 2, 1)
    assert match([" dog ", "cat"], ["cat", "dog"]) == (1, 0)
    assert match([" dog", "dog "], ["dog", "cat"]) is None
