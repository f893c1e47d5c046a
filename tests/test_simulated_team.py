import asyncio

import numpy as np
import pytest

from econ.params import Params, Reward, Simulated
from econ.params.variants import merged
from econ.simulation import team as game
from econ.simulation.client import SimulatedClient, problems
from econ.simulation.team import SimulatedGame, difficulty_of, plurality, type_of
from econ.training import trainer as training
from econ.training.conditioning import Conditioning, conditioning
from tests.test_training import SMALL


def team(n: int = 3) -> SimulatedGame:
    return SimulatedGame(n, Simulated(), Reward(), tuple(difficulty_of(f"p{i}") for i in range(4)))


def test_the_most_frequent_answer_is_committed_to_and_ties_go_to_the_earliest() -> None:
    right, common, own = game.RIGHT, game.COMMON, game.OWN
    assert plurality((own, common, common)) == 1
    assert plurality((own, right, common)) == 0
    assert plurality((own, own, right, right)) == 2  # mistakes of one's own agree with nobody


def test_the_value_is_the_mean_of_sampled_play() -> None:
    players, u = team(), np.array([[0.3, 0.6], [0.5, 0.5], [0.1, 0.9]])
    generator, rewards = np.random.default_rng(0), []
    total, _ = players._tables
    for _ in range(20_000):
        h = players.difficulty[generator.integers(4)]
        profile = tuple(
            int(generator.choice(3, p=game.probabilities(u[i], i, h, True, players.params))) for i in range(3)
        )
        rewards.append(total[profile])
    assert players.value(u) == pytest.approx(np.mean(rewards), abs=4 * np.std(rewards) / 20_000**0.5)


def test_no_executor_regrets_the_optimum_and_some_do_the_middle() -> None:
    players = team()
    u, value = players.optimum
    assert players.regret(u).max() == pytest.approx(0, abs=1e-9)
    middle = np.full((3, 2), 0.5)
    assert players.regret(middle).max() > 0.01
    assert players.value(middle) < 0.9 * value


def test_a_best_response_reaches_the_value_it_promises() -> None:
    players, u = team(4), np.full((4, 2), 0.5)
    action, value = players.best_response(u, 2)
    u[2] = action
    assert players.value(u) == pytest.approx(value)


def test_models_agree_more_at_low_temperature() -> None:
    cold = game.probabilities(np.array([0.0, 0.5]), 0, 0.5, True, Simulated())
    hot = game.probabilities(np.array([1.0, 0.5]), 0, 0.5, True, Simulated())
    assert cold[game.COMMON] / cold[1:].sum() > hot[game.COMMON] / hot[1:].sum()


def test_a_strategy_helps_and_difficulty_hurts() -> None:
    u, params = np.array([0.4, 0.4]), Simulated()
    assert game.probabilities(u, 0, 0.2, True, params)[0] > game.probabilities(u, 0, 0.2, False, params)[0]
    assert game.probabilities(u, 0, 0.2, True, params)[0] > game.probabilities(u, 0, 0.9, True, params)[0]


def test_types_have_best_actions_of_their_own_and_the_embedding_tells_them() -> None:
    p = Params.model_validate({"llm": {"backend": "simulated"}, "simulated": {"types": 2}})
    known = problems(60)
    ids = [problem.id for problem in known]
    mixed = SimulatedGame.of(3, p.simulated, p.reward, ids)
    single = [SimulatedGame.of(3, p.simulated, p.reward, [name]).optimum[1] for name in ids[:12]]
    assert mixed.optimum[1] < np.mean(single) - 0.08
    vectors = np.array(asyncio.run(SimulatedClient(p, known).embed([problem.prompt for problem in known])))
    same = np.equal.outer(*[[type_of(name, 2) for name in ids]] * 2)
    cosines = vectors @ vectors.T
    assert cosines[same].mean() > cosines[~same].mean() + 0.3
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_beliefs_condition_on_the_type() -> None:
    """SIMULATED, small networks, one seed: the policy beats the best action that is blind to types."""
    network = merged(SMALL, {"belief_dim": 32, "mlp_hidden": 64, "entity_dim": 64, "text_dim": 32})
    train = {"episodes": 480, "gradient_steps": 4, "early_stopping": {"enabled": False}}
    simulated = {"types": 2, "type_signal": 0.7}
    p = Params.model_validate(
        {"llm": {"backend": "simulated"}, "network": network, "train": train, "simulated": simulated}
    )
    known = problems(64)

    async def study() -> Conditioning:
        client = SimulatedClient(p, known)
        trainer = await training.start(training.Run("svamp", 3, 0, p, known[:40]), client, None)
        await trainer.train()
        return await conditioning(trainer, known[40:])

    found = asyncio.run(study())
    assert found.blind + 0.01 < found.policy < found.best
