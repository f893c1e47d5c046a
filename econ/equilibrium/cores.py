"""Two independent things at once: the one place where learning uses a second core."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


class Cores:
    """Runs pairs of independent functions, on two cores or one after the other: the same results, to the bit.

    Two cores bring about a quarter of the speed of training on the simulated team (``perf/train_speed.py``).
    """

    def __init__(self, two: bool = True) -> None:
        self._second = ThreadPoolExecutor(1) if two else None

    def both(self, one: Callable[[], A], other: Callable[[], B]) -> tuple[A, B]:
        """What both return. The first fault of either is raised once both have ended."""
        if self._second is None:
            return one(), other()
        beside = self._second.submit(other)
        try:
            return one(), beside.result()
        finally:
            beside.exception()  # waits: nobody goes on while the other core still writes
