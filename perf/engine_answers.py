"""Do both embedded engines answer alike? Accuracy on the same problems, and what the action does, by engine.

    python perf/engine_answers.py MODEL BENCHMARK [--problems 200] [--tokens 256]

Each problem is answered once by each engine at each of two actions (temperature, repetition penalty), with
zero-shot chain of thought. Problems of BENCHMARK's test split (ECON_DATA_MIRROR names their folder). Printed:
share right with its 95 % interval, tokens, cut answers; the engines' paired difference at each action and
over all of them; and each engine's difference between actions. Intervals are over problems.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from statistics import fmean

sys.path.insert(0, str(Path(__file__).parents[1]))

from econ import benchmarks, grading, paths, prompts
from econ.llm import open_client
from econ.llm.base import Client
from econ.params import Params
from econ.records import Call, Problem, Request, Sampling, stable_seed
from econ.reporting.statistics import mean_interval

ACTIONS = ((0.2, 1.0), (1.2, 1.3))
ENGINES = ("llama.cpp", "openvino")
Right = list[float]


def params_for(model: str, benchmark: str, engine: str, problems: int, tokens: int) -> Params:
    caps = {"answer": tokens, "strategy": 70, "strategy_asked": 40}
    llm = {"coordinator": model, "executors": [model], "max_in_flight": 32, "local": {"engine": engine},
           "max_tokens": caps, "timeout_seconds": 3600}  # fmt: skip
    return Params.model_validate({"benchmarks": [benchmark], "data": {"test_problems": problems}, "llm": llm})


def request(problem: Problem, action: tuple[float, float], model: str, params: Params) -> Request:
    tokens = params.llm.answer_tokens(problem.kind)
    temperature, penalty = action
    return Request(
        role="solver", agent=0, round=0, model=model,
        messages=tuple(prompts.cot(problem.prompt, problem.kind, tokens)),
        sampling=Sampling(temperature, 0.9, penalty, tokens),
        seed=stable_seed("engine answers", problem.id, action),
    )  # fmt: skip


async def answered(client: Client, asked: list[Request]) -> list[Call]:
    calls = await asyncio.gather(*map(client.complete, asked))
    assert all(call.error in (None, "empty answer") for call in calls), {call.error for call in calls}
    return calls


def told(name: str, values: Right, extra: str = "") -> None:
    interval = mean_interval(values)
    print(f"{name:44} {fmean(values):+.3f} [{interval[0]:+.3f}, {interval[1]:+.3f}]{extra}", flush=True)


async def play(engine: str, chosen: argparse.Namespace) -> dict[tuple[float, float], Right]:
    params = params_for(chosen.model, chosen.benchmark, engine, chosen.problems, chosen.tokens)
    if not paths.manifest(chosen.benchmark).exists():
        benchmarks.download(chosen.benchmark, params)
    problems = benchmarks.load(chosen.benchmark, "test", params)
    right: dict[tuple[float, float], Right] = {}
    async with open_client(params) as client:
        for action in ACTIONS:
            calls = await answered(client, [request(p, action, chosen.model, params) for p in problems])
            right[action] = [
                float(grading.grade(problem, call.text or None, params).correct)
                for problem, call in zip(problems, calls, strict=True)
            ]
            cut = fmean(call.finish_reason == "length" for call in calls)
            tokens = fmean(call.completion_tokens for call in calls)
            told(f"{engine} T {action[0]} p {action[1]} (n = {len(problems)})", right[action],
                 f"  {tokens:.0f} tokens, {100 * cut:.1f} % cut")  # fmt: skip
    return right


def differences(name: str, first: Right, second: Right) -> None:
    told(name, [b - a for a, b in zip(first, second, strict=True)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("benchmark")
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--tokens", type=int, default=256, help="most of an answer")
    chosen = parser.parse_args()
    print(f"{Path(chosen.model).stem} on {chosen.benchmark}")
    old, new = (asyncio.run(play(engine, chosen)) for engine in ENGINES)
    for action in ACTIONS:
        differences(f"openvino less llama.cpp, T {action[0]} p {action[1]}", old[action], new[action])
    pooled = [
        [fmean(found[action][i] for action in ACTIONS) for i in range(len(found[ACTIONS[0]]))]
        for found in (old, new)
    ]
    differences("openvino less llama.cpp, mean of the actions", *pooled)
    for engine, found in zip(ENGINES, (old, new), strict=True):
        for action in ACTIONS[1:]:
            name = f"{engine}: T {action[0]} p {action[1]} less T {ACTIONS[0][0]} p {ACTIONS[0][1]}"
            differences(name, found[ACTIONS[0]], found[action])


if __name__ == "__main__":
    main()
