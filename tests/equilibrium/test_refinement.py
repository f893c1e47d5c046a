import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.equilibrium.refinement import Guards, refine
from econ.params import BNE, EarlyStopping, Params
from econ.training.stopping import Stopper
from tests.equilibrium.test_networks import inputs, networks

A, B, C = torch.eye(3)


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(1, 6),
    seed=st.integers(0, 999),
    rule=st.sampled_from(["learned", "best_response"]),
    step=st.floats(0.01, 0.5),
)
def test_a_refinement_is_a_bounded_step_inside_the_ranges(n: int, seed: int, rule: str, step: float) -> None:
    team, (beliefs, u, _) = networks(n, seed, 0.5), inputs(n, seed)
    params = Params.model_validate({"bne": {"rule": rule, "max_step": step}})
    refined = refine(team, beliefs, team.encoder(beliefs), u, u, params)
    assert (refined - u).abs().max() <= step + 1e-6
    assert refined.min() >= 0
    assert refined.max() <= 1


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 6), seed=st.integers(0, 999), step=st.floats(0.05, 0.5))
def test_learned_rounds_reach_the_response_and_rest_there(n: int, seed: int, step: float) -> None:
    team, (beliefs, u, _) = networks(n, seed, 0.5), inputs(n, seed)
    params = Params.model_validate({"bne": {"rule": "learned", "max_step": step}})
    group, rounds = team.encoder(beliefs), [u]
    for _ in range(22):  # 1 / 0.05 and a little
        rounds.append(refine(team, beliefs, group, rounds[-1], u, params))
    torch.testing.assert_close(rounds[-1], team.executors.respond(beliefs, group))
    torch.testing.assert_close(rounds[-1], rounds[-2])


@settings(max_examples=30, deadline=None)
@given(n=st.integers(2, 6), seed=st.integers(0, 999))
def test_with_information_own_no_other_belief_moves_an_executor(n: int, seed: int) -> None:
    team, (beliefs, u, _) = networks(n, seed, 0.5), inputs(n, seed)
    params = Params.model_validate({"bne": {"information": "own", "max_step": 1.0}})
    others = beliefs.clone()
    others[:, 1:] += torch.randn(beliefs[:, 1:].shape, generator=torch.Generator().manual_seed(seed))
    moved = [refine(team, b, team.group(b, "own"), u, u, params)[:, 0] for b in (beliefs, others)]
    torch.testing.assert_close(*moved)
    told = [refine(team, b, team.group(b, "coordinator"), u, u, params)[:, 0] for b in (beliefs, others)]
    assert not torch.allclose(*told, atol=1e-5)  # the control: E of all beliefs does


def test_a_best_response_needs_the_coordinators_information() -> None:
    with pytest.raises(ValueError, match="information: own goes with rule: learned"):
        Params.model_validate({"bne": {"rule": "best_response", "information": "own"}})


@pytest.mark.parametrize("seed", range(5))
def test_a_best_response_raises_the_value_of_each_executors_own_move(seed: int) -> None:
    team, (beliefs, u, _) = networks(3, seed, 0.3), inputs(3, seed)
    group = team.encoder(beliefs)
    refined = refine(team, beliefs, group, u, u, Params.model_validate({"bne": {"rule": "best_response"}}))
    context = team.context(group)
    now, gains = team.value_of(beliefs, u, context), []
    for agent in range(3):
        alone = u.clone()
        alone[:, agent] = refined[:, agent]
        gains.append(team.value_of(beliefs, alone, context) - now)
    assert torch.stack(gains).min() >= -1e-5
    assert torch.stack(gains).max() > 1e-4


def stops(*commitments: tuple[str | None, torch.Tensor]) -> list[str | None]:
    guards = Guards(BNE())
    return [guards.after_commitment(text, embedding) for text, embedding in commitments]


def test_the_same_commitment_by_text_or_by_meaning_ends_refinement() -> None:
    assert stops(("x", A), ("x ", B)) == [None, "same commitment"]
    assert stops(("x", A), ("y", A + 0.01 * B)) == [None, "same commitment"]
    assert stops(("x", A), ("y", B)) == [None, None]


def test_oscillation_ends_refinement() -> None:
    assert stops(("x", A), ("y", B), ("x", A), ("y", B)) == [None, None, None, "oscillation"]
    assert stops(("x", A), ("y", B), ("x", A), ("z", C)) == [None, None, None, None]


def test_commitments_that_failed_are_never_the_same() -> None:
    nothing = torch.zeros(3)
    assert stops((None, nothing), (None, nothing)) == [None, None]


def test_a_small_step_ends_refinement() -> None:
    guards, u = Guards(BNE(convergence_threshold=0.05)), torch.full((3, 2), 0.5)
    assert guards.after_step(u, u + 0.01) == "small step"
    one_moves = u.clone()
    one_moves[2, 0] += 0.1
    assert guards.after_step(u, one_moves) is None


def test_early_stopping_needs_all_criteria_with_patience_after_warmup() -> None:
    stopper = Stopper(EarlyStopping(patience=2, warmup=8))
    settled = {"commitment_change": 0.0, "reward": 0.9, "loss": 0.1}
    assert stopper.check(8, **settled) is None  # warm-up
    assert stopper.check(16, **settled) is None
    assert stopper.check(24, **{**settled, "reward": 0.5}) is None  # starts again
    assert stopper.check(32, **settled) is None
    assert str(stopper.check(40, **settled)).startswith("early")


@pytest.mark.parametrize("broken", [{"commitment_change": None}, {"commitment_change": 0.5}, {"reward": 0.1}])
def test_one_criterion_alone_does_not_stop(broken: dict[str, float | None]) -> None:
    stopper = Stopper(EarlyStopping(patience=1, warmup=0))
    point = {"commitment_change": 0.0, "reward": 0.9, "loss": 0.1, **broken}
    assert [stopper.check(e, **point) for e in range(8, 80, 8)] == [None] * 9  # type: ignore[arg-type]


def test_without_thresholds_a_single_metric_decides() -> None:
    params = EarlyStopping(commitment_change=None, reward=None, loss_change=None, patience=2, warmup=0)
    stopper = Stopper(params)
    rewards = [0.1, 0.2, 0.15, 0.3, 0.3, 0.2]
    reasons = [stopper.check(i, None, reward, 0.0) for i, reward in enumerate(rewards, 1)]
    assert reasons[:5] == [None] * 5
    assert "no better reward" in str(reasons[5])


def test_a_resumed_stopper_goes_on_counting() -> None:
    params = EarlyStopping(patience=2, warmup=0)
    first = Stopper(params)
    first.check(8, 0.0, 0.9, 0.1)
    first.check(16, 0.0, 0.9, 0.1)
    second = Stopper(params)
    second.load(first.state())
    assert str(second.check(24, 0.0, 0.9, 0.1)).startswith("early")
