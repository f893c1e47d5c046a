"""How many answers were right, and what they took: one row per benchmark, method and agent count."""

from __future__ import annotations

from collections.abc import Iterator

from econ.reporting.catalogue import Column, table
from econ.reporting.pool import Cell, Row, Run
from econ.reporting.tables.columns import ACCURACY, JOB, N


@table(
    "Accuracy",
    "Accuracy in %, with 95 % interval (Wilson; over problems where seeds are pooled). N: agents; n: "
    "answers (problems x seeds). INVALID answers count as wrong. Strict: only answers in an explicit "
    "final form. A method that uses one agent gives the same answers at every N.",
    {
        **JOB, **N, **ACCURACY,
        "accuracy_strict": Column("Strict", "percent"),
        "parse_rate": Column("Parsed", "percent"),
        "invalid": Column("INVALID", "count"),
    },
    "accuracy",
)  # fmt: skip
def accuracy(run: Run) -> Iterator[Row]:
    for cell in run.cells:
        yield {
            **cell.key, **cell.counts, **cell.accuracy_columns(),
            "accuracy_strict": cell.mean("accuracy_strict"),
            "parse_rate": cell.mean("parse_rate"),
            "parse_rate_strict": cell.mean("parse_rate_strict"),
            "invalid": int(cell.sum("invalid")),
        }  # fmt: skip


@table(
    "Tokens per problem",
    "Means per problem over n answers, failed calls included: prompt, completion and their sum, "
    "counted by each model's own tokenizer. Every call counts in full, also one whose answer was "
    "shared through the cache. USD at the prices in the params.",
    {
        **JOB, **N,
        "calls": Column("Calls", "mean"),
        "prompt_tokens": Column("Prompt", "tokens"),
        "completion_tokens": Column("Completion", "tokens"),
        "total_tokens": Column("Total", "tokens"),
        "rounds": Column("Rounds", "mean"),
        "usd": Column("USD", "usd"),
    },
    "tokens",
)  # fmt: skip
def tokens(run: Run) -> Iterator[Row]:
    for cell in run.cells:
        prices = [result.metrics["usd"] for result in cell.seeds]
        yield {
            **cell.key, **cell.counts,
            "calls": cell.per_answer("calls"),
            "prompt_tokens": cell.per_answer("prompt_tokens"),
            "completion_tokens": cell.per_answer("completion_tokens"),
            "total_tokens": cell.per_answer("total_tokens"),
            "rounds": cell.mean("mean_rounds"),
            "usd": None if None in prices else sum(prices) / cell.n,
        }  # fmt: skip


@table(
    "Accuracy against the number of agents",
    "Accuracy in % with 95 % interval, and the change in points from the fewest agents of these "
    "params. The paper's figures 4 and 5 are no numeric targets (their points restate other methods' "
    "results), so only their statement is of use: one coordinator stops helping beyond about four "
    "executors.",
    {
        **JOB, **N, **ACCURACY,
        "change": Column("Change", "points"),
        "total_tokens": Column("Tokens", "tokens"),
    },
    "agents",
)  # fmt: skip
def scaling(run: Run) -> Iterator[Row]:
    fewest: dict[tuple[str, str], Cell] = {}
    for cell in run.cells:
        kept = fewest.setdefault((cell.benchmark, cell.method), cell)
        if cell.n_agents < kept.n_agents:
            fewest[cell.benchmark, cell.method] = cell
    for cell in run.cells:
        yield {
            **cell.key, **cell.counts, **cell.accuracy_columns(),
            "change": cell.accuracy - fewest[cell.benchmark, cell.method].accuracy,
            "total_tokens": cell.per_answer("total_tokens"),
        }  # fmt: skip
