"""A corpus of planted data that findings are made of: small, each with something else the matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from scipy.special import expit, softmax

import logloss as ll
from planted import drawn

LONG = "a name of a class that is far too long to be told in a sentence, with 'quotes' and <b>tags</b>"


def _binary(change: Callable[[np.ndarray], np.ndarray], n: int = 400, **more: object) -> ll.Explanation:
    y, z = drawn(n, 1, 2, 2.0)
    return ll.explain(y, change(z), space="logit", **more)


def _blunders(count: int, infinite: int = 0, n: int = 400) -> ll.Explanation:
    rng = np.random.default_rng(10)
    p = rng.uniform(0.02, 0.98, n)
    y = (rng.random(n) < p).astype(int)
    p[:count], y[:count] = np.exp(-300), 1
    p[count : count + infinite], y[count : count + infinite] = 0.0, 1
    return ll.explain(y, p)


def _sliced() -> ll.Explanation:
    y, z = drawn(1200, 1, 2, 3.0)
    site = np.random.default_rng(3).choice(["a", "b", LONG], 1200)
    wrong = z + np.where(site == LONG, 3.0, 0.0)
    harder = np.where(site == "a", 0.0, wrong)
    return ll.explain(y, harder, space="logit", by={"the site of it": site})


def _harder() -> ll.Explanation:
    rng = np.random.default_rng(5)
    site = rng.choice(["plain", "hard"], 1000)
    z = rng.normal(0, np.where(site == "hard", 0.3, 4.0))
    return ll.explain((rng.random(1000) < expit(z)).astype(int), z, space="logit", by={"site": site})


def _flipped(n: int = 1200) -> ll.Explanation:
    y, z = drawn(n, 1, 2, 4.0)
    return ll.explain(np.where(np.random.default_rng(101).random(n) < 0.03, 1 - y, y), z, space="logit")


def _classes(change: Callable[[np.ndarray], np.ndarray], K: int = 4, **more: object) -> ll.Explanation:
    y, Z = drawn(500, 2, K, 2.5)
    names = np.array([LONG, *[f"class {k}" for k in range(1, K)]])
    return ll.explain(names[y], change(Z), space="logit", labels=names.tolist(), **more)


def _noisy_classes() -> ll.Explanation:
    rng = np.random.default_rng(6)
    y, Z = drawn(2000, 1, 5, 2.5)
    return ll.explain(np.where(rng.random(2000) < 0.05, rng.integers(0, 5, 2000), y), Z, space="logit")


def _soft() -> ll.Explanation:
    rng = np.random.default_rng(7)
    P = softmax(rng.normal(size=(300, 3)), axis=1)
    return ll.explain(rng.multinomial(5, P) / 5.0, P)


def _rounded() -> ll.Explanation:
    y, z = drawn(200, 1, 2, 2.0)
    return ll.explain(y, (z > 0).astype(float))


def _confused() -> ll.Explanation:
    y, Z = drawn(600, 1, 4, 3.0)
    Z = Z.copy()
    Z[y == 2, 3] = 4.0
    return ll.explain(y, Z, space="logit")


def _two_levels() -> ll.Explanation:
    rng = np.random.default_rng(8)
    p = rng.random(1500)
    return ll.explain((rng.random(1500) < np.where(p < 0.5, 0.3, 0.7)).astype(int), p)


def _summary() -> ll.Explanation:
    y, z = drawn(400, 1, 2, 2.0)
    return ll.explain(ll.summarize(y, expit(2 * z)))


def _summary_of_classes() -> ll.Explanation:
    y, Z = drawn(400, 1, 3, 2.0)
    return ll.explain(ll.summarize(y, 2 * Z, space="logit"))


def _weighted() -> ll.Explanation:
    y, z = drawn(500, 1, 2, 2.0)
    weight = np.random.default_rng(0).integers(0, 4, 500).astype(float)
    return ll.explain(y, 2 * z, space="logit", weight=weight)


def _grouped() -> ll.Explanation:
    y, z = drawn(500, 1, 2, 2.0)
    return ll.explain(y, z + 1, space="logit", group=np.arange(500) // 10)


CORPUS: dict[str, Callable[[], ll.Explanation]] = {
    "calibrated": lambda: _binary(lambda z: z),
    "over-confident": lambda: _binary(lambda z: 2 * z),
    "under-confident": lambda: _binary(lambda z: 0.3 * z),
    "shifted": lambda: _binary(lambda z: z + 1.5),
    "reversed": lambda: _binary(lambda z: -z),
    "knows nothing": lambda: _binary(lambda z: np.random.default_rng(4).permutation(z)),
    "constant": lambda: _binary(np.zeros_like),
    "one blunder": lambda: _blunders(1),
    "blunders": lambda: _blunders(8),
    "infinite": lambda: _blunders(0, infinite=1),
    "infinite rows": lambda: _blunders(3, infinite=5),
    "all infinite": lambda: ll.explain([1, 0], [0.0, 1.0]),
    "slices": _sliced,
    "harder slice": _harder,
    "flipped labels": _flipped,
    "rounded": _rounded,
    "two levels": _two_levels,
    "classes": lambda: _classes(lambda Z: Z),
    "classes over-confident": lambda: _classes(lambda Z: 2 * Z),
    "classes shifted": lambda: _classes(lambda Z: Z + np.array([0.0, 0, 2, 0])),
    "classes differ": lambda: _classes(lambda Z: Z * np.array([1, 1, 1, 4.0])),
    "classes permuted": lambda: _classes(lambda Z: Z[:, [1, 0, 2, 3]]),
    "classes noisy": _noisy_classes,
    "confused": _confused,
    "many classes": lambda: _classes(lambda Z: 2 * Z, K=25),
    "soft": _soft,
    "summary": _summary,
    "summary of classes": _summary_of_classes,
    "weighted": _weighted,
    "grouped": _grouped,
    "tiny": lambda: ll.explain([1, 0, 1], [0.9, 0.2, 0.6]),
    "one row": lambda: ll.explain([1], [0.9], labels=[0, 1]),
    "no loss": lambda: ll.explain([1, 0, 1, 0] * 10, [1.0, 0.0, 1.0, 0.0] * 10),
    "few": lambda: ll.explain([1, 0] * 15, [0.9, 0.2, 0.6, 0.5, 0.3, 0.45] * 5),
}


@cache
def explained(name: str) -> ll.Explanation:
    """Return one explanation, made once."""
    return CORPUS[name]()


def every() -> Iterator[tuple[str, ll.Explanation]]:
    """Yield every explanation with its name."""
    for name in CORPUS:
        yield name, explained(name)
