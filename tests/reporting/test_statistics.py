"""Intervals and tests against published values and against independent computation."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from econ.reporting.statistics import (
    detectable,
    holm,
    least_significant,
    mcnemar,
    mean_interval,
    paired,
    pooled_interval,
    sign_flip,
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


Draw = Callable[[np.random.Generator, int], list[float]]


def answers_of(win: float, loss: float, seeds: int) -> Draw:
    """Differences of two methods with these chances of being the only one right, on problems of all kinds."""

    def draw(rng: np.random.Generator, n: int) -> list[float]:
        if seeds == 1:
            return list(rng.choice([1.0, 0.0, -1.0], n, p=[win, 1 - win - loss, loss]))
        right = rng.beta(0.6, 0.6, n)
        ours = rng.binomial(seeds, right * (1 - win + loss) + win - loss) / seeds
        return list(ours - rng.binomial(seeds, right * (1 - win + loss)) / seeds)

    return draw


@pytest.mark.parametrize("n", [10, 30])
@pytest.mark.parametrize(
    ("win", "loss", "seeds"), [(0.1, 0, 1), (0.3, 0.1, 1), (0.5, 0.1, 1), (0.1, 0, 3), (0.3, 0.1, 10)]
)
def test_the_interval_covers_at_small_n(n: int, win: float, loss: float, seeds: int) -> None:
    rng, draw = np.random.default_rng(n), answers_of(win, loss, seeds)
    within = [low - 1e-12 <= win - loss <= high + 1e-12 for low, high in drawn_intervals(rng, draw, n)]
    assert statistics.fmean(within) >= 0.92  # 0.95 less what 400 draws and few discordant problems allow


def drawn_intervals(rng: np.random.Generator, draw: Draw, n: int) -> list[tuple[float, float]]:
    return [mean_interval(draw(rng, n)) for _ in range(400)]


def test_a_percentile_bootstrap_would_not_cover() -> None:
    """The negative control: what n = 10 problems have not shown, no resampling of them can show."""
    rng, draw = np.random.default_rng(10), answers_of(0.1, 0, 1)
    within = []
    for _ in range(200):
        drawn = rng.choice(draw(rng, 10), (400, 10)).mean(axis=1)
        low, high = np.quantile(drawn, [0.025, 0.975])
        within.append(low <= 0.1 <= high)
    assert statistics.fmean(within) < 0.8


def test_with_many_problems_the_interval_is_the_normal_one() -> None:
    low, high = mean_interval([1.0] * 1200 + [0.0] * 2200 + [-1.0] * 600)
    mean, spread = 600 / 4000, math.sqrt((1800 / 4000 - (600 / 4000) ** 2) / 4000)
    assert (low, high) == pytest.approx((mean - 1.96 * spread, mean + 1.96 * spread), abs=1e-4)


def test_no_difference_at_all_is_known_the_better_the_more_problems_say_so() -> None:
    few, many = mean_interval([0.0] * 10), mean_interval([0.0] * 1000)
    assert few[1] == -few[0] > 0.2
    assert many[1] == -many[0] < 0.003
    assert not paired([1] * 10, [1] * 10).no_worse
    assert paired([1] * 1000, [1] * 1000).no_worse
    assert mean_interval([0.3]) == (-1, 1)


def test_repeating_a_question_adds_nothing() -> None:
    """Problems made of one source question stand together; as problems of their own they count thrice."""
    once = [1.0, 0.0, -1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0]
    thrice, questions = once * 3, [*range(10)] * 3
    assert sign_flip(thrice, questions) == pytest.approx(sign_flip(once))
    assert sign_flip(thrice) < sign_flip(once) / 10
    clustered, own = mean_interval(thrice, questions), mean_interval(once)
    assert clustered == pytest.approx(own)


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=60))
def test_with_one_seed_sign_flips_are_mcnemar(differences: list[float]) -> None:
    assert sign_flip(differences) == pytest.approx(mcnemar(differences.count(1), differences.count(-1)))


@settings(max_examples=40)
@given(st.lists(st.integers(-6, 6), min_size=1, max_size=9))
def test_sign_flips_are_counted_exactly(steps: list[int]) -> None:
    sums = [abs(sum(s * f for s, f in zip(steps, flip, strict=True))) for flip in signs(len(steps))]
    share = statistics.fmean(total >= abs(sum(steps)) for total in sums)
    assert sign_flip([step / 6 for step in steps]) == pytest.approx(share)


def signs(n: int) -> list[tuple[int, ...]]:
    return list(itertools.product((-1, 1), repeat=n))


def test_differences_of_no_common_fraction_are_flipped_at_random() -> None:
    differences = [math.sqrt(k) / 7 for k in range(1, 11)]
    assert sign_flip(differences) == pytest.approx(2 / 2**10, abs=0.0015)


def test_several_seeds_reject_as_often_as_they_say() -> None:
    """A method sure of itself against one that wavers, equally right: mean 0, but no median of 0.

    McNemar's test of the signs of means over 10 seeds rejects that ever more often; the test of the mean not.
    """
    rng, n, seeds, flips, signs_of_means = np.random.default_rng(3), 300, 10, [], []
    for _ in range(200):
        steady, wavering = np.full(n, 0.8), rng.beta(8, 2, n)
        differences = (rng.binomial(seeds, wavering) - rng.binomial(seeds, steady)) / seeds
        flips.append(sign_flip(list(differences)) <= 0.05)
        signs_of_means.append(mcnemar((differences > 0).sum(), (differences < 0).sum()) <= 0.05)
    assert statistics.fmean(flips) <= 0.09
    assert statistics.fmean(signs_of_means) >= 0.12


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
