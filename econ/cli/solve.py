"""econ solve: one problem, shown as it happens."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import click

from econ.cli.options import known_benchmark, offline_option, params_option, seed_option
from econ.errors import EconError
from econ.methods.base import Method
from econ.params import ECON_METHODS, Params, load
from econ.records import Call, Job, Problem


@click.command("solve")
@click.argument("question", required=False)
@click.option(
    "--benchmark", default="svamp", show_default=True, help="Whose answer format and grader to use."
)
@click.option("--problem", "problem_id", help="A problem of the benchmark by its id, instead of QUESTION.")
@click.option("--method", default="econ-bne", show_default=True, help="Any method.")
@click.option("--n-agents", type=click.IntRange(min=1), help="Executors; default: the first of the params.")
@seed_option
@params_option
@offline_option
def command(
    question: str | None,
    benchmark: str,
    problem_id: str | None,
    method: str,
    n_agents: int | None,
    seed: int,
    params_file: Path,
    offline: bool,
) -> None:
    """Answer one problem and show every turn as it is made.

    \b
    Example: econ solve "Tom has 3 apples and buys 4 more. How many has he now?"
             econ solve --benchmark gsm8k --problem ID --method debate
    """
    params = load(params_file)
    known_benchmark(params, benchmark)
    problem = _find(benchmark, question, problem_id, params)
    job = Job(benchmark, method, n_agents or params.n_agents[0], seed)
    asyncio.run(_solve(_method(job, params), problem, params, job, offline))


def _find(benchmark: str, question: str | None, problem_id: str | None, params: Params) -> Problem:
    if (question is None) == (problem_id is None):
        raise EconError("econ solve needs either a QUESTION or --problem ID")
    if question is not None:
        name = f"own-{hashlib.sha256(question.encode()).hexdigest()[:12]}"
        return Problem(name, benchmark, question, gold=None)
    from econ import benchmarks

    whole = params.model_copy(
        update={"data": params.data.model_copy(update={"train_problems": None, "test_problems": None})}
    )
    for split in ("test", "train"):
        for problem in benchmarks.load(benchmark, split, whole):
            if problem.id == problem_id:
                return problem
    raise EconError(
        f"no problem '{problem_id}' in {benchmark}", f"see data/benchmarks/{benchmark}/test.jsonl"
    )


def _method(job: Job, params: Params) -> Method:
    """A trained policy where the job has one; else the untrained, and that is said."""
    from econ import paths
    from econ.methods import baseline

    if job.method not in ECON_METHODS:
        return baseline(job.method, params, job.benchmark)
    from econ.methods.econ import from_checkpoint, untrained

    folder = paths.checkpoint(job.benchmark, job.n_agents, job.seed)
    if folder.exists():
        return from_checkpoint(folder, params, job.n_agents, job.method)
    click.echo(f"No checkpoint at {folder}: the networks are UNTRAINED.\n", err=True)
    return untrained(params, job.n_agents, job.method, job.seed)


async def _solve(method: Method, problem: Problem, params: Params, job: Job, offline: bool) -> None:
    from econ.llm import open_client
    from econ.methods.base import Session
    from econ.methods.room import check_room
    from econ.play import solve

    click.echo(f"{click.style('Problem', bold=True)} {problem.prompt}\n")
    async with open_client(params, offline=offline) as client:
        if not offline:
            await check_room([problem], client, params, job.method, job.n_agents)
        session = Session(problem, client, params, job.n_agents, job.seed, watch=_show)
        trace = await solve(method, problem, session, job)
        usage = client.usage
    verdict = "INVALID" if trace.invalid else trace.answer
    if problem.gold is not None:
        verdict = f"{verdict} ({'right' if trace.correct else f'wrong, gold {problem.gold}'})"
    simulated = " SIMULATED" if trace.simulated else ""
    click.secho(f"Answer{simulated}: {verdict}", bold=True)
    if trace.reason:
        click.echo(f"  {trace.reason}")
    tokens = usage.prompt_tokens + usage.completion_tokens
    click.echo(
        f"  {trace.rounds} rounds ({trace.stop}), {usage.made} calls made, "
        f"{usage.cached} from cache, {tokens:,} tokens paid"
    )


def _show(call: Call) -> None:
    head = f"round {call.round} · {call.role}"
    if call.role != "coordinator":
        head += f" {call.agent + 1}"
    s = call.sampling
    settings = f"T {s.temperature:.2f}, top-p {s.top_p:.2f}, penalty {s.repetition_penalty:.2f}"
    counts = f"{call.prompt_tokens}+{call.completion_tokens} tokens{', cached' if call.cached else ''}"
    click.echo(f"{click.style(head, bold=True)}  ({settings}; {counts})")
    body = call.text.strip() if call.ok else f"[no answer: {call.error}]"
    click.echo("\n".join(f"  {line}" for line in body.splitlines()) + "\n")
