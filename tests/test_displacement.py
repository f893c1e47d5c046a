import asyncio

import numpy as np
import pytest

from econ.params import Params
from econ.params.variants import merged
from econ.simulation.client import SimulatedClient, problems
from econ.simulation.team import SimulatedGame
from econ.training import trainer as training
from econ.training.displacement import displacement, within_a_step
from tests.test_training import SMALL

SEEN, UNSEEN = problems(28)[:16], problems(28)[16:]


@pytest.mark.parametrize(
    "bne", [{"rule": "learned"}, {"rule": "learned", "information": "own"}, {"rule": "best_response"}]
)
def test_refinement_regains_what_a_step_can_and_loses_nothing_at_the_policy(bne: dict[str, str]) -> None:
    """SIMULATED, small networks and one seed; the whole study trains on more of both."""
    network = merged(SMALL, {"belief_dim": 32, "mlp_hidden": 64, "entity_dim": 64})
    train = {"episodes": 240, "gradient_steps": 4, "early_stopping": {"enabled": False}}
    p = Params.model_validate(
        {"llm": {"backend": "simulated"}, "network": network, "train": train, "bne": bne}
    )

    async def study() -> tuple[float, float, float]:
        client = SimulatedClient(p, [*SEEN, *UNSEEN])
        trainer = await training.start(training.Run("svamp", 3, 5, p, SEEN), client, None)
        await trainer.train()
        at, off = [await displacement(trainer, UNSEEN, distance) for distance in (0.0, 0.35)]
        return at.gain, off.share, off.random / off.best

    gain, share, control = asyncio.run(study())
    assert gain >= -0.005
    assert share >= 0.6
    assert control < 0.4


def test_the_best_action_within_a_step_is_in_reach_and_not_worse() -> None:
    p = Params()
    game = SimulatedGame(3, p.simulated, p.reward, (0.5,))
    u = np.full((3, 2), 0.7)
    best = within_a_step(game, u, 0.2)
    assert np.abs(best - u).max() <= 0.2 + 1e-12
    assert game.value(best) > game.value(u)
    np.testing.assert_allclose(within_a_step(game, game.optimum[0], 1e-9), game.optimum[0], atol=1e-8)
