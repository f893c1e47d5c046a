import copy
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from econ.equilibrium import losses
from econ.equilibrium.checkpoint import (
    Header,
    Weights,
    fit,
    load_learner,
    load_team,
    save_learner,
    save_weights,
)
from econ.equilibrium.learner import Learner, observe
from econ.equilibrium.replay import Experience, Replay, collate
from econ.errors import EconError
from econ.params import Params

SMALL = {
    "entity_dim": 16, "belief_dim": 8, "heads": 2, "mlp_hidden": 16,
    "key_query_dim": 8, "text_dim": 8, "feed_forward": 16, "blocks": 1,
}  # fmt: skip
D, N = 10, 3


def params(**sections: dict[str, object]) -> Params:
    network = {**SMALL, **sections.pop("network", {})}
    return Params.model_validate({"network": network, **sections})


def episode(seed: int, decisions: tuple[int, ...] = (0, 0), n: int = N) -> Experience:
    """A random episode; ``decisions`` names each round's decision."""
    g = torch.Generator().manual_seed(seed)
    rounds = len(decisions)

    def texts(*shape: int) -> torch.Tensor:
        return torch.nn.functional.normalize(torch.randn(*shape, D, generator=g), dim=-1)

    return Experience(
        problem=texts(), strategy=texts(), actions=torch.rand(rounds, n, 2, generator=g),
        answers=texts(rounds, n), commitments=texts(rounds), parts=torch.rand(rounds, n, 3, generator=g),
        outcome=torch.rand(rounds, generator=g), decision=torch.tensor(decisions), mask=torch.ones(rounds),
    )  # fmt: skip


def learner(p: Params, episodes: int = 20, **kwargs: object) -> Learner:
    made = Learner(N, D, p, seed=0)
    made.replay.extend(episode(i, **kwargs) for i in range(episodes))
    return made


def snapshot(made: Learner) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in made.team.named_parameters()}


def changed(made: Learner, before: dict[str, torch.Tensor]) -> set[str]:
    return {name for name, p in made.team.named_parameters() if not torch.equal(p, before[name])}


@pytest.mark.parametrize("body", ["mlp", "transformer"])
@pytest.mark.parametrize("mixer", ["monotone", "attention"])
def test_every_parameter_learns_and_the_frozen_map_does_not(body: str, mixer: str) -> None:
    made = learner(params(network={"body": body, "mixer": mixer}))
    before, frozen = snapshot(made), made.team.commitment_map.clone()
    for _ in range(3):
        made.update()
    # Heads that start at zero block the way to what is below them for the first step only.
    assert changed(made, before) == set(before)
    assert torch.equal(made.team.commitment_map, frozen)
    assert all(not p.requires_grad for p in made.target.parameters())


def test_every_executors_own_copy_learns() -> None:
    made = learner(params())
    before = snapshot(made)
    made.update()
    made.update()
    for name, p in made.team.executors.named_parameters():
        moved = (p - before[f"executors.{name}"]).abs().flatten(1).sum(dim=1)
        assert (moved > 0).all(), name


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_a_frozen_actor_stays_as_it_is(optimizer: str) -> None:
    off = {"actor": 0, "bne_gain": 0, "bne_step": 0}
    made = learner(params(train={"losses": off, "optimizer": optimizer}))
    made.team.executors.action_head.weight.data.fill_(0.1)
    before = snapshot(made)
    made.update()
    still = {name for name in before if name.split(".")[1] in ("action_head", "refine_head", "refine_hidden")}
    assert still == set(before) - changed(made, before)


def test_losses_switch_off_and_reach_what_they_should() -> None:
    names = (
        "local_td",
        "total_td",
        "semantic",
        "consistency",
        "encoder",
        "actor",
        "saturation",
        "bne_step",
        "bne_gain",
    )
    everything_off = dict.fromkeys(names, 0)

    def moved(steps: bool = False, **weights: float) -> set[str]:
        made = learner(params(train={"losses": {**everything_off, **weights}}), decisions=(0, 0, 0))
        if steps:
            torch.nn.init.constant_(made.team.executors.refine_head.bias, 0.5)
        before = snapshot(made)
        made.update()
        return {".".join(name.split(".")[:2]) for name in changed(made, before)}

    assert moved() == set()
    local = moved(local_td=1)
    assert {"executors.gru", "executors.value_head"} <= local
    assert not any(name.startswith(("mixer", "encoder")) or "action_head" in name for name in local)
    assert {"encoder.out", "mixer.of_group", "executors.gru"} <= moved(total_td=1)
    assert {"encoder.out", "mixer.features"} <= moved(semantic=1)
    assert {"mixer.of_group", "executors.value_head"} <= moved(consistency=1)
    assert {"encoder.out", "mixer.key"} <= moved(encoder=1)
    assert moved(actor=1) == {"executors.action_head"}
    assert moved(bne_gain=1) == {"executors.refine_head", "executors.refine_hidden"}
    assert moved(bne_step=1) == set()  # an untrained refinement rests at e^0
    assert moved(steps=True, bne_step=1) == {"executors.refine_head", "executors.refine_hidden"}


def test_the_actor_ascends_the_team_value() -> None:
    weights = dict.fromkeys(("local_td", "total_td", "semantic", "consistency", "encoder"), 0)
    made = learner(params(train={"losses": weights, "gradient_steps": 30}))
    made.update()
    first = made.update()
    last = first
    for _ in range(4):
        last = made.update()
    assert last["q_policy"] > first["q_policy"]
    assert last["q_refined"] > first["q_refined"]


def test_batches_without_a_refined_round_do_not_stop_training() -> None:
    made = learner(params(train={"batch_size": 1, "gradient_steps": 8}), episodes=6, decisions=(0,))
    made.replay.extend([episode(6, (0, 0)), episode(7, (0, 0))])
    report = made.update()
    assert math.isfinite(report["q_refined"])
    assert math.isfinite(report["q_policy"])


def test_learning_rates_fall_with_the_plan() -> None:
    made = learner(params(train={"learning_rate": 0.4, "learning_rate_end": 0.25}))
    rates = []
    for progress in (0.0, 0.5, 1.0):
        made.update(progress)
        rates.append(
            [group["lr"] for optimizer in made.optimizers.values() for group in optimizer.param_groups]
        )
    assert [executors for executors, *_ in rates] == pytest.approx([0.4, 0.25, 0.1])
    shares = [[rate / first for rate, first in zip(now, rates[0], strict=True)] for now in rates]
    assert shares[2] == pytest.approx([0.25] * 4)


@pytest.mark.parametrize("rule", ["learned", "best_response"])
def test_a_second_core_changes_no_bit(rule: str) -> None:
    p = params(bne={"rule": rule})
    made = [Learner(N, D, p, seed=0, two_cores=two) for two in (True, False)]
    reports = []
    for each in made:
        each.replay.extend(episode(i, (0, 0, 1)) for i in range(20))
        reports.append([each.update() for _ in range(3)])
    assert reports[0] == reports[1]
    for one, other in zip(*(each.team.state_dict().values() for each in made), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(made[0].alpha, made[1].alpha)


def test_td_error_falls_on_a_fixed_buffer() -> None:
    made = learner(params(network={"dropout": 0}, train={"gradient_steps": 20, "learning_rate": 3e-3}))
    first = made.update()
    for _ in range(6):
        last = made.update()
    assert last["loss_local"] < 0.5 * first["loss_local"]
    assert last["loss_total"] < 0.5 * first["loss_total"]


def test_gamma_comes_alive_with_a_second_decision() -> None:
    made = learner(params(train={"gamma": 0.5}))
    one, two = collate([episode(0, (0, 0))]), collate([episode(0, (0, 1))])
    rewards_alone, _ = made.targets(one)
    target, target_tot = made.targets(two)
    view = observe(made.target, two)
    u = made.target.executors.act(view.beliefs)
    q = made.target.executors.values(view.beliefs, u)
    q_tot = made.target.value_of(view.beliefs, u, view.context)
    torch.testing.assert_close(target[0], rewards_alone[0] + 0.5 * q[1])
    torch.testing.assert_close(target[1], rewards_alone[1])  # terminal
    _, alone_tot = made.targets(one)
    torch.testing.assert_close(target_tot[0], alone_tot[0] + 0.5 * q_tot[1])


def test_padding_changes_nothing() -> None:
    made = learner(params())
    short, long = episode(0, (0,)), episode(1, (0, 0, 1))
    alone, padded = observe(made.team, collate([short])), observe(made.team, collate([short, long]))
    torch.testing.assert_close(padded.beliefs[0], alone.beliefs[0])
    q, target = torch.rand(6, N), torch.rand(6, N)
    mask = torch.tensor([1.0, 0, 0, 1, 1, 1])
    assert losses.local_td(q, target, padded.weight) == pytest.approx(
        ((q - target).square().sum(dim=1) * mask).sum().item() / 4
    )


def test_soft_targets_follow_at_their_rate() -> None:
    made = learner(params(train={"gradient_steps": 1, "target_rate": 0.25}))
    before = copy.deepcopy(made.target.state_dict())
    made.update()
    for name, p in made.target.named_parameters():
        online = made.team.get_parameter(name)
        torch.testing.assert_close(p, 0.75 * before[name] + 0.25 * online.detach())


def test_targets_wait_for_their_interval() -> None:
    made = learner(params(train={"gradient_steps": 2, "target_update_interval": 3, "target_rate": 1.0}))
    before = copy.deepcopy(made.target.state_dict())
    made.update()
    assert all(torch.equal(p, before[name]) for name, p in made.target.named_parameters())
    made.update()  # its first step is the third
    assert not any(torch.equal(p, before[name]) for name, p in made.target.named_parameters())


def test_gradients_are_clipped_and_the_coordinators_side_has_a_rate_of_its_own() -> None:
    rates = {"learning_rate": 1e-3, "learning_rate_coordinator": 1e-5}
    made = learner(params(train={**rates, "gradient_clip": 1e-3, "gradient_steps": 1}))
    before = snapshot(made)
    made.update()
    for group in (group for optimizer in made.optimizers.values() for group in optimizer.param_groups):
        norm = torch.stack([p.grad.norm() for p in group["params"] if p.grad is not None]).norm()
        assert 0 < norm <= 1e-3 * (1 + 1e-5), group["name"]
    # Adam's first step moves a parameter by its rate, whatever its gradient.
    for name, rate in (("encoder.out.weight", 1e-5), ("mixer.key.weight", 1e-5), ("executors.gru.", 1e-3)):
        moved = [(p - before[n]).abs().max() for n, p in made.team.named_parameters() if n.startswith(name)]
        assert max(moved).item() == pytest.approx(rate, rel=0.05), name


def test_a_reward_that_is_not_finite_is_named_and_nothing_is_learned_from_it() -> None:
    made = learner(params())
    made.update()
    before, steps, alpha = snapshot(made), made.gradient_steps, made.alpha.clone()
    poisoned = [replace(e, parts=torch.full_like(e.parts, math.nan)) for e in made.replay.episodes]
    made.replay.extend(poisoned)
    with pytest.raises(EconError, match="reward that is nan"):
        made.update()
    assert changed(made, before) == set()
    assert made.gradient_steps == steps
    assert torch.equal(made.alpha, alpha)


def test_a_loss_that_is_not_finite_is_named() -> None:
    made = learner(params())
    before = snapshot(made)
    made.team.mixer.offset.weight.data.fill_(math.inf)
    with pytest.raises(EconError, match=r"loss that is (nan|inf)"):
        made.update()
    assert changed(made, before) == {"mixer.offset.weight"}


def test_the_buffer_forgets_the_oldest_and_samples_by_seed() -> None:
    buffer = Replay(4)
    buffer.extend(episode(i) for i in range(6))
    assert len(buffer.episodes) == 4
    assert torch.equal(buffer.episodes[0].problem, episode(2).problem)
    assert torch.equal(buffer.sample(2, 0, 5).problem, buffer.sample(2, 0, 5).problem)
    drawn = {tuple(buffer.sample(1, 0, i).problem[0].tolist()) for i in range(40)}
    assert len(drawn) == 4


def header(made: Learner, p: Params) -> Header:
    alpha, steps = tuple(made.alpha.tolist()), made.gradient_steps
    told, trainable = p.model_dump(mode="json"), made.team.trainable
    return Header("svamp", N, 0, D, told, alpha, steps, 20, True, trainable, {"stop": None})


def test_training_goes_on_from_a_checkpoint_exactly_as_without_one(tmp_path: Path) -> None:
    p = params()
    whole = learner(p)
    whole.update()
    save_learner(tmp_path / "a.safetensors", whole, header(whole, p), {"more": torch.ones(2)})
    resumed, _, extra = load_learner(tmp_path / "a.safetensors", p)
    assert torch.equal(extra["more"], torch.ones(2))
    for made in (whole, resumed):
        made.replay.extend([episode(99, (0, 0, 1))])
        made.update()
    for (name, a), (_, b) in zip(
        whole.team.state_dict().items(), resumed.team.state_dict().items(), strict=True
    ):
        assert torch.equal(a, b), name
    for (name, a), (_, b) in zip(
        whole.target.state_dict().items(), resumed.target.state_dict().items(), strict=True
    ):
        assert torch.equal(a, b), name
    assert torch.equal(whole.alpha, resumed.alpha)


def test_all_trained_networks_are_in_the_checkpoint(tmp_path: Path) -> None:
    p = params()
    made = learner(p)
    made.update()
    save_weights(tmp_path / "a.safetensors", Weights.of(made, 20), header(made, p))
    team, said = load_team(tmp_path / "a.safetensors")
    assert (said.episodes, said.gradient_steps, said.progress) == (20, made.gradient_steps, {})
    for name, value in made.team.state_dict().items():
        assert torch.equal(team.state_dict()[name], value), name


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"network": {**SMALL, "belief_dim": 12}}, "network.belief_dim (8, now 12)"),
        ({"llm": {"executors": ["other"]}}, "llm.executors"),
        ({"llm": {"coordinator": "other"}}, "llm.coordinator"),
        ({"embedding": {"model": "other"}}, "embedding.model"),
        ({"action": {"second": "top_p"}}, "action.second (repetition_penalty, now top_p)"),
    ],
)
def test_a_checkpoint_of_another_team_names_what_differs(
    tmp_path: Path, change: dict[str, object], named: str
) -> None:
    p = params()
    made = learner(p)
    with pytest.raises(EconError) as fault:
        fit(tmp_path / "a", header(made, p), Params.model_validate({"network": SMALL, **change}), N, "svamp")
    assert named in str(fault.value)


def test_other_team_sizes_benchmarks_and_broken_files_are_named(tmp_path: Path) -> None:
    p = params()
    made = learner(p)
    with pytest.raises(EconError, match=r"n_agents \(3, now 4\).*benchmark \(svamp, now gsm8k\)"):
        fit(tmp_path / "a", header(made, p), p, 4, "gsm8k")
    with pytest.raises(EconError, match="no checkpoint at"):
        load_team(tmp_path / "none.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"not a checkpoint")
    with pytest.raises(EconError, match="is damaged"):
        load_team(tmp_path / "broken.safetensors")
