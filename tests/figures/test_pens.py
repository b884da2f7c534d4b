"""The pen: few bytes, and what is seen stays; sizes of the figures of many rows; colours where no page sets any."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import logloss as ll
from logloss.figures import vectors
from logloss.figures.ground import COLOURS
from logloss.figures.pens import SMALL_MOST, fewer, outline, tenths

SVG = "{http://www.w3.org/2000/svg}"


def figure(draw: object, width: int = 640) -> ET.Element:
    return ET.fromstring(vectors.svg(draw, height=3.0, width=width, title="?", told="."))  # type: ignore[arg-type]


def lines(d: str) -> list[list[tuple[float, float]]]:
    """Return the corners of path data as a browser reads them: M, l, h, v, z."""
    found: list[list[tuple[float, float]]] = []
    x = y = 0.0
    for letter, rest in re.findall(r"([MLlhvz])([^MLlhvz]*)", d):
        steps = [float(number) for number in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", rest)]
        if letter == "M":
            x, y = steps
            found.append([(x, y)])
        elif letter in "lhv":
            moves = {"l": list(zip(steps[::2], steps[1::2], strict=False)), "h": [(s, 0) for s in steps], "v": [(0, s) for s in steps]}  # fmt: skip
            for dx, dy in moves[letter]:
                x, y = x + dx, y + dy
                found[-1].append((x, y))
    return found


def styled(root: ET.Element, name: str, tag: str = "path") -> list[ET.Element]:
    """Return the elements whose style names a colour of ours."""
    return [one for one in root.iter(f"{SVG}{tag}") if f"--ll-{name}," in (one.get("style") or "")]


points = st.lists(st.tuples(st.floats(-500, 500), st.floats(-500, 500)), min_size=1, max_size=12)


@given(points)
def test_path_data_are_the_points_to_a_tenth(corners: list[tuple[float, float]]) -> None:
    (read,) = lines(outline(np.array(corners), closed=False))
    want = np.rint(10 * np.array(corners)) / 10
    apart = np.r_[True, (np.diff(want, axis=0) != 0).any(axis=1)]
    assert np.array(read) == pytest.approx(want[apart], abs=1e-6)


@given(points)
def test_what_is_left_out_lies_on_the_line_that_is_drawn(corners: list[tuple[float, float]]) -> None:
    whole = np.array(corners)
    kept = fewer(whole, 5.0)
    assert kept[0] == pytest.approx(whole[0])
    assert kept[-1] == pytest.approx(whole[-1])
    for point in whole:
        away = [_distance(point, a, b) for a, b in pairwise(kept)] or [0.0]
        assert min(away) <= 5.0 + 1e-6


def _distance(point: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    chord = b - a
    t = min(max(float((point - a) @ chord) / max(float(chord @ chord), 1e-300), 0.0), 1.0)
    return float(np.hypot(*(a + t * chord - point)))


def test_numbers_are_short() -> None:
    assert [tenths(x) for x in (0.04, -0.5, 10.0, 3.14159, 100.06)] == ["0", "-.5", "10", "3.1", "100.1"]


def test_lines_and_areas_are_cut_at_the_axes_and_markers_outside_left_out() -> None:
    def draw(ax: object) -> None:
        ax.plot([-5, 5], [0.5, 0.5], color=COLOURS["model"])  # type: ignore[attr-defined]
        ax.fill_between([-5, 5], [0.2, 0.2], [9, 9], color=COLOURS["cost"], linewidth=0)  # type: ignore[attr-defined]
        ax.plot([-5, 0.5], [0.1, 0.1], "o", color=COLOURS["ink"])  # type: ignore[attr-defined]
        ax.set(xlim=(0, 1), ylim=(0, 1))  # type: ignore[attr-defined]

    root = figure(draw)
    (line,) = lines(styled(root, "model")[0].get("d") or "")
    (area,) = lines(styled(root, "cost")[0].get("d") or "")
    (dot,) = lines(styled(root, "ink")[0].get("d") or "")
    left, right = line[0][0], line[-1][0]
    assert 0 < left < right < 640
    assert (min(x for x, _ in area), max(x for x, _ in area)) == pytest.approx((left, right), abs=0.11)
    assert 0 < min(y for _, y in area) < line[0][1] < max(y for _, y in area)
    assert dot[0][0] == pytest.approx((left + right) / 2, abs=0.2)


def test_what_lies_over_what_stays() -> None:
    def draw(ax: object) -> None:
        for at, name in enumerate(("model", "cost", "model")):
            ax.barh(0, 2 - 0.5 * at, color=COLOURS[name], zorder=2 + at)  # type: ignore[attr-defined]
        ax.barh(1, 2, color=COLOURS["model"], zorder=2)  # type: ignore[attr-defined]

    root = figure(draw)
    paths = [one.get("style") or "" for one in root.iter(f"{SVG}path")]
    order = [re.findall(r"fill:var\(--ll-(\w+)", style)[0] for style in paths if "fill:" in style]
    assert order == ["model", "cost", "model"]
    first = next(one for one in root.iter(f"{SVG}path") if "fill:var(--ll-model" in (one.get("style") or ""))
    assert len(lines(first.get("d") or "")) == 2  # the bar below, which nothing covers, is with its like


def test_small_figures_have_few_points() -> None:
    random = np.random.default_rng(0)
    walk = np.cumsum(random.normal(size=20_000))
    root = figure(lambda ax: ax.plot(walk, color=COLOURS["model"]), width=320)
    (line,) = lines(styled(root, "model")[0].get("d") or "")
    assert len(line) <= SMALL_MOST
    assert line[0][0] < 80
    assert line[-1][0] > 280


def test_turned_and_bold_text_stays_text() -> None:
    def draw(ax: object) -> None:
        ax.set_ylabel("up & away")  # type: ignore[attr-defined]
        ax.set_title("<b>", fontweight="bold")  # type: ignore[attr-defined]

    root = figure(draw)
    texts = {one.text: one for one in root.iter(f"{SVG}text")}
    assert (texts["up & away"].get("transform") or "").startswith("rotate(-90 ")
    bold = [group for group in root.iter(f"{SVG}g") if "font-weight:700" in (group.get("style") or "")]
    assert [one.text for group in bold for one in group] == ["<b>"]


def _light(colour: str) -> float:
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    r, g, b = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in shares)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def test_colours_that_no_page_sets_hold_on_white_and_on_black() -> None:
    # Contrast as the Web Content Accessibility Guidelines 2.2 define it: 3 for what is drawn, 4.5 for what is written.
    for name, colour in vectors.UNSET.items():
        least = min(1.05 / (_light(colour) + 0.05), (_light(colour) + 0.05) / 0.05)
        assert least >= (4.5 if name == "ink" else 3.0), name


def planted(n: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    z = random.normal(-1.6, 1.6, n)
    y = (random.random(n) < 1 / (1 + np.exp(-z))).astype(int)
    wild = 1.6 * z
    wild[random.integers(0, n, 14)] *= -2.5
    return y, 1 / (1 + np.exp(-wild))


def test_all_figures_of_12_000_rows_are_small() -> None:
    y, p = planted(12_000)
    random = np.random.default_rng(0)
    table = {
        "y": y,
        "p": p,
        "a": random.choice(list("abcd"), len(y)),
        "b": random.choice(list("efghijkl"), len(y)),
    }
    why = ll.explain(table, by=["a", "b"])
    sizes = {kind: len(why.svg(kind).encode()) for kind in why.kinds}
    assert len(sizes) >= 10
    assert sizes.pop("reliability") <= 15_000
    assert max(sizes.values()) <= 8_000, sizes
    assert sum(sizes.values()) <= 75_000
    for kind in ("budget", "reliability", "payers"):
        assert len(why.svg(kind, width=320).encode()) <= 4_000, kind


def test_figures_of_a_million_rows_are_no_larger() -> None:
    y, p = planted(1_000_000)
    why = ll.explain(ll.summarize(y, p))
    for kind in why.kinds:
        assert len(why.svg(kind).encode()) <= 8_000, kind
    found = ll.reliability(y[:50_000], p[:50_000])
    for kind in found.kinds:
        assert len(found.svg(kind).encode()) <= 15_000, kind
    assert len(found.svg(width=320).encode()) <= 4_100
