"""What came out of a job, in a few columns for a terminal: before any table or page is made, and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from econ import paths
from econ.errors import EconError
from econ.params import Params
from econ.records import Json
from econ.reporting import results
from econ.reporting.gather import jobs
from econ.reporting.show import NOTHING, RECORDED, SIMULATED, joined, number
from econ.terminal import printable

HEADINGS = ["Benchmark", "Method", "N", "seed", "n", "Accuracy, %", "95 %", "INVALID", "cut", "Calls",
            "Tokens/problem", "USD"]  # fmt: skip
TEXT = 2  # of them, on the left


def table(made: Sequence[Json]) -> str:
    """A line for each job's metrics: accuracy with its interval, INVALID, cut calls, calls, tokens."""
    marks = [f"{SIMULATED}: no language model" if any(m["simulated"] for m in made) else None]
    if told := joined(m.get("recorded") for m in made):
        marks.append(f"{RECORDED}: {told}")
    head = "".join(f"{mark}\n" for mark in marks if mark)
    return printable(head + aligned(HEADINGS, [cells(m) for m in made], TEXT))


def short(made: Json) -> str:
    """The same of one job, as part of a line."""
    low, high = (number(made[f"accuracy_{end}"], "percent") for end in ("low", "high"))
    told = f"{number(made['accuracy'], 'percent')} % [{low}, {high}] of {made['n']:,}"
    told += f", {made['invalid']:,} INVALID" if made["invalid"] else ""
    cut = made["truncated_calls"]
    told += f", {cut:,} call{'s' if cut > 1 else ''} cut" if cut else ""
    return f"{told}, {made['total_tokens_per_problem']:,.0f} tokens a problem"


def cells(made: Json) -> list[str]:
    """A job's row, as text below :data:`HEADINGS`."""
    low, high = (number(made[f"accuracy_{end}"], "percent") for end in ("low", "high"))
    return [
        made["benchmark"], made["method"], str(made["n_agents"]), str(made["seed"]),
        number(made["n"], "count"), number(made["accuracy"], "percent"), f"{low} to {high}",
        number(made["invalid"], "count"), number(made["truncated_calls"], "count"),
        number(made["calls"], "count"), number(made["total_tokens_per_problem"], "tokens"),
        number(made["usd"], "usd"),
    ]  # fmt: skip


def learned(history: Sequence[Mapping[str, float]], second: str) -> str:
    """A training's first and last interval beside each other: rewards, their weights, the policy's actions.

    Args:
        history: the curve's points, as a trainer keeps them.
        second: the action's second dimension (``action.second``).
    """
    parts = {"Reward": "reward/team", "of answers": "reward/executors", "of commitments": "reward/commitment"}
    weights = [f"alpha/{name}" for name in ("AL", "TS", "CC")]
    ends = {"first interval": history[0], "last interval": history[-1]}
    rows = []
    for name, row in ends.items():
        agents = sum(key.startswith("action/policy/T_") for key in row)
        actions = [
            " ".join(f"{row[f'action/policy/{letter}_{agent + 1}']:.2f}" for agent in range(agents))
            for letter in "Tp"
        ]
        values = [f"{row[key]:.3f}" for key in parts.values()]
        rows.append([name, *values, " ".join(f"{row[key]:.2f}" for key in weights), *actions])
    return aligned(["", *parts, "alpha AL TS CC", "T, each executor", second], rows, 1)


def aligned(headings: Sequence[str], rows: Iterable[Sequence[str]], left: int) -> str:
    """Columns of text, the first ``left`` of them aligned to the left; one with nothing in it is left out."""
    from tabulate import tabulate

    whole = [list(row) for row in rows]
    kept = [i for i in range(len(headings)) if any(row[i] != NOTHING for row in whole)]
    text: str = tabulate(
        [[row[i] for i in kept] for row in whole],
        headers=[headings[i] for i in kept],
        colalign=["left" if i < left else "right" for i in kept] if whole else None,
        tablefmt="simple",
        disable_numparse=True,
    )
    return text


def found(params: Params, params_file: Path) -> tuple[list[Json], list[str]]:
    """The metrics of the params' jobs that are there, and a line for each one that is not, or is damaged."""
    made, missing = [], []
    for job in jobs(params):
        if not paths.metrics(job).exists():
            missing.append(f"{job.benchmark}/{job.name} has not been played")
            continue
        try:
            made.append(results.metrics(job, params_file))
        except EconError as fault:
            missing.append(str(fault))
    return made, missing
