"""A map as SQL: run by DuckDB, it does what `apply` does."""

from __future__ import annotations

import sys
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
import sqlglot

import logloss as ll
from logloss.calibrate import maps
from logloss.calibrate.fitted import finite, forecasts_of
from logloss.calibrate.venn_abers import fit_venn_abers
from logloss.exports.sqlcode import DIALECTS
from logloss.record import Space
from mapcases import BOTH, CHAINS_OF_TWO, SPACES, THREE, VECTOR, VENN_ABERS, forecasts

NAMES = ['p of "the first"', "`; DROP TABLE given; --", "ümlaut 'quoted' \\ \u2028"]
HALF = maps.Scaling(np.array([0.5]), np.array([0.0]))


def table(given: Any) -> pl.DataFrame:
    columns = given[:, None] if given.ndim == 1 else given
    return pl.DataFrame({name: columns[:, k] for k, name in enumerate(NAMES[: columns.shape[1]])})


def run(expressions: Any, given: pl.DataFrame) -> Any:
    """Return what DuckDB makes of the rows, shape (n,) or (n, K); NULL as NaN."""
    one = isinstance(expressions, str)
    texts = [expressions] if one else list(expressions.values())
    found = duckdb.sql(
        "SELECT " + ", ".join(f"{text} AS x{k}" for k, text in enumerate(texts)) + " FROM given"
    ).pl()
    values = found.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return values[:, 0] if one else values


def probabilities(values: Any, space: Space) -> Any:
    if space == "p":
        return values
    if space == "logp" or values.ndim == 2:
        return np.exp(values)
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-values))


def close(got: Any, expected: Any, space: Space) -> None:
    assert np.isfinite(got).all() or (~np.isfinite(got) == ~np.isfinite(expected)).all()
    np.testing.assert_allclose(probabilities(got, space), probabilities(expected, space), rtol=0, atol=1e-9)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(("steps", "classes"), BOTH)
def test_duckdb_does_what_apply_does(
    steps: tuple[maps.Map, ...], classes: tuple[object, ...], space: Space
) -> None:
    fitted = ll.FittedMap("any", steps, classes, space=space)
    for given in forecasts(space, len(classes)):
        rows = table(given)
        got = run(fitted.sql(rows.columns), rows)
        close(got, fitted.apply(given), space)
        if space == "p":
            assert (got > 0).all()
            assert (got < 1).all()
        elif space == "logp" and not fitted.does_nothing:
            assert (got <= 0).all()
            assert np.isfinite(got).all()


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(("steps", "classes"), BOTH)
def test_bigquery_reads_it_and_means_the_same(
    steps: tuple[maps.Map, ...], classes: tuple[object, ...], space: Space
) -> None:
    """There is no BigQuery here: its text is read by another parser's grammar and run by DuckDB."""
    fitted = ll.FittedMap("any", steps, classes, space=space)
    for given in forecasts(space, len(classes)):
        rows = table(given)
        plain = rows.rename(dict(zip(rows.columns, "abc", strict=False)))
        written = fitted.sql(plain.columns, dialect="bigquery")
        texts = {0: written} if isinstance(written, str) else written
        assert all("`a`" in text for text in texts.values())
        if sum(map(len, texts.values())) > 2500:  # the other grammar writes each LEAST four times as long
            continue
        moved = {k: sqlglot.transpile(text, read="bigquery", write="duckdb")[0] for k, text in texts.items()}
        got = run(moved, plain)
        close(got[:, 0] if isinstance(written, str) else got, fitted.apply(given), space)


@pytest.mark.parametrize("space", SPACES)
def test_venn_abers_finds_the_forecasts_it_was_fitted_to(space: Space) -> None:
    """Its values jump there: one digit of rounding would show."""
    rng = np.random.default_rng(3)
    for before in ((), (HALF,), (maps.Beta(1.2, 0.7, -0.1),), (maps.Scaling(np.array([-1.0]), np.zeros(1)),)):
        for given in forecasts(space, 2, seed=4):
            earlier = ll.FittedMap("any", before, (0, 1), space=space)
            z = np.concatenate([finite(Z) for Z, _ in forecasts_of(earlier.checked(given, space))])
            for step in before:
                z = step(z)
            outcome = (rng.random(len(z)) < 0.5).astype(float)
            one = fit_venn_abers(z[:, 0], outcome, np.ones(len(z)))
            fitted = ll.FittedMap("venn_abers", (*before, one), (0, 1), space=space)
            rows = table(given)
            close(run(fitted.sql(rows.columns), rows), fitted.apply(given), space)


@pytest.mark.parametrize("dtype", [pl.Float32, pl.Decimal(20, 10), pl.Int64])
def test_columns_of_other_types(dtype: Any) -> None:
    fitted = ll.FittedMap("any", (maps.Beta(1.2, 0.7, -0.1), HALF), (0, 1))
    p = np.array([0.0, 1.0]) if dtype == pl.Int64 else np.array([0.0, 0.1, 0.3, 0.875, 1.0])
    for given in (p, np.stack([1 - p, p], axis=1)):
        rows = table(given)
        rows = rows.cast(dtype)
        asked = rows.cast(pl.Float64).to_numpy()
        close(
            run(fitted.sql(rows.columns), rows), fitted.apply(asked if given.ndim == 2 else asked[:, 0]), "p"
        )


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(
    "steps", [CHAINS_OF_TWO[name] for name in ("identity", "beta", "isotonic", "venn_abers")]
)
def test_null_stays_null_and_what_is_no_forecast_becomes_it(
    steps: tuple[maps.Map, ...], space: Space
) -> None:
    fitted = ll.FittedMap("any", steps, (0, 1), space=space)
    bad: dict[Space, list[float | None]] = {
        "p": [None, float("nan"), 1.2, -0.1, float("inf")],
        "logp": [None, float("nan"), 0.1],
        "logit": [None, float("nan")],
    }
    rows = pl.DataFrame({NAMES[0]: bad[space]}, schema={NAMES[0]: pl.Float64})
    assert np.isnan(run(fitted.sql(NAMES[0]), rows)).all()
    good = {"p": 0.5, "logp": -0.7, "logit": 0.0}[space]
    for first, second in ((None, good), (good, None), (float("nan"), good), (float("inf"), good)):
        rows = pl.DataFrame(
            {NAMES[0]: [first], NAMES[1]: [second]}, schema=dict.fromkeys(NAMES[:2], pl.Float64)
        )
        assert np.isnan(run(fitted.sql(NAMES[:2]), rows)).all()


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("steps", [(maps.Identity(),), (VECTOR,), (maps.Mix(0.1, np.full(3, 1 / 3)),)])
def test_rows_of_many_that_are_no_forecast_become_null(steps: tuple[maps.Map, ...], space: Space) -> None:
    fitted = ll.FittedMap("any", steps, THREE, space=space)
    bad: dict[Space, list[list[float | None]]] = {
        "p": [
            [None, 0.5, 0.5],
            [0.5, 0.5, None],
            [0.5, float("nan"), 0.5],
            [0.5, 0.5, 0.5],
            [-0.5, 0.5, 1.0],
        ],
        "logp": [[None, -1.0, -1.0], [-1.0, -1.0, float("nan")], [0.0, 0.0, 0.0], [0.2, -9.0, -9.0]],
        "logit": [[None, 1.0, 1.0], [1.0, float("nan"), 1.0], [1.0, 1.0, float("inf")], [-float("inf")] * 3],
    }
    rows = pl.DataFrame(bad[space], schema=dict.fromkeys(NAMES, pl.Float64), orient="row")
    assert np.isnan(run(fitted.sql(NAMES), rows)).all()


def test_the_columns_of_the_fit_are_taken_and_results_named() -> None:
    rows = table(np.array([0.9, 0.5]))
    fitted = ll.FittedMap("half", (HALF,), ("no", "yes"), (NAMES[0],))
    named = fitted.sql(names='better "p"')
    assert isinstance(named, str)
    assert duckdb.sql(f"SELECT {named} FROM rows").columns == ['better "p"']
    assert len(rows) == 2
    both = fitted.sql(["a", "b"], names=["x", "y"])
    assert isinstance(both, dict)
    assert list(both) == ["no", "yes"]
    assert both["yes"].endswith(' AS "y"')


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "hostile", ['a"b; drop table x', "a`b", "a\\", "\\`", "a'b", "\u2028", "]", "/*", "--"]
)
def test_names_stay_names_in_every_dialect(dialect: str, hostile: str) -> None:
    written = ll.FittedMap("half", (HALF,), (0, 1), (hostile,)).sql(dialect=dialect, names=hostile)
    (read,) = sqlglot.parse(f"SELECT {written}", read=dialect)
    assert {column.name for column in read.find_all(sqlglot.exp.Column)} == {hostile}
    assert read.selects[0].alias == hostile


@pytest.mark.parametrize("knots", [10, 2000])
def test_thousands_of_knots(knots: int) -> None:
    rng = np.random.default_rng(0)
    at = np.sort(rng.normal(0, 3, knots))
    p = rng.random(20_000)
    for one in (
        maps.Isotonic(at, np.cumsum(rng.random(knots)) * 8 / knots - 4),
        fit_venn_abers(at, (rng.random(knots) < 1 / (1 + np.exp(-at))).astype(float), np.ones(knots)),
    ):
        fitted = ll.FittedMap("knots", (one,), (0, 1))
        close(run(fitted.sql(NAMES[0]), table(p)), fitted.apply(p), "p")


def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logloss.exports.sqlterms.MOST_LEAVES", 3000)
    at = np.linspace(-9, 9, 600)
    fitted = ll.FittedMap("knots", (maps.Isotonic(at, at**3),), (0, 1), ("p",))
    with pytest.raises(ll.UsageError, match="terms") as caught:
        fitted.sql()
    assert caught.value.slug == "sql-too-large"


def test_what_does_not_fit_is_said() -> None:
    two, three = ll.FittedMap("v", (VENN_ABERS,), (0, 1)), ll.FittedMap("v", (VECTOR,), THREE)
    for call in (
        two.sql,
        lambda: two.sql(["a", "b", "c"]),
        lambda: three.sql("a"),
        lambda: three.sql(["a", "b"]),
        lambda: two.sql(""),
        lambda: two.sql([3]),  # type: ignore[list-item]
        lambda: two.sql("a", names=["x", "y"]),
    ):
        with pytest.raises(ll.UsageError) as caught:
            call()
        assert caught.value.slug == "columns-for-sql"
    with pytest.raises(ll.UsageError, match="duckdb") as caught:
        two.sql("a", dialect="duckdbb")
    assert caught.value.slug == "unknown-dialect"


def test_without_sqlglot_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlglot", None)
    with pytest.raises(ll.UsageError, match=r"pip install 'logloss\[sql\]'") as caught:
        ll.FittedMap.temperature(2.0).sql("p")
    assert caught.value.slug == "needs-sqlglot"
