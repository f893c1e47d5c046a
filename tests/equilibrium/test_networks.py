import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from econ.equilibrium.actions import Explorer, scale
from econ.equilibrium.networks import TeamNetworks, action_features
from econ.params import Action, Exploration, Network

SMALL = Network(
    entity_dim=16,
    belief_dim=8,
    heads=2,
    mlp_hidden=16,
    key_query_dim=8,
    text_dim=8,
    feed_forward=16,
    dropout=0.0,
)
D = 12
sizes = st.integers(1, 9)
seeds = st.integers(0, 10_000)
SETTINGS = settings(max_examples=40, deadline=None)


def networks(n: int, seed: int, spread: float = 1.0, params: Network = SMALL) -> TeamNetworks:
    """Random weights of any size, not only those of an untrained network."""
    team = TeamNetworks(n, D, params, seed).eval()
    with torch.no_grad():
        generator = torch.Generator().manual_seed(seed)
        for p in team.parameters():
            p.copy_(spread * torch.randn(p.shape, generator=generator))
    return team


def inputs(n: int, seed: int, batch: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed + 1)
    beliefs = torch.randn(batch, n, SMALL.belief_dim, generator=generator)
    return beliefs, torch.rand(batch, n, 2, generator=generator), torch.randn(batch, n, generator=generator)


@SETTINGS
@given(n=sizes, seed=seeds, spread=st.floats(0.05, 4), scale_of_q=st.floats(0.1, 50))
def test_the_mixer_is_monotone(n: int, seed: int, spread: float, scale_of_q: float) -> None:
    team = networks(n, seed, spread)
    beliefs, u, q = inputs(n, seed)
    q = (scale_of_q * q).requires_grad_()
    total, _ = team.total(q, u, team.context(team.encoder(beliefs)))
    [slope] = torch.autograd.grad(total.sum(), q)
    assert (slope >= 0).all()


def test_the_mixer_uses_every_local_value() -> None:
    team = TeamNetworks(4, D, SMALL, 0).eval()
    beliefs, u, q = inputs(4, 0)
    q.requires_grad_()
    total, _ = team.total(q, u, team.context(team.encoder(beliefs)))
    [slope] = torch.autograd.grad(total.sum(), q)
    assert (slope > 0.01).all()


def test_the_attention_mixer_is_not_monotone() -> None:
    """So the property test above can fail, and the option is what it says."""
    params = SMALL.model_copy(update={"mixer": "attention"})
    found = []
    for seed in range(20):
        team = networks(3, seed, 1.0, params)
        beliefs, u, q = inputs(3, seed)
        q.requires_grad_()
        total, _ = team.total(q, u, team.context(team.encoder(beliefs)))
        found.append(torch.autograd.grad(total.sum(), q)[0])
    assert (torch.cat(found) < 0).any()


@SETTINGS
@given(n=sizes, seed=seeds, mixer=st.sampled_from(["monotone", "attention"]))
def test_permuting_executors_permutes_the_encoder_and_leaves_the_team_value(
    n: int, seed: int, mixer: str
) -> None:
    team = networks(n, seed, 0.3, SMALL.model_copy(update={"mixer": mixer}))
    beliefs, u, q = inputs(n, seed)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    group, moved = team.encoder(beliefs), team.encoder(beliefs[:, order])
    torch.testing.assert_close(group[:, order], moved, rtol=1e-3, atol=1e-4)
    total, features = team.total(q, u, team.context(group))
    total_moved, features_moved = team.total(q[:, order], u[:, order], team.context(moved))
    torch.testing.assert_close(total, total_moved, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(features[:, order], features_moved, rtol=1e-3, atol=1e-3)


@SETTINGS
@given(n=sizes, seed=seeds, concatenate=st.booleans())
def test_features_are_those_of_plain_attention_though_its_maps_are_multiplied_first(
    n: int, seed: int, concatenate: bool
) -> None:
    """f(w, E) written out: attention of the heads over the actions, side by side, then a map of both."""
    sizes = SMALL.model_copy(update={"concatenate": concatenate})
    features = networks(n, seed, 0.5, sizes).mixer.features
    beliefs, u, _ = inputs(n, seed)
    actions, group = action_features(u), torch.cat([beliefs, -beliefs], dim=-1)
    query, key, value = (
        part.unflatten(-1, (SMALL.heads, -1)).transpose(1, 2)
        for part in features.qkv(actions).chunk(3, dim=-1)
    )
    w = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
    plain = torch.relu(features.combine(torch.cat([w, group], dim=-1) if concatenate else w))
    torch.testing.assert_close(features(actions, features.maps(group)), plain, rtol=1e-4, atol=1e-4)


@SETTINGS
@given(
    n=sizes, seed=seeds, spread=st.floats(0.1, 30), second=st.sampled_from(["repetition_penalty", "top_p"])
)
def test_actions_stay_within_their_bounds(n: int, seed: int, spread: float, second: str) -> None:
    team, (beliefs, _, _) = networks(n, seed, spread), inputs(n, seed)
    action = Action(second=second)
    u = team.executors.act(beliefs)[0]
    explorer = Explorer(Exploration(noise_start=5.0), seed, episode=30, episodes=100)
    for shares in (u, explorer.first(team.executors.logits(beliefs)[0], 0), explorer.refined(u, u, 0.2, 1)):
        for temperature, p in scale(shares, action):
            assert 0.1 <= temperature <= 2.0
            assert (1.0 <= p <= 1.5) if second == "repetition_penalty" else (0.1 <= p <= 0.9)


def test_an_untrained_policy_stands_at_the_middle_of_the_ranges() -> None:
    team = TeamNetworks(3, D, SMALL, 0)
    assert torch.equal(team.executors.act(torch.randn(1, 3, 8)), torch.full((1, 3, 2), 0.5))


@pytest.mark.parametrize("body", ["mlp", "transformer"])
def test_no_executor_reads_anothers_text_or_action(body: str) -> None:
    team = networks(3, 0, 0.3, SMALL.model_copy(update={"body": body}))
    common = torch.randn(1, 3, D)  # problem, strategy, commitment
    action, answer = torch.rand(1, 3, 2), torch.randn(1, 3, D)
    before = torch.randn(1, 3, SMALL.belief_dim)

    def beliefs(action: Tensor, answer: Tensor) -> Tensor:
        texts = team.executors.read_texts(common, answer.unsqueeze(1)).unbind(1)
        return team.executors.believe(texts, action, before)

    base = beliefs(action, answer)
    changed_action, changed_answer = action.clone(), answer.clone()
    changed_action[:, 1] = 1 - action[:, 1]
    changed_answer[:, 1] = torch.randn(D)
    new = beliefs(changed_action, changed_answer)
    assert torch.equal(new[:, [0, 2]], base[:, [0, 2]])
    assert not torch.allclose(new[:, 1], base[:, 1])


def test_the_local_value_depends_on_belief_and_action() -> None:
    team = TeamNetworks(3, D, SMALL, 0)
    beliefs, u, _ = inputs(3, 0)
    q = team.executors.values(beliefs, u)
    assert not torch.allclose(q, team.executors.values(beliefs, 1 - u))
    assert not torch.allclose(q, team.executors.values(-beliefs, u))


def test_executor_i_starts_alike_in_a_team_of_any_size() -> None:
    three, four = TeamNetworks(3, D, SMALL, 7), TeamNetworks(4, D, SMALL, 7)
    for (name, a), (_, b) in zip(
        three.executors.named_parameters(), four.executors.named_parameters(), strict=True
    ):
        assert torch.equal(a, b[:3]), name
    for (name, a), (_, b) in zip(three.mixer.named_parameters(), four.mixer.named_parameters(), strict=True):
        assert torch.equal(a, b), name
    weights = three.executors.gru.from_input.weight
    assert not torch.equal(weights[0], weights[1])


@pytest.mark.parametrize(("embedding", "low", "high"), [(384, 1.5e6, 1.7e6), (1024, 1.65e6, 1.8e6)])
def test_about_1_7_million_parameters_at_the_default_sizes(embedding: int, low: float, high: float) -> None:
    assert low < TeamNetworks(3, embedding, Network(), 0).trainable < high


def test_without_belief_encoder_each_executor_is_encoded_alone() -> None:
    team = networks(3, 0, 0.3, SMALL.model_copy(update={"belief_encoder": False}))
    beliefs = torch.randn(1, 3, SMALL.belief_dim)
    changed = beliefs.clone()
    changed[:, 1] += 1
    assert torch.equal(team.encoder(changed)[:, 0], team.encoder(beliefs)[:, 0])
    whole = networks(3, 0, 0.3)
    assert not torch.equal(whole.encoder(changed)[:, 0], whole.encoder(beliefs)[:, 0])


def test_without_concatenation_the_features_are_of_the_actions_alone() -> None:
    team = networks(3, 0, 0.3, SMALL.model_copy(update={"concatenate": False}))
    beliefs, u, q = inputs(3, 0)
    _, one = team.total(q, u, team.context(team.encoder(beliefs)))
    _, other = team.total(q, u, team.context(team.encoder(-beliefs)))
    assert torch.equal(one, other)


def test_exploration_is_the_same_for_an_executor_in_any_team_and_decays() -> None:
    params = Exploration()
    early, late = Explorer(params, 3, 0, 100), Explorer(params, 3, 99, 100)
    assert torch.equal(early.first(torch.zeros(3, 2), 0), early.first(torch.zeros(4, 2), 0)[:3])
    assert early.uniform
    assert not late.uniform
    assert late.noise == pytest.approx(params.noise_end)
    assert not torch.equal(early.first(torch.zeros(3, 2), 0)[0], early.first(torch.zeros(3, 2), 0)[1])


def test_by_a_power_schedule_exploring_costs_ever_less_of_the_episodes() -> None:
    """Random episodes and squared noise (what it costs near the policy) grow slower than the horizon."""
    params, costs = Exploration(schedule="power"), []
    for episodes in (100, 400, 1600):
        explorers = [Explorer(params, 0, number, episodes) for number in range(episodes)]
        assert [e.uniform for e in explorers].count(True) == math.ceil(episodes**0.5)
        noise = [e.noise for e in explorers]
        assert noise == sorted(noise, reverse=True)
        assert noise[0] == params.noise_start
        costs.append(sum(e.uniform or e.noise**2 for e in explorers) / episodes)
    assert costs[2] < 0.65 * costs[1]
    assert costs[1] < 0.65 * costs[0]
