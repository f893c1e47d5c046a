"""Games of the literature through the very code that certifies a team on a bank."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.equilibrium.empirical.certificate import certify, informed
from econ.equilibrium.empirical.payoffs import MatrixPayoffs, moves_table
from econ.equilibrium.empirical.responses import Array
from econ.equilibrium.empirical.values import Values, values
from econ.equilibrium.exploitability import regrets


def play(matrix: Array, strategies: list[list[float]]) -> Values:
    """A game of one case: payoffs [A_1, ..., A_N, N], a mixed strategy per player."""
    moves = matrix.shape[:-1]
    weights = np.array([[*s, *[0.0] * (max(moves) - len(s))] for s in strategies])
    return values(moves_table(1, moves), (*range(len(moves)),), weights, MatrixPayoffs(matrix[None]))


def nash_conv(matrix: Array, strategies: list[list[float]]) -> float:
    found = play(matrix, strategies)
    return certify(found.gains[..., 0], found.profile[..., 0].mean(axis=1), np.arange(1)).nash_conv


def symmetric(own: list[list[float]]) -> Array:
    return np.stack([np.array(own), np.array(own).T], axis=-1)


DILEMMA = symmetric([[-1, -3], [0, -2]])  # silent, betray
STAG_HUNT = symmetric([[4, 1], [3, 2]])  # stag, hare: two strict equilibria and the mixed (1/2, 1/2)


@pytest.mark.parametrize(
    ("game", "strategies", "expected"),
    [
        (DILEMMA, [[0, 1], [0, 1]], 0.0),
        (DILEMMA, [[1, 0], [1, 0]], 2.0),
        (DILEMMA, [[1, 0], [0, 1]], 1.0),
        (STAG_HUNT, [[1, 0], [1, 0]], 0.0),
        (STAG_HUNT, [[0, 1], [0, 1]], 0.0),
        (STAG_HUNT, [[0.5, 0.5], [0.5, 0.5]], 0.0),
        (STAG_HUNT, [[1, 0], [0, 1]], 2.0),
        (STAG_HUNT, [[0.75, 0.25], [0.5, 0.5]], 0.25),
    ],
)
def test_two_by_two_games(game: Array, strategies: list[list[float]], expected: float) -> None:
    assert nash_conv(game, strategies) == pytest.approx(expected, abs=1e-9)


def auction(worth: float, bids: Array) -> Array:
    """First-price, two bidders to whom the thing is worth the same, ties by a fair coin."""
    own, other = bids[:, None], bids[None, :]
    return symmetric(((worth - own) * (0.5 * (own == other) + (own > other))).tolist())


@pytest.mark.parametrize(
    ("bid", "expected"),
    # One step below its worth: nobody gains by outbidding (0) or by bidding less (0). At a half each earns
    # a quarter, and the next bid up would earn 0.4.
    [(9, 0.0), (5, 2 * 0.15), (10, 0.0)],
)
def test_first_price_auction_on_a_grid(bid: int, expected: float) -> None:
    chosen = [float(place == bid) for place in range(11)]
    game = auction(1.0, np.arange(11) / 10)
    assert nash_conv(game, [chosen, chosen]) == pytest.approx(expected, abs=1e-9)


DEALS = [*permutations(range(3), 2)]
FIRST = ["bet", "pass, fold", "pass, call"]
SECOND = [*product(["check", "raise"], ["fold", "call"])]  # after a pass, after a bet


def kuhn() -> Array:
    """Kuhn poker (1950): the six deals, plans of both players: [6, 3, 4, 2]."""
    game = np.zeros((6, 4, 4, 2))
    for deal, (mine, theirs) in enumerate(DEALS):
        ahead = 1 if mine > theirs else -1
        for a, (b, (after_pass, after_bet)) in product(range(4), enumerate(SECOND)):
            plan = FIRST[min(a, 2)]
            if plan == "bet":
                won = 1 if after_bet == "fold" else 2 * ahead
            elif after_pass == "check":
                won = ahead
            else:
                won = -1 if plan == "pass, fold" else 2 * ahead
            game[deal, a, b] = won, -won
    return game


def dealt(first: list[list[float]], second: list[list[float]]) -> Values:
    """Strategies over plans by own card, played on every deal."""
    weights = np.array([[[*first[mine], 0.0], second[theirs]] for mine, theirs in DEALS])
    return values(moves_table(6, (3, 4)), (0, 1), weights, MatrixPayoffs(kuhn()))


def test_uniform_kuhn_poker_has_nash_conv_eleven_twelfths() -> None:
    found = dealt([[0.5, 0.25, 0.25]] * 3, [[0.25] * 4] * 3)
    assert informed(found.gains[..., 0], np.array(DEALS)).sum() == pytest.approx(11 / 12, abs=1e-9)


@pytest.mark.parametrize("bluff", [0.0, 0.2, 1 / 3])
def test_kuhn_pokers_equilibria_gain_nothing_and_are_worth_a_loss_of_an_eighteenth(bluff: float) -> None:
    third = 1 / 3
    first = [
        [bluff, 1 - bluff, 0],
        [0, 1 - bluff - third, bluff + third],
        [3 * bluff, 0, 1 - 3 * bluff],
    ]
    second = [[1 - third, 0, third, 0], [1 - third, third, 0, 0], [0, 0, 0, 1]]
    found = dealt(first, second)
    assert informed(found.gains[..., 0], np.array(DEALS)) == pytest.approx([0, 0], abs=1e-9)
    assert found.profile[:, 0, 0].mean() == pytest.approx(-1 / 18, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 3))
def test_bayesian_games_agree_with_the_exact_regrets(seed: int, types: int, moves: int) -> None:
    """Equally likely pairs of types as problems: the same gains as by summing over the prior."""
    rng = np.random.default_rng(seed)
    payoff = rng.normal(size=(types, types, moves, moves, 2))
    strategies = [rng.dirichlet(np.ones(moves), size=types) for _ in range(2)]
    cases = np.array([*product(range(types), repeat=2)])
    weights = np.stack([strategies[i][cases[:, i]] for i in range(2)], axis=1)
    game = MatrixPayoffs(payoff.reshape(-1, moves, moves, 2))
    found = values(moves_table(len(cases), (moves, moves)), (0, 1), weights, game)
    exact = regrets(np.full((types, types), 1 / types**2), [payoff[..., i] for i in range(2)], strategies)
    assert informed(found.gains[..., 0], cases) == pytest.approx(exact, abs=1e-9)
