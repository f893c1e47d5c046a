"""Traces of a known coin: what the reporting must give back is known before it runs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import yaml

from econ import paths
from econ.files import write_atomic
from econ.params import Params
from econ.records import Call, Job, Sampling, Trace, stable_seed, to_json
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
CALLS = {"cot": 1, "debate": 9, "econ-baseline": 5, "econ-bne": 11}
CHANCE = {"cot": 0.45, "debate": 0.55, "econ-baseline": 0.5, "econ-bne": 0.65}


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


def trace(job: Job, problem: int, *, correct: bool, calls: Sequence[Call] = (), **changes: Any) -> Trace:
    fields: dict[str, Any] = {
        "problem_id": f"p{problem}", "benchmark": job.benchmark, "method": job.method,
        "n_agents": job.n_agents,
        "seed": job.seed, "gold": "1", "answer": "1" if correct else "2", "correct": correct,
        "invalid": False,
        "reason": None, "strict": correct, "reward": float(correct), "rounds": 1, "stop": "done",
        "text": "#### 1", "steps": (), "detail": {}, "simulated": False, "calls": tuple(calls) or (call(),),
    }  # fmt: skip
    return Trace(**(fields | changes))


def coin(job: Job, n: int, simulated: bool = False) -> list[Trace]:
    """``n`` tosses with the method's own chance; every seventh answer that is wrong cannot be read."""
    rng = random.Random(stable_seed(job.benchmark, job.name))
    difficulty = random.Random(job.benchmark)
    traces = []
    for problem in range(n):
        chance = CHANCE.get(job.method, 0.4) + difficulty.uniform(-0.3, 0.3) + 0.02 * job.n_agents
        correct = rng.random() < chance
        invalid = not correct and problem % 7 == 0
        count = CALLS.get(job.method, 3) + job.n_agents
        calls = [
            call(agent, prompt=90 + rng.randrange(60), completion=10 + rng.randrange(40))
            for agent in range(count)
        ]
        unread = (
            {"invalid": True, "strict": None, "answer": None, "reason": "no answer found"} if invalid else {}
        )
        traces.append(trace(job, problem, correct=correct, calls=calls, simulated=simulated, **unread))
    return traces


def write_run(folder: Path, n: int = 40, *, simulated: bool = False, **changes: Any) -> tuple[Params, Path]:
    """Traces and metrics of every job, below the current folder; returns the params and their file."""
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(changes))
    params = Params.model_validate(changes)
    for job in jobs(params):
        write_job(params, job, coin(job, n, simulated))
    return params, path


def write_job(params: Params, job: Job, traces: list[Trace]) -> None:
    write_atomic(paths.trace(job), (to_json(one) + b"\n" for one in traces))
    write_atomic(paths.metrics(job), [orjson.dumps(summarise(traces, MANIFEST, params))])
