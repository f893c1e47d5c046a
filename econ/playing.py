"""Playing a method over a benchmark's problems: calls in, traces and metrics out."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from econ import benchmarks, fingerprint, paths, prompts
from econ.costs.context import check_context
from econ.files import sweep
from econ.grading import extract, gradable, grade
from econ.grading.leaks import tells
from econ.grading.rounds import marked
from econ.llm import current_job, open_client
from econ.llm.base import Client
from econ.llm.complete import Completeness
from econ.methods.base import Player, Session, Solution
from econ.methods.econ.method import earned
from econ.params import Params, learns, parse_method
from econ.progress import Progress, waiting
from econ.records import Job, Json, Problem, Trace, Verdict


async def run_job(make: Callable[[], Player], params: Params, job: Job, *, offline: bool = False) -> Json:
    """Play the job's method over the benchmark's test sample; write its traces, then its metrics; the latter.

    Problems are in flight together, bounded by ``llm.max_in_flight``. Both files are written at the end in
    one step each: a run that is interrupted leaves earlier results as they were, and goes on from the call
    cache when it is started again. So does one with more failed calls than ``llm.failed_share`` allows, of
    which nothing is written.

    Args:
        make: gives the method; called once the first problems could be read.
        params: the whole; the job's variant is put in here.
    """
    from econ.reporting import results
    from econ.reporting.doubts import doubts
    from econ.reporting.metrics import summarise

    base, own = parse_method(job.method)[0], params.of(job.method)
    problems = benchmarks.load(job.benchmark, "test", own)
    method = make()
    for path in (paths.trace(job), paths.metrics(job)):
        sweep(path.parent, path.name)
    current_job.set(f"{job.benchmark}/{job.name}")
    async with open_client(own, offline=offline) as client:
        with waiting("the model to be there, and to obey what it is steered with"):
            if not offline:
                await check_context(problems, client, own, base, job.n_agents)
            if learns(base):  # the others steer with fixed settings alone
                await client.probe(prompts.for_probe(problems, own))
        gc.freeze()  # what is loaded by now stays: looking through all of it holds every call up for 0.15 s
        with Progress(len(problems), "problems", client, f"{job.benchmark}/{job.name}") as progress:
            traces = await play(method, problems, client, own, job, progress)
    complete = Completeness(
        f"{job.benchmark}/{job.name}", "llm.failed_share.answers", own.llm.failed_share.answers
    )
    complete.add(call for trace in traces for call in trace.calls)
    complete.demand()
    metrics = summarise(traces, benchmarks.manifest(job.benchmark), params)
    metrics["code"] = fingerprint.answers(base, own.kind_of(job.benchmark), own.llm.backend)
    metrics["commit"] = fingerprint.commit()
    results.write(job, traces, metrics)
    for doubt in doubts(metrics):
        print(f"econ: warning: {job.benchmark}/{job.name}: {doubt}", file=sys.stderr)
    return metrics


async def play(
    method: Player,
    problems: Sequence[Problem],
    client: Client,
    params: Params,
    job: Job,
    progress: Progress | None = None,
) -> list[Trace]:
    """The traces of ``method`` on ``problems``, in their order, whatever order the answers came in."""

    async def one(problem: Problem) -> Trace:
        session = Session(problem, client, params, job.n_agents, job.seed)
        trace = await solve(method, problem, session, job)
        if progress is not None:
            progress.advance()
        return trace

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(problem)) for problem in problems]
    return [task.result() for task in tasks]


async def solve(method: Player, problem: Problem, session: Session, job: Job) -> Trace:
    """Let ``method`` answer one problem, grade what it says and keep the whole record."""
    solution = await method.solve(session)
    verdict, steps, detail = await asyncio.to_thread(_graded, problem, solution, session.params)
    return Trace(
        problem_id=problem.id,
        benchmark=problem.benchmark,
        method=job.method,
        n_agents=job.n_agents,
        seed=job.seed,
        gold=problem.gold,
        answer=verdict.answer,
        correct=verdict.correct,
        invalid=verdict.invalid,
        reason=verdict.reason,
        strict=verdict.strict,
        reward=verdict.reward,
        rounds=solution.rounds,
        stop=solution.stop,
        text=solution.text,
        steps=steps,
        detail=detail,
        simulated=session.client.simulated,
        calls=session.calls,
        recorded=session.client.recorded,
    )


def _graded(problem: Problem, solution: Solution, params: Params) -> tuple[Verdict, tuple[Json, ...], Json]:
    """The verdict, the steps with what became of their answers, and all that a trace tells in detail."""
    verdict = judge(problem, solution, params)
    detail = {**_marks(problem), **verdict.detail, **solution.detail}
    detail |= earned(problem, solution, verdict, params)
    detail |= audited(problem, solution)
    detail |= _judge_firsts(problem, solution, params)
    return verdict, marked(problem, solution.steps, params), detail


def _marks(problem: Problem) -> Json:
    """What the metrics need to know of a problem: which parts of its benchmark it is in."""
    made_of = {"source": problem.source} if problem.source else {}
    return made_of | ({"subsets": list(problem.subsets)} if problem.subsets else {})


def audited(problem: Problem, solution: Solution) -> Json:
    """Did the strategy that the executors read give the gold away? For the record: nothing acts on it."""
    strategy = solution.detail.get("strategy_text")
    if strategy is None or problem.gold is None:
        return {}
    return {"strategy_tells_gold": tells(problem.kind, problem.gold, strategy, problem.prompt)}


def judge(problem: Problem, solution: Solution, params: Params) -> Verdict:
    """The grader's verdict; a method that could get no answer is INVALID for the reason it gave.

    Where there is nothing to grade by the answer is read and not held to be right.
    """
    if not gradable(problem):
        answer = extract(problem.kind, solution.text)
        right, reason = (None, solution.error or "no readable answer") if answer is None else (False, None)
        return Verdict(answer, None, right, 0.0, reason)
    if solution.error is None:
        return grade(problem, solution.text, params)
    verdict = grade(problem, None, params)
    return replace(verdict, reason=solution.error)


def _judge_firsts(problem: Problem, solution: Solution, params: Params) -> Json:
    """The verdicts on what the first 1, 2, … k samples or rounds alone would have answered."""
    if not solution.firsts or not gradable(problem):
        return {}
    verdicts = {text: grade(problem, text, params) for text in dict.fromkeys(solution.firsts)}
    kept = [verdicts[text] for text in solution.firsts]
    marks = {"correct": [v.correct for v in kept], "invalid": [v.invalid for v in kept]}
    return {"first_k": {"unit": solution.unit, **marks}}
