"""The page's first lines: how ECON compares with each rival, in sentences made from the tables' numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from econ.reporting import show
from econ.reporting.figures.style import name_of
from econ.reporting.show import number
from econ.reporting.tables.comparisons import ALL, ECON

if TYPE_CHECKING:
    import pandas as pd

FIRST = ("debate", "econ-baseline", "self-consistency", "cot")  # rivals that are asked about first


@dataclass(frozen=True, slots=True)
class Verdict:
    """``outcome``: better, worse or open. ``whole``: over all benchmarks that both played."""

    outcome: str
    where: str
    text: str
    whole: bool


def verdicts(frames: dict[str, pd.DataFrame]) -> list[Verdict]:
    """ECON against each rival: pooled first, then benchmark by benchmark; [] without ECON or a rival."""
    paired = frames["paired"]
    rows = [row for row in show.records(paired[paired["method"] == ECON]) if row["difference"] is not None]
    rows = [row for row in rows if row["difference"] == row["difference"]]
    pooled = {(row["rival"], row["n_agents"]) for row in rows if row["benchmark"] == ALL}
    found = []
    for row in sorted(rows, key=_order):
        whole = row["benchmark"] == ALL or (row["rival"], row["n_agents"]) not in pooled
        found.append(_verdict(row, _share_of_tokens(row, frames["tokens"]), whole))
    return found


def _order(row: dict[str, Any]) -> tuple[bool, int, int]:
    rank = FIRST.index(row["rival"]) if row["rival"] in FIRST else len(FIRST)
    return row["benchmark"] != ALL, rank, row["n_agents"]


def _verdict(row: dict[str, Any], tokens: float | None, whole: bool) -> Verdict:
    low, high = row["difference_low"], row["difference_high"]
    outcome = "better" if low > 0 else "worse" if high < 0 else "open"
    where = "all benchmarks" if row["benchmark"] == ALL else name_of(row["benchmark"])
    points = (
        f"{number(row['difference'], 'points')} points [{number(low, 'points')}, {number(high, 'points')}]"
    )
    p = number(row["p"], "p")
    facts = [f"n = {int(row['n']):,}", f"p {p}" if p.startswith("<") else f"p = {p}"]
    if tokens is not None:
        facts.append(f"at {tokens:.2f} × the tokens")
    text = (
        f"{ECON} − {row['rival']}, N = {row['n_agents']}: {points}, {', '.join(facts)}: {_word(row, outcome)}"
    )
    return Verdict(outcome, where, text, whole)


def _word(row: dict[str, Any], outcome: str) -> str:
    if outcome != "open":
        return f"{outcome}."
    detectable = row["detectable"]
    could = "" if detectable != detectable else f"; this n could show {number(detectable, 'percent')} points"
    return ("no worse than by 2 points" if row["no_worse"] == "yes" else "no difference shown") + could + "."


def _share_of_tokens(row: dict[str, Any], tokens: pd.DataFrame) -> float | None:
    """ECON's tokens per problem as a share of the rival's, over the benchmarks that both played."""
    spent = [dict(_spent(tokens, method, row)) for method in (ECON, row["rival"])]
    both = spent[0].keys() & spent[1].keys()
    ours, theirs = (sum(part[benchmark] for benchmark in both) for part in spent)
    return ours / theirs if theirs else None


def _spent(tokens: pd.DataFrame, method: str, row: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for cell in show.records(tokens[tokens["method"] == method]):
        if cell["n_agents"] == row["n_agents"] and row["benchmark"] in (ALL, cell["benchmark"]):
            yield cell["benchmark"], cell["total_tokens"] * cell["n"]
