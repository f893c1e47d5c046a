"""Who commits to what: the vote, an LLM's recorded commitments, and a model of them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econ.equilibrium.empirical.coordinators import Cached, confidence, fit_surrogate, vote
from econ.equilibrium.empirical.responses import INVALID
from econ.errors import EconError
from econ.simulation.team import plurality

NOWHERE = np.zeros(1, dtype=int)


@pytest.mark.parametrize(
    ("classes", "winner", "share"),
    [
        ([0, 1, 1], 1, 2 / 3),
        ([2, 1, 0], 2, 1 / 3),
        ([2, 1, 1, 2], 2, 1 / 2),
        ([INVALID, INVALID, 3], 3, 1 / 3),
        ([INVALID, INVALID], INVALID, 0),
    ],
)
def test_the_plurality_wins_and_ties_go_to_the_earliest(
    classes: list[int], winner: int, share: float
) -> None:
    assert vote(NOWHERE, np.array([classes])) == [winner]
    assert confidence(np.array([classes])) == pytest.approx([share])


@given(st.lists(st.sampled_from([0, 1]), min_size=1, max_size=7))
def test_the_vote_is_the_simulated_coordinators(classes: list[int]) -> None:
    assert vote(NOWHERE, np.array([classes])) == [classes[plurality(tuple(classes))]]


def test_recorded_commitments_are_looked_up_and_missing_ones_named() -> None:
    table = {(0, (0, 1)): 1, (4, (2, 2)): 2}
    cached = Cached(table)
    assert cached(np.array([4, 0]), np.array([[2, 2], [0, 1]])).tolist() == [2, 1]
    with pytest.raises(EconError, match=r"1 tuples .* problem 4, classes \(0, 1\)"):
        cached(np.array([4, 4]), np.array([[0, 1], [0, 1]]))
    assert cached.agreement({(0, (0, 1)): 1, (4, (2, 2)): 0}) == 0.5


def test_the_surrogate_learns_a_coordinator_that_votes_and_one_that_trusts_the_first() -> None:
    tuples = np.array([*product(range(3), repeat=5)])
    unseen = np.random.default_rng(0).integers(0, 4, (500, 5))
    nowhere = np.zeros(len(tuples), dtype=int)
    for rule in (vote, lambda problems, classes: classes[:, 0]):
        told = {
            (0, tuple(row)): int(c) for row, c in zip(tuples.tolist(), rule(nowhere, tuples), strict=True)
        }
        found = fit_surrogate(told)(np.zeros(500, dtype=int), unseen)
        assert (found == rule(np.zeros(500, dtype=int), unseen)).mean() > 0.97
    with pytest.raises(EconError, match="nothing to fit"):
        fit_surrogate({(0, (1, 2)): 5})
