"""Certificates on banks whose equilibrium is known."""

from __future__ import annotations

import numpy as np
import pytest

from econ.equilibrium.empirical.bands import folds, interval, simultaneous
from econ.equilibrium.empirical.certificate import Certificate, certificates, certify, over_seeds
from econ.equilibrium.empirical.payoffs import TEAM
from econ.equilibrium.empirical.profiles import pure
from econ.equilibrium.empirical.responses import Array, ResponseTable
from econ.equilibrium.empirical.values import values
from tests.equilibrium.synthetic_bank import BEST, GRID, SKILL, World, expected, payoffs

TEAM_OF_3 = (0, 0, 0)
WORLD = World(SKILL[None])
MIDDLE = int(np.abs(GRID - [1.0, 1.1]).sum(axis=1).argmin())


def certified(table: ResponseTable, cells: tuple[int, ...], features: Array | None = None) -> Certificate:
    profile = pure(len(GRID), np.array(cells))
    found = values(table, TEAM_OF_3, profile, payoffs(table), most=64)
    return certificates(found, table.clusters, features)[TEAM]


def true_epsilon(world: World, cells: tuple[int, ...]) -> float:
    truth = world.probabilities(5000, np.random.default_rng(99))
    paid = [expected(truth, TEAM_OF_3, cells, agent)[:, :, 1].mean(axis=0) for agent in range(3)]
    return max(0.0, *(float((paid[i] - paid[i][cells[i]]).max()) for i in range(3)))


def test_a_team_at_its_optimum_is_certified_and_one_agent_moved_off_is_found_out() -> None:
    table = WORLD.draw(200, 8, 1)
    at_rest = certified(table, (BEST,) * 3)
    assert (at_rest.lower, at_rest.epsilon) == (0, 0)
    assert at_rest.upper < 0.02
    moved = certified(table, (BEST, BEST, 15))
    assert moved.lower > 0
    assert [agent.lower > 0 for agent in moved.by_agent] == [False, False, True]
    assert moved.by_agent[2].cell == BEST


def test_the_middle_of_the_ranges_has_the_epsilon_of_the_closed_form() -> None:
    found = certified(WORLD.draw(200, 8, 2), (MIDDLE,) * 3)
    exact = true_epsilon(WORLD, (MIDDLE,) * 3)
    assert 0 < found.lower <= exact <= found.upper
    assert found.epsilon == pytest.approx(exact, abs=0.015)
    assert found.nash_conv == pytest.approx(sum(agent.epsilon for agent in found.by_agent))


@pytest.mark.parametrize(("problems", "taste"), [(50, 1.0), (100, 0.0)])
def test_the_band_covers(problems: int, taste: float) -> None:
    """A small part of `econ study coverage`, in a nearly flat game, where the maximum deceives most."""
    world, cells = World(SKILL[None] / 10, taste=taste), (BEST, BEST, 12)
    exact = true_epsilon(world, cells)
    found = [certified(world.draw(problems, 8, seed), cells) for seed in range(25)]
    assert sum(c.lower <= exact <= c.upper for c in found) >= 23


def test_the_naive_maximum_is_biased_and_the_crossed_one_hardly() -> None:
    flat = World(np.zeros((1, len(GRID))))  # every profile is an equilibrium
    found = [certified(flat.draw(60, 8, seed), (0, 0, 0)) for seed in range(20)]
    assert np.mean([c.naive for c in found]) > 0.008
    assert np.mean([c.epsilon for c in found]) < np.mean([c.naive for c in found]) / 2
    assert all(c.lower <= c.epsilon <= c.upper for c in found)


def by_kind(problems: int, seed: int) -> tuple[ResponseTable, Array]:
    """Problems of two kinds, told by their features; each has the better cell that ruins the other."""
    kinds = np.arange(problems) % 2
    rng = np.random.default_rng(seed)
    cold, hot = (World(np.where(GRID[:, 0] < 0.8, good, -good)[None]) for good in (2.0, -2.0))
    tables = [world.draw(problems, 8, seed + k) for k, world in enumerate((cold, hot))]
    classes = np.where(kinds[:, None, None, None] == 0, tables[0].classes, tables[1].classes)
    features = np.column_stack([kinds + rng.normal(0, 0.1, problems), rng.normal(size=(problems, 3))])
    table = tables[0]
    return ResponseTable(
        GRID, classes, table.right, table.task, table.similar, table.tokens, np.arange(problems)
    ), features


def test_deviations_that_read_the_problem_find_what_constant_ones_cannot() -> None:
    table, features = by_kind(120, 4)
    constant, informed = certified(table, (0, 0, 0)), certified(table, (0, 0, 0), features)
    assert (constant.deviations, informed.deviations) == ("D0", "D1")
    assert informed.lower > constant.epsilon + 0.02
    rng = np.random.default_rng(5)
    blind = certified(table, (0, 0, 0), rng.permuted(features, axis=0))  # the control: features told nothing
    assert blind.epsilon < informed.epsilon / 2
    assert blind.naive >= blind.epsilon


def test_problems_of_one_question_count_once() -> None:
    rng = np.random.default_rng(6)
    columns, clusters = rng.normal(0.1, 1, (40, 5)), np.arange(40)
    once = simultaneous(columns, clusters)
    thrice = simultaneous(np.tile(columns, (3, 1)), np.tile(clusters, 3))
    assert thrice.mean == pytest.approx(once.mean)
    assert thrice.error == pytest.approx(once.error)
    assert thrice.factor == pytest.approx(once.factor)
    assert interval(np.tile(columns[:, 0], 3), np.tile(clusters, 3)) == pytest.approx(
        interval(columns[:, 0], clusters)
    )
    fold = folds(np.tile(clusters, 3), 5)
    assert (fold.reshape(3, 40) == fold[:40]).all()


def test_a_band_over_one_column_is_students_interval() -> None:
    column = np.random.default_rng(7).normal(size=60)
    band = simultaneous(column[:, None], np.arange(60))
    mean, low, high = interval(column, np.arange(60))
    assert (band.mean[0], band.low[0], band.high[0]) == pytest.approx((mean, low, high), abs=0.02)


def test_seeds_are_seeds_and_not_more_problems() -> None:
    rng = np.random.default_rng(8)
    found = [
        certify(rng.normal(-0.1 + 0.2 * s, 0.1, (50, 2, 3)), rng.normal(size=50), np.arange(50))
        for s in range(5)
    ]
    told = over_seeds([(c.epsilon, c.lower, c.upper) for c in found])
    assert told.seeds == 5
    assert told.low < told.epsilon < told.high
    assert told.largest_upper == max(c.upper for c in found)
    assert told.equilibria_rejected == sum(c.lower > 0 for c in found)
