"""The training loop: intervals of episodes played together, rewards, updates, curve, checkpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from econ import paths, seals
from econ.equilibrium import checkpoint, rewards
from econ.equilibrium.actions import Explorer
from econ.equilibrium.learner import Learner
from econ.equilibrium.refinement import Stop
from econ.equilibrium.replay import Experience, not_finite
from econ.errors import EconError
from econ.files import sweep, write_atomic
from econ.llm.base import Client
from econ.llm.complete import Completeness
from econ.methods.base import Session
from econ.methods.econ.asking import Answering, ByCall, Episode, Together
from econ.methods.econ.episode import Seat, play_together
from econ.methods.econ.scoring import Graded, Pool, Tasks, controlled, experiences, score
from econ.params import Params
from econ.progress import Progress
from econ.records import Problem, stable_seed
from econ.training.stopping import Stopper

SMOOTHING = 0.7  # of the mean reward that chooses the best checkpoint
Row = dict[str, float]
Scored = tuple[Episode, list[Tasks]]  # an episode with its task rewards


@dataclass(frozen=True)
class Run:
    """What is trained."""

    benchmark: str
    n_agents: int
    seed: int
    params: Params
    problems: Sequence[Problem]


class Trainer:
    """Trains one team. ``folder`` None: nothing is written (studies).

    All episodes of an interval are played with the policy as it stood at its start and stored in problem
    order, so the order in which answers arrive changes nothing.
    """

    def __init__(self, run: Run, client: Client, learner: Learner, folder: Path | None) -> None:
        self.run, self.client, self.learner, self.folder = run, client, learner, folder
        self.params = run.params
        self.stopper = Stopper(run.params.train.early_stopping)
        self.episodes = 0
        self.history: list[Row] = []
        self.smoothed: float | None = None
        self.best: float | None = None
        self.best_weights: checkpoint.Weights | None = None
        self.stop: str | None = None
        self.commitments: dict[str, Tensor] = {}  # the last one of each problem
        self.complete = Completeness(
            f"the training of {run.benchmark}/n{run.n_agents}-s{run.seed}",
            "llm.failed_share.train",
            run.params.llm.failed_share.train,
        )
        self.graded: Graded = {}
        self.pool: Pool = {}  # of a training by shuffled rewards, all that was earned
        self.watch: Callable[[Episode], None] | None = None  # told of every episode, in order
        size = learner.team.embedding_dim
        known = client.answering(run.n_agents, size) if isinstance(client, Together) else None
        self.answering: Answering = known or ByCall(size)

    async def train(self, progress: Progress | None = None) -> None:
        """Train to the planned episodes or an early stop; the state on the way, checkpoints at the end."""
        curve = Curve(self.folder, self.history) if self.folder else None
        total = self.params.train.episodes
        while self.episodes < total and self.stop is None:
            before = self.episodes
            row = await self.interval()
            if curve:
                curve.add(row)
            if progress is not None:
                shown = {"loss": row["loss/total"], "reward": row["reward/team"]}
                progress.advance(self.episodes - before, **shown)
        if self.stop is None:
            self.stop = "all episodes played"
        if curve and self.folder:
            self._finish(self.folder)
            curve.close()

    async def interval(self) -> Row:
        """One update interval: play, reward, learn, record."""
        numbers = range(
            self.episodes, min(self.episodes + self.params.train.update_interval, self.params.train.episodes)
        )
        played = await self._played(numbers)
        self.complete.demand()  # before anything is learned from an answer that is not there
        episodes = [episode for episode, _ in played]
        if self.watch is not None:
            for episode in episodes:
                self.watch(episode)
        earned = experiences(episodes, [scores for _, scores in played], self.params)
        batch = controlled(earned, self.params, self.run.seed, self.episodes, self.pool)
        self._check(numbers, batch)
        self.learner.replay.extend(batch)
        losses = self.learner.update(self.episodes / self.params.train.episodes)
        before = self.episodes
        self.episodes += len(numbers)
        row = self._row(episodes, earned, losses)
        change = self._commitment_change(numbers, episodes)
        self.history.append(row)
        self.stop = self.stopper.check(self.episodes, change, row["reward/team"], losses["loss_total"])
        if self.folder:
            self._checkpoints(before, row["reward/team"])
        return row

    async def _played(self, numbers: range) -> list[Scored]:
        """The episodes of an interval with their task rewards, in order."""
        seats = [self._seat(number) for number in numbers]
        iterations = self.params.bne.max_iterations_train
        episodes = await play_together(seats, self.learner.team, iterations, self.answering)
        for seat in seats:
            self.complete.add(seat.session.calls)
        if self.client.simulated or self.client.recorded:  # graded at once, or known from before
            return [(e, self._score(e, n)) for e, n in zip(episodes, numbers, strict=True)]
        graded = [asyncio.to_thread(self._score, e, n) for e, n in zip(episodes, numbers, strict=True)]
        return list(zip(episodes, await asyncio.gather(*graded), strict=True))

    def _score(self, episode: Episode, number: int) -> list[Tasks]:
        return score(episode, self.problem(number), self.params, self.graded)

    def _seat(self, number: int) -> Seat:
        run, train = self.run, self.params.train
        draw = stable_seed(run.seed, "draw", number)  # a problem that comes again brings other answers
        problem = self.problem(number)
        session = Session(problem, self.client, self.params, run.n_agents, run.seed, draw=draw)
        explorer = Explorer(train.exploration, run.seed, number, train.episodes, self.params.action.free)
        return Seat(session, explorer)

    def _check(self, numbers: range, batch: list[Experience]) -> None:
        """Nothing that is not finite enters the buffer, from where it would spoil every later update."""
        found = not_finite(batch)
        if found is not None:
            number, what = numbers[found[0]], found[1]
            raise EconError(
                f"episode {number + 1}, on {self.problem(number).id}: the {what} is not finite",
                "nothing was learned from it; once that is mended, go on with --resume",
            )

    def problem(self, number: int) -> Problem:
        """The problem of an episode: every problem once per pass, each pass in an order of its own."""
        passes, place = divmod(number, len(self.run.problems))
        return self.run.problems[_order(self.run.seed, passes, len(self.run.problems))[place]]

    def _row(self, episodes: list[Episode], earned: list[Experience], losses: dict[str, float]) -> Row:
        """The curve's point of this interval; rewards as earned, composed with the live alpha."""
        parts = torch.cat([e.parts for e in earned])
        outcome = torch.cat([e.outcome for e in earned])
        r = rewards.compose(parts, self.learner.alpha)
        row = {
            "episodes": float(self.episodes),
            "reward/team": rewards.team_reward(r, outcome, self.params.reward).mean().item(),
            "reward/executors": r.mean().item(),
            "reward/commitment": outcome.mean().item(),
            **{f"reward/{name}": parts[..., i].mean().item() for i, name in enumerate(rewards.NAMES)},
            **{f"alpha/{name}": float(a) for name, a in zip(rewards.NAMES, self.learner.alpha, strict=True)},
            **{f"loss/{name.removeprefix('loss_')}": v for name, v in losses.items() if "loss" in name},
            **{name.replace("q", "value/q", 1): v for name, v in losses.items() if name.startswith("q")},
        }
        row |= self._actions(episodes)
        stops = [stop for episode in episodes for stop in episode.stops]
        for reason in Stop:
            row[f"stop/{reason.replace(' ', '_')}"] = stops.count(reason) / len(stops)
        return row

    def _actions(self, episodes: list[Episode]) -> Row:
        """Mean (T_i, p_i) of each executor: the policy's own, and as sent with exploration."""
        row: Row = {}
        for name, values in (
            ("policy", [action for e in episodes for action in e.policy]),
            ("sent", [played.sent for e in episodes for played in e.rounds]),
        ):
            means = np.asarray(values).mean(axis=0)
            for agent, (temperature, second) in enumerate(means.tolist()):
                row[f"action/{name}/T_{agent + 1}"] = temperature
                row[f"action/{name}/p_{agent + 1}"] = second
        return row

    def _commitment_change(self, numbers: range, episodes: list[Episode]) -> float | None:
        """Mean distance between each problem's commitment and the one before: of the last time it was played,
        or, the first time, of the round before. None where there is none before.

        With more problems than episodes no problem is played twice, as in the paper's setting.
        """
        changes = []
        for number, episode in zip(numbers, episodes, strict=True):
            problem, *before = self.problem(number).id, *(r.commitment_embedding for r in episode.rounds)
            now = before.pop()
            if problem in self.commitments:
                before.append(self.commitments[problem])
            if before:
                changes.append((now - before[-1]).norm().item())
            self.commitments[problem] = now
        return float(np.mean(changes)) if changes else None

    def _checkpoints(self, before: int, reward: float) -> None:
        """The best policy so far, and the state at its times; exploring at random, no policy is the best."""
        train = self.params.train
        self.smoothed = (
            reward if self.smoothed is None else SMOOTHING * self.smoothed + (1 - SMOOTHING) * reward
        )
        random = Explorer(train.exploration, self.run.seed, before, train.episodes).uniform
        if not random and (self.best is None or self.smoothed > self.best):
            self.best = self.smoothed
            self.best_weights = checkpoint.Weights.of(self.learner, self.episodes)
        every = train.checkpoint_interval
        if self.episodes // every > before // every:
            self.save_state()

    def save_state(self) -> None:
        """Write what this training goes on from, in the place of what was written before."""
        if self.folder is None:
            return
        ids = sorted(self.commitments)
        extra = {"commitments": torch.stack([self.commitments[i] for i in ids])} if ids else {}
        extra |= {f"pool.{name}": tensor for name, tensor in self.pool.items()}
        if self.best_weights is not None:
            extra |= {f"best.{name}": tensor for name, tensor in self.best_weights.tensors.items()}
        checkpoint.save_learner(self.folder / paths.TRAINING, self.learner, self._header(), extra)

    def _finish(self, folder: Path) -> None:
        """The best and the last policy, and beside them what they are in plain JSON; then the state goes."""
        header, last = self._header(), checkpoint.Weights.of(self.learner, self.episodes)
        best = self.best_weights or last  # too short a training to choose
        for name, weights in (("best", best), ("last", last)):
            checkpoint.save_weights(folder / f"{name}.safetensors", weights, header)
        shown = {**asdict(header), "progress": {"stop": self.stop, "best_reward": self.best}}
        write_atomic(folder / "config.json", [seals.document(shown)])
        if self.params.train.keep_state:
            self.save_state()
        else:
            (folder / paths.TRAINING).unlink(missing_ok=True)

    def _header(self) -> checkpoint.Header:
        return checkpoint.Header(
            benchmark=self.run.benchmark,
            n_agents=self.run.n_agents,
            seed=self.run.seed,
            embedding_dim=self.learner.team.embedding_dim,
            params=self.params.model_dump(mode="json"),
            alpha=tuple(self.learner.alpha.tolist()),
            gradient_steps=self.learner.gradient_steps,
            episodes=self.episodes,
            simulated=self.client.simulated,
            parameters=self.learner.team.trainable,
            progress={
                "history": self.history,
                "stopper": self.stopper.state(),
                "smoothed": self.smoothed,
                "best": self.best,
                "best_weights": self.best_weights.moment if self.best_weights else None,
                "stop": self.stop,
                "problems": sorted(self.commitments),
            },
        )

    def restore(self, header: checkpoint.Header, extra: dict[str, Tensor]) -> None:
        """Go on where a checkpoint stands (its learner is this trainer's)."""
        state: dict[str, Any] = header.progress
        self.episodes, self.history = header.episodes, list(state["history"])
        self.stopper.load(state["stopper"])
        self.smoothed, self.best, self.stop = state["smoothed"], state["best"], state["stop"]
        if moment := state["best_weights"]:
            moment = {**moment, "alpha": tuple(moment["alpha"])}
            self.best_weights = checkpoint.Weights(checkpoint.under("best", extra), **moment)
        if self.stop == "all episodes played":  # of a shorter plan, perhaps
            self.stop = None
        self.commitments = dict(zip(state["problems"], extra.get("commitments", []), strict=False))
        self.pool = checkpoint.under("pool", extra)


@lru_cache(maxsize=4)
def _order(seed: int, passes: int, problems: int) -> list[int]:
    """In which order the pass number ``passes`` plays the problems."""
    generator = np.random.default_rng(stable_seed(seed, "order", passes))
    return [int(i) for i in generator.permutation(problems)]


class Curve:
    """The training curve as DVCLive metrics, in ``folder``/curve. A resumed run rewrites its past."""

    def __init__(self, folder: Path, history: Sequence[Row]) -> None:
        from dvclive.live import Live

        class Apart(Live):
            """Knows of no repository: DVCLive would make one of any git repository around it, and fail in
            one without commits. What DVC keeps of a curve is a stage's business."""

            def _init_dvc(self) -> None:
                return None

        self.live = Apart(
            str(folder / "curve"), save_dvc_exp=False, dvcyaml=None, report=None, monitor_system=False
        )
        for row in history:
            self.add(row)

    def add(self, row: Row) -> None:
        self.live.step = int(row["episodes"])
        for name, value in row.items():
            if name != "episodes":
                self.live.log_metric(name, value)
        self.live.make_summary()  # type: ignore[no-untyped-call]

    def close(self) -> None:
        self.live.end()  # type: ignore[no-untyped-call]


async def start(run: Run, client: Client, folder: Path | None, resume: Path | None = None) -> Trainer:
    """A trainer at its start, or where the state in the file ``resume`` stands.

    Raises:
        EconError: there are no problems, or the file is of another team or holds no state.
    """
    torch.set_num_threads(1)  # small networks; the language model needs the cores
    if not run.problems:
        raise EconError(
            f"{run.benchmark} has no training problems", "set data.train_problems or econ download"
        )
    if folder is not None:
        sweep(folder, "*.safetensors")
    if resume is None:
        [embedding] = await client.embed([run.problems[0].prompt])
        learner = Learner(run.n_agents, len(embedding), run.params, run.seed)
        return Trainer(run, client, learner, folder)
    header, _ = checkpoint.read(resume)
    checkpoint.fit(resume, header, run.params, run.n_agents, run.benchmark)
    if header.seed != run.seed:
        raise EconError(f"checkpoint {resume} was trained with seed {header.seed}, not {run.seed}")
    learner, header, extra = checkpoint.load_learner(resume, run.params)
    trainer = Trainer(run, client, learner, folder)
    trainer.restore(header, extra)
    return trainer
