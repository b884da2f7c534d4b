"""The study of corrupted labels runs, and says what it measures."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from conftest import ROOT


def test_the_small_study(capsys: pytest.CaptureFixture[str]) -> None:
    spec = importlib.util.spec_from_file_location("label_errors", ROOT / "studies" / "label_errors.py")
    study = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(study)
    clean, even, one_way = study.main(["--small"])
    assert not clean["found"].supported
    assert even["found"].supported
    assert one_way["precision ours"] > one_way["precision surprise"]
    assert np.isclose(one_way["found"].expected, one_way["planted"], rtol=0.3)
    assert "P(label wrong) against what is" in capsys.readouterr().out
