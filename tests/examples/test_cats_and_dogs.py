"""The cats and dogs: every number of the story against NumPy, what is printed, and what is written."""

from __future__ import annotations

import csv
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from logloss.calibrate.clip import FOLDS, SEED

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCRIPT = EXAMPLES / "cats_and_dogs.py"
TINY = 1e-5


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cats_and_dogs_example", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def it(example: ModuleType) -> Any:
    return example.story()


@pytest.fixture(scope="module")
def text(example: ModuleType, it: Any) -> str:
    return " ".join(example.told(it).split())


class Data:
    """The two files joined by id, and what they cost, by the definition."""

    def __init__(self) -> None:
        submission = read(EXAMPLES / "predictions" / "cats_and_dogs_submission.csv")
        solution = read(EXAMPLES / "predictions" / "cats_and_dogs_solution.csv")
        answer = {row["id"]: row["label"] for row in solution}
        self.ids = [row["id"] for row in submission]
        self.p = np.array([float(row["label"]) for row in submission])
        self.dog = np.array([answer[key] == "dog" for key in self.ids])
        self.dog_by_position = np.array([row["label"] == "dog" for row in solution])
        self.paired = sum(a["id"] == b["id"] for a, b in zip(submission, solution, strict=True))
        self.pushed = np.where(self.p > 0.5, 1 - TINY, TINY)
        self.cost = nats(self.dog, self.p)
        self.cost_pushed = nats(self.dog, self.pushed)
        self.worst = int(self.cost.argmax())
        self.n = len(self.p)


def nats(dog: np.ndarray, p: np.ndarray) -> np.ndarray:
    return -np.log(np.where(dog, p, 1 - p))


def clipped(data: Data, p: np.ndarray, eps: float) -> float:
    return float(nats(data.dog, np.clip(p, eps, 1 - eps)).mean())


def hall(values: np.ndarray) -> tuple[float, float]:
    from scipy import stats

    n, s = len(values), values.std(ddof=1)
    g, q = stats.skew(values), stats.t.ppf(0.975, n - 1)

    def inverse(v: float) -> float:
        return 3 * np.sqrt(n) / g * (np.cbrt(1 + g * v / np.sqrt(n) - g**2 / (6 * n)) - 1)

    return values.mean() - s / np.sqrt(n) * inverse(q), values.mean() - s / np.sqrt(n) * inverse(-q)


@pytest.fixture(scope="module")
def data() -> Data:
    return Data()


def test_the_story_it_is_modelled_on(example: ModuleType, it: Any) -> None:
    assert it.first_surprise == pytest.approx(-np.log(example.FIRST_P), rel=1e-12)
    assert it.first_pushed == pytest.approx(-np.log(TINY), rel=1e-12)
    assert (round(it.first_surprise, 2), round(it.first_pushed, 1)) == (3.26, 11.5)


def test_as_given(it: Any, data: Data) -> None:
    share = data.dog.mean()
    wrong = (data.p > 0.5) != data.dog
    low, high = hall(data.cost)
    assert (it.entry.rows, it.entry.wrong) == (data.n, wrong.sum()) == (360, 1)
    assert it.entry.accuracy == pytest.approx(1 - wrong.mean(), rel=1e-12)
    assert it.entry.loss == pytest.approx(data.cost.mean(), rel=1e-12)
    assert it.entry.low == pytest.approx(low, rel=1e-9)
    assert it.entry.high == pytest.approx(high, rel=1e-9)
    assert it.entry.base_rate == pytest.approx(
        -share * np.log(share) - (1 - share) * np.log(1 - share), rel=1e-12
    )
    assert it.entry.kaggle == pytest.approx(clipped(data, data.p, 1e-15), rel=1e-9)


def test_who_carries_it(it: Any, data: Data) -> None:
    at = data.worst
    assert (str(it.worst.id), it.worst.outcome) == (data.ids[at], "dog")
    assert data.dog[at]
    assert it.worst.p == data.p[at]
    assert it.worst.surprise == pytest.approx(-np.log(data.p[at]), rel=1e-12)
    assert it.worst.share == pytest.approx(data.cost[at] / data.cost.sum(), rel=1e-12)


def test_the_push(it: Any, data: Data) -> None:
    change = data.cost_pushed - data.cost
    others = np.arange(data.n) != data.worst
    right = data.dog.copy()
    right[data.worst] = not right[data.worst]
    assert it.push.loss == pytest.approx(data.cost_pushed.mean(), rel=1e-10)
    assert it.push.change == pytest.approx(change.mean(), rel=1e-10)
    assert (it.push.better, it.push.worse) == ((change < 0).sum(), (change > 0).sum())
    assert it.push.price == pytest.approx(change.max(), rel=1e-12)
    assert it.push.next_price == pytest.approx(change[others].max(), rel=1e-9)
    assert it.push.share == pytest.approx(data.cost_pushed.max() / data.cost_pushed.sum(), rel=1e-9)
    assert it.push.right_given == pytest.approx(nats(right, data.p).mean(), rel=1e-12)
    assert it.push.right_pushed == pytest.approx(nats(right, data.pushed).mean(), rel=1e-10)
    assert it.push.saving == pytest.approx(-change[others].mean(), rel=1e-10)
    assert it.push.break_even == pytest.approx(change.max() / -change[others].mean(), rel=1e-10)


def test_the_story_has_its_point(it: Any) -> None:
    assert it.push.loss > 2 * it.entry.loss
    assert it.push.right_pushed < it.push.right_given < it.entry.loss
    assert it.worst.share > 0.5
    assert it.push.break_even > it.entry.rows


def test_by_position(it: Any, data: Data) -> None:
    assert it.position.loss == pytest.approx(nats(data.dog_by_position, data.p).mean(), rel=1e-12)
    assert it.position.accuracy == pytest.approx(((data.p > 0.5) == data.dog_by_position).mean(), rel=1e-12)
    assert it.position.paired == data.paired
    assert it.position.loss > it.entry.base_rate


@pytest.mark.parametrize("which", ["given", "pushed"])
def test_best_clip(which: str, it: Any, data: Data) -> None:
    p = data.p if which == "given" else data.pushed
    clip = getattr(it.repair, which)
    tries = np.concatenate([np.geomspace(1e-9, 0.5, 2000), np.minimum(p, 1 - p)])
    least = min(clipped(data, p, eps) for eps in tries)
    assert clip.best_loss == pytest.approx(clipped(data, p, clip.best), rel=1e-10)
    assert clip.best_loss <= least * (1 + 1e-12)
    assert clip.advised_loss == pytest.approx(clipped(data, p, clip.advised), rel=1e-10)
    assert clip.best_loss <= clip.advised_loss


def test_best_clip_in_closed_form(it: Any, data: Data) -> None:
    assert it.repair.given.best == 0
    assert it.repair.pushed.best == pytest.approx(1 / data.n, rel=1e-12)
    accuracy = 1 - 1 / data.n
    entropy = -accuracy * np.log(accuracy) - (1 - accuracy) * np.log(1 - accuracy)
    assert it.repair.accuracy_only == pytest.approx(entropy, rel=1e-12)
    assert it.repair.pushed.best_loss == pytest.approx(entropy, rel=1e-10)


@pytest.mark.parametrize("which", ["given", "pushed"])
def test_advised_clip(which: str, it: Any, data: Data) -> None:
    """It is the smallest eps that is at least (wrong + 1/2) / (clipped + 1), counted among the rows it clips."""
    p = data.p if which == "given" else data.pushed
    advised = getattr(it.repair, which).advised
    t, wrong = np.minimum(p, 1 - p), (p > 0.5) != data.dog

    def estimate(eps: float) -> float:
        return float((wrong[t < eps].sum() + 0.5) / ((t < eps).sum() + 1))

    assert advised >= estimate(advised) * (1 - 1e-12)
    assert all(eps < estimate(eps) for eps in np.geomspace(1e-9, advised * (1 - 1e-9), 2000))


def held_out(data: Data, p: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """What each row saves by a clip chosen on the other folds: the error share where all rows are clipped alike."""
    fold = np.random.default_rng(SEED).permutation(data.n) % FOLDS
    saved, chosen = np.zeros(data.n), []
    wrong = (p > 0.5) != data.dog
    for k in range(FOLDS):
        out = fold == k
        eps = wrong[~out].mean()
        chosen.append(eps)
        saved[out] = (nats(data.dog, p) - nats(data.dog, np.clip(p, eps, 1 - eps)))[out]
    return saved, chosen


def test_held_out_gain(it: Any, data: Data) -> None:
    saved, chosen = held_out(data, data.pushed)
    assert sum(eps == 0 for eps in chosen) == 1  # the fold that holds the blunder out
    assert it.repair.pushed.gain == pytest.approx(saved.mean(), rel=1e-9)
    assert it.repair.given.gain == 0


def test_repair(it: Any, data: Data) -> None:
    damage = data.cost_pushed.mean() - data.cost.mean()
    repair = it.repair
    assert repair.blind == pytest.approx(0.5 / data.n, rel=1e-12)  # no error among the n - 1 others
    assert repair.blind_loss == pytest.approx(clipped(data, data.pushed, repair.blind), rel=1e-10)
    for share, eps in [
        (repair.best_share, repair.pushed.best),
        (repair.advised_share, repair.pushed.advised),
        (repair.blind_share, repair.blind),
    ]:
        repaired = data.cost_pushed.mean() - clipped(data, data.pushed, eps)
        assert share == pytest.approx(repaired / damage, rel=1e-9)
        assert 0 < share < 1


def test_text(text: str, data: Data) -> None:
    pushed, others = data.cost_pushed.mean(), np.arange(data.n) != data.worst
    change = data.cost_pushed - data.cost
    for number in [
        "p = 0.038. As it stood it cost 3.26 nats",
        "pushed, it cost 11.5.",
        f"Log loss {data.cost.mean():.5f}, 95 % interval",
        f"would print {data.cost.mean():.5f}",
        f"Row {data.ids[data.worst]}. It is a dog",
        f"a surprise of {data.cost.max():.2f} nats: {100 * data.cost.max() / data.cost.sum():.1f} % of the loss",
        f"Log loss {data.cost.mean():.5f} before, {pushed:.5f} after",
        f"{(change < 0).sum()} rows got cheaper. {(change > 0).sum()} paid",
        f"paid {change.max():.2f}, from {data.cost.max():.2f} to {data.cost_pushed.max():.2f}",
        f"takes {np.ceil(change.max() / -change[others].mean()):,.0f} right rows",
        f"give {nats(data.dog_by_position, data.p).mean():.5f}",
        f"{1 / data.n:.5f} -> {clipped(data, data.pushed, 1 / data.n):.5f}",
        f"turned {data.cost.mean():.5f} into {pushed:.5f}",
    ]:
        assert number in text
    assert "handwritten digits, 2s standing in for cats and 3s for dogs" in text
    assert [text.index(f" {number}. ") for number in range(1, 7)] == sorted(
        text.index(f" {number}. ") for number in range(1, 7)
    )
    assert "nan" not in text.split()


def test_nothing_is_hard_coded(example: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Other predictions tell another story: here row 1 is the blunder, and the old one is right."""
    lines = example.SUBMISSION.read_text().splitlines()
    lines[1], lines[347] = "1,0.97", "347,0.98"
    (tmp_path / "submission.csv").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(example, "SUBMISSION", tmp_path / "submission.csv")
    other = example.story()
    assert (other.worst.id, other.worst.outcome) == (1, "cat")
    assert f"{-np.log(0.03):.2f} nats" in " ".join(example.told(other).split())


def test_files(example: ModuleType, it: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "folder"
    for _ in range(2):  # the second time over the first
        example.main(["--out", str(folder)])
        assert sorted(path.name for path in folder.iterdir()) == ["clip_curve.csv", "rows.csv"]
    printed = capsys.readouterr().out
    assert printed.startswith(example.told(it))
    assert str(folder / "rows.csv") in printed


def test_rows_file(example: ModuleType, data: Data, tmp_path: Path, it: Any) -> None:
    example.write(tmp_path, it)
    rows = read(tmp_path / "rows.csv")
    assert list(rows[0]) == ["id", "outcome", "p", "surprise", "surprise_pushed", "share"]
    at = [data.ids.index(row["id"]) for row in rows]
    assert sorted(at) == list(range(data.n))
    assert [row["outcome"] == "dog" for row in rows] == data.dog[at].tolist()
    column = {name: np.array([float(row[name]) for row in rows]) for name in list(rows[0])[2:]}
    assert (column["p"] == data.p[at]).all()
    np.testing.assert_allclose(column["surprise"], data.cost[at], rtol=1e-6, atol=1e-15)
    np.testing.assert_allclose(column["surprise_pushed"], data.cost_pushed[at], rtol=1e-10)
    np.testing.assert_allclose(column["share"], data.cost[at] / data.cost.sum(), rtol=1e-6, atol=1e-15)
    assert (np.diff(column["surprise"]) <= 0).all()
    assert column["share"].sum() == pytest.approx(1, rel=1e-12)
    assert column["surprise"].mean() == pytest.approx(it.entry.loss, rel=1e-12)
    assert column["surprise_pushed"].mean() == pytest.approx(it.push.loss, rel=1e-12)


def test_curve_file(example: ModuleType, data: Data, tmp_path: Path, it: Any) -> None:
    example.write(tmp_path, it)
    rows = read(tmp_path / "clip_curve.csv")
    assert list(rows[0]) == ["eps", "loss_as_given", "loss_pushed"]
    eps, given, pushed = (np.array([float(row[name]) for row in rows]) for name in rows[0])
    assert eps[0] == 0
    assert (np.diff(eps) > 0).all()
    assert given[0] == pytest.approx(it.entry.loss, rel=1e-12)
    assert pushed[0] == pytest.approx(it.push.loss, rel=1e-12)
    assert given.min() >= it.repair.given.best_loss * (1 - 1e-12)
    assert pushed.min() == pytest.approx(it.repair.pushed.best_loss, rel=1e-12)
    assert eps[pushed.argmin()] == it.repair.pushed.best
    assert given[-1] == pushed[-1] == pytest.approx(np.log(2), rel=1e-12)
    np.testing.assert_allclose(given, [clipped(data, data.p, e) for e in eps], rtol=1e-10)
    np.testing.assert_allclose(pushed, [clipped(data, data.pushed, e) for e in eps], rtol=1e-10)


def test_a_file_is_written_whole_or_not_at_all(example: ModuleType, it: Any, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("as it was")

    def interrupted() -> Any:
        yield it.worst
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        example.write_csv(path, example.RowCost, interrupted())
    assert [file.name for file in tmp_path.iterdir()] == ["rows.csv"]
    assert path.read_text() == "as it was"


def test_as_a_script(example: ModuleType, it: Any, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), "--out", "figures"],
        cwd=tmp_path, capture_output=True, check=False, encoding="utf-8", timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert example.told(it) in done.stdout
    assert (tmp_path / "figures" / "clip_curve.csv").exists()


def columns(path: Path) -> dict[str, list[str]]:
    rows = read(path)
    return {name: [row[name] for row in rows] for name in rows[0]}


def is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def test_the_predictions_can_be_made_again(predictions: Path, tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    shutil.copy(predictions / "make.py", tmp_path)
    subprocess.run([sys.executable, str(tmp_path / "make.py")], check=True, capture_output=True, timeout=60)
    committed = sorted(predictions.glob("*.csv"))
    assert [path.name for path in committed] == sorted(path.name for path in tmp_path.glob("*.csv"))
    for path in committed:
        was, now = columns(path), columns(tmp_path / path.name)
        assert list(was) == list(now)
        for name in was:
            if all(map(is_number, was[name])):
                np.testing.assert_allclose(
                    np.array(now[name], float),
                    np.array(was[name], float),
                    rtol=1e-6,
                    err_msg=f"{path.name}, {name}",
                )
            else:
                assert now[name] == was[name], f"{path.name}, {name}"
