"""What is worth saying about a comparison: one sentence each, the doubt in the same sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logloss.comparing.results import Comparison
    from logloss.why.findings import Finding

__all__ = ["findings"]


def findings(result: Comparison) -> list[Finding]:
    """Return what is worth saying."""
    return []
