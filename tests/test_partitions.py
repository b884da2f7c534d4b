"""The pass in pieces, without a cluster: partitions folded one by one and added up in any order."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import logloss as ll
from hazards import COLUMNS, frame, kept, numbers, rows, same
from logloss.choosing import asked_of
from logloss.partitions import merged, spread

DOOR = {"space": "p", "labels": None, "positive": None, "normalize_rows": False, "skip_missing": True}


def split(data: Any, count: int) -> list[Any]:
    step = -(-len(data) // count)
    return [data.slice(start, step) for start in range(0, len(data), step)]


def job_over(parts: list[Any], *, reverse: bool = False, levels: int = 1) -> Callable[[Any], bytes]:
    def job(work: Any) -> bytes:
        work = pickle.loads(pickle.dumps(work))  # it travels
        pieces = [work(iter([part.to_arrow()]), f"partition {at:05d}") for at, part in enumerate(parts)]
        pieces = pieces[::-1] if reverse else pieces
        for _ in range(levels - 1):
            pieces = [merged(pieces[at : at + 2]) for at in range(0, len(pieces), 2)]
        return merged(pieces)

    return job


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("count", "levels"), [(1, 1), (7, 1), (7, 3)])
def test_pieces_add_up(count: int, levels: int, reverse: bool) -> None:
    data = frame(rows())
    asked = asked_of("p", outcome="y", weight="w", group="g", **DOOR)
    job = job_over(split(data, count), reverse=reverse, levels=levels)
    found = spread(data.head(50), asked, job, top=20)
    whole = ll.summarize(data, **COLUMNS, skip_missing=True)
    a, b = numbers(found.to_dict()), numbers(whole.to_dict())
    for state in (a, b):  # equal surprises stand in the order of their places, which partitions change
        state["top"]["entries"] = sorted(str(entry[0]) for entry in state["top"]["entries"])
    same(a, b)


def test_a_partition_without_rows_does_not_matter() -> None:
    data = frame(rows())
    asked = asked_of("p", outcome="y", weight="w", **DOOR)
    found = spread(data.head(50), asked, job_over([data.head(0), *split(data, 2), data.head(0)]), top=3)
    assert found.mass["rows"] == kept(rows()).sum()


def test_an_error_comes_back_with_its_partition() -> None:
    data = rows()
    good = {name: values[kept(data)] for name, values in data.items()}
    good["p"][200] = 1.5
    asked = asked_of("p", outcome="y", weight="w", **DOOR)
    table = frame(good)
    with pytest.raises(
        ll.ForecastError, match=r"row 3\d? of partition 00006|row \d+ of partition 00005"
    ) as caught:
        spread(table.head(50), asked, job_over(split(table, 7)), top=3)
    assert caught.value.slug == "out-of-range"


def test_labels_that_the_first_rows_lack() -> None:
    import polars as pl

    y = np.repeat(["yes", "no"], [60, 30])
    table = pl.DataFrame({"y": y, "p": np.repeat([0.8, 0.3], [60, 30])})
    asked = asked_of("p", outcome="y", **DOOR)
    found = spread(table.head(20), asked, job_over(split(table, 4)), top=3)
    assert found.classes == ("no", "yes")
    assert found.mean == pytest.approx(-(60 * np.log(0.8) + 30 * np.log(0.7)) / 90, rel=1e-14)


def test_no_rows_at_all() -> None:
    data = frame(rows()).head(0)
    with pytest.raises(ll.SourceError, match="no rows"):
        spread(data, asked_of("p", outcome="y", **DOOR), job_over([data]), top=3)
