"""Intervals and tests against published values and against independent computation."""

from __future__ import annotations

import math
import statistics
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from econ.reporting.statistics import (
    bootstrap,
    detectable,
    holm,
    least_significant,
    mcnemar,
    paired,
    pooled_interval,
    wilson,
)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3 (Wilson's score).
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(counts: tuple[int, int]) -> None:
    interval = stats.binomtest(*counts).proportion_ci(method="wilson")
    assert wilson(*counts) == pytest.approx((interval.low, interval.high), abs=1e-9)


def test_no_answers_leave_everything_open() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_one_seed_is_wilson(outcomes: list[bool]) -> None:
    assert pooled_interval([[o] for o in outcomes]) == pytest.approx(wilson(sum(outcomes), len(outcomes)))


@given(st.lists(st.booleans(), min_size=2, max_size=60), st.integers(2, 5))
def test_seeds_that_repeat_each_other_add_nothing(outcomes: list[bool], seeds: int) -> None:
    low, high = pooled_interval([[o] * seeds for o in outcomes])
    one_low, one_high = wilson(sum(outcomes), len(outcomes))
    assert (low, high) == pytest.approx((one_low, one_high))


def test_seeds_that_differ_narrow_the_interval() -> None:
    together = pooled_interval([[True, False]] * 20)
    assert together == pytest.approx(wilson(20, 40))


@pytest.mark.parametrize(
    ("wins", "losses", "p"),
    # 9 against 4: 2 * (1 + 13 + 78 + 286 + 715) / 2^13.
    [(9, 4, 2 * 1093 / 8192), (6, 0, 2 / 64), (0, 5, 2 / 32), (0, 0, 1.0), (7, 7, 1.0)],
)
def test_mcnemar_is_exact(wins: int, losses: int, p: float) -> None:
    assert mcnemar(wins, losses) == pytest.approx(p)
    assert mcnemar(losses, wins) == pytest.approx(p)


def test_holm_adjusts_step_by_step() -> None:
    # By hand: 4 x 0.005, 3 x 0.01, 2 x 0.03, then 0.04 x 1 raised to its predecessor.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.6, 0.9]) == [1.0, 1.0]


def test_least_significant_is_what_mcnemar_allows() -> None:
    assert least_significant(40) == 6 / 40
    assert mcnemar(6, 0) <= 0.05 < mcnemar(5, 0)
    assert math.isnan(least_significant(5))


def test_bootstrap_of_equal_differences_says_nothing() -> None:
    assert all(map(math.isnan, bootstrap([0.0] * 10)))
    assert all(map(math.isnan, bootstrap([1.0])))


def test_bootstrap_is_repeatable_and_near_the_normal_interval() -> None:
    differences = [1.0] * 120 + [0.0] * 220 + [-1.0] * 60
    low, high = bootstrap(differences)
    assert (low, high) == bootstrap(differences)
    mean, spread = 60 / 400, math.sqrt((180 / 400 - (60 / 400) ** 2) / 400)
    assert low == pytest.approx(mean - 1.96 * spread, abs=0.01)
    assert high == pytest.approx(mean + 1.96 * spread, abs=0.01)


def test_bootstrap_agrees_with_scipys_and_asks_for_no_order() -> None:
    differences = [0.5] * 9 + [0.0] * 40 + [-1.0] * 4 + [1.0] * 12
    drawn = stats.bootstrap((differences,), statistics.fmean, method="percentile", rng=7, vectorized=False)
    interval = drawn.confidence_interval
    assert bootstrap(differences) == pytest.approx((interval.low, interval.high), abs=0.012)
    assert bootstrap(differences) == bootstrap(differences[::-1])


def power(n: int, difference: float, share: float) -> float:
    """Chance that ``n`` problems give p <= 0.05 in favour, summed over every count of wins and losses."""
    win, loss = (share + difference) / 2, (share - difference) / 2
    total = 0.0
    for wins in range(n + 1):
        for losses in range(n + 1 - wins):
            if wins > losses and mcnemar(wins, losses) <= 0.05:
                ways = comb(n, wins) * comb(n - wins, losses)
                total += ways * win**wins * loss**losses * (1 - share) ** (n - wins - losses)
    return total


@pytest.mark.parametrize(("n", "discordant"), [(20, 9), (14, 2), (25, 0)])
def test_detectable_has_the_power_it_claims(n: int, discordant: int) -> None:
    found, share = detectable(n, discordant), (discordant + 1) / (n + 2)
    assert power(n, found, max(share, found)) == pytest.approx(0.8, abs=0.005)


def test_too_few_problems_can_show_nothing() -> None:
    assert math.isnan(detectable(5, 1))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_paired_is_antisymmetric(outcomes: list[tuple[bool, bool]]) -> None:
    ours, theirs = [float(a) for a, _ in outcomes], [float(b) for _, b in outcomes]
    one, other = paired(ours, theirs), paired(theirs, ours)
    assert one.difference == pytest.approx(-other.difference)
    assert (one.wins, one.losses, one.p) == (other.losses, other.wins, other.p)


def test_paired_counts_problems() -> None:
    result = paired([1, 1, 1, 0, 0.5], [1, 0, 0, 1, 0.5])
    assert (result.n, result.wins, result.losses) == (5, 2, 1)
    assert result.difference == pytest.approx(1 / 5)
    assert result.p == 1.0
