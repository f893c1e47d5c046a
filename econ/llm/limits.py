"""Limits that all jobs keep together: calls in flight, requests and tokens per minute.

Where they stand is the store's to say: with the embedded one in small files of the machine, else in the
database, for all machines. A killed job holds nothing. Rates are paced evenly: ``limit`` requests per minute
are one every 60.5/limit seconds, so no window of 60 s holds more than ``limit`` even when arrivals jitter.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from econ.llm.cache.base import Limiter
from econ.params import Limits

WINDOW = 60.5  # seconds; half a second more than the minute, for jitter on the way to the server


class Pace:
    """A rate shared across processes."""

    def __init__(self, limiter: Limiter, name: str, per_minute: int) -> None:
        self._limiter, self._name = limiter, name
        self._interval = WINDOW / per_minute
        self._turn = asyncio.Lock()  # one waiter per process reserves, so a killed job wastes one unit only

    async def take(self, units: float = 1.0) -> None:
        async with self._turn:
            await asyncio.sleep(self._limiter.shift(self._name, units * self._interval))

    def refund(self, units: float) -> None:
        if units > 0:
            self._limiter.shift(self._name, -units * self._interval)


class Slots:
    """Calls in flight, at most ``limit`` in all processes together.

    Slots pass from call to call within a process without a look at the others. When another process waits, a
    freed slot is given back first, so that jobs share.
    """

    def __init__(self, limiter: Limiter, limit: int) -> None:
        self._limiter, self._limit = limiter, limit
        self._free = set(range(limit))  # not held by this process
        self._waiting: deque[asyncio.Future[int]] = deque()
        self._looked = 0.0
        self._poller: asyncio.Task[None] | None = None

    async def take(self) -> int:
        if not self._waiting and (slot := self._try()) is not None:
            return slot
        place: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.give(place.result())
            raise

    def give(self, slot: int) -> None:
        if self._waiting and not self._others_wait() and self._hand(slot):
            return
        self._limiter.drop(slot)
        self._free.add(slot)

    def _hand(self, slot: int) -> bool:
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(slot)
                return True
        return False

    def _try(self) -> int | None:
        slot = self._limiter.take(self._free) if self._free else None
        if slot is not None:
            self._free.discard(slot)
        return slot

    def _others_wait(self) -> bool:
        if len(self._free) == self._limit - 1:
            return False  # the last slot of this process: keep going
        if (now := time.monotonic()) < self._looked + self._limiter.poll / 4:
            return False  # a look has its cost, and others look for slots no more often than that
        self._looked = now
        return self._limiter.others_wait()

    async def _poll(self) -> None:
        """While calls wait: say so to the other processes, and look for slots that they give back."""
        self._limiter.hunger(True)
        try:
            while self._waiting:
                await asyncio.sleep(self._limiter.poll)
                while self._waiting and (slot := self._try()) is not None:
                    if not self._hand(slot):
                        self.give(slot)
        finally:
            self._limiter.hunger(False)

    async def close(self) -> None:
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.wait([self._poller])


class Throttle:
    """Slots and rates of one provider."""

    def __init__(self, limiter: Limiter, in_flight: int, limits: Limits) -> None:
        self._limiter = limiter
        self.slots = Slots(limiter, in_flight)
        requests, tokens = limits.requests_per_minute, limits.tokens_per_minute
        self._requests = Pace(limiter, "requests", requests) if requests else None
        self._tokens = Pace(limiter, "tokens", tokens) if tokens else None

    @property
    def counts_tokens(self) -> bool:
        return self._tokens is not None

    async def pace(self, tokens: int) -> None:
        """Wait until one more request of ``tokens`` (an upper estimate) keeps the rates."""
        if self._tokens is not None:
            await self._tokens.take(tokens)
        if self._requests is not None:
            await self._requests.take()

    def settle(self, estimated: int, used: int) -> None:
        if self._tokens is not None:
            self._tokens.refund(estimated - used)

    async def close(self) -> None:
        await self.slots.close()
        self._limiter.close()
