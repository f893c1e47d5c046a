"""What happens from round to round, and how games end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from econ.reporting.catalogue import Column, table
from econ.reporting.convergence import convergence_rows
from econ.reporting.pool import Row, Run, counted
from econ.reporting.tables.columns import JOB, N


@table(
    "Rounds: who is right, who agrees, who turns",
    "Participants' answers after each round, over n problems; a game that ended before the round stands "
    "as it ended. Played: problems that played the round. Right, answered: mean share of participants "
    "with a right, a readable answer. Agreed: share of problems with one answer alone. Answers: mean "
    "number of different ones. Gained, lost: participants who turned right, or away from it, in the "
    "round. The verdict on the method's own answer after each round: operating points.",
    {
        **JOB,
        "round": Column("Round", "count"),
        **N,
        "played": Column("Played", "count"),
        "right": Column("Right", "percent"),
        "answered": Column("Answered", "percent"),
        "agreed": Column("Agreed", "percent"),
        "distinct": Column("Answers", "mean"),
        "gained": Column("Gained", "count"),
        "lost": Column("Lost", "count"),
    },
    "rounds",
)
def convergence(run: Run) -> Iterable[Row]:
    return convergence_rows(run.cells)


@table(
    "How games ended",
    "Why answers came to an end, out of n. Dropped: exchanges that no longer fitted into a model's "
    "context and were left out of a participant's history. Favoured: the side that a judge preferred.",
    {
        **JOB, **N,
        "rounds": Column("Rounds", "mean"),
        "stops": Column("Stopped by"),
        "dropped": Column("Dropped", "count"),
        "favoured": Column("Favoured"),
    },
    "rounds",
)  # fmt: skip
def endings(run: Run) -> Iterator[Row]:
    for cell in run.cells:
        yield {
            **cell.key, **cell.counts,
            "rounds": cell.mean("mean_rounds"),
            "stops": counted(cell.merged("stop_reasons")),
            "dropped": sum(seed.metrics.get("dropped_exchanges", 0) for seed in cell.seeds),
            "favoured": counted(cell.merged("favoured")),
        }  # fmt: skip
