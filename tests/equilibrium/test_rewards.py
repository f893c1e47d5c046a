import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.equilibrium import rewards
from econ.params import Reward

SETTINGS = settings(max_examples=60, deadline=None)


@SETTINGS
@given(
    values=st.lists(st.floats(-3, 3), min_size=3, max_size=3),
    floor=st.floats(0, 0.3),
    on=st.sampled_from([(1, 1, 1), (1, 1, 0), (0, 1, 1), (0, 1, 0)]),
)
def test_alpha_is_projected_to_the_simplex_above_its_floor(
    values: list[float], floor: float, on: tuple[int, ...]
) -> None:
    chosen = np.array(on, dtype=float)
    floor = 0.0 if sum(on) == 1 else floor
    alpha = rewards.project(np.array(values) * chosen, chosen, floor)
    assert alpha.sum() == pytest.approx(1)
    assert (alpha[chosen > 0] >= floor - 1e-12).all()
    assert (alpha[chosen == 0] == 0).all()


@SETTINGS
@given(
    seed=st.integers(0, 1000),
    rate=st.floats(0, 100),
    floor=st.floats(0, 0.33),
    on=st.sampled_from([("AL", "TS", "CC"), ("AL", "CC"), ("TS",)]),
)
def test_a_learned_alpha_stays_on_the_simplex_above_its_floor(
    seed: int, rate: float, floor: float, on: tuple[str, ...]
) -> None:
    params = Reward(alpha_learning_rate=rate, alpha_floor=floor, components=on)
    generator, alpha = torch.Generator().manual_seed(seed), rewards.initial_weights(params)
    for _ in range(5):
        parts, outcome = torch.rand(8, 3, 3, generator=generator), torch.rand(8, generator=generator)
        alpha, loss = rewards.learn_weights(alpha, parts, outcome, params)
        assert math.isfinite(loss)
        assert alpha.sum().item() == pytest.approx(1)
        for weight, name in zip(alpha.tolist(), rewards.NAMES, strict=True):
            assert weight >= floor - 1e-9 if name in on else weight == 0


def test_projection_is_the_nearest_point() -> None:
    x = np.array([0.9, 0.4, -0.2])
    best = rewards.project(x, np.ones(3), 0.1)
    others = np.random.default_rng(0).random((2000, 3))
    others = 0.1 + 0.7 * others / others.sum(axis=1, keepdims=True)
    assert np.linalg.norm(x - best) <= np.linalg.norm(x - others, axis=1).min() + 1e-12


def one_round(
    answers: torch.Tensor,
    commitment: torch.Tensor,
    task: torch.Tensor,
    valid: torch.Tensor,
    committed: bool,
    params: Reward,
) -> torch.Tensor:
    rounds = (x.unsqueeze(0) for x in (answers, commitment, task, valid, torch.tensor(committed)))
    [parts] = rewards.components(*rounds, params)
    return parts


@SETTINGS
@given(n=st.integers(1, 5), seed=st.integers(0, 1000), r_max=st.floats(0.5, 3))
def test_every_component_lies_between_0_and_r_max(n: int, seed: int, r_max: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    parts = one_round(
        torch.randn(n, 6, generator=generator),
        torch.randn(6, generator=generator),
        torch.rand(n, generator=generator),
        torch.rand(n, generator=generator) > 0.3,
        True,
        Reward(r_max=r_max),
    )
    assert parts.shape == (n, 3)
    assert (parts >= 0).all()
    assert (parts <= r_max + 1e-6).all()


def test_invalid_answers_earn_nothing_and_agreement_is_rewarded() -> None:
    answers = torch.eye(4)[:3]
    answers[1] = answers[0]
    task, valid = torch.tensor([1.0, 1.0, 0.0]), torch.tensor([True, True, False])
    parts = one_round(answers, answers[0], task, valid, True, Reward(novelty_weight=0.3))
    assert parts[2].tolist() == [0, 0, 0]
    assert parts[0].tolist() == pytest.approx([1, 1, 0.7])  # fidelity 1, novelty 0: another said the same
    alone = one_round(answers, answers[0], task, torch.tensor([True, False, False]), True, Reward())
    assert alone[0, 2].item() == pytest.approx(1)  # an INVALID answer is no peer


def test_without_a_commitment_there_is_nothing_to_agree_with() -> None:
    parts = one_round(
        torch.eye(3), torch.zeros(3), torch.ones(3), torch.ones(3, dtype=torch.bool), False, Reward()
    )
    assert parts[:, 0].tolist() == [0, 0, 0]
    assert parts[:, 2].tolist() == [0, 0, 0]
    assert parts[:, 1].tolist() == [1, 1, 1]


def learned(params: Reward, predictive: int) -> torch.Tensor:
    """alpha after L_dr on data where one component alone foretells the team's success."""
    generator = torch.Generator().manual_seed(0)
    alpha = rewards.initial_weights(params)
    for _ in range(500):
        parts = torch.rand(16, 3, 3, generator=generator)
        outcome = (torch.rand(16, generator=generator) > 0.5).float()
        parts[..., predictive] = outcome.unsqueeze(-1)
        alpha, _ = rewards.learn_weights(alpha, parts, outcome, params)
    return alpha


@pytest.mark.parametrize("predictive", [0, 1, 2])
def test_alpha_learns_the_predictive_component_and_the_floor_holds(predictive: int) -> None:
    alpha = learned(Reward(), predictive)
    assert alpha[predictive].item() == pytest.approx(0.8, abs=0.02)
    assert alpha.min().item() == pytest.approx(0.1)


def test_fixed_alpha_and_single_components() -> None:
    assert learned(Reward(learn_alpha=False), 0).tolist() == pytest.approx([0.4, 0.4, 0.2])
    assert rewards.initial_weights(Reward(components=("TS",))).tolist() == [0, 1, 0]
    two = learned(Reward(components=("AL", "CC")), 1)
    assert two[1].item() == 0
    assert two.sum().item() == pytest.approx(1)


def test_the_team_reward_counts_the_commitment() -> None:
    r = torch.tensor([[0.2, 0.4]])
    both = [
        rewards.team_reward(r, torch.tensor([x]), Reward(commitment_weight=0.5)).item() for x in (0.0, 1.0)
    ]
    assert both == pytest.approx([0.15, 0.65])
