"""econ bank live: a few problems answered now, beside their recorded answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from econ import interrupts
from econ.cli.options import load_for, params_option
from econ.errors import EconError
from econ.params import Params
from econ.records import Job, Trace

if TYPE_CHECKING:
    from econ.records import Problem

METHOD = "cot"  # one call a problem
EMBEDDED = "smollm2-135m-instruct"  # answers where the recorded model's own file is not here
WIDTH = 14  # of an answer shown


@click.command("live")
@click.option("--benchmark", help="Default: the first of the params.")
@click.option("--problems", "count", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--model", help="Who answers now; default: the recorded model if its file is here, else 135M.")
@params_option
def command(benchmark: str | None, count: int, model: str | None, params_file: Path) -> None:
    """Answer a few recorded problems with a model that runs here, and show both answers side by side.

    Zero-shot chain of thought, the same prompts and caps; nothing is written. With the recorded model's file
    where the params name it, both columns are of the same model.
    """
    name = benchmark or _first(params_file)
    params = load_for(params_file, name)
    if params.llm.backend != "bank":
        raise EconError(
            f"{params_file} plays nothing from records (llm.backend: {params.llm.backend})",
            "name params that do: --params params/demo.yaml",
        )
    from econ import benchmarks

    problems = benchmarks.load(name, "test", params)[:count]
    for line in told(name, *interrupts.run(_both(name, problems, params, _model(params, model)))):
        click.echo(line)


def _first(params_file: Path) -> str:
    from econ.params import load

    return load(params_file).benchmarks[0]


def _model(params: Params, named: str | None) -> str:
    recorded = params.llm.executors[0]
    return named or (recorded if Path(recorded).expanduser().is_file() else EMBEDDED)


async def _both(
    name: str, problems: Sequence[Problem], params: Params, model: str
) -> tuple[list[Trace], list[Trace]]:
    local = params.llm.local.model_copy(update={"engine": "auto"})  # the record's need not run here
    live = {"backend": "local", "coordinator": model, "executors": (model,), "local": local}
    here = params.model_copy(update={"llm": params.llm.model_copy(update=live)})
    return await _played(name, problems, params), await _played(name, problems, here)


async def _played(name: str, problems: Sequence[Problem], params: Params) -> list[Trace]:
    from econ import playing
    from econ.llm import current_job, open_client
    from econ.methods.registry import baseline
    from econ.progress import Progress

    job = Job(name, METHOD, params.n_agents[0], params.seeds[0])
    label = f"{name}/{METHOD} {'recorded' if params.llm.backend == 'bank' else 'live'}"
    current_job.set(label)
    method = baseline(METHOD, params, name)
    async with open_client(params) as client:
        with Progress(len(problems), "problems", client, label) as progress:
            return await playing.play(method, problems, client, params, job, progress)


def told(name: str, recorded: Sequence[Trace], live: Sequence[Trace]) -> Iterable[str]:
    """A row for each problem, the sums, and what they may be taken for."""
    models = [_model_of(traces) for traces in (recorded, live)]
    head = f"RECORDED {models[0]}", f"LIVE {models[1]}"
    yield f"{name}, {METHOD}, {len(live)} problems"
    yield f"  {'problem':32} {head[0]:44} {head[1]}"
    for old, new in zip(recorded, live, strict=True):
        yield f"  {old.problem_id[-32:]:32} {_answer(old):44} {_answer(new)}"
    yield f"  {'right':32} {_right(recorded):44} {_right(live)}"
    if models[0] != models[1]:
        yield (
            f"Two models, so this says only that {models[1]} is not who answered in the records: the "
            "recorded model's file, where llm.executors names it, makes both columns the same model's."
        )


def _model_of(traces: Sequence[Trace]) -> str:
    from econ import paths

    return paths.model_label(traces[0].calls[0].model)


def _answer(trace: Trace) -> str:
    from econ.terminal import printable

    text = printable(trace.answer or "")
    shown = text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
    verdict = "INVALID" if trace.invalid else "right" if trace.correct else "wrong"
    cut = ", cut" if any(call.finish_reason == "length" for call in trace.calls) else ""
    made = sum(call.completion_tokens for call in trace.calls)
    return f"{shown or '-'} ({verdict}, {made} tokens{cut})"


def _right(traces: Sequence[Trace]) -> str:
    from econ.reporting.statistics import wilson

    right = sum(trace.correct for trace in traces)
    low, high = wilson(right, len(traces))
    return f"{right} of {len(traces)} [{100 * low:.0f}, {100 * high:.0f}] %"
