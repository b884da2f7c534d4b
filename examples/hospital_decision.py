"""A hospital decision: from a 19 % chance to an action, and a ward whose model ranks perfectly and yet does harm.

Run it from anywhere, ``python examples/hospital_decision.py [--out FOLDER]``. The ward is simulated, so that the truth is known: a
patient of chance q is severe with probability q. Every number is computed by logloss.
"""

from __future__ import annotations

import argparse
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

import logloss as ll

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

OUT = Path(__file__).resolve().parent / "output" / "hospital_decision"
SEED, PATIENTS = 19, 4000
SHARPER = 2.5  # how much too far from 0 the model's log-odds are
CLASSES = ["not severe", "severe"]
UTILITIES = {"treat": {"not severe": -2, "severe": 0}, "wait": {"not severe": 0, "severe": -20}}
MONITOR = {**UTILITIES, "monitor": {"not severe": -0.5, "severe": -6}}


@dataclass(frozen=True)
class Story:
    """Every number that is told; utilities a patient."""

    one: ll.Decisions
    three: ll.Decisions
    severe: float
    rank: float
    raw: ll.Decisions
    truth: ll.Decisions
    losses: tuple[float, float]
    patients: tuple[dict[str, object], ...]


def ward() -> tuple[NDArray[np.object_], Float, Float]:
    """Return whether each patient is severe, the chance of it, and what an over-confident model says."""
    rng = np.random.default_rng(SEED)
    odds = rng.normal(-2.0, 1.0, PATIENTS)
    chance = 1 / (1 + np.exp(-odds))
    severe = np.where(rng.random(PATIENTS) < chance, "severe", "not severe").astype(object)
    return severe, chance, 1 / (1 + np.exp(-SHARPER * odds))


def story() -> Story:
    """Compute everything."""
    severe, chance, said = ward()
    raw = ll.decide(severe, said, utilities=UTILITIES, labels=CLASSES)
    truth = ll.decide(severe, chance, utilities=UTILITIES, labels=CLASSES, recalibrate=False)
    listed = {
        "severe": severe, "chance": chance, "said": said, "after_said": raw.chosen, "after_chance": truth.chosen,
    }  # fmt: skip
    return Story(
        one=ll.decide(None, [0.19], utilities=UTILITIES, labels=CLASSES),
        three=ll.decide(None, [0.19], utilities=MONITOR, labels=CLASSES),
        severe=float((severe == "severe").mean()),
        rank=float((np.argsort(chance) == np.argsort(said)).mean()),
        raw=raw,
        truth=truth,
        losses=tuple(ll.log_loss(severe, p, labels=CLASSES) for p in (said, chance)),  # type: ignore[arg-type]
        patients=tuple(dict(zip(listed, row, strict=True)) for row in zip(*listed.values(), strict=True)),
    )


def told(it: Story) -> str:
    """Return the story as text."""
    by = {policy.name: policy for policy in it.one.policies}
    points, actions = it.three.utilities.cuts() or ((), ())
    ways = {policy.name: policy for policy in it.raw.policies}
    raw, treat = ways["as decided"], ways["always treat"]
    gain = it.raw.recalibration
    assert gain is not None
    assert gain.interval is not None
    assert it.one.threshold is not None
    assert it.raw.surplus is not None
    paragraphs = [
        (f"1. One patient. The model says 19 % severe. To treat one who is not costs 2, to let a severe one wait costs 20. Treating: "
        f"{by['always treat'].expected:.2f}; waiting: {by['always wait'].expected:.2f}. So {it.one.chosen[0]}, though not severe is four "
        f"times as likely. The threshold is 2 / (2 + 20) = {it.one.threshold:.4f}, one in eleven, not one half."),
        (f"2. A third action, to monitor, at 0.5 or 6: {actions[0]} below {points[0]:.4f}, {actions[1]} up to {points[1]:.4f}, {actions[2]} "
        f"above. This patient: {it.three.chosen[0]}, {it.three.expected_utility:.3f}."),
        (f"3. A ward of {PATIENTS:,}, {it.severe:.1%} severe. The model's log-odds are {SHARPER} times too far from 0. It ranks as the truth "
        f"does ({it.rank:.0%} of the patients have the same rank), so no measure of ranking sees anything. What its decisions bring:"),
        (f"The model that ranks perfectly is worse than no model: treating everyone brings {treat.realised - raw.realised:+.3f} a patient. It "
        f"is so sure that few are severe that it treats {raw.shares['treat']:.0%}; by the truth it would be {it.truth.policies[0].shares['treat']:.0%}. "
        f"It expected {raw.expected:.3f} of itself and brought {raw.realised:.3f}: {it.raw.surplus.mean:.3f} "
        f"({it.raw.surplus.low:.3f} to {it.raw.surplus.high:.3f})."),
        (f"4. One number repairs it. A {gain.map} found by cross-fitting adds {gain.worth:.3f} a patient ({gain.interval[0]:.3f} to "
        f"{gain.interval[1]:.3f}); {gain.changed:,} patients are treated otherwise. The log loss said so before anybody was "
        f"treated: {it.losses[0]:.4f}, and {it.losses[1]:.4f} for the truth."),
    ]  # fmt: skip
    lines = [broken(text) for text in paragraphs]
    return "\n\n".join(["The hospital decision", *lines[:3], table(it), *lines[3:]])


def table(it: Story) -> str:
    """Return what each way to act brings."""
    policies = [*it.raw.policies, it.truth.policies[0]]
    names = [*(policy.name for policy in it.raw.policies), "by the true chances"]
    rows = [f"   {'utility a patient':22}{'brought':>9}   {'95 % interval':20}{'treats':>7}"]
    for name, policy in sorted(zip(names, policies, strict=True), key=lambda pair: -(pair[1].realised or 0)):
        low, high = policy.interval or (0.0, 0.0)
        span = f"{low:.3f} to {high:.3f}"
        rows.append(f"   {name:22}{policy.realised:9.3f}   {span:20}{policy.shares['treat']:7.0%}")
    return "\n".join(rows)


def broken(text: str) -> str:
    """Break text into lines."""
    indent = "" if text[0].isdigit() else "   "
    return textwrap.fill(text, 96, initial_indent=indent, subsequent_indent="   ", break_on_hyphens=False)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="A hospital decision.")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for patients.csv")
    folder = parser.parse_args(arguments).out
    it = story()
    print(told(it))
    folder.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(it.patients).write_csv(folder / "patients.csv")
    print(f"\nWritten: {folder / 'patients.csv'}")


if __name__ == "__main__":
    main()
