"""What could be won on banks where it is known, and learners and their regret on them."""

from __future__ import annotations

import numpy as np
import pytest

from econ.equilibrium.empirical.learners import LEARNERS, play
from econ.equilibrium.empirical.payoffs import ACCURACY, OWN, TEAM, MatrixPayoffs, On, moves_table
from econ.equilibrium.empirical.profiles import pure
from econ.equilibrium.empirical.regret import Worth, growth, pseudo_regret, verdict
from econ.equilibrium.empirical.responses import Array
from econ.equilibrium.empirical.search import Game, best_joint, best_responses, joint_values, uniform_values
from econ.equilibrium.empirical.welfare import (
    anarchy,
    confidences,
    coordinator_rows,
    crossed,
    difference,
    ladder,
    of,
    weighted_vote,
)
from tests.equilibrium.synthetic_bank import BEST, GRID, SKILL, World, payoffs

COLD, HOT = 2 * SKILL, 2 * SKILL[::-1]  # two models: what is best for one ruins the other


def game(world: World, payoff: str = TEAM, problems: int = 100, team: tuple[int, ...] = (0, 0, 0)) -> Game:
    table = world.draw(problems, 6, 11)
    return Game(table, team, payoffs(table), payoff)


MIXED = game(World(np.stack([COLD, HOT])), team=(0, 0, 1))


def test_a_team_of_unlike_models_wants_unlike_actions() -> None:
    best = best_joint(MIXED)
    assert best == (BEST, BEST, int(HOT.argmax()))
    rows = ladder(MIXED, {"trained": pure(18, np.array(best)), "untrained": np.full((3, 18), 1 / 18)})
    gain, low, _ = difference(rows["best_joint"], rows["best_uniform"], MIXED.table.clusters)
    assert gain > low > 0.01
    assert rows["trained"].value == pytest.approx(rows["best_joint"].value, abs=1e-12)
    assert rows["untrained"].value < rows["best_uniform"].value < rows["best_joint"].value
    assert rows["best_joint"].value < rows["ceiling"].value
    assert rows["best_joint"].action == GRID[list(best)].tolist()


def test_an_equal_team_gains_nothing_by_unlike_actions() -> None:
    rows = ladder(game(World(SKILL[None]), ACCURACY), {})
    assert rows["best_uniform"].action == [GRID[BEST].tolist()] * 3
    assert difference(rows["best_joint"], rows["best_uniform"], np.arange(100))[0] == pytest.approx(
        0, abs=0.01
    )


def test_a_choice_is_valued_on_problems_that_it_was_not_made_on() -> None:
    """Where nothing matters, the best of all cells looks good on its own problems and is not on others."""
    world, gaps, own = World(np.zeros((1, 18)), taste=1.0), [], []
    for seed in range(12):
        table = world.draw(40, 4, seed)
        flat = Game(table, (0, 0, 0), payoffs(table), ACCURACY)
        means = uniform_values(flat).mean(axis=1)
        fair = crossed(flat, lambda part: (int(uniform_values(part).mean(axis=1).argmax()),) * 3)
        gaps.append(fair.value - means.mean())
        own.append(means.max() - means.mean())
    assert np.mean(own) > 0.05
    assert np.mean(gaps) == pytest.approx(0, abs=0.04)


def test_the_best_rule_reads_the_problem() -> None:
    ease = np.arange(120) % 2
    halves = [World(s[None]).draw(120, 6, 3) for s in (COLD, HOT)]
    classes = np.where(ease[:, None, None, None] == 0, halves[0].classes, halves[1].classes)
    table = type(halves[0])(**{**vars(halves[0]), "classes": classes})
    rows = ladder(Game(table, (0, 0, 0), payoffs(table), TEAM), {}, features=ease[:, None].astype(float))
    assert rows["best_rule"].low > rows["best_joint"].value


def test_coordinators_are_ranked_from_the_same_answers() -> None:
    table = World(SKILL[None]).draw(150, 6, 5)
    good = np.where(table.correct, 1.0, 0.0) + np.random.default_rng(0).normal(0, 0.7, table.classes.shape)
    weight = confidences(table, good[..., None])
    profile = pure(18, np.full(3, BEST))
    rows = coordinator_rows(table, (0, 0, 0), profile, payoffs(table), {}, weight)
    assert rows["answer"].value < rows["vote"].value < rows["weighted_vote"].value < rows["oracle"].value
    assert rows["oracle"].value <= rows["ever"].value == 1.0
    cells, equal = np.full((150, 3), BEST), np.ones(table.classes.shape)
    assert weighted_vote(table, (0, 0, 0), cells, equal) == pytest.approx(rows["vote"].by_problem)


def matrix(own: list[list[float]]) -> Game:
    payoff = np.stack([np.array(own), np.array(own).T], axis=-1)[None]
    return Game(moves_table(1, payoff.shape[1:3]), (0, 1), MatrixPayoffs(payoff), OWN)


def test_the_price_of_anarchy_of_a_dilemma_and_of_a_stag_hunt() -> None:
    dilemma = anarchy(matrix([[3, 0], [4, 1]]))  # everybody's best is (3, 3), selfish agents rest at (1, 1)
    assert (dilemma.best, dilemma.worst, dilemma.price) == pytest.approx((3, 1, 3))
    assert [rest.cells for rest, _ in dilemma.rests] == [(1, 1)]
    hunt = matrix([[4, 1], [3, 2]])
    assert best_responses(hunt, (0, 0)).cells == (0, 0)
    assert best_responses(hunt, (1, 1)).cells == (1, 1)
    pennies = np.array([[1.0, -1], [-1, 1]])
    chase = Game(moves_table(1, (2, 2)), (0, 1), MatrixPayoffs(np.stack([pennies, -pennies], -1)[None]), OWN)
    assert not best_responses(chase, (0, 0)).settled


def test_part_of_a_game_pays_what_the_whole_pays_there() -> None:
    rows = np.arange(100) % 3 == 1
    part, chosen = of(MIXED, rows), np.array([[BEST, 0, 4]])
    assert isinstance(part.payoffs, On)
    assert joint_values(part, chosen) == pytest.approx(joint_values(MIXED, chosen)[:, rows])


@pytest.mark.parametrize("name", LEARNERS)
def test_learners_learn(name: str) -> None:
    easy = game(World(2 * SKILL[None]), problems=40)
    played = play(easy, name, 600, (0, 1, 2))
    again = play(easy, name, 600, (0, 1, 2))
    assert (played.cells == again.cells).all()
    worth = Worth(easy)
    early, late = worth(played.cells[:, :100]).mean(), worth(played.cells[:, -100:]).mean()
    assert late > early + 0.02
    assert worth(played.favourite).mean() > early
    best = float(worth(np.array(best_joint(easy))[None])[0])
    assert (pseudo_regret(worth(played.cells), best) > 0).all()


HORIZONS = (100, 200, 400, 800, 1600, 3200)


@pytest.mark.parametrize(
    ("power", "told"),
    [(0.5, "sqrt(T) is not excluded"), (0.75, "faster than sqrt(T)"), (1.0, "linear growth is not excluded")],
)
def test_growth_is_read_off_horizons(power: float, told: str) -> None:
    rng = np.random.default_rng(1)
    noise = np.exp(rng.normal(0, 0.3, (10, 1)) + rng.normal(0, 0.05, (10, 6)))
    found = growth(HORIZONS, 3 * np.array(HORIZONS) ** power * noise)
    assert found.low < power < found.high
    assert found.slope == pytest.approx(power, abs=0.03)
    assert told in found.verdict


def test_growth_says_when_it_can_say_nothing() -> None:
    regrets: Array = np.ones((3, 6))
    assert "lost nothing" in growth(HORIZONS, regrets - np.eye(3, 6)).verdict
    assert "one seed" in growth(HORIZONS, regrets[:1] * HORIZONS).verdict


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(0.1, 0.4, "slower than sqrt"), (0.4, 1.2, "nor is sqrt"), (1.1, 1.3, "faster than linear")],
)
def test_verdicts(low: float, high: float, told: str) -> None:
    assert told in verdict(low, high)
