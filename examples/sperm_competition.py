"""Sperm competition: is the raffle fair? Hypotheses compete by how little broods surprise them that they have not seen.

Run it from anywhere, ``python examples/sperm_competition.py [--out FOLDER]``. The broods are simulated, so that the truth is known:
a female mates with two males, and every offspring draws its father. Every number is computed by logloss.
"""

from __future__ import annotations

import argparse
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

import logloss as ll
from logloss.models.broods import raffles
from logloss.models.raffles import Raffle, likelihood_ratio

if TYPE_CHECKING:
    from logloss.comparing.results import Pair
    from logloss.models.broods import Broods
    from logloss.models.raffles import LikelihoodRatio

OUT = Path(__file__).resolve().parent / "output" / "sperm_competition"
BROODS, SEED, AGAIN = 40, 7, 100
HYPOTHESES = {
    "fair": Raffle(),
    "loaded": Raffle(loaded=True),
    "fair, alike": Raffle(overdispersed=True),
    "loaded, alike": Raffle(loaded=True, overdispersed=True),
}
TRUTHS = {"fair": (1, 0.0), "loaded": (2, 0.0), "fair, alike": (1, 0.1), "loaded, alike": (2, 0.1)}


@dataclass(frozen=True)
class Case:
    """Broods of one truth, the trial of the four hypotheses by them, and each fitted to all of them."""

    truth: str
    broods: Broods
    trial: ll.Trial
    fitted: dict[str, Raffle]

    def score(self, name: str) -> float:
        """Mean surprise of a brood that was left out, in nats."""
        return self.trial.comparison.models[name].log_loss

    def pair(self, a: str, b: str) -> Pair:
        """Two hypotheses against each other."""
        return self.trial.comparison.pair(a, b)

    def test(self, small: str, large: str) -> LikelihoodRatio:
        """The likelihood-ratio test of one against another that contains it."""
        return likelihood_ratio(self.fitted[small], self.fitted[large])


@dataclass(frozen=True)
class Story:
    """Every number that is told. Losses in nats."""

    cases: dict[str, Case]
    alarms: float  # share of fair raffles that a test of independent offspring calls loaded
    alarms_alike: float  # of one that lets them be alike


def case(truth: str) -> Case:
    """Draw broods and let the hypotheses compete: each is fitted to 39 broods, and judged by the one left out."""
    r, rho = TRUTHS[truth]
    broods = raffles(BROODS, r=r, rho=rho, seed=SEED)
    trial = ll.referee(HYPOTHESES, broods.X, broods.y, "leave-one-out")
    return Case(truth, broods, trial, every(broods))


def every(broods: Broods) -> dict[str, Raffle]:
    """Return each hypothesis fitted to all broods."""
    return {name: Raffle(**one.get_params()).fit(broods.X, broods.y) for name, one in HYPOTHESES.items()}


def alarms() -> tuple[float, float]:
    """Return how often p < 0.05 calls a fair raffle loaded, whose broods are alike: two tests."""
    found = [every(raffles(BROODS, rho=0.1, seed=seed)) for seed in range(AGAIN)]
    shares = [
        sum(likelihood_ratio(one[small], one[large]).p_value < 0.05 for one in found) / AGAIN
        for small, large in (("fair", "loaded"), ("fair, alike", "loaded, alike"))
    ]
    return shares[0], shares[1]


def story() -> Story:
    """Compute everything."""
    return Story({truth: case(truth) for truth in TRUTHS}, *alarms())


def told(it: Story) -> str:
    """Return the story as text."""
    loaded, alike, both = it.cases["loaded"], it.cases["fair, alike"], it.cases["loaded, alike"]
    clear, open_ = loaded.pair("fair", "loaded"), both.pair("fair, alike", "loaded, alike")
    one, two, best = loaded.fitted["loaded"], alike.fitted["loaded"], both.fitted["loaded, alike"]
    wrong, right = alike.test("fair", "loaded"), alike.test("fair, alike", "loaded, alike")
    paragraphs = [
        (f"1. Four hypotheses of the same {BROODS} broods. Fair: every sperm is a ticket. Loaded: a sperm of male 1 is worth r tickets. Alike: offspring "
        "of a brood share more than chance (rho). Each is fitted to all broods but one and says how probable the brood is that was left "
        "out; what happened costs -log of that. Mean cost in nats, for four truths:"),
        table(it),
        ("In each truth the hypothesis that made the broods pays least. A parameter that is not needed costs a little, because it is fitted to "
        "chance; one that is missing costs a lot."),
        (f"2. Loaded or fair? Where r is 2 and offspring are independent, the loaded raffle wins by {abs(clear.difference):.4f} nats per brood (95 % interval "
        f"{interval(clear)}), and finds r = {one.r_:.2f} (log r {one.log_r_:.3f}, standard error {one.standard_error_['log_r']:.3f})."),
        (f"3. Offspring of a brood are not independent witnesses. Where the truth is a fair raffle of broods that are alike, the test that counts "
        f"every offspring calls it loaded: p = {wrong.p_value:.3f}. The one that lets them be alike does not: p = {right.p_value:.2f}. In {AGAIN} fair raffles "
        f"drawn anew the first raised a false alarm in {it.alarms:.0%}, the second in {it.alarms_alike:.0%}. The standard error of log r shows it: "
        f"{two.standard_error_['log_r']:.3f} for independent offspring, {two.robust_standard_error_['log_r']:.3f} for broods drawn. The unit is the brood: it is left out as a "
        "whole, and its score is that of all its offspring together."),
        (f"4. What {BROODS} broods cannot tell. Where r is 2 and rho 0.1, the winner finds r = {best.r_:.2f} and rho = {best.rho_:.3f}; but that it beats the fair raffle of "
        f"broods that are alike, by {abs(open_.difference):.4f} nats, is not certain: the interval {interval(open_)} reaches 0 for broods drawn anew. The likelihood-ratio test is surer (p = {both.test('fair, alike', 'loaded, alike').p_value:.0e}), as it takes the "
        "beta-binomial law for granted; the referee takes nothing for granted but the broods."),
    ]  # fmt: skip
    return "\n\n".join(
        ["Sperm competition: which raffle?", *(text if "\n" in text else broken(text) for text in paragraphs)]
    )


def interval(pair: Pair) -> str:
    """Return the interval of how much the better one is ahead."""
    sign = 1 if (pair.difference or 0) > 0 else -1
    low, high = sorted(sign * end for end in pair.interval or ())
    return f"{low:.4f} to {high:.4f}"


def table(it: Story) -> str:
    """Return the scores of each truth, the least marked."""
    lines = [f"   {'the truth':16}{'r':>3}{'rho':>6}  " + "".join(f"{name:>16}" for name in HYPOTHESES)]
    for truth, one in it.cases.items():
        r, rho = TRUTHS[truth]
        best = one.trial.comparison.best.name
        cells = [f"{one.score(name):.4f}{'*' if name == best else ' '}" for name in HYPOTHESES]
        lines.append(f"   {truth:16}{r:>3}{rho:>6}  " + "".join(f"{cell:>16}" for cell in cells))
    return "\n".join(lines)


def broken(text: str) -> str:
    """Break text into lines."""
    indent = "" if text[0].isdigit() else "   "
    return textwrap.fill(text, 96, initial_indent=indent, subsequent_indent="   ", break_on_hyphens=False)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Sperm competition: which raffle?")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for scores.csv and broods.csv")
    folder = parser.parse_args(arguments).out
    it = story()
    print(told(it))
    folder.mkdir(parents=True, exist_ok=True)
    scores = [
        {"truth": truth, "hypothesis": one.name, "score": one.log_loss, "low": one.interval[0], "high": one.interval[1]}
        for truth, each in it.cases.items() for one in each.trial.comparison.standings if one.interval
    ]  # fmt: skip
    pl.DataFrame(scores).write_csv(folder / "scores.csv")
    last = it.cases["loaded, alike"]
    pl.DataFrame({**last.broods.X, "k": last.broods.y, **last.trial.columns}).write_csv(folder / "broods.csv")
    print(f"\nWritten: {folder / 'scores.csv'}, {folder / 'broods.csv'}")


if __name__ == "__main__":
    main()
