"""Regret of ECON and of other learners on the training problems' bank, over several horizons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from econ.certify.policies import first_actions, middle, on_grid, profile_or_none
from econ.certify.recorded import Recorded, embedded
from econ.equilibrium.empirical.bands import interval
from econ.equilibrium.empirical.learners import LEARNERS, play
from econ.equilibrium.empirical.payoffs import TEAM
from econ.equilibrium.empirical.profiles import mixed
from econ.equilibrium.empirical.regret import Growth, Worth, growth, pseudo_regret
from econ.equilibrium.empirical.responses import Array, Ints
from econ.equilibrium.empirical.search import Game, best_joint, joint_values, uniform_values
from econ.equilibrium.empirical.values import MOST
from econ.equilibrium.empirical.welfare import best_rule
from econ.errors import EconError
from econ.params import Params
from econ.records import Json

if TYPE_CHECKING:
    from econ.llm.base import Client
    from econ.methods.econ.asking import Episode
    from econ.training.trainer import Trainer

MOST_JOINT = 200_000  # joint actions whose values are all reckoned
AS_PLAYED, POLICY, AGAINST_RULE = "as played", "policy", ", against the best rule"


@dataclass(frozen=True, eq=False)
class Landscape:
    """``values`` [C^N, P]: what every joint action pays on every problem."""

    game: Game
    values: Array

    @classmethod
    def of(cls, game: Game) -> Landscape:
        """Raises EconError where there are too many joint actions."""
        count = game.cells**game.n
        if count > MOST_JOINT:
            raise EconError(
                f"{game.cells} cells and {game.n} agents make {count:,} joint actions, too many to know all",
                "measure regret with fewer agents or on a smaller grid",
            )
        return cls(game, joint_values(game, np.array([*product(range(game.cells), repeat=game.n)])))

    def worth(self, weights: Array, problems: Ints) -> Array:
        """Of mixed joint actions [T, N, C], each on a problem of its own [T]: [T]."""
        n, cells = weights.shape[1:]
        paid = self.values.T[problems].reshape(len(problems), *(cells,) * n)
        for agent in reversed(range(n)):
            paid = np.einsum("t...c,tc->t...", paid, weights[:, agent])
        return paid

    def worths(self, weights: Array, problems: Ints, at_once: int = 500) -> Array:
        """Like :meth:`worth`, some at a time."""
        starts = range(0, len(problems), at_once)
        parts = [self.worth(weights[s : s + at_once], problems[s : s + at_once]) for s in starts]
        return np.concatenate(parts)


@dataclass
class Log:
    """What a training played: actions [N, 2] as sent and as the policy had them, an entry per episode."""

    sent: list[list[tuple[float, float]]] = field(default_factory=list)
    policy: list[list[tuple[float, float]]] = field(default_factory=list)

    def add(self, episode: Episode) -> None:
        self.sent.append(episode.rounds[0].sent)
        self.policy.append(episode.policy[0])


def on_bank(params: Params, episodes: int) -> Params:
    """Params of a training of this length from the bank, to its end, with the vote for a coordinator."""
    changed = params.model_dump(mode="json") | {"cache": params.cache}
    changed["llm"]["backend"] = "bank"
    changed["team"]["commitment"] = "vote"
    changed["train"]["episodes"] = episodes
    changed["train"]["early_stopping"]["enabled"] = False
    changed["bne"]["max_iterations_train"] = 0  # one action an episode: what regret is about
    return Params.model_validate(changed)


async def trained(game: Recorded, params: Params, seed: int, client: Client) -> tuple[Log, Ints, Trainer]:
    """One training from the bank: what it played, on which of the game's problems, and its end."""
    from econ.training.trainer import Run, start

    log = Log()
    run = Run(game.benchmark, len(game.team), seed, params, game.problems)
    trainer = await start(run, client, None)
    trainer.watch = log.add
    await trainer.train()
    places = {problem.id: place for place, problem in enumerate(game.problems)}
    played = [places[trainer.problem(number).id] for number in range(params.train.episodes)]
    return log, np.array(played), trainer


@dataclass(frozen=True, eq=False)
class Learning:
    """Of R seeds at H horizons: ``regrets`` [R, H] by name, and what the last policies are worth [R, H]."""

    regrets: dict[str, Array]
    values: dict[str, Array]


async def econ_learning(
    land: Landscape, bests: Mapping[str, Array], horizons: Sequence[int], seeds: Sequence[int],
    game: Recorded, vectors: tuple[Array, Array],
) -> Learning:  # fmt: skip
    """As played and of the policy, against each that is worth ``bests`` [P]."""
    from econ.llm import open_client

    kinds = [*product((AS_PLAYED, POLICY), bests)]
    out = {f"econ, {kind}{against}": np.zeros((len(seeds), len(horizons))) for kind, against in kinds}
    values, everywhere = np.zeros((len(seeds), len(horizons))), np.arange(game.table.problems)
    for place, horizon in enumerate(horizons):
        params = on_bank(game.params, horizon)
        async with open_client(params) as client:
            for row, seed in enumerate(seeds):
                log, problems, trainer = await trained(game, params, seed, client)
                last = on_grid(game, first_actions(trainer.learner.team, vectors, params))
                values[row, place] = land.worths(last, everywhere).mean()
                for name, actions in ((AS_PLAYED, log.sent), (POLICY, log.policy)):
                    weights = mixed(game.table.cells, np.array(actions))
                    worth = land.worths(weights, problems).sum()
                    for against, best in bests.items():
                        out[f"econ, {name}{against}"][row, place] = best[problems].sum() - worth
    return Learning(out, {"econ": values})


def bandits(game: Game, best: float, horizons: Sequence[int], seeds: Sequence[int]) -> Learning:
    """The learners beside ECON, as played; their last policies are the cells that they then favour."""
    worth = Worth(game)
    regrets: dict[str, Array] = {}
    values: dict[str, Array] = {}
    for name in LEARNERS:
        runs = [play(game, name, horizon, tuple(seeds)) for horizon in horizons]
        regrets[name] = np.stack([pseudo_regret(worth(run.cells), best) for run in runs], axis=1)
        values[name] = np.stack([worth(run.favourite) for run in runs], axis=1)
    return Learning(regrets, values)


def controls(game: Recorded, team: Game) -> dict[str, float]:
    """What policies are worth that learn nothing: the middle of the ranges, and the best uniform cell."""
    found = {"best uniform": float(uniform_values(team, MOST).mean(axis=1).max())}
    weights = profile_or_none(game, middle(game.params))
    return found if weights is None else {"untrained": float(team.value(weights).mean()), **found}


async def document(game: Recorded, horizons: Sequence[int], seeds: Sequence[int]) -> Json:
    """Regret of ECON (as played, and of its policy) and of bandits, by the team's payoff, and what the last
    policies are worth beside controls.

    The head of the document is ECON's policy against the best fixed joint action; besides, against the best
    rule that reads the problem.
    """
    alpha = tuple(game.params.reward.alpha)
    team, vectors = game.game(alpha, TEAM), await embedded(game)
    land, joint = Landscape.of(team), best_joint(team)
    best = joint_values(team, np.array([joint]), MOST)[0]
    rule = best_rule(team, np.concatenate(vectors, axis=1))
    own = await econ_learning(land, {"": best, AGAINST_RULE: rule}, horizons, seeds, game, vectors)
    others, fixed = bandits(team, float(best.mean()), horizons, seeds), controls(game, team)
    found = {name: growth(horizons, lost) for name, lost in {**own.regrets, **others.regrets}.items()}
    head = found[f"econ, {POLICY}"]
    return {
        "benchmark": game.benchmark, "split": game.split, "n_agents": len(game.team), "seeds": list(seeds),
        "problems": game.table.problems, "samples": game.table.samples,
        "payoff": TEAM, "alpha": list(alpha), "coordinator": "vote",
        "recorded": game.description, "simulated": game.simulated,
        "comparator": {"value": float(best.mean()), "action": game.table.cells[list(joint)].tolist()},
        "best_rule": {"value": float(rule.mean())},
        **_shown(head), "of": f"econ, {POLICY}",
        "learners": {name: _shown(one) for name, one in found.items()},
        "values": {name: _worths(values) for name, values in {**own.values, **others.values}.items()},
        "controls": {
            name: {"value": value, "lost_per_episode": float(best.mean()) - value}
            for name, value in fixed.items()
        },
    }  # fmt: skip


def _worths(values: Array) -> list[Json]:
    """Of last policies [R, H]: mean over seeds with Student's interval, horizon by horizon."""
    ends = (interval(column, np.arange(len(column))) for column in values.T)
    return [dict(zip(("value", "low", "high"), end, strict=True)) for end in ends]


def _shown(found: Growth) -> Json:
    told = asdict(found)
    return {name: None if isinstance(v, float) and not np.isfinite(v) else v for name, v in told.items()}
