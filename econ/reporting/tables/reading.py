"""What could be read, what coordinators said, and where the problems came from."""

from __future__ import annotations

from collections.abc import Iterator

from econ.reporting.catalogue import STRATEGY_FACTS, Column, table
from econ.reporting.gather import Result
from econ.reporting.pool import Row, Run, counted
from econ.reporting.tables.columns import JOB, N


@table(
    "Answers that could not be read, calls that failed",
    "INVALID answers by reason, out of n; failed calls, and calls cut at their token limit, out of all.",
    {
        **JOB, **N,
        "invalid": Column("INVALID", "count"),
        "reasons": Column("Reasons"),
        "calls": Column("Calls", "count"),
        "failed_calls": Column("Failed", "count"),
        "truncated_calls": Column("Cut", "count"),
    },
    "readable",
)  # fmt: skip
def invalid(run: Run) -> Iterator[Row]:
    for cell in run.cells:
        yield {
            **cell.key, **cell.counts,
            "invalid": int(cell.sum("invalid")),
            "reasons": counted(cell.merged("invalid_reasons")),
            "calls": int(cell.sum("calls")),
            "failed_calls": int(cell.sum("failed_calls")),
            "truncated_calls": int(cell.sum("truncated_calls")),
        }  # fmt: skip


@table(
    "Strategies and commitments",
    "The coordinator's strategies, of n. Asked again: it was too long or stated an answer in an "
    "explicit final form; once at most. Cut: the next was too long as well. Stated: the first stated "
    "an answer, right or not. Withheld: so did the next, and that sentence and what follows were not "
    "shown. Gold: what was shown states the gold, or holds it where the problem does not (whole "
    "numbers below 20 aside); found after the fact, an upper bound. Valid: commitments that are JSON by "
    "the schema; others are read as far as they go.",
    {**JOB, **N, **{fact: Column(heading, "count") for fact, heading in STRATEGY_FACTS.items()}},
    "readable",
)
def strategies(run: Run) -> Iterator[Row]:
    for cell in run.cells:
        if all("strategies" in seed.metrics for seed in cell.seeds):
            sums = {fact: sum(s.metrics["strategies"][fact] for s in cell.seeds) for fact in STRATEGY_FACTS}
            yield {**cell.key, **cell.counts, **sums}


@table(
    "Problems used",
    "Where the test problems came from, and how many of the rows were used: a sample that is a "
    "function of benchmark, split and sample seed alone. Shipped: problems of this project's own "
    "writing in the data set's form. Checked: the hub itself gave the rows of this revision; a mirror's "
    "are checked by their SHA-256 alone. Digests are cut to 12 characters (whole in the CSV).",
    {
        "benchmark": Column("Benchmark"),
        "source": Column("Source"),
        "hub": Column("Data set"),
        "revision": Column("Revision", "digest"),
        "checked": Column("Checked"),
        "n": Column("Used", "count"),
        "rows": Column("Rows", "count"),
        "licence": Column("Licence"),
        "sha256": Column("SHA-256", "digest"),
    },
    "origins",
)
def problems(run: Run) -> Iterator[Row]:
    first: dict[str, Result] = {}
    for result in run.results:
        first.setdefault(result.job.benchmark, result)
    yield from map(_problem_row, first.values())


def _problem_row(result: Result) -> Row:
    info = result.metrics["problems"]
    test = info["splits"]["test"]
    shipped = info["source"] == "shipped"
    return {
        "benchmark": result.job.benchmark,
        "split": "test",
        "source": info["source"],
        "hub": None if shipped else test["hub"],
        "revision": None if shipped else test["revision"],
        "checked": "yes" if test["revision_checked"] else "no",
        "n": result.metrics["n"],
        "rows": test["rows"],
        "licence": info["licence"],
        "sha256": test["sha256"],
        "simulated": result.metrics["simulated"],
        "recorded": result.metrics.get("recorded") or None,
    }
