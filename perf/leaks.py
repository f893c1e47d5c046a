"""Every prompt of every trace: does it tell its problem's gold before a model of the team has said it?

    python perf/leaks.py results/traces [--data data/benchmarks]

A prompt tells the gold when, without the problem's own text and the lines that problems with other golds
were told too (the templates), it states the gold as the answer or holds it
(:func:`econ.grading.leaks.tells`). That is no leak where a call of an earlier stage, itself not told, said
the gold: debaters and coordinators read what others answered. What is left is a leak, and the exit is 1.

Printed per benchmark and method: traces with a gold, prompts, prompts that tell the gold, those of them that
repeat a model, leaks; and strategies that told it, out of those shown.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from econ.errors import EconError
from econ.files import json_line
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
        rows = [json_line(line, path, n) for n, line in enumerate(path.read_bytes().splitlines(), 1)]
        traces = [trace for trace in map(Trace.from_json, rows) if trace.gold is not None]
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


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("traces", type=Path)
    parser.add_argument("--data", type=Path, help="default: data/benchmarks beside results/")
    options = parser.parse_args()
    data = options.data or options.traces.parent.parent / "data" / "benchmarks"
    table: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * len(COLUMNS))
    found: list[str] = []
    for benchmark, method, traces in read(options.traces):
        kind, problems = prepared(data, benchmark)
        frame = templates(traces, problems)
        for trace in traces:
            knowing, leaks = audit(trace, problems[trace.problem_id], kind, frame)
            strategy = trace.detail.get("strategy_text")
            told = trace.detail.get("strategy_tells_gold") is True
            counts = (
                1,
                len(trace.calls),
                len(knowing),
                len(knowing) - len(leaks),
                len(leaks),
                bool(strategy),
                told,
            )
            row = table[benchmark, method]
            table[benchmark, method] = [a + b for a, b in zip(row, counts, strict=True)]
            found += [
                f"{benchmark} {method} {trace.problem_id}: {call.role} {call.agent}, round {call.round}"
                for call in leaks
            ]
    print(f"{'benchmark':15}{'method':18}", *(f"{name:>11}" for name in COLUMNS), sep="")
    for (benchmark, method), row in sorted(table.items()):
        print(f"{benchmark:15}{method:18}", *(f"{count:11}" for count in row), sep="")
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(found)} leaks in {sum(row[1] for row in table.values())} prompts")
    return 1 if found or not table else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EconError as fault:
        sys.exit(str(fault))
