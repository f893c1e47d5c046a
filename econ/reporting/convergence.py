"""How a method's participants came to agree, and to be right, round by round: from its graded traces."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from econ.records import Json, Trace


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
