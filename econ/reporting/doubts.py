"""What makes a result a weak one, said wherever it is shown: answers that were cut, few problems."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from econ import paths
from econ.params import Params
from econ.records import Json
from econ.reporting import results
from econ.reporting.gather import jobs

MOST_CUT = 0.05  # share of a job's calls that may end at their token limit
FEWEST = 30  # answers: below, an accuracy's 95 % interval is wider than a third of the scale


def doubts(metrics: Json) -> Iterator[str]:
    """The doubts about one job, from its metrics."""
    if metrics["n"] < FEWEST:
        yield f"n = {metrics['n']}: too few to tell methods apart"
    cut, calls = metrics.get("truncated_calls", 0), metrics["calls"]
    if calls and cut / calls > MOST_CUT:
        yield f"{cut / calls:.0%} of its calls were cut at their token limit (llm.max_tokens)"


def of_results(params: Params) -> list[str]:
    """The doubts about the jobs of the params that were played, those alike in one line."""
    named: dict[str, list[str]] = defaultdict(list)
    for job in jobs(params):
        if paths.metrics(job).exists():
            for doubt in doubts(results.metrics(job)):
                named[doubt].append(f"{job.benchmark}/{job.name}")
    return [f"{_listed(places)}: {doubt}" for doubt, places in named.items()]


def _listed(places: list[str]) -> str:
    return ", ".join(places[:2]) + (f" and {len(places) - 2} more" if len(places) > 2 else "")
