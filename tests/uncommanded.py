"""What a verb's JSON and Python's say alike: all but the next commands, which name the user's file on the command line only."""

from __future__ import annotations

import json
from typing import Any


def without_commands(state: dict[str, Any]) -> dict[str, Any]:
    """Return what JSON keeps of a result, its findings without their commands."""
    told: dict[str, Any] = json.loads(json.dumps(state, allow_nan=False))
    for one in told["findings"]:
        assert one.pop("command")
    return told
