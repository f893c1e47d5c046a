"""How a method's participants came to agree, and to be right, round by round: from its graded traces."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from econ.records import Json, Trace
from econ.reporting.pool import Cell, Row

_MEANS = ("right", "answered", "agreed", "distinct")


def convergence(traces: Sequence[Trace]) -> list[Json]:
    """A row per round over all problems; of a game that ended before it, the last round goes on.

    ``played`` counts the problems that played the round, ``right`` is the mean share of right answers among
    its participants, ``answered`` of readable ones, ``agreed`` the share of problems with one answer alone,
    ``distinct`` the mean number of different answers. ``gained`` and ``lost`` count the participants who
    turned right, or away from it, in this round; null where none could be compared.

    Returns:
        [] if a trace holds no graded rounds, or no game went past its first.
    """
    games = [[step for step in trace.steps if "correct" in step] for trace in traces]
    longest = max(map(len, games), default=0)
    if not all(games) or longest < 2:
        return []
    return [_row(games, round) for round in range(longest)]


def _row(games: Sequence[Sequence[Json]], round: int) -> Json:
    played = [game[round] for game in games if round < len(game)]
    stands = [game[min(round, len(game) - 1)] for game in games]
    compared = [step for step in played if "gained" in step]
    return {
        "round": round,
        "n": len(stands),
        "played": len(played),
        "right": fmean(fmean(right is True for right in step["correct"]) for step in stands),
        "answered": fmean(fmean(right is not None for right in step["correct"]) for step in stands),
        "agreed": fmean(step["distinct"] == 1 and None not in step["correct"] for step in stands),
        "distinct": fmean(step["distinct"] for step in stands),
        "gained": sum(step["gained"] for step in compared) if compared else None,
        "lost": sum(step["lost"] for step in compared) if compared else None,
    }


def convergence_rows(pooled: Sequence[Cell]) -> list[Row]:
    """A row per round of the methods whose participants can be compared from one round to the next."""
    return [
        {**cell.key, **row, "simulated": cell.simulated, "recorded": cell.recorded}
        for cell in pooled
        for row in _pooled([seed.metrics.get("convergence", []) for seed in cell.seeds])
    ]


def _pooled(seeds: Sequence[Sequence[Json]]) -> list[Json]:
    """Rounds counted from 1, seeds pooled; one whose games had all ended stands as they ended."""
    if not all(seeds) or all(row["gained"] is None for seed in seeds for row in seed):
        return []
    rows = []
    for round in range(max(map(len, seeds))):
        stands = [seed[: round + 1][-1] for seed in seeds]
        played = [seed[round] for seed in seeds if round < len(seed)]
        turned = [row for row in played if row["gained"] is not None]
        n = [row["n"] for row in stands]
        rows.append(
            {
                "round": round + 1,
                "n": sum(n),
                "played": sum(row["played"] for row in played),
                **{name: fmean([row[name] for row in stands], n) for name in _MEANS},
                "gained": sum(row["gained"] for row in turned) if turned else None,
                "lost": sum(row["lost"] for row in turned) if turned else None,
            }
        )
    return rows
