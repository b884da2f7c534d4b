"""Slices: statistics by hand, p-values by loops of their own, false alarms, groups, and what is named."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.special import expit

from logloss.observations import observe
from logloss.slicing import resampling
from logloss.slicing.contrasts import Contrasts
from logloss.slicing.segments import Segments, segments
from logloss.slicing.slices import Slices, of_record
from logloss.why.remedies import Held
from planted import drawn, nats


def held_of(y: np.ndarray, z: np.ndarray) -> Held:
    """Return forecasts as they stand, as if nothing had been to mend."""
    p = expit(z)
    z = np.clip(z, -700, 700)
    entropy = p * np.logaddexp(0, -z) + (1 - p) * np.logaddexp(0, z)
    return Held(nats(z, y), entropy, p * (1 - p) * z**2, p, y.astype(float), z)


def sliced(
    y: np.ndarray, z: np.ndarray, columns: dict[str, np.ndarray], *, replicates: int = 199, **options: object
) -> Slices:
    some = {key: options.pop(key) for key in ("pairs", "seed") if key in options}
    record = observe(y, z, space="logit", **options)
    found = of_record(record, columns, held_of(y, z), nats(z, y), replicates=replicates, **some)
    assert found is not None
    return found


def small(seed: int = 0, n: int = 240) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    y, z = drawn(n, seed, scale=2.0)
    columns = {"a": rng.choice(list("pqr"), n), "b": rng.normal(size=n)}
    return y, z, columns, rng.exponential(size=n)


def contrasts(
    y: np.ndarray, z: np.ndarray, parts: Segments, w: np.ndarray, replicates: int = 199, **options: object
) -> Contrasts:
    record = observe(y, z, space="logit", weight=w, **options)
    return Contrasts(record, parts, held_of(y, z), nats(z, y), w / w.mean(), replicates, 0)


# Statistics ---------------------------------------------------------------------------------------------------------


def by_hand(y: np.ndarray, z: np.ndarray, w: np.ndarray, rows: np.ndarray) -> tuple[float, float]:
    """Return T and Q of one slice by their formulas, row by row."""
    n, m, w = len(y), len(rows), w / w.mean()
    s, p = nats(z, y), expit(z)
    u = w * (s - (w * s).sum() / w.sum())
    T = u[rows].sum() / (u.std() * math.sqrt(m * (1 - m / n)))
    U, V = np.zeros(2), np.zeros((2, 2))
    for i in rows:
        x = np.array([1.0, z[i]])
        U += w[i] * (y[i] - p[i]) * x
        V += w[i] ** 2 * p[i] * (1 - p[i]) * np.outer(x, x)
    return T, float(U @ np.linalg.solve(V, U))


@pytest.mark.parametrize("weighted", [False, True])
def test_statistics_are_their_formulas(*, weighted: bool) -> None:
    y, z, columns, w = small()
    w = w if weighted else np.ones(240)
    parts = segments(columns, 240)
    look = contrasts(y, z, parts, w)
    loss, calibration = look._loss(look.u)[0], look._calibration(look.e, look.v)[0]
    assert len(parts) >= 8
    for at in range(len(parts)):
        assert (loss[at], calibration[at]) == pytest.approx(by_hand(y, z, w, parts.members(at)), rel=1e-9)


def test_the_null_of_groups_by_a_loop() -> None:
    """Totals of groups are dealt out by their share of the slice; what is left of a group's score changes sign."""
    y, z, columns, w = small(5)
    group = np.arange(240) % 23
    parts = segments(columns, 240, pairs=False)
    look = contrasts(y, z, parts, w, replicates=999, group=group)
    v, s, p = w / w.mean(), nats(z, y), expit(z)
    u, off = v * (s - (v * s).sum() / v.sum()), v * (y - p)
    members = [parts.members(at) for at in range(len(parts))]
    own = np.array([by_hand(y, z, w, rows) for rows in members])
    assert look._loss(look.u)[0] == pytest.approx(own[:, 0], rel=1e-9)
    rng = np.random.default_rng(98)
    largest = np.zeros((2, 1500))
    for b in range(1500):
        sign, dealt = rng.choice([-1.0, 1.0], 23), rng.permutation(23)
        for rows in members:
            held = np.bincount(group[rows], minlength=23) / np.bincount(group, minlength=23)

            def drawn(score: np.ndarray, rows=rows, held=held, sign=sign, dealt=dealt) -> float:
                total = np.bincount(group, score, 23)
                rest = np.bincount(group[rows], score[rows], 23) - total * held
                return float(total[dealt] @ held + sign @ rest)

            T = drawn(u) / (u.std() * math.sqrt(len(rows) * (1 - len(rows) / 240)))
            x = np.stack([np.ones(len(rows)), z[rows]])
            V = (v[rows] ** 2 * p[rows] * (1 - p[rows]) * x) @ x.T
            U = np.array([drawn(off), drawn(off * z)])
            Q = float(U @ np.linalg.solve(V, U))
            largest[:, b] = np.maximum(largest[:, b], (T, Q))
    for found, observed, null in zip(look.p_values(), own.T, largest, strict=True):
        expected = np.minimum(2 * (null[None] >= observed[:, None]).mean(axis=1), 1)
        assert found == pytest.approx(expected, abs=0.08)


def test_a_slice_in_numbers() -> None:
    y, z, columns, w = small(3)
    found = sliced(y, z, columns, weight=w, pairs=False)
    s = nats(z, y)
    mean = (w * s).sum() / w.sum()
    assert found.looked_at == 8
    assert found.columns == ("a", "b")
    for one in found.rows:
        if one.columns == ("b",):
            continue
        inside = columns["a"] == one.name[-1]
        own = (w * s)[inside].sum() / w[inside].sum()
        assert (one.rows, one.infinite_rows) == (inside.sum(), 0)
        assert one.log_loss == pytest.approx(own, rel=1e-12)
        assert one.excess == pytest.approx(own - mean, rel=1e-9)
        assert one.weight == pytest.approx(w[inside].sum() / w.sum(), rel=1e-12)
        assert one.share == pytest.approx((w * s)[inside].sum() / (w * s).sum(), rel=1e-12)
        assert 0 <= one.shrunk / one.excess <= 1
    assert sum(one.share for one in found.rows if one.columns == ("a",)) == pytest.approx(1)
    ranked = [one.excess * one.weight for one in found.rows if not one.verdict]
    assert ranked == sorted(ranked, reverse=True)


def test_rows_of_weight_0_and_infinite_rows_stand_apart() -> None:
    y, z, columns, w = small(4)
    w[::7] = 0
    keep = w > 0
    z[::14] = np.where(y[::14] == 1, -np.inf, np.inf)  # infinite, of weight 0
    a = sliced(y, z, columns, weight=w)
    b = sliced(y[keep], z[keep], {name: column[keep] for name, column in columns.items()}, weight=w[keep])
    assert a.to_dict() == b.to_dict()
    z[1] = -np.inf if y[1] else np.inf
    found = sliced(y, z, columns, weight=w)
    inside = next(one for one in found.rows if one.name == f"a = {columns['a'][1]}")
    assert inside.infinite_rows == 1
    for one in found.rows:
        assert all(map(math.isfinite, (one.log_loss, one.excess, one.shrunk, one.p_value, one.calibration_p)))
    finite = keep & np.isfinite(nats(z, y)) & (columns["a"] == columns["a"][1])
    s = nats(z, y)
    assert inside.log_loss == pytest.approx((w[finite] * s[finite]).sum() / w[finite].sum(), rel=1e-9)


# p-values ----------------------------------------------------------------------------------------------------------


def test_p_values_by_a_loop_of_permutations_and_of_simulations() -> None:
    y, z, columns, w = small(5)
    turned = (columns["a"] == "q") & (np.arange(240) % 8 == 0)
    y = np.where(turned, 1 - y, y)
    parts = segments(columns, 240, pairs=False)
    loss_p, calibration_p = contrasts(y, z, parts, w, replicates=999).p_values()
    rng = np.random.default_rng(99)
    v = w / w.mean()
    s, p = nats(z, y), expit(z)
    u = v * (s - (v * s).sum() / v.sum())
    members = [parts.members(at) for at in range(len(parts))]
    own = np.array([by_hand(y, z, w, rows) for rows in members])
    scale = [u.std() * math.sqrt(len(rows) * (1 - len(rows) / 240)) for rows in members]
    largest = np.empty((2, 1500))
    for b in range(1500):
        shuffled, drawn_y = rng.permutation(u), (rng.random(240) < p).astype(int)
        largest[0, b] = max(shuffled[rows].sum() / sd for rows, sd in zip(members, scale, strict=True))
        off = v * (drawn_y - p)
        best = 0.0
        for rows in members:
            x = np.stack([np.ones(len(rows)), z[rows]])
            V = (v[rows] ** 2 * p[rows] * (1 - p[rows]) * x) @ x.T
            U = x @ off[rows]
            best = max(best, float(U @ np.linalg.solve(V, U)))
        largest[1, b] = best
    for found, observed, null in ((loss_p, own[:, 0], largest[0]), (calibration_p, own[:, 1], largest[1])):
        expected = np.minimum(2 * (null[None] >= observed[:, None]).mean(axis=1), 1)
        assert found == pytest.approx(expected, abs=0.08)  # four standard errors of 999 against 1,500
        assert ((found > 0) & (found <= 1)).all()
        assert (expected < 0.9).any()  # some are of use to compare


def test_adjusted_p_values_count_replicates_that_reach() -> None:
    largest = np.array([1.0, 2.0, 2.0, 3.0])
    assert resampling.adjusted(np.array([0.5, 2.0, 2.5, 9.0]), largest).tolist() == [1.0, 0.8, 0.4, 0.2]


def test_tiles_and_the_compiler_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    y, z, columns, w = small(6)
    parts = segments(columns, 240)
    whole = contrasts(y, z, parts, w, replicates=50).p_values()
    monkeypatch.setattr(resampling, "TILE", 7)
    assert np.array(contrasts(y, z, parts, w, replicates=50).p_values()).tolist() == np.array(whole).tolist()
    monkeypatch.setattr(resampling, "COMPILE_FROM", 0)
    assert np.array(contrasts(y, z, parts, w, replicates=50).p_values()).tolist() == np.array(whole).tolist()


def test_groups_in_all_orders() -> None:
    # Five groups that lie in a slice or not can be dealt out in 120 ways: the null is known in full.
    rng = np.random.default_rng(7)
    totals, shares = (
        rng.normal(size=5),
        np.array([[1, 0, 1], [1, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]], float),
    )
    scores = np.column_stack([totals[:, None] * shares, totals])[None]
    scale = np.array([1.0, 2.0, 0.5])
    exact = np.array(
        [(totals[list(order)] @ shares / scale).max() for order in itertools.permutations(range(5))]
    )
    found = resampling.regrouped(
        scores, np.column_stack([shares, np.ones(5)]), 0, lambda sums: sums[0] / scale, 4000
    )
    assert set(np.round(found, 9)) == set(np.round(exact, 9))
    for q in (0.25, 0.5, 0.9):
        assert (found <= np.quantile(exact, q)).mean() == pytest.approx(
            (exact <= np.quantile(exact, q)).mean(), abs=0.04
        )


# False alarms --------------------------------------------------------------------------------------------------------


def test_false_alarms_of_a_family_of_slices() -> None:
    """Data sets without structure: at most one in twenty names any slice (of the p-values, and of the verdicts)."""
    sets, least, named = 80, [], 0
    for seed in range(sets):
        y, z, columns, _ = small(200 + seed)
        found = sliced(y, z, columns, seed=seed, replicates=99)
        least.append(min(min(one.p_value, one.calibration_p) for one in found.rows))
        named += bool(found.named)
    alarms = sum(p <= 0.05 for p in least)
    assert alarms <= 10  # 5 % of 80 is 4; more than 10 has a chance of 0.002
    assert named <= alarms
    assert sum(p <= 0.5 for p in least) >= 12  # nor is it timid: half of the sets were to be expected


@pytest.mark.parametrize(("groups", "size"), [(30, 20), (150, 4)])
def test_false_alarms_of_grouped_rows(groups: int, size: int) -> None:
    """Groups large and few, small and many; surprises are rare and dear, so that their sums are skewed."""
    alarms = 0
    for seed in range(60):
        rng = np.random.default_rng(400 + seed)
        group = np.repeat(np.arange(groups), size)
        y, z = drawn(groups * size, 400 + seed, scale=2.0)
        columns = {
            "site": rng.choice(list("abc"), groups)[group],
            "x": rng.normal(size=len(y)),
            "g": rng.normal(size=groups)[group],
        }
        found = sliced(y, z, columns, group=group, seed=seed, replicates=99)
        alarms += min(min(one.p_value, one.calibration_p) for one in found.rows) <= 0.05
    assert alarms <= 8  # 5 % of 60 is 3; more than 8 has a chance of 0.003


def test_rows_of_a_group_that_share_an_effect_are_exchanged_together() -> None:
    """Outcomes of a group agree beyond the forecast: slices of whole groups look bad if rows are exchanged."""
    rows_alarm = groups_alarm = 0
    for seed in range(30):
        rng = np.random.default_rng(300 + seed)
        group = np.repeat(np.arange(24), 15)
        z = rng.normal(0, 1.5, 360)
        y = (rng.random(360) < expit(z + 1.5 * rng.normal(size=24)[group])).astype(int)
        site = np.resize(list("uvw"), 24)[group]
        for grouped in (False, True):
            found = sliced(
                y, z, {"site": site}, replicates=99, seed=seed, **({"group": group} if grouped else {})
            )
            assert found.grouped == grouped
            alarm = min(min(one.p_value, one.calibration_p) for one in found.rows) <= 0.05
            rows_alarm, groups_alarm = (
                rows_alarm + (alarm and not grouped),
                groups_alarm + (alarm and grouped),
            )
    assert rows_alarm >= 15
    assert groups_alarm <= 5


def test_a_shared_effect_does_not_hide_a_bad_slice() -> None:
    rng = np.random.default_rng(8)
    group = np.repeat(np.arange(60), 20)
    z = rng.normal(0, 2, 1200)
    y = (rng.random(1200) < expit(z + 0.5 * rng.normal(size=60)[group])).astype(int)
    site = np.resize(list("uvwx"), 60)[group]
    found = sliced(y, z + 2.0 * (site == "u"), {"site": site}, group=group)
    assert found.grouped
    assert found.named[0].name == "site = u"
    assert found.named[0].verdict == "worse calibrated"


# What is named ---------------------------------------------------------------------------------------------------


def test_a_harder_slice_is_not_called_miscalibrated() -> None:
    rng = np.random.default_rng(9)
    n = 2000
    site, age = rng.choice(list("abcde"), n), rng.normal(size=n)
    z = rng.normal(0, 4, n) * np.where(site == "c", 0.1, 1.0)  # rightly unsure there
    y = (rng.random(n) < expit(z)).astype(int)
    found = sliced(y, z, {"site": site, "age": age})
    first = found.named[0]
    assert (first.name, first.verdict) == ("site = c", "harder")
    inside = site == "c"
    excess = nats(z, y)[inside].mean() - nats(z, y).mean()
    assert first.excess == pytest.approx(excess, rel=1e-9)
    assert first.nats == pytest.approx(excess * inside.mean(), rel=1e-9)
    p = expit(z)
    H = p * np.logaddexp(0, -z) + (1 - p) * np.logaddexp(0, z)
    assert first.harder == pytest.approx(H[inside].mean() - H.mean(), rel=1e-9)
    assert all(one.verdict != "worse calibrated" for one in found.rows)


def test_a_slice_within_a_named_one_is_not_named_again() -> None:
    rng = np.random.default_rng(10)
    n = 2000
    site, half = rng.choice(list("abcde"), n), rng.integers(0, 2, n)
    y, z = drawn(n, 10, scale=3.0)
    found = sliced(y, z + 2.5 * (site == "b"), {"site": site, "half": half, "same": site}, pairs=True)
    assert [one.name for one in found.named] in (["site = b"], ["same = b"], ["site = b and same = b"])
    hidden = [one for one in found.rows if one.calibration_p <= 0.05 and not one.verdict]
    assert hidden  # its halves have small p-values too
    assert all(one.nats == 0 and one.calibration is None for one in hidden)


def test_two_bad_slices_are_both_named() -> None:
    rng = np.random.default_rng(11)
    n = 3000
    site = rng.choice(list("abcdef"), n)
    y, z = drawn(n, 11, scale=3.0)
    found = sliced(y, z + 2.5 * (site == "b") - 2.5 * (site == "e"), {"site": site})
    worse = [one for one in found.named if one.verdict == "worse calibrated"]
    assert {one.name for one in worse} == {"site = b", "site = e"}
    assert [one.nats for one in worse] == sorted((one.nats for one in worse), reverse=True)


def test_groups_that_come_in_turn_with_the_slices() -> None:
    """Groups are days and a slice is every fifth of them: its own map is still fitted on some and judged on others."""
    rng = np.random.default_rng(12)
    day = np.repeat(np.arange(100), 20)
    weekday = np.array(["Mo", "Tu", "We", "Th", "Fr"])[day % 5]
    y, z = drawn(2000, 12, scale=3.0)
    wrong = z + np.where(weekday == "Fr", 2.5, 0.0) + 0 * rng.normal(size=2000)
    first = sliced(y, wrong, {"weekday": weekday}, group=day).named[0]
    assert (first.name, first.verdict) == ("weekday = Fr", "worse calibrated")
    inside = weekday == "Fr"
    most = (nats(wrong, y) - nats(z, y))[inside].mean()
    assert first.calibration == pytest.approx(most, rel=0.15)
    # beyond what the others ask for, which is next to nothing
    assert first.nats == pytest.approx(first.calibration * inside.mean(), rel=0.25)


def test_k_classes_are_judged_by_their_first_choice() -> None:
    from logloss.surprises import per_row
    from logloss.why.remedies import remedies

    rng = np.random.default_rng(13)
    y, Z = drawn(2000, 13, 4, 2.0)
    site = rng.choice(list("abcde"), 2000)
    Z = Z * np.where(site == "d", 3.0, 1.0)[:, None]
    record = observe(y, Z, space="logit")
    found = of_record(record, {"site": site}, remedies(record).held, per_row(record), replicates=199)
    assert found.named[0].name == "site = d"
    assert found.named[0].verdict == "worse calibrated"


def test_no_columns_no_slices() -> None:
    y, z, _, _ = small()
    record = observe(y, z, space="logit")
    found = of_record(record, {"one": np.ones(240)}, held_of(y, z), nats(z, y))
    assert (found.rows, found.looked_at, [note.id for note in found.notes]) == ((), 0, ["not-sliced"])
    assert of_record(record, {}, held_of(y, z), nats(z, y)).rows == ()


def test_the_seed_alone_decides() -> None:
    y, z, columns, w = small(14)
    a, b = (sliced(y, z, columns, weight=w).to_dict() for _ in range(2))
    assert a == b
    assert sliced(y, z, columns, weight=w, seed=1).to_dict() != a
