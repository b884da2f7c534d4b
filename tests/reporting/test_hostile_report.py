"""Names that try to be more than names: in the page nothing runs and nothing breaks out; markdown, text and JSON stay what they are."""

from __future__ import annotations

import json
import re
import shlex
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from markdown_it import MarkdownIt
from reported import binary, written

import logloss as ll

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAYLOADS = (
    "</script><script>window.ran = 1</script>",
    "<img src=x onerror=window.ran=1>",
    '"><svg onload=window.ran=1>',
    "'\"`\\",
    "\u202eevil\u202c \u2066x\u2069 \u200f\u200b\ufeff",
    "{{7*7}}{% raw %}${7*7}",
    "javascript:window.ran=1",
    "[x](javascript:window.ran=1)",
    "=cmd|' /C calc'!A0",
    "| a | b |\n|---|---|\n# head",
    "`code` ``` <!-- hidden --> &lt; &#x41; **bold** _it_ ~~no~~",
    "\x1b[31mred\x1b]0;title\x07\x9b2J",
    "nul\x00nul",
    "$(touch /tmp/ran); `touch /tmp/ran` && x",
    "x" * 10_000,
    "</style><style>*{display:none}</style>",
    "</title></head><body onload=window.ran=1>",
    "$\\frac{1}{0}$ \u2028 \u0085",
)
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
SKELETON = """() => [...document.querySelectorAll('body *')]
    .filter(one => (!one.closest('svg') || one.tagName == 'svg') && one.tagName != 'CODE')
    .map(one => one.tagName + [...one.attributes].map(a => ' ' + a.name).sort().join(''))"""


def table(names: tuple[str, ...]) -> pl.DataFrame:
    """Return rows in which ids, values and names of columns are these; the first column of slices is worse calibrated."""
    rows = binary(2000, seed=5)
    at = np.arange(len(rows)) % len(names)
    found = {
        names[0]: [f"{names[k]} {i}" for i, k in enumerate(at)],  # ids
        names[5]: rows["y"].to_numpy(),
        names[1]: rows["p"].to_numpy(),
        names[2]: rows["other"].to_numpy(),
        names[3]: np.where(rows["segment"].to_numpy() == "partner", names[0], names[11]),
        names[7]: [names[k] for k in at % 4],
    }
    return pl.DataFrame(found)


def reported(names: tuple[str, ...], folder: Path | None = None) -> ll.Report:
    data: Any = table(names)
    if folder is not None:
        stem = names[2].replace("/", "")
        data = written(data, folder / f"{stem}.csv")
    return ll.report(
        data, outcome=names[5], forecast=names[1], ids=names[0], by=[names[3], names[7]], against=names[2],
        title=names[0], utilities={names[1][:500]: {0: 0, 1: -5}, names[0]: {0: -1, 1: 0}},
        command=shlex.join(["logloss", "report", names[13], "--id", names[0]]),
    )  # fmt: skip


PLAIN = tuple(f"{chr(97 + at)} name" for at in range(len(PAYLOADS)))


@pytest.fixture(scope="module")
def hostile() -> ll.Report:
    return reported(PAYLOADS)


def test_nothing_runs_and_nothing_breaks_out(
    hostile: ll.Report, tmp_path: Path, page: Callable[..., Any]
) -> None:
    hostile.save(tmp_path / "hostile.html")
    reported(PLAIN).save(tmp_path / "plain.html")
    bad, good = page((tmp_path / "hostile.html").as_uri()), page((tmp_path / "plain.html").as_uri())
    assert bad.page.evaluate(SKELETON) == good.page.evaluate(SKELETON)
    bad.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert bad.page.evaluate("window.ran") is None
    assert len(bad.requests) == 1
    assert bad.errors == []
    assert (
        bad.page.evaluate("""[...document.querySelectorAll('*')].filter(one =>
        [...one.attributes].some(a => /^on/i.test(a.name) || /^\\s*javascript:/i.test(a.value)))""")
        == []
    )
    assert bad.page.evaluate("document.querySelectorAll('a, img, iframe, form, object').length") == 0
    assert bad.page.inner_text("h1") == PAYLOADS[0]
    assert "<img src=x onerror=window.ran=1>" in bad.page.inner_text("body")
    assert "49" not in bad.page.inner_text("#how dl")


def test_its_policy_forbids_what_a_payload_would_need(
    hostile: ll.Report, tmp_path: Path, page: Callable[..., Any]
) -> None:
    hostile.save(tmp_path / "hostile.html")
    seen = page((tmp_path / "hostile.html").as_uri())
    blocked = seen.page.evaluate("""async () => {
        const found = [];
        document.addEventListener('securitypolicyviolation', event => found.push(event.effectiveDirective));
        document.body.append(Object.assign(new Image(), {src: 'https://example.org/x.png'}));
        document.head.append(Object.assign(document.createElement('script'), {src: 'https://example.org/x.js'}));
        await fetch('https://example.org/').catch(() => 0);
        await new Promise(done => setTimeout(done, 300));
        return found.sort();
    }""")
    assert blocked == ["connect-src", "img-src", "script-src-elem"]


def test_text_holds_nothing_that_a_terminal_obeys(hostile: ll.Report) -> None:
    told = str(hostile)
    assert CONTROL.findall(told) == []
    commands = [one.command for one in hostile.findings]
    assert max(len(line) for line in told.splitlines() if line.strip() not in commands) <= 100


def test_markdown_stays_one_document(hostile: ll.Report) -> None:
    told = hostile.to_markdown()
    assert CONTROL.findall(told) == []
    shown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(told)
    assert set(re.findall(r"<(\w+)", shown)) <= {
        "h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td", "ol", "ul", "li", "strong", "code", "pre",
    }  # fmt: skip
    assert "&lt;/script&gt;&lt;script&gt;window.ran = 1" in shown
    plain = MarkdownIt("commonmark").enable("table").render(reported(PLAIN).to_markdown())
    assert re.findall(r"<(?:h\d|table|tr|t[dh]|li)\b", shown) == re.findall(
        r"<(?:h\d|table|tr|t[dh]|li)\b", plain
    )


def test_json_is_json(hostile: ll.Report) -> None:
    told = json.loads(hostile.written("json"))
    assert told["explain"]["log_loss"] == hostile.explanation.score.log_loss
    assert PAYLOADS[0] in json.dumps(told["explain"]["worst"])


def test_commands_are_safe_to_paste(hostile: ll.Report) -> None:
    shown = [one.command for one in hostile.findings] + [
        value for name, value in hostile.contents.facts if name == "command"
    ]
    assert shown
    for command in filter(None, shown):
        assert shlex.split(command)[0] == "logloss"
        assert CONTROL.findall(command) == []
        assert shlex.join(shlex.split(command)) == command
    odd = ll.report([1, 0, 1], [0.9, 0.2, 0.3], command="logloss report 'a\nrm -rf b.csv'")
    assert "rm -rf" not in odd.html() + str(odd) + odd.to_markdown()


def test_classes_and_columns_with_such_names(tmp_path: Path, page: Callable[..., Any]) -> None:
    rng = np.random.default_rng(3)
    K = len(PAYLOADS)
    P = rng.dirichlet(np.ones(K), 400)
    y = [PAYLOADS[k] for k in rng.integers(0, K, 400)]
    made = ll.report(
        y, {name: P[:, k] for k, name in enumerate(PAYLOADS)}, group=[PAYLOADS[k] for k in np.arange(400) % K]
    )
    made.save(tmp_path / "classes.html")
    seen = page((tmp_path / "classes.html").as_uri())
    assert seen.page.evaluate("window.ran") is None
    assert (len(seen.requests), seen.errors) == (1, [])
    assert PAYLOADS[1] in seen.page.inner_text("#classes")
    assert CONTROL.findall(str(made)) == []


def test_a_file_with_such_a_name(tmp_path: Path, page: Callable[..., Any]) -> None:
    named = tmp_path / "<img src=x onerror=window.ran=1> '\"`$(x)&lt; {{7*7}}.csv"
    file = written(binary(60).select("y", "p"), named)
    made = ll.report(file, command=shlex.join(["logloss", "report", named.name]))
    made.save(tmp_path / "r.html")
    seen = page((tmp_path / "r.html").as_uri())
    assert seen.page.evaluate("window.ran") is None
    assert named.name in seen.page.inner_text("#how")
    assert shlex.split(dict(made.contents.facts)["command"])[-1] == named.name


def test_a_page_does_not_grow_with_rows_classes_or_slices() -> None:
    """Figures apart, which have bounds of their own."""
    rng = np.random.default_rng(4)

    def bare(made: ll.Report) -> int:
        return len(re.sub(r"<svg.*?</svg>", "", made.html(), flags=re.DOTALL))

    sizes = [bare(ll.report(binary(n).select("id", "y", "p", "segment"), ids="id")) for n in (1500, 6000)]
    P = rng.dirichlet(np.ones(300), 60)
    sizes.append(bare(ll.report(rng.integers(0, 300, 60), P, labels=range(300))))
    sliced = (
        binary(600)
        .select("y", "p")
        .with_columns(
            [pl.Series(f"column {at} {'long ' * 40}", rng.integers(0, 4, 600)) for at in range(200)]
        )
    )
    sizes.append(bare(ll.report(sliced, outcome="y", forecast="p")))
    assert max(sizes) < 110_000
    assert all(b < 1.15 * a for a, b in pairwise(sizes[:2]))
