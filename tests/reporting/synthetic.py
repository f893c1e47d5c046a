"""Traces of a known coin: what the reporting must give back is known before it runs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from econ.params import Params
from econ.records import Call, Job, Json, Sampling, Trace, stable_seed
from econ.reporting import results
from econ.reporting.gather import jobs
from econ.reporting.metrics import summarise

MANIFEST = {
    "source": "mirror", "licence": "MIT",
    "splits": {
        "test": {
            "hub": "coins/toss", "revision": "c0" * 20, "revision_checked": False, "rows": 40,
            "sha256": "ab" * 32,
        },
    },
}  # fmt: skip
CHANCE = {"cot": 0.45, "debate": 0.55, "econ-baseline": 0.5, "econ-bne": 0.65, "self-consistency": 0.55}
# Samples or rounds of the methods that are known at fewer of them; the calls of one round.
SAMPLES = {"self-consistency": 20}
ROUNDS = {"debate": 3, "sparse-debate": 3, "econ-baseline": 1, "econ-bne": 3}
CALLS = {
    "greedy-search": 0, "direct": 1, "cot": 1, "few-shot-cot": 1, "mad": 6, "react": 8, "tot": 14,
    "reflexion": 17, "rap": 30, "rstar": 60,
}  # fmt: skip


def call(
    agent: int = 0, *, model: str = "coin", prompt: int = 100, completion: int = 20, **changes: Any
) -> Call:
    fields: dict[str, Any] = {
        "role": "executor", "agent": agent, "round": 0, "model": model,
        "messages": ({"role": "user", "content": "Which <side>?"},), "sampling": Sampling(0.7, 0.9, 1.1, 48),
        "seed": 1, "sample": 0, "text": "#### 1", "prompt_tokens": prompt, "completion_tokens": completion,
        "cached": False, "error": None, "finish_reason": "stop",
    }  # fmt: skip
    return Call(**(fields | changes))


def trace(
    job: Job, problem: int, *, correct: bool, calls: Sequence[Call] | None = None, **changes: Any
) -> Trace:
    fields: dict[str, Any] = {
        "problem_id": f"p{problem}", "benchmark": job.benchmark, "method": job.method,
        "n_agents": job.n_agents,
        "seed": job.seed, "gold": "1", "answer": "1" if correct else "2", "correct": correct,
        "invalid": False,
        "reason": None, "strict": correct, "reward": float(correct), "rounds": 1, "stop": "done",
        "text": "#### 1", "steps": (), "detail": {}, "simulated": False,
        "calls": (call(),) if calls is None else tuple(calls),
    }  # fmt: skip
    return Trace(**(fields | changes))


def coin(job: Job, n: int, simulated: bool = False, recorded: str = "") -> list[Trace]:
    """``n`` tosses with the method's own chance; every seventh answer that is wrong cannot be read."""
    single = job.method in SAMPLES or job.method in CALLS
    n_agents = 0 if single else job.n_agents  # one agent gives the same whatever the size of the team
    rng = random.Random(stable_seed(job.benchmark, job.method, n_agents, job.seed))
    difficulty = random.Random(job.benchmark)
    traces = []
    for problem in range(n):
        chance = CHANCE.get(job.method, 0.4) + difficulty.uniform(-0.3, 0.3) + 0.02 * n_agents
        count = SAMPLES.get(job.method) or ROUNDS.get(job.method, 1)
        right = [rng.random() < chance - 0.1 / (k + 1) for k in range(count)]
        invalid = not right[-1] and problem % 7 == 0
        unread = (
            {"invalid": True, "strict": None, "answer": None, "reason": "no answer found"} if invalid else {}
        )
        known = job.method in SAMPLES or job.method in ROUNDS
        traces.append(
            trace(
                job, problem, correct=right[-1], calls=_calls(job, rng, count), simulated=simulated,
                recorded=recorded,
                detail=firsts(job, right) if known else {}, steps=_steps(job, rng, count), rounds=count,
                **unread,
            )
        )  # fmt: skip
    return traces


def firsts(job: Job, right: Sequence[bool]) -> dict[str, Any]:
    """The verdicts on the first 1, 2, ... samples or rounds."""
    unit = "sample" if job.method in SAMPLES else "round"
    return {"first_k": {"unit": unit, "correct": [*right], "invalid": [False] * len(right)}}


def _calls(job: Job, rng: random.Random, count: int) -> list[Call]:
    if job.method in SAMPLES:
        return [call(sample=sample, completion=10 + rng.randrange(40)) for sample in range(count)]
    team = job.method not in CALLS
    return [
        call(
            agent,
            round=round,
            prompt=(90 + rng.randrange(60)) * (round + 1),
            completion=10 + rng.randrange(40),
        )
        for round in range(count)
        for agent in range(job.n_agents if team else CALLS[job.method])
    ]


def _steps(job: Job, rng: random.Random, count: int) -> tuple[Json, ...]:
    """What a debate or a game records of its rounds."""
    if job.method in SAMPLES or job.method in CALLS or count == 1:
        return ()
    n, before, steps = job.n_agents, [False] * job.n_agents, []
    for round in range(count):
        right = [rng.random() < 0.4 + 0.1 * round for _ in range(n)]
        gained = sum(new and not old for old, new in zip(before, right, strict=True))
        lost = sum(old and not new for old, new in zip(before, right, strict=True))
        step = {
            "round": round,
            "answers": ["1"] * n,
            "distinct": 1 + rng.randrange(n - min(round, n - 1)),
            "correct": right,
        }
        steps.append(step | ({"gained": gained, "lost": lost} if round else {}))
        before = right
    return tuple(steps)


def write_run(
    folder: Path, n: int = 40, *, simulated: bool = False, recorded: str = "", **changes: Any
) -> tuple[Params, Path]:
    """Traces and metrics of every job, below the current folder; returns the params and their file."""
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(changes))
    params = Params.model_validate(changes)
    for job in jobs(params):
        write_job(params, job, coin(job, n, simulated, recorded))
    return params, path


def write_job(params: Params, job: Job, traces: list[Trace]) -> None:
    results.write(job, traces, summarise(traces, MANIFEST, params))
