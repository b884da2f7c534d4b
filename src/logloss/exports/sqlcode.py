"""A fitted map as SQL: one expression for each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logloss.errors import UsageError, suggestion
from logloss.exports.pycode import farthest_sum
from logloss.exports.sqlpairs import Pair
from logloss.exports.sqlrows import many
from logloss.exports.sqlterms import Terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logloss.calibrate.maps import Map
    from logloss.record import Space

__all__ = ["DIALECTS", "sql_of"]

# Those with IEEE floats, infinity and NaN among them, in which a column that is no number is NULL or refused.
DIALECTS = ("bigquery", "databricks", "duckdb", "postgres", "redshift", "snowflake", "spark", "trino")


def sql_of(
    steps: Sequence[Map],
    classes: tuple[Any, ...],
    columns: str | Sequence[str],
    space: Space,
    *,
    dialect: str,
    names: str | Sequence[str] | None,
    limits: tuple[float, float],
) -> str | dict[Any, str]:
    """Return the expression of the second class for one column, {class: expression} for a column per class."""
    if dialect not in DIALECTS:
        raise UsageError(
            "unknown-dialect",
            f"{dialect!r} is not a dialect.{suggestion(str(dialect), DIALECTS)}",
            cure=f"Dialects: {', '.join(DIALECTS)}.",
        )
    columns = [columns] if isinstance(columns, str) else list(columns)
    if not all(isinstance(column, str) and column for column in columns) or not (
        len(columns) == len(classes) or (len(columns) == 1 and len(classes) == 2)
    ):
        one = "one column, or " if len(classes) == 2 else ""
        raise UsageError(
            "columns-for-sql",
            f"{len(columns)} names of columns for {len(classes)} classes.",
            cure=f"Give {one}one column for each class, in the order of map.classes: sql(columns=[...]).",
        )
    names = [names] if isinstance(names, str) else names
    if names is not None and len(names) != len(columns):
        raise UsageError(
            "columns-for-sql",
            f"{len(names)} names for {len(columns)} expressions.",
            cure="Give one name for each column.",
        )
    terms = Terms()
    steps = tuple(step for step in steps if step.kind != "identity")
    farthest = farthest_sum(len(classes))
    if len(classes) > 2:
        found = many(terms, steps, columns, space, limits, farthest)
    else:
        wanted = (True,) if len(columns) == 1 else (False, True)
        found = [Pair(terms, columns, space, limits, farthest, second).expression(steps) for second in wanted]
    if names is not None:
        found = [
            terms.exp.Alias(this=one, alias=terms.exp.to_identifier(name, quoted=True))
            for one, name in zip(found, names, strict=True)
        ]
    written = [str(one.sql(dialect=dialect)) for one in found]
    return written[0] if len(columns) == 1 else dict(zip(classes, written, strict=True))
