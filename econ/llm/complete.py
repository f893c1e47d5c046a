"""A job is finished or it is not: how many of its calls may have got no answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from econ.errors import EconError
from econ.messages import failed
from econ.records import Call


class Completeness:
    """Counts a job's calls, and those that failed for reasons of the server's.

    Args:
        job: its name, for messages.
        param: the param that states ``share``.
        share: of the calls that may have failed.
    """

    def __init__(self, job: str, param: str, share: float) -> None:
        self._job, self._param, self._share = job, param, share
        self._calls = 0
        self._failed: Counter[str] = Counter()

    def add(self, calls: Iterable[Call]) -> None:
        for call in calls:
            self._calls += 1
            if failed(call):
                self._failed[str(call.error)] += 1

    def demand(self) -> None:
        """Raises :class:`EconError` where more calls failed than may: the job is incomplete."""
        lost = self._failed.total()
        if lost <= self._share * self._calls:
            return
        reasons = ", ".join(f"{reason}: {count}" for reason, count in self._failed.most_common(3))
        raise EconError(
            f"{self._job} is incomplete: {lost} of {self._calls} calls got no answer ({reasons}), more than "
            f"{self._param} {self._share:g} allows",
            "nothing of it is written; every answer is kept: run it again, which asks for what failed alone",
        )
