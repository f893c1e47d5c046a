"""ECON as a method: econ-bne, and econ-baseline, which is its round 0 with the very same requests."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from econ.errors import EconError
from econ.methods.base import InPaper, Method, Session, Solution
from econ.params import Params
from econ.records import Problem, Verdict

if TYPE_CHECKING:
    from econ.equilibrium.checkpoint import Header
    from econ.equilibrium.networks import TeamNetworks
    from econ.methods.econ.asking import Episode, Round

CHECKPOINT = "last.safetensors"  # of a checkpoint folder: the trained policy


class EconMethod(Method):
    """Plays trained networks; no gold, no exploration, no learning.

    Args:
        name: econ-baseline (no refinement) or econ-bne (``bne.max_iterations_infer`` rounds of it).
        team: the networks; None: untrained ones of ``n_agents``, made when the embedding size is known.
        alpha: the learned reward weights (AL, TS, CC), recorded with every answer.
        benchmark: that they were trained on; None: any.
    """

    trained = True

    def __init__(
        self,
        name: str,
        team: TeamNetworks | None,
        params: Params,
        *,
        alpha: tuple[float, ...] | None = None,
        benchmark: str | None = None,
        seed: int = 0,
    ) -> None:
        self.name, self.team, self.benchmark, self.seed = name, team, benchmark, seed
        self.alpha = alpha or params.reward.alpha
        self.iterations = 0 if name == EconBaseline.name else params.bne.max_iterations_infer

    async def solve(self, session: Session) -> Solution:
        """Play one problem; the last commitment is the answer."""
        from econ.methods.econ.episode import play_episode

        if self.benchmark is not None and session.benchmark != self.benchmark:
            raise EconError(
                f"the checkpoint was trained on {self.benchmark}, not {session.benchmark}",
                f"econ train --benchmark {session.benchmark}",
            )
        team = self.team if self.team is not None else await self._untrained(session)
        return self._solution(await play_episode(session, team, self.iterations), session)

    async def _untrained(self, session: Session) -> TeamNetworks:
        from econ.equilibrium.networks import TeamNetworks

        [embedding] = await session.client.embed([session.prompt])
        params = session.params
        self.team = TeamNetworks(
            session.n_agents, len(embedding), params.network, self.seed, params.action.free
        )
        return self.team.eval().requires_grad_(False)

    def _solution(self, episode: Episode, session: Session) -> Solution:
        final = episode.rounds[-1].commitment
        detail: dict[str, Any] = {
            "alpha": [round(float(a), 6) for a in self.alpha],
            **{f"strategy_{name}": value for name, value in asdict(episode.strategy).items()},
        }
        if len(episode.stops) > 1:  # one per decision; ``stop`` is the last one's
            detail["stops"] = list(episode.stops)
        if fixed := session.params.action.fixed:
            detail["fixed"] = dict(fixed)
        return Solution(
            text=final.text,
            rounds=len(episode.rounds),
            stop=str(episode.stops[-1]),  # a plain text: it becomes a key
            steps=tuple(_step(i, played, session) for i, played in enumerate(episode.rounds)),
            error=final.error,
            detail=detail,
            firsts=tuple(r.commitment.text if r.commitment.ok else None for r in episode.rounds),
        )


class EconBaseline(EconMethod):
    """Round 0 alone."""

    name, look = "econ-baseline", ("#56B4E9", "x")


class EconBNE(EconMethod):
    """With refinement towards the equilibrium."""

    name, look = "econ-bne", ("#0072B2", "o")
    paper = InPaper(accuracy="ECON", tokens="ECON")


def _step(index: int, played: Round, session: Session) -> dict[str, Any]:
    from econ import grading
    from econ.methods.econ.scoring import agreement

    answers = [None if a is None else grading.extract(session.kind, a) for a in played.answers]
    likelihood, contribution = agreement(played, [a is not None for a in answers], session.params)
    return {
        "round": index,
        "decision": played.decision,
        "actions": [[round(value, 4) for value in action] for action in played.sent],
        "answers": answers,
        "commitment": None if played.commitment.error else played.commitment.text,
        "commitment_valid": played.commitment.valid,
        "confidence": played.commitment.confidence,
        "AL": likelihood,
        "CC": contribution,
        "q": [round(value, 4) for value in played.q],
        "q_tot": None if played.q_tot is None else round(played.q_tot, 4),
    }


def earned(problem: Problem, solution: Solution, verdict: Verdict, params: Params) -> dict[str, Any]:
    """The last round's rewards of an ECON solution, composed with the live alpha; {} for other methods.

    For the record of an evaluation alone: nothing is learned from it.
    """
    from econ.equilibrium.rewards import total
    from econ.grading import gradable, grade
    from econ.methods.commitment import as_text

    if "alpha" not in solution.detail or not gradable(problem):
        return {}
    last, (a_al, a_ts, a_cc) = solution.steps[-1], solution.detail["alpha"]
    said = [None if answer is None else as_text(answer, problem.kind) for answer in last["answers"]]
    tasks = [params.reward.r_max * grade(problem, text, params).reward for text in said]
    parts = zip(last["AL"], tasks, last["CC"], strict=True)
    executors = [round(a_al * al + a_ts * ts + a_cc * cc, 4) for al, ts, cc in parts]
    team = total(sum(executors) / len(executors), verdict.reward, params.reward)
    return {"reward_executors": executors, "reward_team": round(team, 4)}


def from_checkpoint(
    path: Path, params: Params, n_agents: int, method_name: str, *, benchmark: str | None = None
) -> EconMethod:
    """The trained method from a checkpoint folder, or from one of its .safetensors files.

    Raises:
        EconError: there is no checkpoint, or it was trained for another team, naming what differs.
    """
    import torch

    from econ.equilibrium import checkpoint

    torch.set_num_threads(1)  # small networks; the language model needs the cores
    file = path / CHECKPOINT if path.suffix != ".safetensors" else path
    header: Header
    team, header = checkpoint.load_team(file)
    checkpoint.fit(file, header, params, n_agents, benchmark)
    return EconMethod(
        method_name, team, params, alpha=header.alpha, benchmark=header.benchmark, seed=header.seed
    )


def untrained(params: Params, n_agents: int, method_name: str, seed: int) -> EconMethod:
    """The method with networks as before training: a control, and a first look without a checkpoint."""
    import torch

    from econ.equilibrium.rewards import initial_weights

    torch.set_num_threads(1)
    alpha = tuple(initial_weights(params.reward).tolist())
    return EconMethod(method_name, None, params, alpha=alpha, seed=seed)
