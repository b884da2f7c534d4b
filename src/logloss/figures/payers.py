"""Who pays: rows and loss by surprise, and the share of the loss that the costliest rows carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logloss import units
from logloss.figures.drawing import Drawing
from logloss.figures.ground import COLOURS, clean, legend, narrow
from logloss.rules import HISTOGRAM

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from logloss.curves.inequality import Lorenz
    from logloss.scoring import Score

__all__ = ["LORENZ", "PAYERS"]

COIN = HISTOGRAM.index(0.7) + 1  # the edge nearest to ln 2


def _columns(score: Score) -> dict[str, list[Any]]:
    """Return the bins: surprise from and to, share of the weight, share of the finite loss; infinite rows last."""
    bins = score.summary.clamps["given"].coarser(HISTOGRAM)
    weight, nats = bins.weight[0].tolist(), bins.sum[0].tolist()
    infinite = float(score.summary.infinite[1])
    weight[-1] -= infinite
    total, lost = sum(weight) + infinite, sum(nats)
    found = {
        "surprise_from": [0.0, *HISTOGRAM],
        "surprise_to": [*HISTOGRAM, float("inf")],
        "rows": [one / total for one in weight],
        "loss": [one / lost if lost > 0 else 0.0 for one in nats],
    }
    if score.infinite_rows:
        for key, value in zip(found, (float("inf"), float("inf"), infinite / total, None), strict=True):
            found[key].append(value)
    return found


def _draw(score: Score, ax: Axes, unit: str) -> list[str]:
    found = _columns(score)
    factor = units.unit(unit).convert(1.0)
    at = list(range(len(found["rows"])))
    rows = ax.bar(
        at, [100 * x for x in found["rows"]], 0.92, color=COLOURS["context"], alpha=0.75, gid="rows"
    )
    finite = [x for x in found["loss"] if x is not None]
    loss = ax.bar(at[: len(finite)], [100 * x for x in finite], 0.46, color=COLOURS["cost"], gid="loss")
    coin = ax.axvline(
        COIN - 0.5,
        0,
        0.8 if narrow(ax) else 1,
        color=COLOURS["ink"],
        linewidth=1.0,
        linestyle=(0, (4, 3)),
        gid="coin",
    )
    ticks = [x - 0.5 for x in range(1, len(HISTOGRAM) + 1)]
    small = narrow(ax)
    ax.set_xticks(
        ticks, [f"{factor * edge:.2g}" if not small or k % 2 == 0 else "" for k, edge in enumerate(HISTOGRAM)]
    )
    if score.infinite_rows:
        ax.text(at[-1], 100 * found["rows"][-1], "infinite", ha="center", va="bottom", fontsize=8.5, color=COLOURS["ink"], gid="infinite")  # fmt: skip
    ax.set_xlim(-0.6, len(at) - 0.4)
    ax.set_ylim(0, (1.25 if small else 1.05) * 100 * max(found["rows"] + finite))
    ax.set_xlabel(f"surprise of what happened ({unit}, uneven steps)")
    ax.set_ylabel("share of all (%)")
    clean(ax, grid="y")
    legend(
        ax,
        [rows, loss, coin],
        ["rows", "loss", "a coin flip"],
        **{"loc": "upper center", "ncols": 3} if small else {"loc": "best"},
    )
    lines = ["Rows on the left were foreseen; tall orange on the right means that few rows pay for all."]
    if score.infinite_rows:
        lines.append(f"{units.count(score.infinite_rows, 'row')} of infinite loss apart: the orange bars share out the loss of the others.")  # fmt: skip
    return lines


def _tell(score: Score, unit: str) -> str:
    found = _columns(score)
    sharp, dear = HISTOGRAM.index(0.1) + 1, HISTOGRAM.index(3.0) + 1
    last = len(HISTOGRAM) + 1
    cheap = sum(found["rows"][:sharp]), sum(found["loss"][:sharp])
    most = sum(found["rows"][dear:last]), sum(found["loss"][dear:last])
    cut = [f"{units.unit(unit).convert(x):.3g}" for x in (0.1, 3.0)]
    text = f"Rows of surprise under {cut[0]} {unit} are {units.percent(cheap[0])} of all and carry {units.percent(cheap[1])} of the loss; those over {cut[1]} are {units.percent(most[0])} and carry {units.percent(most[1])}."
    if score.infinite_rows:
        text += f" {units.count(score.infinite_rows, 'row')} of infinite loss apart."
    return text


def _curve(found: Lorenz, ax: Axes, unit: str) -> list[str]:
    del unit  # shares have none
    x, y = [100 * share for share in found.row_share], [100 * share for share in found.loss_share]
    even = ax.plot(
        [0, 100], [0, 100], color=COLOURS["context"], linewidth=1.2, linestyle=(0, (4, 3)), gid="even"
    )[0]
    ax.fill_between(x, x, y, color=COLOURS["cost"], alpha=0.18, linewidth=0)
    line = ax.plot(x, y, color=COLOURS["cost"], linewidth=2.0, gid="curve")[0]
    ax.set_xlim(0, 100)
    ax.set_ylim(0, 101)
    ax.set_xlabel("costliest rows (% of the weight)")
    ax.set_ylabel("carry (% of the loss)")
    clean(ax)
    legend(ax, [line, even], ["this forecast", "all rows cost the same"], loc="lower right")
    lines = ["Nothing is lost."]
    if found.gini is not None:
        finite = found.n - found.infinite_rows
        lines = [
            f"Half of the loss is on {units.count(found.half, 'row')} of {finite:,}; Gini {found.gini:.3f}."
        ]
    if found.infinite_rows:
        lines.append(
            f"{units.count(found.infinite_rows, 'row')} of infinite loss apart: the curve is about the others."
        )
    return lines


def _said(found: Lorenz, unit: str) -> str:
    del unit
    if found.gini is None:
        text = f"Nothing is lost on {units.count(found.n - found.infinite_rows, 'row')}."
    else:
        shares = ", ".join(
            f"the costliest {units.percent(x, 0)} carry {units.percent(found.carried(x))}"
            for x in (0.01, 0.1)
        )
        text = f"Of the loss, {shares}; half of it is on {units.count(found.half, 'row')} of {found.n - found.infinite_rows:,}. Gini {found.gini:.3f}."
    return text + (
        f" {units.count(found.infinite_rows, 'row')} of infinite loss apart." if found.infinite_rows else ""
    )


PAYERS = Drawing("Do a few rows pay, or everybody a little?", _draw, _tell, _columns, stretched=True)
LORENZ = Drawing(
    "How much of the loss do the costliest rows carry?",
    _curve,
    _said,
    lambda found: found.frame(),
    stretched=True,
)
