"""Every prompt of every trace: does it tell its problem's gold before a model of the team has said it?

A prompt tells the gold when, without the problem's own text and the lines that problems with other golds
were told too (the templates), it states the gold as the answer or holds it
(:func:`econ.grading.leaks.tells`). That is no leak where a call of an earlier stage, itself not told, said
the gold: debaters and coordinators read what others answered. What is left is a leak.

Told per benchmark and method: traces with a gold, prompts, prompts that tell the gold, those of them that
repeat a model, leaks; and strategies that told it, out of those shown.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from econ.errors import EconError
from econ.files import trace_line
from econ.grading.leaks import tells
from econ.records import Call, Problem, Trace

COLUMNS = ("traces", "prompts", "tell gold", "repeat", "leaks", "strategies", "told gold")

NUMBER = re.compile(r"^Answer \d+: ", re.MULTILINE)  # with which the templates number the answers they show


def lines(call: Call, problem: Problem) -> list[str]:
    """What a model read beside the problem's own text."""
    text = "\n".join(message["content"] for message in call.messages)
    return NUMBER.sub("", text.replace(problem.prompt, "")).split("\n")


def templates(traces: Sequence[Trace], problems: dict[str, Problem]) -> set[str]:
    """Lines that problems with different golds were told: they cannot carry one."""
    golds: dict[str, set[str]] = defaultdict(set)
    for trace in traces:
        for call in trace.calls:
            for line in lines(call, problems[trace.problem_id]):
                golds[line].add(trace.gold or "")
    return {line for line, told in golds.items() if len(told) > 1}


def audit(trace: Trace, problem: Problem, kind: str, frame: set[str]) -> tuple[list[Call], list[Call]]:
    """The calls that were told the gold, and those of them that no model of an earlier stage explains."""
    gold = trace.gold or ""

    def told(call: Call) -> bool:
        rest = [line for line in lines(call, problem) if line not in frame]
        return any(tells(kind, gold, text, problem.prompt) for text in ("\n".join(rest), *rest))

    def says(call: Call) -> bool:
        return any(tells(kind, gold, text, "") for text in (call.text, *call.text.split("\n")))

    knowing = [call for call in trace.calls if told(call)]
    innocent = [call for call in trace.calls if call not in knowing and says(call)]
    return knowing, [call for call in knowing if not any(_earlier(source, call) for source in innocent)]


def _earlier(a: Call, b: Call) -> bool:
    return a.round < b.round or (a.round == b.round and a.role != b.role)


def read(folder: Path) -> Iterator[tuple[str, str, list[Trace]]]:
    """Benchmark, method and the traces with a gold, file by file."""
    for path in sorted(folder.glob("*/*.jsonl")):
        rows = [trace_line(line, path, n) for n, line in enumerate(path.read_bytes().splitlines(), 1)]
        traces = [trace for trace in rows if trace.gold is not None]
        yield path.parent.name, path.stem.rsplit("-n", 1)[0], traces


def prepared(data: Path, benchmark: str) -> tuple[str, dict[str, Problem]]:
    """The benchmark's kind of answer, and its test problems by id."""
    try:
        kind: str = orjson.loads((data / benchmark / "manifest.json").read_bytes())["kind"]
        stored = (data / benchmark / "test.jsonl").read_bytes().splitlines()
    except OSError as fault:
        raise EconError(
            f"{fault.filename}: {fault.strerror}", "name the problems' folder with --data"
        ) from None
    return kind, {p.id: p for p in (Problem(**{**orjson.loads(line), "kind": kind}) for line in stored)}


@dataclass(slots=True)
class Audit:
    """Counts per benchmark and method (``COLUMNS``), and each leak in a line."""

    table: dict[tuple[str, str], list[int]]
    leaks: list[str]

    @property
    def prompts(self) -> int:
        return sum(row[1] for row in self.table.values())


def audited(folder: Path, data: Path) -> Audit:
    """Look through the trace files below ``folder``; their problems are below ``data``.

    Raises:
        EconError: there is no trace, or a benchmark's problems are not there.
    """
    found = Audit(defaultdict(lambda: [0] * len(COLUMNS)), [])
    for benchmark, method, traces in read(folder):
        kind, problems = prepared(data, benchmark)
        frame = templates(traces, problems)
        for trace in traces:
            knowing, leaks = audit(trace, problems[trace.problem_id], kind, frame)
            strategy = bool(trace.detail.get("strategy_text"))
            told = trace.detail.get("strategy_tells_gold") is True
            repeats = len(knowing) - len(leaks)
            counts = (1, len(trace.calls), len(knowing), repeats, len(leaks), strategy, told)
            row = found.table[benchmark, method]
            found.table[benchmark, method] = [a + b for a, b in zip(row, counts, strict=True)]
            found.leaks += [
                f"{benchmark} {method} {trace.problem_id}: {call.role} {call.agent}, round {call.round}"
                for call in leaks
            ]
    if not found.table:
        raise EconError(f"there is no trace with a gold below {folder}", "name the folder: econ audit FOLDER")
    return found
