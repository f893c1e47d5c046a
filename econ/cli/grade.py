"""``econ grade``: answers from anywhere, graded line by line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import orjson

from econ.cli.options import load, set_option
from econ.errors import EconError
from econ.params import Params
from econ.records import Json
from econ.terminal import printable


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the graded lines here.")
@click.option("--params", "params_file", type=click.Path(path_type=Path), help="Params file with own data.")
@set_option
def command(file: Path, output: Path | None, params_file: Path | None) -> None:
    """Grade the answers in FILE.jsonl and print the official rates.

    Each line has "benchmark", "gold" as the data set gives it, and "response", the full text; a TravelPlanner
    line has "problem", the row's fields as on the hub, and "plan", a list of day objects or null. The lines
    come back with answer, strict and flexible (null: INVALID), or with delivered, constraints, cost and
    final: into the output file, else on standard output with the summary on standard error.

    \b
    Example: econ grade answers.jsonl -o graded.jsonl
    """
    params = load(params_file)
    bad: list[EconError] = []
    graded = list(_all_graded(file, params, bad))
    if bad and not graded:
        raise bad[0]
    lines = [orjson.dumps(row) + b"\n" for row, _ in graded]
    summary = orjson.dumps(_summary(graded), option=orjson.OPT_INDENT_2).decode()
    if output:
        from econ.files import write_atomic

        write_atomic(output, lines)
        click.echo(summary)
    else:
        click.echo(b"".join(lines), nl=False)
        click.echo(summary, err=True)
    if bad:
        for fault in bad[1:]:
            click.echo(f"econ: {printable(str(fault))}", err=True)
        told = f"{len(bad)} of {len(bad) + len(graded)} lines are bad; the others are graded"
        raise EconError(bad[0].problem, f"{bad[0].way_out}; {told}" if bad[0].way_out else told)


def _all_graded(file: Path, params: Params, bad: list[EconError]) -> Iterator[tuple[Json, Any]]:
    """Every line's verdict; ``bad`` takes in the faults of lines that cannot be graded."""
    from econ.benchmarks.files import exact_line

    for number, line in _lines(file):
        try:
            yield _graded(exact_line(line, file, number), file, number, params)
        except EconError as fault:
            bad.append(fault)


def _lines(file: Path) -> list[tuple[int, bytes]]:
    from econ.benchmarks.files import unpacked

    try:
        content = file.read_bytes()
    except OSError as fault:
        raise EconError(f"{file} cannot be read: {fault.strerror or fault}") from None
    lines = enumerate(unpacked(file, content).split(b"\n"), 1)
    found = [(number, line.strip()) for number, line in lines if line.strip()]
    if not found:
        raise EconError(f"{file} holds no lines to grade")
    return found


def _graded(row: Json, file: Path, number: int, params: Params) -> tuple[Json, Any]:
    """The row with its verdict, and what the summary counts."""
    from econ.benchmarks import spec

    try:
        benchmark = _field(row, "benchmark")
        if not isinstance(benchmark, str):
            raise EconError("'benchmark' is not text")
        kind = spec(benchmark, params).kind
        return _plan(row, params) if kind == "plan" else _answer(row, kind)
    except EconError as fault:
        raise EconError(f"{file} line {number}: {fault.problem}", fault.way_out) from None


def _answer(row: Json, kind: str) -> tuple[Json, Any]:
    from econ.grading import gold_form, grade_text

    answer, response = _field(row, "gold"), _field(row, "response")
    gold = gold_form(kind, answer)
    if gold is None:
        raise EconError(f"gold {str(answer)[-60:]!r} is no readable {kind} answer")
    if response is not None and not isinstance(response, str):
        raise EconError("'response' is neither text nor null")
    verdict = grade_text(kind, gold, response)
    facts = {"answer": verdict.answer, "strict": verdict.strict, "flexible": verdict.flexible}
    return {**row, **facts}, verdict


def _plan(row: Json, params: Params) -> tuple[Json, Any]:
    from econ.benchmarks.travelplanner import query_of
    from econ.grading import score_plan

    problem, plan = _field(row, "problem"), _field(row, "plan")
    if not isinstance(problem, dict):
        raise EconError("'problem' is not an object")
    if plan not in (None, "") and not isinstance(plan, list):
        raise EconError("'plan' is neither a list of day objects nor null")
    score = score_plan(query_of(problem), plan or None, params)
    facts = {
        "delivered": score.delivered,
        "constraints": dict(score.constraints),
        "cost": score.cost,
        "final": score.final,
        "malformed": score.malformed,
        "within_current_city_strict": score.within_current_city_strict,
    }
    return {**row, **facts}, score


def _field(row: Json, name: str) -> Any:
    if name not in row:
        raise EconError(f"field '{name}' is missing")
    return row[name]


def _summary(graded: list[tuple[Json, Any]]) -> Json:
    from econ.grading.travelplanner import Score, rates

    found: dict[str, list[Any]] = defaultdict(list)
    for row, verdict in graded:
        found[row["benchmark"]].append(verdict)
    return {
        name: rates(verdicts) if isinstance(verdicts[0], Score) else _accuracy(verdicts)
        for name, verdicts in found.items()
    }


def _accuracy(verdicts: list[Any]) -> Json:
    n = len(verdicts)
    return {
        "n": n,
        "strict_accuracy": sum(v.strict is True for v in verdicts) / n,
        "flexible_accuracy": sum(v.flexible is True for v in verdicts) / n,
        "strict_parse_rate": sum(v.strict is not None for v in verdicts) / n,
        "parse_rate": sum(v.flexible is not None for v in verdicts) / n,
    }
