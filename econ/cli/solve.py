"""econ solve: one problem, shown as it happens."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from econ import interrupts
from econ.cli.options import known_benchmark, load_or_demo, offline_option, params_option, seed_option
from econ.cli.transcript import Turns, answers, tree
from econ.errors import EconError
from econ.llm.base import Usage
from econ.methods.base import Player
from econ.params import Params, learns, parse_method
from econ.records import Job, Problem, Trace
from econ.terminal import printable


@click.command("solve")
@click.argument("question", required=False)
@click.option(
    "--benchmark", default="svamp", show_default=True, help="Whose answer format and grader to use."
)
@click.option("--problem", "problem_id", help="A problem of the benchmark by its id, instead of QUESTION.")
@click.option("--method", default="econ-bne", show_default=True, help="Any method, or METHOD+VARIANT.")
@click.option("--n-agents", type=click.IntRange(min=1), help="Executors; default: the first of the params.")
@click.option("--prompts", "show_prompts", is_flag=True, help="Show what each was asked, too.")
@seed_option
@params_option
@offline_option
def command(
    question: str | None,
    benchmark: str,
    problem_id: str | None,
    method: str,
    n_agents: int | None,
    show_prompts: bool,
    seed: int,
    params_file: Path,
    offline: bool,
) -> None:
    """Answer one problem and show every turn as it is made.

    \b
    Example: econ solve "Tom has 3 apples and buys 4 more. How many has he now?"
             econ solve --benchmark gsm8k --problem ID --method debate
    """
    params = load_or_demo(params_file)
    known_benchmark(params, benchmark)
    problem = _find(benchmark, question, problem_id, params)
    job = Job(benchmark, method, n_agents or params.n_agents[0], seed)
    player = _method(job, params)
    own = params.of(method)
    interrupts.run(_solve(player, problem, own, job, offline=offline, show_prompts=show_prompts))


def _find(benchmark: str, question: str | None, problem_id: str | None, params: Params) -> Problem:
    if (question is None) == (problem_id is None):
        raise EconError("econ solve needs either a QUESTION or --problem ID")
    from econ import benchmarks

    if question is not None:
        name = f"own-{hashlib.sha256(question.encode()).hexdigest()[:12]}"
        return Problem(name, benchmark, question, gold=None, kind=benchmarks.spec(benchmark, params).kind)

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


def _method(job: Job, params: Params) -> Player:
    """A trained policy where the job has one; else the untrained, and that is said."""
    from econ import paths
    from econ.methods.registry import baseline

    (base, variant), own = parse_method(job.method), params.of(job.method)
    if not learns(base):
        return baseline(base, own, job.benchmark)
    from econ.methods.econ.method import from_checkpoint, untrained

    folder = paths.checkpoint(job.benchmark, job.n_agents, job.seed, params.learned_as(variant))
    if folder.exists():
        return from_checkpoint(folder, own, job.n_agents, base)
    click.echo(f"No checkpoint at {folder}: the networks are UNTRAINED.\n", err=True)
    return untrained(own, job.n_agents, base, job.seed)


async def _solve(
    method: Player, problem: Problem, params: Params, job: Job, *, offline: bool, show_prompts: bool
) -> None:
    from econ.costs.context import check_context
    from econ.llm import open_client
    from econ.methods.base import Session
    from econ.playing import solve

    click.echo(f"{click.style('Problem', bold=True)} {printable(problem.prompt)}\n")
    async with open_client(params, offline=offline) as client:
        if not offline:
            await check_context([problem], client, params, parse_method(job.method)[0], job.n_agents)
        session = Session(problem, client, params, job.n_agents, job.seed, watch=Turns(prompts=show_prompts))
        trace = await solve(method, problem, session, job)
        usage = client.usage
    _conclude(trace, usage)


def _conclude(trace: Trace, usage: Usage) -> None:
    """A search's tree or everybody's answers by round, the method's own, and what the game took."""
    for line in (*tree(trace), *answers(trace)):
        click.echo(printable(line))
    verdict = "INVALID" if trace.invalid else trace.answer
    if "constraints" in trace.detail:
        verdict = f"{verdict} ({'passes' if trace.correct else f'{trace.reward:.0%} of the constraints met'})"
    elif trace.gold is not None:
        verdict = f"{verdict} ({'right' if trace.correct else f'wrong, gold {trace.gold}'})"
    mark = " SIMULATED" if trace.simulated else " RECORDED" if trace.recorded else ""
    click.secho(f"Answer{mark}: {printable(str(verdict))}", bold=True)
    if trace.reason:
        click.echo(f"  {printable(trace.reason)}")
    tokens = sum(call.prompt_tokens + call.completion_tokens for call in trace.calls)
    paid = usage.tokens.total
    click.echo(
        f"  {trace.method}: {trace.rounds} round{'s' * (trace.rounds != 1)}, ended by: {trace.stop}; "
        f"{len(trace.calls)} calls, {tokens:,} tokens; paid now: {usage.made} calls, {paid:,} tokens"
    )
