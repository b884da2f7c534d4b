"""Stages: who hears of them, how they nest, that what they say is true, and that results do not depend on it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import logloss as ll
from logloss.stages import Listener, Stage, listening, stage, staged, steps, wrote

if TYPE_CHECKING:
    from collections.abc import Callable


class Ear(Listener):
    """Hears everything, and notes what is not true."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []
        self.ends: list[tuple[str, int, int | None]] = []
        self.wrong: list[str] = []
        self.declared: dict[int, int | None] = {}

    def begin(self, name: str, total: int | None, unit: str) -> Stage:
        begun = super().begin(name, total, unit)
        self.declared[id(begun)] = total
        return begun

    def moved(self, stage: Stage) -> None:
        self.heard.append(self.words())
        declared = self.declared.get(id(stage))
        if declared is not None and stage.done > declared:
            self.wrong.append(f"{stage.words}, of {declared}")

    def ended(self, stage: Stage) -> None:
        self.ends.append((stage.name, stage.done, stage.total))


def test_where_nobody_listens_nothing_happens() -> None:
    items = [3, 1, 2]
    assert steps(items, "sorting") is items
    assert stage("a") is stage("b", 7, "rows")
    with stage("a", 2) as step:
        step()
        step.to(1, 2)
    wrote("x")


def test_stages_nest_and_say_what_is_done() -> None:
    ear = Ear()
    with listening(ear):
        with stage("slices"):
            for _ in steps("ab", "rounds of chance", "rounds"):
                pass
        with stage("reading", unit="rows") as step:
            step.to(1200, 5000)
            step.to(4800, 4800)
    assert ear.heard == [
        "slices",
        "slices, rounds of chance: 0 of 2 rounds",
        "slices, rounds of chance: 1 of 2 rounds",
        "slices, rounds of chance: 2 of 2 rounds",
        "reading",
        "reading: 1,200 of about 5,000 rows",
        "reading: 4,800 of 4,800 rows",
    ]
    assert ear.ends == [("rounds of chance", 2, 2), ("slices", 0, None), ("reading", 4800, 4800)]
    assert not ear.open


def test_the_share_counts_what_is_done_within_the_next_step() -> None:
    ear = Ear()
    with listening(ear), stage("all"), stage("folds", 4) as fold:
        fold()
        assert ear.share()[0] == pytest.approx(1 / 4)
        with stage("inner", 2) as step:
            step()
            assert ear.share()[0] == pytest.approx((1 + 0.5) / 4)
        fold()
        assert ear.share()[0] == pytest.approx(2 / 4)
    with listening(ear), stage("all"):
        assert ear.share() == (None, 0.0)


def test_the_time_left_goes_down_while_a_step_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("logloss.stages.time.monotonic", lambda: now[0])
    ear = Ear()
    with listening(ear), stage("tables", 4) as step:
        assert ear.share() == (0.0, 0.0)
        now[0] += 5.0
        step()
        assert ear.share() == (0.25, 15.0)  # three more of 5 s
        now[0] += 4.0
        assert ear.share() == (0.25, 11.0)
        now[0] += 20.0
        assert ear.share() == (0.25, 0.0)


@given(st.lists(st.integers(0, 4), max_size=6))
def test_the_share_never_falls(inner: list[int]) -> None:
    ear, seen = Ear(), []
    with listening(ear):
        for count in steps(inner, "outer"):
            seen += [ear.share()[0] for _ in steps(range(count), "inner")]
            seen.append(ear.share()[0])
    assert seen == sorted(seen)  # type: ignore[type-var]  # none is None: the outer one has a total
    assert all(0 <= share <= 1 for share in seen if share is not None)
    assert ("outer", len(inner), len(inner)) in ear.ends


def test_exceptions_pass_through_and_close_what_is_within() -> None:
    ear = Ear()
    loops: list[Any] = []

    def work() -> None:
        with stage("outer"):
            loops.append(iter(steps([1, 0], "inner")))  # held here, so that nothing closes it
            for one in loops[0]:
                1 / one

    with listening(ear), pytest.raises(ZeroDivisionError):
        work()
    assert not ear.open
    loops.clear()
    assert [end[0] for end in ear.ends] == ["outer"]


def test_a_loop_that_is_left_is_no_longer_open() -> None:
    ear = Ear()
    with listening(ear):
        for one in steps(range(9), "looking"):
            if one == 3:
                break
        assert not ear.open
    assert ear.ends == [("looking", 3, 9)]


def test_an_interrupt_is_placed_where_it_came() -> None:
    ear = Ear()

    def work() -> None:
        with stage("explaining"):
            for one in steps([1, 2, 3], "fitting", "folds"):
                if one == 3:
                    raise KeyboardInterrupt

    with listening(ear), pytest.raises(KeyboardInterrupt):
        work()
    assert ear.broken == "explaining, fitting: 2 of 3 folds"


def test_steps_from_many_threads_are_all_counted() -> None:
    ear = Ear()
    with listening(ear), stage("race", 4000) as step, ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(lambda: [step() for _ in range(500)]) for _ in range(8)]:
            done.result()
    assert ear.ends == [("race", 4000, 4000)]
    assert not ear.wrong


def test_threads_have_stages_of_their_own() -> None:
    ear, begun, go_on = Ear(), threading.Event(), threading.Event()

    def other() -> None:
        with stage("other"), stage("other's inner"):
            begun.set()
            go_on.wait(10)

    with listening(ear):
        silent = threading.Thread(target=other)  # knows nothing of who listens here
        silent.start()
        assert begun.wait(10)
        assert not ear.open
        begun.clear()
        heard = threading.Thread(target=copy_context().run, args=(other,))
        with stage("mine"):
            heard.start()
            assert begun.wait(10)
            assert ear.words() == "other, other's inner"
            with stage("my inner"):
                assert ear.words() == "mine, my inner"
            go_on.set()
            heard.join()
            silent.join()
            assert ear.words() == "mine"
    assert not ear.open


def test_a_function_can_be_a_stage() -> None:
    @staged("adding")
    def add(a: int, b: int = 2) -> int:
        """Add."""
        return a + b

    ear = Ear()
    with listening(ear):
        assert add(1, b=4) == 5
    assert (add.__name__, add.__doc__, ear.ends) == ("add", "Add.", [("adding", 0, None)])


def test_an_outer_listener_hears_nothing_meanwhile() -> None:
    outer, inner = Ear(), Ear()
    with listening(outer):
        with listening(inner), stage("a"):
            pass
        with stage("b"):
            pass
    assert ([end[0] for end in outer.ends], [end[0] for end in inner.ends]) == (["b"], ["a"])


RNG = np.random.default_rng(11)
N = 700
P = RNG.uniform(0.02, 0.98, N)
Y = (RNG.random(N) < P**1.3).astype(int)
Q = np.clip(P + RNG.normal(0, 0.1, N), 0.01, 0.99)
SITE = RNG.choice(["a", "b", "c"], N)
TABLE = {"y": Y, "p": P, "q": Q, "site": SITE, "day": np.arange(N) // 20}
P3 = RNG.dirichlet(np.ones(3), 400)
Y3 = (P3.cumsum(axis=1) > RNG.random((400, 1))).argmax(axis=1)


class Rate:
    """Forecasts the rate of the rows it was fitted to."""

    def fit(self, X: Any, y: Any) -> Rate:  # as hypotheses have it
        del X
        self.rate = float(np.mean(y))
        return self

    def surprise(self, X: Any, y: Any) -> Any:  # as above
        del X
        return -np.log(np.where(np.asarray(y) == 1, self.rate, 1 - self.rate))


CALLS: dict[str, Callable[[], Any]] = {
    "score": lambda: ll.score(TABLE, "p", outcome="y"),
    "explain": lambda: ll.explain({k: TABLE[k] for k in ("y", "p", "site")}, "p", outcome="y"),
    "explain groups": lambda: ll.explain({k: TABLE[k] for k in ("y", "p", "site", "day")}, "p", outcome="y", group="day"),
    "explain three": lambda: ll.explain(Y3, P3),
    "fix": lambda: ll.fix(Y, P, maps=["temperature", "isotonic"]),
    "fix in time": lambda: ll.fix(TABLE, "p", outcome="y", time="day", maps=["temperature"]),
    "pool": lambda: ll.fix(Y, {"p": P, "q": Q}),
    "compare": lambda: ll.compare(TABLE, ["p", "q"], outcome="y", by=["site"], sequential=True),
    "compare in time": lambda: ll.compare(Y, {"p": P, "q": Q, "half": np.full(N, 0.5)}),
    "suspects": lambda: ll.suspects(Y3, P3),
    "reliability": lambda: ll.reliability(Y, P),
    "multilabel": lambda: ll.multilabel(np.column_stack([Y, 1 - Y]), np.column_stack([P, Q])),
    "merge": lambda: ll.merge([ll.summarize(Y[:300], P[:300]), ll.summarize(Y[300:], P[300:])]),
    "decide": lambda: ll.decide({"y": Y, "p": P}, "p", outcome="y", cost_fp=1, cost_fn=4, recalibrate=True),
    "gap": lambda: ll.gap({"y": Y[:300], "p": P[:300]}, {"y": Y[300:], "p": P[300:]}, outcome="y", forecast="p"),
    "murphy": lambda: ll.murphy_curve(Y, {"p": P, "q": Q}),
    "referee": lambda: ll.referee({"a": Rate(), "b": P}, P, Y, 5),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_results_are_the_same_and_totals_are_true(name: str) -> None:
    before = CALLS[name]()
    ear = Ear()
    with listening(ear):
        after = CALLS[name]()
    plain = getattr(before, "comparison", before), getattr(after, "comparison", after)
    assert plain[0].to_dict() == plain[1].to_dict()
    assert ear.heard
    assert not ear.open
    assert not ear.wrong
    assert [end for end in ear.ends if end[2] is not None and end[1] != end[2]] == []


def test_a_file_is_read_to_its_end_and_written_files_are_known(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pl.DataFrame({"y": Y, "p": P}).write_parquet(path)
    ear = Ear()
    with listening(ear):
        ll.summarize(path, "p", outcome="y").save(tmp_path / "s.json")
    assert ("reading", N, N) in ear.ends
    assert ear.written == [str(tmp_path / "s.json")]
