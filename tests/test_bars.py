"""The bar: where it is drawn and where not, what it says, and that the work does not notice."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

import logloss as ll
from logloss.bars import PATIENCE, SETTING, Bar, left, patience, shown
from logloss.stages import current, stage, steps

if TYPE_CHECKING:
    from collections.abc import Callable


class Page:
    """What was drawn."""

    every = 0.01

    def __init__(self) -> None:
        self.drawn: list[tuple[str, float | None, float]] = []
        self.cleared = 0

    def draw(self, words: str, share: float | None, lasted: float) -> None:
        self.drawn.append((words, share, lasted))

    def clear(self) -> None:
        self.cleared += 1


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_bar_is_drawn_and_removed() -> None:
    page = Page()
    with shown(Bar(lambda: page, 0.0)):
        with stage("label noise"):
            until(lambda: bool(page.drawn))
        seen = len(page.drawn)
        with stage("folds", 4) as step:
            step()
            until(lambda: len(page.drawn) > seen + 1)
    assert page.drawn[0][:2] == ("label noise", None)
    assert ("folds: 1 of 4", 0.25) in {one[:2] for one in page.drawn}
    assert page.cleared == 1
    after = len(page.drawn)
    time.sleep(0.05)
    assert len(page.drawn) == after


def test_nothing_is_drawn_before_its_time_or_without_a_stage() -> None:
    made: list[Page] = []

    def place() -> Page:
        made.append(Page())
        return made[-1]

    with shown(Bar(place, 60.0)), stage("quick"):
        time.sleep(0.05)
    with shown(Bar(place, 0.0)):
        time.sleep(0.05)
    with shown(Bar(place, None)), stage("never"):
        time.sleep(0.05)
    assert made == []


def test_a_bar_that_cannot_be_drawn_does_not_spoil_the_work() -> None:
    tried = []

    def place() -> Any:
        tried.append(1)
        raise OSError("no terminal")

    with shown(Bar(place, 0.0)), stage("work"):
        until(lambda: bool(tried))
    assert current() is None


def test_the_work_s_own_error_comes_out_and_the_bar_is_gone() -> None:
    page = Page()

    def work() -> None:
        with shown(Bar(lambda: page, 0.0)), stage("work"):
            until(lambda: bool(page.drawn))
            1 / 0  # noqa: B018

    with pytest.raises(ZeroDivisionError):
        work()
    assert page.cleared == 1
    assert current() is None


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("", PATIENCE), ("0", 0.0), (" 7.5 ", 7.5), ("off", None), ("OFF", None), ("soon", PATIENCE), ("-1", PATIENCE), ("inf", PATIENCE), ("nan", PATIENCE)],
)  # fmt: skip
def test_the_environment_says_when(
    given: str, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, given)
    assert patience() == seconds


def test_time_left_is_said_when_it_can_be_told() -> None:
    told = [left(*at) for at in [(None, 9.0), (0.01, 9.0), (0.5, 0.4), (1.0, 9.0), (0.5, 10.0), (0.1, 540.0), (0.05, 68400.0)]]  # fmt: skip
    assert told == ["", "", "", "", "10 s left", "9 min left", "19.0 h left"]


def test_a_function_is_told_and_may_end_the_work() -> None:
    seen: list[tuple[str, int, int | None]] = []
    with ll.progress(lambda *told: seen.append(told)):
        assert list(steps("ab", "folds")) == ["a", "b"]
    assert seen == [("folds", 0, 2), ("folds", 1, 2), ("folds", 2, 2)]

    def stop(words: str, done: int, total: int | None) -> None:
        raise TimeoutError(f"{words} {done} {total}")

    with pytest.raises(TimeoutError, match="checking rows 0 None"), ll.progress(stop):
        ll.fix([0, 1] * 50, [0.2, 0.7] * 50, maps="temperature")
    assert current() is None


def test_no_terminal_no_bar(capfd: pytest.CaptureFixture[str]) -> None:
    with ll.progress(after=0):
        assert current() is None
        with stage("work"):
            time.sleep(0.05)
    assert capfd.readouterr() == ("", "")


def test_a_bar_within_a_bar_is_one_bar() -> None:
    page = Page()
    with shown(Bar(lambda: page, 0.0)) as bar, ll.progress(after=0):
        assert current() is bar
