"""Rows to sketch, exact losses beside them, and a page of nothing but the what-if panel."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

import logloss as ll
from logloss import observe

POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}"><title>What if?</title><link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; --ll-ink: #1d1e20; --ll-ground: #fdfcf8; --ll-model: #1b5fa8; --ll-cost: #b54800; --ll-context: #67665f }
@media (prefers-color-scheme: dark) {
  :root { --ll-ink: #e8e6df; --ll-ground: #17191c; --ll-model: #7ab5f5; --ll-cost: #ff9c57; --ll-context: #a09f97 }
}
body { font: 16px/1.5 system-ui, sans-serif; background: var(--ll-ground); color: var(--ll-ink); margin: 1rem }
{% include "whatif.css" %}
</style></head>
<body><main><h1>What if?</h1>{% include "whatif.html" %}</main>
<script type="module">{% include "whatif.js" %}</script></body></html>"""


def page_of(sketch: Any) -> str:
    """Return a page that holds the panel alone, under the report's policy."""
    import jinja2

    room = jinja2.Environment(autoescape=True, loader=jinja2.PackageLoader("logloss.reporting", "."))
    return room.from_string(PAGE).render(sketch=sketch, policy=POLICY)


def told(y: Any, p: Any, **options: Any) -> Any:
    """Return what a sketch reads of an explanation: the score with its summary, and the rows."""
    return SimpleNamespace(
        score=ll.score(y, p, **options), observations=observe(y, p, **{**options, "partial": True})
    )


def over_confident(n: int, seed: int = 1, *, wrong: int = 0, decimals: int | None = None) -> Any:
    """Return (outcomes, forecasts) with log-odds 1.6 times what they should be; `wrong` rows said 0 and happened."""
    rng = np.random.default_rng(seed)
    z = rng.normal(-1.0, 2.0, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(int)
    p = 1 / (1 + np.exp(-1.6 * z))
    p = p if decimals is None else p.round(decimals)
    p[np.flatnonzero(y == 1)[:wrong]] = 0.0
    p[np.flatnonzero(y == 0)[:wrong]] = 0.0  # certain and right
    return y, p


def exact(y: Any, p: Any, T: float, b: float, eps: float, w: Any = None) -> tuple[float, float]:
    """Return the loss after f(z) = clip(z / T + b), and that of the finite rows; y may be shares."""
    y, p = np.asarray(y, float), np.asarray(p, float)
    w = np.ones(len(p)) if w is None else w
    with np.errstate(divide="ignore"):
        z = (np.log(p) - np.log1p(-p)) / T + b
    if eps:
        z = np.clip(z, -np.log((1 - eps) / eps), np.log((1 - eps) / eps))
    with np.errstate(invalid="ignore"):
        s = np.where(y > 0, y * np.logaddexp(0, -z), 0) + np.where(y < 1, (1 - y) * np.logaddexp(0, z), 0)
    finite = np.isfinite(s)
    average = float((w * s)[finite].sum() / w[finite].sum())
    return (average if finite[w > 0].all() else np.inf), average
