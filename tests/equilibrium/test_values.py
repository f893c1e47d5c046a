"""Expected payoffs from a bank: unbiased, exact where they can be, on the grid and between its points."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.equilibrium.empirical.payoffs import TEAM, TeamPayoffs
from econ.equilibrium.empirical.profiles import mixed, pure
from econ.equilibrium.empirical.responses import INVALID, Array, ResponseTable, needs_samples, table_of
from econ.equilibrium.empirical.values import distinct, distinct_samples, values
from econ.errors import EconError
from econ.params import Reward, Simulated
from econ.simulation.team import SimulatedGame
from tests.equilibrium.synthetic_bank import BEST, GRID, SKILL, World, drawn, expected, payoffs

TEAM_OF_3 = (0, 0, 0)
WORLD = World(SKILL[None])


def accuracy(table: ResponseTable) -> float:
    """Of the vote of three, by distinct samples."""
    found = values(table, TEAM_OF_3, np.ones((3, 1)), payoffs(table), most=64)
    return float(found.profile[:, 0, 2].mean())


def with_replacement(table: ResponseTable) -> float:
    """The plug-in estimate: every agent may draw the very same sample."""
    tuples = np.array([*product(range(table.samples), repeat=3)])
    rows, classes = np.repeat(np.arange(table.problems), len(tuples)), table.classes[:, 0, 0][:, tuples]
    first, where = distinct(rows, classes.reshape(-1, 3))
    return float(payoffs(table)(rows[first], classes.reshape(-1, 3)[first])[where, 0, 2].mean())


@pytest.mark.parametrize(("samples", "tables", "bias"), [(3, 12, -0.02), (8, 3, -0.006)])
def test_distinct_samples_leave_no_bias_and_replacement_does(samples: int, tables: int, bias: float) -> None:
    truth, rng = (
        World(SKILL[None, [BEST]]).probabilities(3000, np.random.default_rng(5)),
        np.random.default_rng(6),
    )
    exact = expected(truth, TEAM_OF_3, (0, 0, 0), 0)[:, 0, 2].mean()
    banks = [drawn(truth, samples, rng) for _ in range(tables)]
    assert np.mean([accuracy(bank) for bank in banks]) == pytest.approx(exact, abs=0.006)
    assert np.mean([with_replacement(bank) for bank in banks]) < exact + bias


def test_all_deviations_agree_with_the_closed_form() -> None:
    truth = WORLD.probabilities(60, np.random.default_rng(7))
    table = drawn(truth, 48, np.random.default_rng(8))
    cells = (BEST, 0, 17)
    found = values(table, TEAM_OF_3, pure(len(GRID), np.array(cells)), payoffs(table))
    for agent in range(3):
        exact = expected(truth, TEAM_OF_3, cells, agent)
        assert found.by_cell[:, agent].mean(axis=0) == pytest.approx(exact.mean(axis=0), abs=0.02)


def test_a_game_of_classes_is_the_simulated_teams() -> None:
    """Answers in exactly their expected numbers: r_tot and accuracy of the closed form, to the last digit."""
    game = SimulatedGame(3, Simulated(), Reward(), (0.2, 0.7))
    rights = np.array([[0.25, 0.5, 0.75], [0.0, 0.5, 0.25]])  # of each agent on either problem, in quarters
    classes = (np.arange(4) >= 4 * rights[:, :, None, None]).astype(int)  # else the common mistake
    right, alone = classes == 0, np.tile(np.eye(2), (2, 1, 1))
    table = table_of(GRID[:1], classes, 1.0 * right, right, np.ones_like(classes), alone)
    exact = [
        np.mean([contracted(grid, [[r, 1 - r, 0.0] for r in row]) for row in rights]) for grid in game._tables
    ]
    found = values(table, (0, 1, 2), np.ones((3, 1)), TeamPayoffs(table, (0.4, 0.4, 0.2), Reward()))
    assert found.profile[:, 0, 1:].mean(axis=0) == pytest.approx(exact, abs=1e-12)


def contracted(grid: Array, by_agent: list[list[float]]) -> float:
    for chance in reversed(by_agent):
        grid = grid @ np.array(chance)
    return float(grid)


def test_mixing_over_cells_is_exact_where_all_combinations_fit_and_near_where_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = WORLD.draw(30, 4, 3)
    weights = mixed(GRID, np.array([[0.5, 1.05], [0.7, 1.0], [1.0, 1.2]]))
    exact = values(table, TEAM_OF_3, weights, payoffs(table))
    by_hand = np.zeros_like(exact.profile)
    for cells in product(*(np.flatnonzero(w) for w in weights)):
        chance = np.prod([weights[i, cell] for i, cell in enumerate(cells)])
        by_hand += chance * values(table, TEAM_OF_3, pure(18, np.array(cells)), payoffs(table)).profile
    assert exact.profile == pytest.approx(by_hand, abs=1e-12)
    monkeypatch.setattr("econ.equilibrium.empirical.values.ALL", 0)
    drawn_cells = values(table, TEAM_OF_3, weights, payoffs(table))
    assert drawn_cells.profile.mean(axis=0) == pytest.approx(exact.profile.mean(axis=0), abs=0.006)


@settings(max_examples=50)
@given(st.integers(2, 12), st.integers(1, 4), st.integers(0, 2), st.sampled_from([24, 512]))
def test_sample_numbers_are_distinct_within_a_model_and_used_equally(
    samples: int, same: int, others: int, most: int
) -> None:
    same = min(same, samples)
    team = (0,) * same + (1,) * min(others, samples)
    drawn_ = distinct_samples(samples, team, most, np.random.default_rng(0))
    for row in drawn_[:50]:
        assert len(set(row[:same])) == same
    for column in drawn_.T:
        assert len(set(np.bincount(column, minlength=samples))) == 1
    assert len(drawn_) <= max(most, samples)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 200), st.integers(1, 6), st.sampled_from([3, 40, 2000]))
def test_distinct_rows_are_found_by_code_and_by_sorting_alike(rows: int, n: int, kinds: int) -> None:
    rng = np.random.default_rng(rows)
    problems, classes = rng.integers(0, 5, rows), rng.integers(INVALID, kinds, (rows, n))
    first, where = distinct(problems, classes)
    whole = np.column_stack([problems, classes])
    assert (whole[first][where] == whole).all()
    assert len(first) == len(np.unique(whole, axis=0))


def test_actions_between_the_cells_mix_their_corners() -> None:
    weights = mixed(GRID, np.array([0.55, 1.05]))
    assert weights @ GRID == pytest.approx([0.55, 1.05])
    assert (weights > 0).sum() == 4
    assert mixed(GRID, np.array([0.56, 1.06]), nearest=True) @ GRID == pytest.approx([0.7, 1.1])
    assert mixed(GRID, GRID) == pytest.approx(np.eye(len(GRID)))


def test_an_action_off_the_grid_is_named() -> None:
    with pytest.raises(EconError, match=r"temperature 1\.9 lies off .* 0\.1 to 1\.6"):
        mixed(GRID, np.array([1.9, 1.1]))
    with pytest.raises(EconError, match="no full grid"):
        mixed(GRID[:-1], np.array([1.0, 1.1]))


def test_too_few_samples_for_the_team_are_named() -> None:
    table = WORLD.draw(3, 3, 0)
    with pytest.raises(EconError, match=r"3 samples a cell.*3 agents.*at least 4"):
        needs_samples(table, TEAM_OF_3)
    needs_samples(table, (0, 0))


def test_unreadable_answers_earn_nothing_and_do_not_vote() -> None:
    classes = np.array([[[[INVALID, 0]]]])
    table = table_of(GRID[:1], classes, 1.0 * (classes == 0), classes == 0, classes + 5, np.eye(1)[None])
    paid = TeamPayoffs(table, (0.4, 0.4, 0.2), Reward())
    rows = np.zeros(2, dtype=int)
    own, team, right = paid(rows, np.array([[INVALID, 0], [INVALID, INVALID]])).transpose(2, 0, 1)
    assert own[0] == pytest.approx([0, 1])
    assert own[1] == pytest.approx([0, 0])
    assert right.tolist() == [[1, 1], [0, 0]]
    assert team[0] == pytest.approx([0.5 * 0.5 + 0.5] * 2)
    assert paid.names.index(TEAM) == 1
