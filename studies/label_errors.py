"""Labels corrupted at a known rate: how many of them are found, how many are said to be wrong, how true the probabilities are.

Models are cross-validated on the corrupted labels. Rows are ranked by

- ours: P(label wrong) of `logloss.suspects`;
- surprise: -log p(recorded label), which is also the order of self-confidence;
- margin: p(recorded) - the largest p of another class, the normalised margin of Northcutt, Jiang & Chuang (2021),
  Confident learning, J. Artif. Intell. Res. 70:1373-1411.

    python studies/label_errors.py [--small]
"""

from __future__ import annotations

import argparse
import collections
import itertools
import warnings

import numpy as np
from sklearn import datasets
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import logloss as ll

DATA = {
    "digits": (datasets.load_digits, (3, 8, 0.2)),
    "breast cancer": (datasets.load_breast_cancer, (0, 1, 0.1)),
    "wine": (datasets.load_wine, (0, 1, 0.1)),
}
RATES = {"none": 0.0, "2 %": 0.02, "5 %": 0.05, "10 %": 0.10}
EDGES = (0.0, 0.01, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)


def models() -> dict:
    return {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        "forest": RandomForestClassifier(200, random_state=0),
        "boosting": HistGradientBoostingClassifier(max_iter=60, random_state=0),
        "naive Bayes": GaussianNB(),
    }


def corrupted(y, design, rng):
    """Return labels with some exchanged: evenly at a rate, or one class recorded as one other."""
    recorded, K = y.copy(), int(y.max()) + 1
    if isinstance(design, float):
        hit = rng.random(len(y)) < design
        recorded[hit] = (y[hit] + rng.integers(1, K, hit.sum())) % K
    else:
        true, other, rate = design
        recorded[(y == true) & (rng.random(len(y)) < rate)] = other
    return recorded


def one(X, y, design, model, seed) -> dict:
    """Corrupt, cross-validate, rank: the measures of one run."""
    recorded = corrupted(y, design, np.random.default_rng(seed))
    planted = recorded != y
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # convergence on corrupted labels is not the question
        P = cross_val_predict(model, X, recorded, cv=folds, method="predict_proba")
    found = ll.suspects(recorded, P, labels=list(range(P.shape[1])), rows=0, normalize_rows=True)
    own = P[np.arange(len(y)), recorded]
    others = P.copy()
    others[np.arange(len(y)), recorded] = -1.0
    ranks = {"ours": found.probability, "surprise": -own, "margin": others.max(axis=1) - own}
    k = int(planted.sum())
    result = {"planted": k, "found": found, "wrong": planted}
    for name, value in ranks.items():
        first = np.lexsort((-found.surprise if name == "ours" else -value, -value))[:k]
        result[f"precision {name}"] = planted[first].mean() if k else np.nan
        result[f"area {name}"] = average_precision_score(planted, value) if k else np.nan
    return result


def study(data, rates, chosen, seeds) -> list[dict]:
    """Run all designs; print a line for each, the mean over seeds."""
    print(
        f"{'data':14}{'design':10}{'model':12}{'planted':>8}{'expected':>9}  {'interval':13}{'p':>8}"
        "   precision at planted         area under precision-recall\n"
        f"{'':76}ours  surprise  margin      ours  surprise  margin"
    )
    runs = []
    for name in data:
        load, pair = DATA[name]
        X, y = load(return_X_y=True)
        for design, how in {
            **{r: RATES[r] for r in rates},
            f"{pair[0]}->{pair[1]} {pair[2]:.0%}": pair,
        }.items():
            for label in chosen:
                some = [one(X, y, how, models()[label], seed) for seed in seeds]
                for run in some:
                    run.update(data=name, design=design, model=label)
                runs += some
                line(some)
    return runs


def line(some: list[dict]) -> None:
    def mean(key):
        return f"{np.mean([run[key] for run in some]):.3f}".replace("nan", "-")

    first = some[0]
    found = [run["found"] for run in some]
    low, high = (np.mean([f.interval[end] for f in found]) for end in (0, 1))
    print(
        f"{first['data']:14}{first['design']:10}{first['model']:12}{np.mean([r['planted'] for r in some]):8.1f}"
        f"{np.mean([f.expected for f in found]):9.1f}  {f'{low:.0f} to {high:.0f}':13}{np.median([f.p_value for f in found]):8.0e}"
        f"{mean('precision ours'):>9}{mean('precision surprise'):>10}{mean('precision margin'):>8}"
        f"{mean('area ours'):>10}{mean('area surprise'):>10}{mean('area margin'):>8}",
        flush=True,
    )


def reliability(runs: list[dict]) -> None:
    """Print how often labels were wrong, by the probability said, where noise was supported."""
    told = [run for run in runs if run["found"].supported]
    print(
        f"\nNoise supported (p < 0.05) in {sum(r['planted'] > 0 for r in told)} of {sum(r['planted'] > 0 for r in runs)} corrupted runs, {sum(r['planted'] == 0 for r in told)} of {sum(r['planted'] == 0 for r in runs)} clean ones"
    )
    inside = [r["found"].interval[0] <= r["planted"] <= r["found"].interval[1] for r in told if r["planted"]]
    print(
        f"Of the supported and corrupted, the interval holds the planted number in {sum(inside)} of {len(inside)}"
    )
    missed = collections.Counter(
        f"{r['data']}, {r['model']}"
        for r, held in zip((r for r in told if r["planted"]), inside, strict=True)
        if not held
    )
    print("Outside: " + "; ".join(f"{name} {count}" for name, count in missed.most_common()))
    corrupt = [r for r in told if r["planted"]]
    for title, bayes in (("all models but naive Bayes", False), ("naive Bayes", True)):
        part = [r for r in corrupt if (r["model"] == "naive Bayes") == bayes]
        if not part:
            continue
        p = np.concatenate([r["found"].probability for r in part])
        wrong = np.concatenate([r["wrong"] for r in part])
        print(
            f"\nP(label wrong) against what is, {title}\n{'said':>16}{'rows':>9}{'mean said':>11}{'wrong':>9}"
        )
        for low, high in itertools.pairwise(EDGES):
            here = (p >= low) & ((p < high) | (high == 1.0))
            if here.any():
                print(
                    f"{f'{low:g} to {high:g}':>16}{here.sum():9,}{p[here].mean():11.3f}{wrong[here].mean():9.3f}"
                )


def drawn(rng, n, K, sharp, rate, over, tail=0.0):
    """Return recorded labels, which are wrong, and logits `over` times too extreme, with t(3) errors added."""
    z = rng.normal(size=(n, K)) * sharp
    p = np.exp(z - z.max(axis=1, keepdims=True))
    true = (p.cumsum(axis=1) / p.sum(axis=1, keepdims=True) < rng.random(n)[:, None]).sum(axis=1)
    hit = rng.random(n) < rate
    recorded = np.where(hit, (true + rng.integers(1, K, n)) % K, true)
    return recorded, hit, z * over + tail * rng.standard_t(3, size=z.shape)


def simulated(sets: int) -> None:
    """Print how often noise is told where there is none, and how often the interval holds the planted number."""
    print(
        f"\nSimulated, {sets} sets each: logits N(0, sharp^2) per class, the forecast's `over` times too extreme"
    )
    print(
        f"{'rows':>6}{'classes':>9}{'sharp':>7}{'over':>6}{'tail':>6}{'wrong':>7}{'told':>7}{'interval holds':>16}"
    )
    for n, K, sharp, over, tail, rate in (
        (200, 2, 2, 1, 0, 0.0),
        (1000, 2, 4, 2, 0, 0.0),
        (300, 3, 3, 2, 0, 0.0),
        (500, 5, 4, 1, 0, 0.0),
        (1000, 2, 1.5, 2, 1.5, 0.0),
        (1000, 2, 4, 1, 0, 0.06),
        (2000, 2, 6, 2, 0, 0.06),
        (1000, 5, 4, 1.5, 0, 0.04),
    ):
        rng, told, holds = np.random.default_rng(11), 0, 0
        for _ in range(sets):
            y, wrong, z = drawn(rng, n, K, sharp, rate, over, tail)
            found = ll.suspects(y, z, space="logit", labels=list(range(K)), rows=0)
            told += found.supported
            holds += found.interval[0] <= wrong.sum() <= found.interval[1]
        held = f"{holds / sets:.2f}" if rate else "-"
        print(f"{n:6}{K:9}{sharp:7}{over:6}{tail:6}{rate:7.2f}{told / sets:7.2f}{held:>16}", flush=True)


def main(argv: list[str] | None = None) -> list[dict]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="one model, one data set, few designs")
    small = parser.parse_args(argv).small
    if small:
        runs = study(["breast cancer"], ["none", "5 %"], ["logistic"], [0])
    else:
        runs = study(list(DATA), list(RATES), list(models()), [0, 1])
    reliability(runs)
    simulated(1 if small else 100)
    return runs


if __name__ == "__main__":
    main()
