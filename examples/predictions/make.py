"""Fit real models on data sets that scikit-learn ships, and write what they predicted.

Every prediction is out of fold, the model that made it had not seen that row, but for the training rows of
``breast_cancer_network.csv``, which are marked. Run it from anywhere,
``python examples/predictions/make.py``; it writes the CSV files next to itself and prints a line about each.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

HERE = Path(__file__).resolve().parent
FOLDS = StratifiedKFold(10, shuffle=True, random_state=0)
CAT, DOG = 2, 3  # the two digits that stand in for the animals
SURE = 0.99999

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def out_of_fold(model: BaseEstimator, X: Floats, y: Ints) -> Floats:
    """Probabilities for every row from the one model of ten that was not trained on it."""
    return np.asarray(cross_val_predict(model, X, y, cv=FOLDS, method="predict_proba"))


def both_columns(p: Floats) -> Floats:
    """Add the column a binary file leaves out, computed as its reader would."""
    return np.column_stack([1 - p, p])


def fold_of_each_row(X: Floats, y: Ints) -> Ints:
    """Which fold, 0 to 9, held each row out."""
    fold = np.empty(len(y), dtype=np.int64)
    for number, (_, held_out) in enumerate(FOLDS.split(X, y)):
        fold[held_out] = number
    return fold


def shuffled(table: pd.DataFrame) -> pd.DataFrame:
    """Put the rows in an order that is mixed, and the same every time."""
    return table.iloc[np.random.default_rng(0).permutation(len(table))]


def write(table: pd.DataFrame, name: str, float_format: str | None = None) -> None:
    """Write a CSV next to this script; without a format, floats keep every bit."""
    table.to_csv(HERE / name, index=False, float_format=float_format, lineterminator="\n", encoding="utf-8")


def describe(name: str, P: Floats, y: Ints) -> None:
    """Print the plain log loss of a table of probabilities, and how often its favourite is right."""
    p_true = P[np.arange(len(y)), y]
    right = P.argmax(axis=1) == y
    print(
        f"{name}: {len(y)} rows, log loss {-np.log(p_true).mean():.6f}, {np.sum(~right)} wrong, "
        f"accuracy {right.mean():.4f}, mean confidence {P.max(axis=1).mean():.4f}, "
        f"smallest p of the truth {p_true.min():.3g}"
    )


def make_breast_cancer() -> None:
    """Two models of one binary outcome: one over-confident, one not."""
    data = load_breast_cancer(as_frame=True)
    X, benign = data.data.to_numpy(), data.target.to_numpy(dtype=np.int64)
    malignant = 1 - benign
    # The default smoothing, 1e-9, gives one benign row a P(malignant) of exactly 1: an infinite log loss.
    naive_bayes = out_of_fold(GaussianNB(var_smoothing=1e-8), X, malignant)[:, 1]
    logistic = out_of_fold(make_pipeline(StandardScaler(), LogisticRegression()), X, malignant)[:, 1]
    describe("breast_cancer.csv, naive_bayes", both_columns(naive_bayes), malignant)
    describe("breast_cancer.csv, logistic", both_columns(logistic), malignant)
    table = pd.DataFrame(
        {
            "id": [f"bc-{row:04d}" for row in range(1, len(X) + 1)],
            "diagnosis": data.target_names[benign],
            "fold": fold_of_each_row(X, malignant),
            "size": pd.qcut(data.data["mean radius"], 3, labels=["small", "medium", "large"]),
            "naive_bayes": naive_bayes,
            "logistic": logistic,
        }
    )
    write(shuffled(table), "breast_cancer.csv")


def make_breast_cancer_network() -> None:
    """Fit a network without regularisation to half of the rows; what it says of them, and of the other half."""
    data = load_breast_cancer(as_frame=True)
    malignant = 1 - data.target.to_numpy(dtype=np.int64)
    columns = ["mean texture", "mean smoothness", "mean symmetry", "mean fractal dimension"]
    X = data.data[columns].to_numpy()
    train, _ = train_test_split(np.arange(len(X)), test_size=0.5, stratify=malignant, random_state=0)
    network = MLPClassifier((8,), alpha=0.0, solver="lbfgs", max_iter=2000, random_state=0)
    p = make_pipeline(StandardScaler(), network).fit(X[train], malignant[train]).predict_proba(X)[:, 1]
    part = np.where(np.isin(np.arange(len(X)), train), "train", "valid")
    for name in ("train", "valid"):
        rows = part == name
        describe(f"breast_cancer_network.csv, {name}", both_columns(p[rows]), malignant[rows])
    table = pd.DataFrame(
        {
            "id": [f"bc-{row:04d}" for row in range(1, len(X) + 1)],
            "diagnosis": data.target_names[1 - malignant],
            "part": part,
            "network": p,
        }
    )
    write(shuffled(table), "breast_cancer_network.csv")


def make_digits() -> None:
    """Ten classes from a model that treats pixels as independent, rounded as files often are."""
    X, digit = load_digits(return_X_y=True)
    P = out_of_fold(GaussianNB(var_smoothing=0.1), X, digit)
    describe("digits.csv", P, digit)
    table = pd.DataFrame(
        {
            "id": [f"digit-{row:04d}" for row in range(1, len(X) + 1)],
            "digit": digit,
            "fold": fold_of_each_row(X, digit),
            **{f"p_{k}": P[:, k] for k in range(10)},
        }
    )
    write(table, "digits.csv", float_format="%.6g")


def make_cats_and_dogs() -> None:
    """Two files as a contest has them: a submission, and its solution in another order."""
    X, digit = load_digits(return_X_y=True)
    kept = (digit == CAT) | (digit == DOG)
    X, dog = X[kept], (digit[kept] == DOG).astype(np.int64)
    p = out_of_fold(LogisticRegression(max_iter=5000), X, dog)[:, 1]
    pushed = np.where(p > 0.5, SURE, 1 - SURE)
    describe("cats_and_dogs_submission.csv", both_columns(p), dog)
    describe(f"the same, every p pushed to {SURE} or {1 - SURE:.5f}", both_columns(pushed), dog)
    ids = np.arange(1, len(X) + 1)
    submission = pd.DataFrame({"id": ids, "label": p})
    solution = pd.DataFrame({"id": ids, "label": np.where(dog == 1, "dog", "cat")})
    write(submission, "cats_and_dogs_submission.csv")
    write(shuffled(solution), "cats_and_dogs_solution.csv")


def main() -> None:
    """Make every file."""
    make_breast_cancer()
    make_breast_cancer_network()
    make_digits()
    make_cats_and_dogs()


if __name__ == "__main__":
    main()
