"""The head of the report: what was run, and every method on every benchmark at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from econ.params import Params
from econ.reporting import show
from econ.reporting.figures.style import name_of
from econ.reporting.show import number

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Entry:
    """A method with an agent count (None: it gives the same with any); per benchmark a text and the place
    where its jobs are listed."""

    method: str
    n_agents: int | None
    cells: list[tuple[str, str | None]]
    tokens: str
    invalid: str


def facts(params: Params, frames: dict[str, pd.DataFrame]) -> dict[str, str]:
    """What was run, with how much of it."""
    spent, read = frames["tokens"], frames["invalid"]
    answers = int(read["n"].sum())
    tokens = (spent["total_tokens"] * spent["n"]).sum()
    llm = params.llm
    return {
        "Methods": ", ".join(params.methods),
        "Agents, seeds": f"N = {_listed(params.n_agents)}; seed {_listed(params.seeds)}",
        "Models": f"{llm.backend}: coordinator {_short(llm.coordinator)}, executors {_teams(params)}",
        "Answers": f"{answers:,}, of them {int(read['invalid'].sum()):,} INVALID",
        "Calls": f"{int(read['calls'].sum()):,}, of them {int(read['failed_calls'].sum()):,} failed and "
        f"{int(read['truncated_calls'].sum()):,} cut at their token limit; {tokens:,.0f} tokens",
    }


def _listed(values: tuple[int, ...]) -> str:
    return ", ".join(map(str, values))


def _short(model: str) -> str:
    """A file's name alone, an address of a model as it is."""
    return model.rsplit("/", 1)[-1] if model.endswith(".gguf") else model


def _teams(params: Params) -> str:
    return " + ".join(dict.fromkeys(map(_short, params.llm.executors)))


def matrix(params: Params, frames: dict[str, pd.DataFrame]) -> list[Entry]:
    """A row per method and agent count; one that gives the same with any stands once."""
    columns = ["benchmark", "method", "n_agents"]
    frame = frames["accuracy"].merge(frames["tokens"][[*columns, "total_tokens"]], on=columns)
    entries = []
    for method, part in frame.groupby("method", sort=False):
        counts = list(part["n_agents"].unique())
        values = part.drop_duplicates(["benchmark", "accuracy", "invalid", "total_tokens"])
        single = len(counts) > 1 and not values["benchmark"].duplicated().any()
        for n in counts[:1] if single else counts:
            rows = part[part["n_agents"] == n]
            entries.append(_entry(params, str(method), None if single else int(n), rows))
    return entries


def _entry(params: Params, method: str, n: int | None, rows: pd.DataFrame) -> Entry:
    by_benchmark = {row["benchmark"]: row for row in show.records(rows)}
    cells: list[tuple[str, str | None]] = []
    for benchmark in params.benchmarks:
        row = by_benchmark.get(benchmark)
        if row is None:
            cells.append((show.NOTHING, None))
            continue
        low, high = (number(row[f"accuracy_{end}"], "percent") for end in ("low", "high"))
        text = f"{number(row['accuracy'], 'percent')} [{low}, {high}]"
        cells.append((text, place(benchmark, method, row["n_agents"])))
    spent = (rows["total_tokens"] * rows["n"]).sum() / rows["n"].sum()
    mark = f" ({show.RECORDED})" if show.recorded(rows) else ""
    mark = f" ({show.SIMULATED})" if show.is_simulated(rows) else mark
    return Entry(
        method + mark, n, cells, number(spent, "tokens"),
        number(rows["invalid"].sum() / rows["n"].sum(), "percent"),
    )  # fmt: skip


def place(benchmark: str, method: str, n_agents: int) -> str:
    """The anchor at which a table cell's jobs are listed."""
    return f"jobs-{benchmark}-{method}-{n_agents}"


def headings(params: Params, frames: dict[str, pd.DataFrame]) -> list[str]:
    n = frames["accuracy"].groupby("benchmark")["n"].first()
    return [
        "Method",
        "N",
        *(f"{name_of(b)}, n = {n[b]:,}" for b in params.benchmarks),
        "Tokens",
        "INVALID, %",
    ]
