"""Every number that the page shows, at many places of its sliders, is logloss's own; where logloss has none, mpmath's."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
import pytest
from redraw import PAGE

import logloss as ll

if TYPE_CHECKING:
    from collections.abc import Callable

READ = """([id, places]) => places.map(place => {
  const home = document.getElementById(id);
  for (const [name, value] of Object.entries(place)) {
    const input = document.getElementById(`${id}-${name}`);
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
  return Object.fromEntries([...home.querySelectorAll("b")].map(e => [e.dataset.n, [e.dataset.v, e.textContent]]));
})"""
P = [0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999]
TOLD = [0.99, 0.97, 0.95, 0.98, 0.9, 0.8, 0.7, 0.3, 0.2, 0.1, 0.04, 0.01]
CAME = [1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 0, 0]


@pytest.fixture
def read(page: Callable[..., Any]) -> Callable[..., list[dict[str, Any]]]:
    """Return what one question shows at every combination of slider positions: numbers as numbers, the rest as text."""

    def at(question: str, **positions: Any) -> list[dict[str, Any]]:
        places = [dict(zip(positions, each, strict=True)) for each in product(*positions.values())]
        opened = page(PAGE.as_uri())
        shown = opened.page.evaluate(READ, [question, places])
        assert opened.errors == []
        return [
            {"at": place} | {name: number(value) for name, (value, _) in each.items()}
            for place, each in zip(places, shown, strict=True)
        ]

    return at


def number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def near(value: float) -> Any:
    """Return `value` as pytest compares it: to 1e-9, and of small numbers to a billionth of them."""
    return pytest.approx(value, rel=1e-9, abs=1e-15)


def test_cost(read: Any) -> None:
    for seen in read("cost", p=P):
        yes, no = ll.surprise([1, 0], [seen["p"]] * 2)
        assert seen["p"] == seen["at"]["p"]
        assert [seen["yes"], seen["no"]] == near([yes, no])
        assert [seen["yesbits"], seen["nobits"]] == near([yes / math.log(2), no / math.log(2)])


def test_log(read: Any) -> None:
    six = ll.score([1, 1, 1, 0, 0, 0], [0.5, 0.1, 0.01, 0.9, 0.75, 0.001])
    assert six.log_loss == near(1.881797068998267)  # 60-digit arithmetic
    assert six.log_loss / math.log(10) == pytest.approx(0.817254, abs=1e-6)
    for seen in read("log", p=P, base=[0, 1, 2]):
        base = [math.e, 2, 10][seen["at"]["base"]]
        assert seen["base"] == ["e", 2, 10][seen["at"]["base"]]
        assert seen["cost"] == near(ll.log_loss([1], [seen["p"]]) / math.log(base))
        assert seen["six"] == near(six.log_loss / math.log(base))
        assert seen["perplexity"] == near(six.to_dict()["perplexity"])


def test_slope(read: Any) -> None:
    """Against derivatives in 40 digits of the losses themselves."""
    with mpmath.workdps(40):
        sigmoid = lambda z: 1 / (1 + mpmath.exp(-z))  # noqa: E731
        for seen in read("slope", z=[-8, -6, -3.3, -0.1, 0, 0.7, 2.5, 8], y=[0, 1]):
            y, z = int(seen["y"]), mpmath.mpf(seen["z"])
            log = mpmath.diff(lambda z, y=y: -mpmath.log(sigmoid(z) if y else 1 - sigmoid(z)), z)
            square = mpmath.diff(lambda z, y=y: (sigmoid(z) - y) ** 2, z)
            assert seen["p"] == near(float(sigmoid(z)))
            assert seen["slope"] == near(float(log))
            assert seen["mse"] == near(float(square))
            assert seen["ratio"] == near(float(log / square))


def test_clip(read: Any) -> None:
    exponents = [-16, -15, -7, -3, -2, -1.65, -1.6, -1.3, -1, -0.5]
    for seen in read("clip", eps=exponents, p=exponents):
        eps, p = seen["eps"], seen["p"]
        for got, asked in ((eps, seen["at"]["eps"]), (p, seen["at"]["p"])):
            assert got == near(0.0 if asked == -16 else 10.0**asked)
        given = np.array([0.99] * 19 + [p])
        rows = ll.surprise([1] * 20, np.clip(given, eps, 1 - eps))
        assert seen["raw"] == near(ll.log_loss([1] * 20, given))
        assert seen["loss"] == near(rows.mean())
        assert seen["share"] == near(1.0 if math.isinf(rows[-1]) else rows[-1] / rows.sum())
        best = ll.explain([1] * 20, given).to_dict()["clip"]
        assert seen["least"] == near(best["log_loss"])
        assert seen["best"] == (near(best["best"]) if p < 0.0228 else "none")


def test_heat(read: Any) -> None:
    fitted = ll.fit_map(CAME, TOLD, "temperature", ridge=0)
    (best,) = 1 / fitted.steps[0].slope
    logits = np.log(TOLD) - np.log1p(-np.array(TOLD))
    for seen in read("heat", T=np.arange(-2, 3.01, 0.25).tolist()):
        T = 2.0 ** seen["at"]["T"]
        assert seen["T"] == near(T)
        assert seen["raw"] == near(ll.log_loss(CAME, TOLD))
        assert seen["loss"] == near(ll.surprise(CAME, logits / T, space="logit").mean())
        assert seen["best"] == near(best)
        assert seen["least"] == near(ll.surprise(CAME, logits / best, space="logit").mean())
    assert sum((p > 0.5) == y for p, y in zip(TOLD, CAME, strict=True)) == 9  # "9 of 12"


def test_smooth(read: Any) -> None:
    for seen in read("smooth", z=[-2, -0.5, 0, 1, 2.9, 6, 8], eps=[0, 0.005, 0.05, 0.1, 0.3]):
        eps, z = seen["eps"], seen["z"]
        assert seen["hard"] == near(ll.surprise([1], [z], space="logit")[0])
        assert seen["soft"] == near(ll.surprise([[eps, 1 - eps]], [[0.0, z]], space="logit")[0])
        assert seen["slope"] == near(float(1 / (1 + mpmath.exp(-z)) - (1 - mpmath.mpf(eps))))
        assert seen["floor"] == near(ll.entropy([eps, 1 - eps]))
        if eps == 0:
            assert seen["best"] == math.inf
            continue
        assert seen["best"] == near(math.log((1 - eps) / eps))
        floor = ll.surprise([[eps, 1 - eps]], [[0.0, seen["best"]]], space="logit")[0]
        assert floor == near(seen["floor"])


def test_focal(read: Any) -> None:
    """The loss as Lin et al. (2017) define it; what it is best to say against its least value in 30 digits."""
    for seen in read("focal", p=[0.001, 0.1, 0.5, 0.7, 0.9, 0.99], gamma=[0, 0.5, 1, 2, 5]):
        p, gamma = seen["p"], seen["gamma"]
        assert seen["plain"] == near(ll.log_loss([1], [p]))
        assert seen["weight"] == near((1 - p) ** gamma)
        assert seen["loss"] == near((1 - p) ** gamma * ll.log_loss([1], [p]))
        with mpmath.workdps(30):

            def expected(x: Any, p: float = p, gamma: float = gamma) -> Any:
                return -p * (1 - x) ** gamma * mpmath.log(x) - (1 - p) * x**gamma * mpmath.log(1 - x)

            said = mpmath.mpf(seen["said"])
            assert abs(mpmath.diff(expected, said)) < 1e-9 * mpmath.diff(expected, said, 2)
            assert expected(said) <= min(expected(mpmath.mpf(k) / 1000) for k in range(1, 1000)) + mpmath.mpf(
                "1e-25"
            )


def test_noise(read: Any) -> None:
    for seen in read("noise", p=P, q=[0.01, 0.25, 0.49, 0.5, 0.9, 0.99]):
        p, q = seen["p"], seen["q"]
        truth, told = [q, 1 - q], [p, 1 - p]
        assert seen["entropy"] == near(ll.entropy(truth))
        assert seen["cross"] == near(ll.cross_entropy(truth, told))
        assert seen["kl"] == pytest.approx(ll.kl_divergence(truth, told), rel=1e-9, abs=1e-14)


def test_act(read: Any) -> None:
    for seen in read("act", p=[0.001, 0.09, 0.091, 0.19, 0.5, 0.999], alarm=[1, 2, 40], miss=[1, 20, 40]):
        p, alarm, miss = seen["p"], seen["alarm"], seen["miss"]
        decided = ll.decide(None, [p], cost_fp=alarm, cost_fn=miss)
        cost = {policy.name: -policy.expected for policy in decided.policies}
        assert seen["from"] == near(decided.threshold)
        assert seen["acting"] == near(cost["always act"])
        assert seen["waiting"] == near(cost["always don't act"])
        assert seen["so"] == {"act": "act", "don't act": "wait"}[decided.chosen[0]]
    (hospital,) = read("act", p=[0.19], alarm=[2], miss=[20])
    assert [hospital[key] for key in ("from", "acting", "waiting", "so")] == [
        near(1 / 11),
        near(1.62),
        near(3.8),
        "act",
    ]


@pytest.mark.parametrize(
    ("question", "place", "name", "text"),
    [
        ("cost", {"p": 0.999}, "no", "6.9078"),
        ("slope", {"z": -8}, "mse", "−0.0007"),
        ("slope", {"z": -8}, "p", "3.35 × 10−4"),
        ("slope", {"z": -6}, "ratio", "203"),
        ("clip", {"p": -16, "eps": -16}, "loss", "∞"),
        ("clip", {"p": -16, "eps": -15}, "eps", "1 × 10−15"),
        ("act", {"p": 0.5, "alarm": 2, "miss": 1}, "so", "wait"),
    ],
)
def test_numbers_as_people_read_them(
    page: Callable[..., Any], question: str, place: dict[str, float], name: str, text: str
) -> None:
    shown = page(PAGE.as_uri()).page.evaluate(READ, [question, [place]])[0]
    assert shown[name][1] == text
