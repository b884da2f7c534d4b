"""A fitted map as the source of one Python function that needs NumPy and nothing else."""

from __future__ import annotations

import keyword
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from logloss.calibrate import maps
from logloss.calibrate.odds import LOWEST
from logloss.errors import UsageError
from logloss.forensics import MEANINGLESS_SUM, MOST_ROUNDING, PER_CLASS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from logloss.calibrate.maps import Map
    from logloss.record import Space

__all__ = ["commented", "farthest_sum", "source_of"]

SPOKEN = {"p": "probabilities", "logp": "natural logs of probabilities", "logit": "logits"}
WIDTH = 100
OPEN = 'with np.errstate(divide="ignore", invalid="ignore", over="ignore"):'


def source_of(
    title: str,
    steps: Sequence[Map],
    classes: tuple[Any, ...],
    columns: Sequence[str],
    space: Space,
    *,
    name: str,
    limits: tuple[float, float],
) -> str:
    """Return the source of a function `name` that does what the steps do, in the map's own space."""
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name == "np":
        raise UsageError(
            "bad-name", f"{name!r} cannot be the name of a function.", cure="Give a name such as recalibrate."
        )
    steps = [step for step in steps if step.kind != "identity"]
    body = [*_checks(space, len(classes)), *_mapped(steps, space, len(classes), limits)]
    return "\n".join(
        [
            "import numpy as np",
            "",
            "",
            f"def {name}(forecast):",
            *_indented(_docstring(title, classes, columns, space)),
            *_indented(body),
            "",
        ]
    )


def farthest_sum(K: int) -> float:
    """Return how far from one a row of K probabilities may sum before it is refused."""
    return max(MEANINGLESS_SUM, min(PER_CLASS * K, MOST_ROUNDING))


def commented(value: Any) -> str:
    r"""Return a label or a name as a literal in ASCII that cannot end the docstring that it stands in.

    >>> print(commented('a"\\'))
    'a\"\\\\'
    """
    known = value is None or isinstance(value, str | bool | int | float)
    return ascii(value if known else str(value)).replace("\\", "\\\\").replace('"', '\\"')


def _indented(lines: Iterable[str], by: int = 1) -> list[str]:
    return ["    " * by + line if line else line for line in lines]


def _filled(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH - 4, break_long_words=False, break_on_hyphens=False)


def _number(value: float) -> str:
    return repr(float(value)) if np.isfinite(value) else {np.inf: "np.inf", -np.inf: "-np.inf"}[value]


def _array(values: Any) -> list[str]:
    """Return np.array([...]) as lines; numbers as they are, to the last digit."""
    values = np.asarray(values, np.float64)
    if values.ndim == 2:
        rows = [f"    [{', '.join(map(_number, row))}]," for row in values]
        return ["np.array([", *rows, "])"]
    text = ", ".join(map(_number, values))
    return (
        [f"np.array([{text}])"] if len(text) < WIDTH - 30 else ["np.array([", *_indented(_filled(text)), "])"]
    )


def _named(name: str, values: Any) -> list[str]:
    first, *rest = _array(values)
    return [f"{name} = {first}", *rest]


def _docstring(title: str, classes: tuple[Any, ...], columns: Sequence[str], space: Space) -> list[str]:
    two = len(classes) == 2
    shape = f"(n,), of the class {commented(classes[1])}, or (n, 2)" if two else f"(n, {len(classes)})"
    lines = [
        '"""Return better forecasts. Written by logloss from a fitted map; needs NumPy only.',
        "",
        *_filled(f"Map: {commented(title)}"),
        *_filled(f"Classes, in the order of the columns: {', '.join(map(commented, classes))}"),
    ]
    if columns:
        lines += _filled(f"It was fitted to the columns: {', '.join(map(commented, columns))}")
    lines += [
        "",
        *_filled(f"Takes {SPOKEN[space]}, shape {shape}; returns the same, float64."),
        "ValueError: values that are missing or out of range, rows that do not sum to one.",
        '"""',
    ]
    return lines


def _checks(space: Space, K: int) -> list[str]:
    """Return the lines that refuse what is no forecast."""
    shapes, told = ("((), (2,))", "(n,) or (n, 2)") if K == 2 else (f"(({K},),)", f"(n, {K})")
    rounding = f"{8 * K} * np.finfo(Z.dtype if Z.dtype in (np.float32, np.float64) else np.float64).eps"
    inside = {
        "p": "(Z >= -within) & (Z <= 1 + within)",
        "logp": "Z <= within",
        "logit": "(Z < np.inf) | (Z == np.inf) & (Z.ndim == 1)",
    }[space]
    lines = [
        "Z = np.asarray(forecast)",
        f"if Z.ndim == 0 or Z.shape[1:] not in {shapes}:",
        f'    raise ValueError("the shape is to be {told}")',
        f"within = {rounding}  # rounding" if space != "logit" else "",
        "Z = Z.astype(np.float64)",
        f"if not ({inside}).all():",
        f'    raise ValueError("{SPOKEN[space]} were expected, and none missing")',
    ]
    if space == "logit":
        lines += ["if Z.ndim == 2 and np.isneginf(Z).all(axis=1).any():"]
        lines += ['    raise ValueError("every class of a row is impossible")']
    else:
        total = "Z" if space == "p" else "np.exp(Z)"
        lines += [
            f"if Z.ndim == 2 and (np.abs({total}.sum(axis=1) - 1) > {farthest_sum(K)!r}).any():",
            '    raise ValueError("rows do not sum to one")',
            "Z = np.clip(Z, 0, 1)" if space == "p" else "Z = np.minimum(Z, 0)",
        ]
    return [line for line in lines if line]


def _mapped(steps: Sequence[Map], space: Space, K: int, limits: tuple[float, float]) -> list[str]:
    """Return the lines that map checked forecasts Z."""
    low, high = limits
    if not steps:
        return [f"return np.clip(Z, {low!r}, {high!r})" if space == "p" else "return Z"]
    if K > 2:
        normal = [
            "",
            "def normalised(Z):",
            "    Z = Z - Z.max(axis=1, keepdims=True)",
            "    return Z - np.log(np.exp(Z).sum(axis=1, keepdims=True))",
            "",
        ]
        lines = [*_logs(space), f"Z = np.maximum(normalised(L), {LOWEST!r})  # log-probabilities"]
        for step in steps:
            lines += _many(step)
        lines += [f"Z = np.maximum(normalised(Z), {LOWEST!r})"]
        lines += [f"return np.clip(np.exp(Z), {low!r}, {high!r})" if space == "p" else "return Z"]
        return [*normal, OPEN, *_indented(lines)]
    stepped = any(isinstance(step, maps.VennAbers) for step in steps)
    lines = ["if Z.ndim == 1:", *_indented(_odds(space, stepped=stepped)), "else:"]
    lines += [*_indented(_logs(space)), "    z = L[:, 1] - L[:, 0]"]
    lines += [f"z = np.clip(z, {LOWEST!r}, {-LOWEST!r})  # log-odds of the second class"]
    for step in steps:
        lines += _two(step)
    lines += [f"z = np.clip(z, {LOWEST!r}, {-LOWEST!r})"]
    if space == "logit":
        lines += ["if Z.ndim == 1:", "    return z"]
    written = "-np.logaddexp(0, z), -np.logaddexp(0, -z)"
    lines += [f"down, up = {written}  # log(1 - p), log p"]
    if space == "p":
        lines += [f"down, up = (np.clip(np.exp(x), {low!r}, {high!r}) for x in (down, up))"]
    return [
        OPEN,
        *_indented(lines),
        "return up if Z.ndim == 1 else np.stack([down, up], axis=1)",
    ]


def _odds(space: Space, *, stepped: bool) -> list[str]:
    """Return the lines that make log-odds z of one column Z."""
    if space == "p":
        return ["z = np.log(Z) - np.log1p(-Z)"]
    if space == "logp":
        return [
            "rest = np.where(Z >= -0.6931471805599453, np.log(-np.expm1(Z)), np.log1p(-np.exp(Z)))",
            "z = Z - rest  # log p - log(1 - p)",
        ]
    if not stepped:
        return ["z = Z"]
    return [  # the rounding of the fit, so that forecasts equal to those it saw stay equal
        "rest = np.log1p(np.exp(-np.abs(Z)))",
        "z = (np.maximum(Z, 0) + rest) - (np.maximum(-Z, 0) + rest)  # log p - log(1 - p), as in the fit",
    ]


def _logs(space: Space) -> list[str]:
    """Return the lines that make log-probabilities L of columns Z, with the largest from the others."""
    if space == "logp":
        return ["L = Z"]
    top = "rows, top = np.arange(len(Z)), Z.argmax(axis=1)"
    if space == "logit":
        return [
            top,
            "L = Z - Z[rows, top][:, None]",
            "others = np.exp(L)",
            "others[rows, top] = 0",
            "L = L - np.log1p(others.sum(axis=1))[:, None]",
        ]
    return [
        top,
        "L, largest, others = np.log(Z), Z[rows, top], Z.copy()",
        "others[rows, top] = 0",
        "rest = others.sum(axis=1)",
        "near = np.abs(largest + rest - 1) <= within",
        "L[rows, top] = np.where(near, -np.log1p(rest / largest), L[rows, top])",
    ]


def _line(slope: float, z: str, offset: float) -> str:
    """Return slope * z + offset; a slope of 0 leaves nothing of an infinite z."""
    sign = "-" if offset < 0 else "+"
    return (
        f"{_number(slope)} * {z} {sign} {_number(abs(offset))}"
        if slope
        else f"np.full_like({z}, {_number(offset)})"
    )


def _two(step: Map) -> list[str]:
    """Return the lines that map log-odds z of two classes."""
    if isinstance(step, maps.Scaling):
        return [f"z = {_line(step.slope[0], 'z', step.offset[0])}"]
    if isinstance(step, maps.Clip):
        if step.first <= 0 and step.second <= 0:
            return []
        with np.errstate(divide="ignore"):
            low, high = (float(np.log(p) - np.log1p(-p)) for p in (step.second, step.first))
        told = f"p within [{step.second!r}, 1 - {step.first!r}]"
        return [f"z = np.clip(z, {_number(low)}, {_number(-high)})  # {told}"]
    if isinstance(step, maps.Mix):
        if step.share <= 0:
            return []
        return [
            *_shares(step),
            "up, down = -np.logaddexp(0, -z) + kept, -np.logaddexp(0, z) + kept",
            "z = np.logaddexp(up, added[1]) - np.logaddexp(down, added[0])",
        ]
    if isinstance(step, maps.Beta):
        terms = [f"{_number(step.a)} * -np.logaddexp(0, -z)"] if step.a else []
        terms += [f"{_number(step.b)} * np.logaddexp(0, z)"] if step.b else []
        terms = terms or ["np.zeros_like(z)"]
        return [f"z = {' + '.join(terms)} + {_number(step.c)}  # a log p - b log(1 - p) + c"]
    if isinstance(step, maps.Quadratic):
        return [
            f"z = np.clip(z, {LOWEST!r}, {-LOWEST!r})",
            f"z = ({_number(step.square)} * z + {_number(step.slope)}) * z + {_number(step.offset)}",
        ]
    if isinstance(step, maps.Isotonic):
        return [*_named("at", step.at), *_named("odds", step.odds), "z = np.interp(z, at, odds)"]
    if isinstance(step, maps.VennAbers):
        return [
            *_named("at", step.at),
            *_named("low", np.append(0.0, step.low)),
            *_named("high", np.append(step.high, 1.0)),
            'p0, p1 = low[np.searchsorted(at, z, "right")], high[np.searchsorted(at, z, "left")]',
            "z = np.log(p1) - np.log1p(-p0)",
        ]
    raise _unknown(step)


def _many(step: Map) -> list[str]:
    """Return the lines that map log-probabilities Z of K classes."""
    if isinstance(step, maps.Scaling):
        lines = [*_named("slope", step.slope), *_named("offset", step.offset)]
        if (step.slope < 0).any():
            lines += [f"Z = np.where(slope < 0, np.maximum(Z, {LOWEST!r}), Z)"]
        scaled = "np.where(slope == 0, 0, slope * Z)" if (step.slope == 0).any() else "slope * Z"
        return [*lines, f"Z = normalised({scaled} + offset)"]
    if isinstance(step, maps.Mix):
        return [*_shares(step), "Z = np.logaddexp(Z + kept, added)"] if step.share > 0 else []
    if isinstance(step, maps.Matrix):
        return [
            *_named("weights", step.weights),
            *_named("offset", step.offset),
            f"Z = np.maximum(Z, {LOWEST!r})",
            "Z = normalised(np.stack([(Z * row).sum(axis=1) for row in weights], axis=1) + offset)",
        ]
    raise _unknown(step)


def _shares(step: maps.Mix) -> list[str]:
    first, *rest = _named("rates", step.rates)
    share = _number(step.share)
    return [first, *rest, f"kept, added = np.log1p(-{share}), np.log({share}) + np.log(rates)"]


def _unknown(step: Map) -> UsageError:
    return UsageError(
        "no-export", f"A step of the kind {step.kind!r} cannot be written as code.", cure="Use map.apply()."
    )
