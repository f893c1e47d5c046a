"""econ bank: real answers on a grid of actions, recorded once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from econ import interrupts
from econ.cli.live import command as live
from econ.cli.options import (
    benchmark_option,
    load_for,
    n_agents_option,
    offline_option,
    params_option,
    seed_option,
)
from econ.errors import EconError
from econ.params import Params
from econ.records import Problem, Split, Trace

if TYPE_CHECKING:
    from econ.bank.build import Builder
    from econ.bank.schema import Bank
    from econ.llm.base import Client

split_option = click.option(
    "--split",
    type=click.Choice(["train", "test", "both"]),
    default="both",
    show_default=True,
    help="Problems to record.",
)


@click.group("bank")
def command() -> None:
    """Record, look into and check banks of real answers, which training and evaluation can be played from.

    \b
    Example: econ bank build --benchmark svamp --split test
    """


command.add_command(live)


@command.command("build")
@benchmark_option
@split_option
@click.option("--embed/--no-embed", default=True, show_default=True, help="Compute the answers' vectors too.")
@click.option("--estimate", is_flag=True, help="Only say what is still to be asked for.")
@params_option
@offline_option
def build(benchmark: str, split: str, embed: bool, estimate: bool, params_file: Path, offline: bool) -> None:
    """Ask the executors' model for answers to every problem in every cell of ``bank``, several of each.

    What is there already is not asked for again; a build that was stopped goes on where it was.
    """
    params = load_for(params_file, benchmark)
    from econ import benchmarks
    from econ.bank.build import Builder

    for name in _splits(split):
        problems = benchmarks.load(benchmark, name, params)
        for model in dict.fromkeys(params.llm.executors):
            builder = Builder(benchmark, name, model, problems, params)
            if estimate:
                _announce(builder, f"{benchmark}/bank-{name}")
                continue
            interrupts.run(_build(builder, problems, params, embed=embed, offline=offline))


async def _build(
    builder: Builder, problems: Sequence[Problem], params: Params, *, embed: bool, offline: bool
) -> None:
    from econ.llm import current_job, open_client
    from econ.progress import Progress

    label = f"{builder.benchmark}/bank-{builder.split}"
    current_job.set(label)
    _announce(builder, label)
    async with open_client(params, offline=offline) as client:
        if not offline:
            await _prepare(client, problems, params)
        with Progress(len(builder.wanted), "answers", client, label) as progress:
            await builder.build(client, progress, embed=embed)
        mark = "SIMULATED " if client.simulated else ""
    click.echo(f"{mark}{label}: {len(builder.rows):,} answers in {builder.path}")


async def _prepare(client: Client, problems: Sequence[Problem], params: Params) -> None:
    """Is there room for the longest prompt, and does the server obey the action?"""
    from econ import prompts
    from econ.costs.context import check_context

    await check_context(problems, client, params, "econ-baseline", 1)
    await client.probe(prompts.for_probe(problems, params))


def _announce(builder: Builder, label: str) -> None:
    """What is to be asked for, before it is."""
    from econ.costs.bank import left
    from econ.costs.usage import total, usd

    needs = left(builder)
    took, money = total(needs).tokens, usd(needs, builder.params)
    price = "" if money is None else f", at most {money:.2f} USD"
    click.echo(
        f"{label}: {len(builder.problems)} problems × {len(builder.params.bank.cells)} cells × "
        f"{builder.params.bank.samples} samples, {len(builder.missing):,} answers to be asked for: at most "
        f"{took.prompt:,.0f} prompt and {took.completion:,.0f} completion tokens{price}; what the "
        "call cache holds of it costs nothing",
        err=True,
    )


@command.command("commitments")
@benchmark_option
@n_agents_option
@split_option
@click.option(
    "--most",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    help="Tuples of a problem, likeliest.",
)
@click.option("--estimate", is_flag=True, help="Only say what would be asked for.")
@params_option
@offline_option
def commitments(
    benchmark: str, n_agents: int, split: str, most: int, estimate: bool, params_file: Path, offline: bool
) -> None:
    """Ask the coordinator's model what it commits to, once for every ordered tuple of a bank's answers.

    Answers that say the same count as one. ``team.commitment: cached`` plays from what is recorded.

    \b
    Example: econ bank commitments --benchmark svamp --n-agents 3 --estimate
    """
    params = load_for(params_file, benchmark)
    from econ import benchmarks, paths
    from econ.bank import commitments as recording
    from econ.bank import store

    models = list(dict.fromkeys(params.llm.executors))
    if len(models) > 1:
        raise EconError("commitments are recorded for teams of one model", "name one in llm.executors")
    for name in _splits(split):
        problems = benchmarks.load(benchmark, name, params)
        path = paths.bank(benchmark, name, models[0])
        shipped = paths.shipped(path, models[0])
        bank = store.read(path if path.is_file() or not shipped.is_file() else shipped)
        count = sum(len(recording.tuples(bank, problem.id, n_agents, most)) for problem in problems)
        cap = params.llm.commitment_tokens(problems[0].kind)
        click.echo(
            f"{benchmark}/{name}: {count:,} tuples of {len(problems)} problems, at most {count * cap:,} "
            "completion tokens; what the call cache holds of it costs nothing",
            err=True,
        )
        if not estimate:
            made = interrupts.run(
                _commitments(bank, problems, n_agents, most, count, params, offline=offline)
            )
            where = paths.recorded_commitments(benchmark, params.llm.coordinator)
            click.echo(f"{made:,} commitments in {where}")


async def _commitments(
    bank: Bank, problems: Sequence[Problem], n: int, most: int, count: int, params: Params, *, offline: bool
) -> int:
    from econ.bank import commitments as recording
    from econ.llm import current_job, open_client
    from econ.progress import Progress

    label = f"{bank.card.benchmark}/commitments-{bank.card.split}"
    current_job.set(label)
    async with open_client(params, offline=offline) as client:
        with Progress(count, "commitments", client, label) as progress:
            return await recording.record(bank, problems, n, most, client, params, progress)


@command.command("ship")
@benchmark_option
@split_option
@click.option("--traces/--no-traces", default=True, help="Take other methods' calls from results/traces too.")
@click.option("--licence", help="The model's own licence, for the card.")
@params_option
def ship(benchmark: str, split: str, traces: bool, licence: str | None, params_file: Path) -> None:
    """Pack banks, and other methods' calls, into data/records, which comes along with the project.

    Of a benchmark no text is packed: problems by their ids and digests, answers as the model gave them.
    """
    params = load_for(params_file, benchmark)
    from econ import benchmarks, paths
    from econ.bank import ship as shipping

    for model in dict.fromkeys(params.llm.executors):
        card = None
        for name in _splits(split):
            path = paths.bank(benchmark, name, model)
            names = [problem.id for problem in benchmarks.load(benchmark, name, params)]
            target = paths.own_record(path, model)
            packed = shipping.pack(path, target, names, params)
            card = packed.card
            click.echo(f"{target}: {len(packed.rows):,} answers, {target.stat().st_size / 1e6:.2f} MB")
        if traces and card is not None:
            target = paths.own_record(paths.recorded_calls(benchmark, model), model)
            number, _ = shipping.pack_calls(target, card, _traces(benchmark))
            size = f", {target.stat().st_size / 1e6:.2f} MB" if number else ""
            click.echo(f"{target}: {number:,} calls{size}")
        own = {"model": licence} if licence else {}
        shipping.index(model, {benchmark: benchmarks.manifest(benchmark)["licence"], **own})


def _traces(benchmark: str) -> Iterator[Trace]:
    from econ import paths
    from econ.files import trace_line

    for path in sorted((paths.RESULTS / "traces" / benchmark).glob("*.jsonl")):
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            yield trace_line(line, path, number)


@command.command("regrade")
@benchmark_option
@split_option
@params_option
def regrade(benchmark: str, split: str, params_file: Path) -> None:
    """Grade the recorded answers anew, after a change of graders."""
    params = load_for(params_file, benchmark)
    from econ import benchmarks, paths
    from econ.bank.build import regrade as again

    for name in _splits(split):
        for model in dict.fromkeys(params.llm.executors):
            path = paths.bank(benchmark, name, model)
            rows, changed = again(path, benchmarks.load(benchmark, name, params), params)
            click.echo(f"{path}: {rows:,} answers, {changed:,} with another verdict")


@command.command("check")
@benchmark_option
@click.option(
    "--split", type=click.Choice(["train", "test"]), default="test", show_default=True, help="Whose bank."
)
@click.option(
    "--answers", type=click.IntRange(min=20), default=200, show_default=True, help="Fresh answers to ask for."
)
@seed_option
@params_option
@offline_option
def check(benchmark: str, split: Split, answers: int, seed: int, params_file: Path, offline: bool) -> None:
    """Compare what the bank predicts with fresh answers at random actions between its cells.

    Writes slope, interval, Brier score and a plot beside the bank. Exits with 1 where they differ.
    """
    params = load_for(params_file, benchmark)
    from econ import benchmarks

    problems = benchmarks.load(benchmark, split, params)
    passed = [
        interrupts.run(_check(benchmark, split, model, problems, params, answers, seed, offline=offline))
        for model in dict.fromkeys(params.llm.executors)
    ]
    if not all(passed):
        raise EconError(
            "fresh answers are not as the bank predicts",
            "see the plot; a finer grid (bank.temperature, bank.second) or more samples may mend it",
        )


async def _check(
    benchmark: str, split: Split, model: str, problems: Sequence[Problem], params: Params, answers: int,
    seed: int, *, offline: bool,
) -> bool:  # fmt: skip

    from econ import paths, seals
    from econ.bank import check, draws, store
    from econ.files import write_atomic
    from econ.llm import current_job, open_client
    from econ.progress import Progress
    from econ.reporting.figures import calibration

    label = f"{benchmark}/bank-check-{split}"
    current_job.set(label)
    bank = store.read(paths.bank(benchmark, split, model))
    known = {entry.id for entry in bank.card.entries}
    grid = draws.Grid(params.bank.temperature, params.bank.second)
    asked = check.questions([p for p in problems if p.id in known], grid, answers, seed)
    async with open_client(params, offline=offline) as client:
        check.same_model(bank.card, client, model)
        with Progress(len(asked), "answers", client, label) as progress:
            right = await check.ask(asked, bank, model, params, client, progress)
    found = check.calibrate(asked, right, bank, params)
    path = paths.bank_check(benchmark, split, model)
    record = {"passed": found.passed, "model": bank.card.model, "simulated": bank.card.simulated}
    write_atomic(path, [seals.document(record | asdict(found))])
    calibration.draw(found, bank.card, path)
    click.echo(f"{calibration.sentence(found, bank.card)}; {path}")
    return found.passed


@command.command("info")
@click.option("--benchmark", help="Of this benchmark alone.")
def info(benchmark: str | None) -> None:
    """Show which banks there are, and what they hold."""
    from econ import paths
    from econ.bank import store
    from econ.bank.table import summary

    files = sorted((paths.RESULTS / "bank").glob(f"{benchmark or '*'}/*.parquet"))
    if not files:
        raise EconError("there is no bank in results/bank", "econ bank build --benchmark B makes one")
    for path in files:
        click.echo(f"{path}  {path.stat().st_size / 1e6:.2f} MB")
        for line in summary(store.read(path)):
            click.echo(f"  {line}")


def _splits(split: str) -> tuple[Split, ...]:
    both: tuple[Split, ...] = ("train", "test")
    return both if split == "both" else tuple(name for name in both if name == split)
