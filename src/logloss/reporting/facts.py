"""How a report was computed, so that it can be trusted and repeated. Lays out what is known; computes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logloss import units
from logloss.reporting.contents import Section, Sheet
from logloss.text import printable

if TYPE_CHECKING:
    from logloss.scoring import Score
    from logloss.why.explanation import Explanation

__all__ = ["GLOSSARY", "Source", "facts", "readings"]

GLOSSARY = (
    ("log loss", "The weighted mean of the surprises. Also called cross-entropy, logarithmic score, negative log likelihood."),
    ("surprise", "-ln(the probability given to what happened): what one row costs. Forecasting 1/2 costs 0.69 nats."),
    ("nat, bit, ban", "Units of surprise: natural logarithm, base 2 (0.69 nats), base 10 (2.30 nats)."),
    ("base rate", "The forecast that always says how often each class happened. Its loss is what the outcomes cost without a model."),
    ("miscalibration", "What is lost because probabilities do not mean what they say; a map of the forecasts wins it back."),
    ("discrimination", "What is saved by telling rows apart; no map adds to it."),
    ("temperature", "Log-odds divided by one number T: above 1 softens forecasts, below 1 sharpens them."),
    ("clip", "Forecasts moved into [eps, 1 - eps]. It bounds the cost of blunders and hides their cause."),
    ("log-odds", "ln(p / (1 - p)): 0 is one half, 2.2 is 0.9, 4.6 is 0.99."),
    ("unseen rows", "A map is fitted on nine tenths of the rows and measured on the last tenth, ten times over."),
)  # fmt: skip


@dataclass(frozen=True)
class Source:
    """A file that went in: its name without folders, its bytes, and the SHA-256 of its content where it was taken."""

    name: str
    size: int
    sha256: str | None = None


def facts(
    result: Explanation, sources: tuple[Source, ...], command: str, version: str
) -> tuple[tuple[str, str], ...]:
    """Return what was computed from what, by which rules, as names and values."""
    score = result.score
    summary = score.summary
    told = [("logloss", version)]
    told += [] if not command else [("command", command)]
    for source in sources:
        mark = "" if source.sha256 is None else f", SHA-256 {source.sha256}"
        told.append(("file", f"{printable(source.name, 200)}, {source.size:,} bytes{mark}"))
    told += [
        ("rows", f"{score.n:,}" + ("" if not summary.weighted else f", of total weight {score.weight:.6g}")),
        ("classes", _classes(score)),
    ]
    for role, names in (summary.columns or {}).items():
        if names:
            told.append(
                (
                    f"column of {role}",
                    ", ".join(printable(name, 80) for name in names[:8])
                    + ("" if len(names) <= 8 else f" and {len(names) - 8} more"),
                )
            )
    told += [
        ("outcomes", f"fingerprint {summary.fingerprint:016x} of outcomes and weights, in any order"),
        ("clip", "none: a forecast of 0 that happened is infinite"),
        (
            "interval",
            f"{100 * score.level:.6g} %, Hall's transformation of the t statistic, which allows for skewness",
        ),
    ]
    parts = result.decomposition
    if parts is not None and parts.remedies is not None:
        whole = " of whole groups" if parts.remedies.grouped else ""
        told.append(("folds", f"{parts.remedies.folds}{whole}, dealt by a fixed seed"))
    return tuple(told)


def _classes(score: Score) -> str:
    names = [printable(label, 40) for label in score.summary.classes]
    return ", ".join(names[:12]) + ("" if len(names) <= 12 else f" and {len(names) - 12} more")


def readings(score: Score) -> Section:
    """Return what other tools print for the same rows."""
    exact = units.loss(score.log_loss, digits=6)
    said: dict[str, list[str]] = {exact: ["exact: no clip, 64 bits, nats"]}
    for name, value in score.conventions.items():
        said.setdefault(units.loss(value, digits=6), []).append(name)
    return Section(
        "conventions",
        "Which number do other tools print?",
        "The same rows, each tool with its own clip, precision and unit; those that print the same together.",
        (),
        (
            Sheet(
                "", ("prints", "tools"), tuple((one, ", ".join(names)) for one, names in said.items()), "><"
            ),
        ),
    )
