"""The public names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import logloss


def test_names_are_complete_and_resolvable() -> None:
    assert len(logloss.__all__) == len(set(logloss.__all__))
    assert set(logloss.__all__) == set(logloss._HOME)
    for name in logloss.__all__:
        assert getattr(logloss, name).__doc__
        assert name in dir(logloss)


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(logloss.__file__).read_text())
    typed = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("logloss.")
        for alias in node.names
    }
    assert typed == {name: f"logloss.{home}" for name, home in logloss._HOME.items()}


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'scor'"):
        logloss.scor  # noqa: B018


def test_a_public_function_stays_a_function_after_its_module_is_imported() -> None:
    import logloss.scoring
    import logloss.surprises

    assert callable(logloss.score)
    assert callable(logloss.surprise)
