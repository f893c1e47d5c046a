"""Limits that all jobs on the machine keep together, and the budget of a run.

State lives in small files of the user's cache folder, one set per provider, guarded by kernel locks, so a
killed job neither holds a slot nor leaves a lock. Rates are paced evenly: ``limit`` requests per minute are
one every 60.5/limit seconds, so no window of 60 s holds more than ``limit`` even when arrivals jitter.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import struct
import time
import uuid
from collections import deque
from pathlib import Path

from econ.errors import EconError
from econ.llm.cache.locks import FileLock
from econ.llm.cache.store import Cache, add_spent, run_name, transaction
from econ.params import Budget, Limits

WINDOW = 60.5  # seconds; half a second more than the minute, for jitter on the way to the server
POLL = 0.02  # seconds between looks at what another process holds


def home() -> Path:
    """The user's cache folder: models and the machine's limits. ECON_HOME overrides it."""
    if own := os.environ.get("ECON_HOME"):
        return Path(own)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "econ"
    except RuntimeError:  # neither HOME nor an entry for this user
        raise EconError("this user has no home folder", "name one for models in ECON_HOME") from None


class Pace:
    """A rate shared across processes: a file holds the time at which the next unit is free."""

    def __init__(self, path: Path, per_minute: int) -> None:
        self._lock = FileLock(path.with_suffix(".lock"))
        self._path = path
        self._interval = WINDOW / per_minute
        self._turn = asyncio.Lock()  # one waiter per process reserves, so a killed job wastes one unit only

    async def take(self, units: float = 1.0) -> None:
        async with self._turn:
            await asyncio.sleep(self._shift(units))

    def refund(self, units: float) -> None:
        if units > 0:
            self._shift(-units)

    def _shift(self, units: float) -> float:
        """Move the next free time by ``units``; seconds until it was free before."""
        self._lock.take()
        try:
            now = time.time()
            stored = self._path.read_bytes() if self._path.exists() else b""
            free = struct.unpack("d", stored)[0] if len(stored) == 8 else now
            free = max(now, free) if free < now + 3600 else now  # a clock that was set back
            self._path.write_bytes(struct.pack("d", free + units * self._interval))
            return free - now
        finally:
            self._lock.drop()


class Slots:
    """Calls in flight, at most ``limit`` in all processes together: one locked file per slot.

    Slots pass from call to call within a process without a system call. When another process waits, a freed
    slot is given back first, so that jobs share.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._files = [FileLock(folder / f"slot-{number}") for number in range(limit)]
        self._free = set(range(limit))  # not held by this process
        self._waiting: deque[asyncio.Future[int]] = deque()
        self._hungry = FileLock(folder / "hungry")  # shared by waiting processes; each looks with another
        self._look = FileLock(folder / "hungry")
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
        if not self._others_wait() and self._hand(slot):
            return
        self._files[slot].drop()
        self._free.add(slot)

    def _hand(self, slot: int) -> bool:
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(slot)
                return True
        return False

    def _try(self) -> int | None:
        for slot in self._free:
            if self._files[slot].take(wait=False):
                self._free.discard(slot)
                return slot
        return None

    def _others_wait(self) -> bool:
        """Another process holds the hungry lock (our own shared lock is dropped for the look)."""
        if len(self._free) == len(self._files) - 1:
            return False  # the last slot of this process: keep going
        if (now := time.monotonic()) < self._looked + POLL / 4:
            return False  # a look is four system calls, and others look for slots no more often than POLL
        self._looked = now
        ours = self._poller is not None and not self._poller.done()
        if ours:
            self._hungry.drop()
        alone = self._look.take(wait=False)
        if alone:
            self._look.drop()
        if ours:
            self._hungry.take(shared=True)
        return not alone

    async def _poll(self) -> None:
        """While calls wait: say so to the other processes, and look for slots that they give back."""
        self._hungry.take(shared=True)
        try:
            while self._waiting:
                await asyncio.sleep(POLL)
                while self._waiting and (slot := self._try()) is not None:
                    if not self._hand(slot):
                        self.give(slot)
        finally:
            self._hungry.drop()

    async def close(self) -> None:
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.wait([self._poller])
        for lock in (*self._files, self._hungry, self._look):
            lock.close()


class Gate:
    """Slots and rates of one provider."""

    def __init__(self, provider: str, in_flight: int, limits: Limits) -> None:
        name = hashlib.sha256(provider.encode()).hexdigest()[:16]
        folder = home() / "limits" / name
        self.slots = Slots(folder, in_flight)
        requests, tokens = limits.requests_per_minute, limits.tokens_per_minute
        self._requests = Pace(folder / "requests", requests) if requests else None
        self._tokens = Pace(folder / "tokens", tokens) if tokens else None

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


class Purse:
    """The budget of a run, kept by all jobs that share its cache.

    A call reserves its upper cost before it is sent and is charged what it cost when its answer is kept. A
    call that a killed job had in flight counts as made: it may have been paid for.
    """

    def __init__(self, budget: Budget, cache: Cache) -> None:
        self._budget = budget
        self._cache = cache
        self._db = cache.connection
        self._owner = f"owner-{uuid.uuid4().hex}"
        self.active = budget != Budget()
        if self.active:
            cache.locks.acquire(_digest(self._owner))

    async def reserve(self, tokens: int, usd: float) -> str | None:
        """Set aside an upper cost; waits while other calls in flight hold what may come free.

        Raises:
            EconError: the budget is spent.
        """
        if not self.active:
            return None
        while (reservation := self._try(tokens, usd)) is None:  # noqa: ASYNC110 - others set no event here
            await asyncio.sleep(5 * POLL)
        return reservation

    def release(self, reservation: str | None) -> None:
        if reservation is not None:
            self._db.execute("DELETE FROM reserved WHERE id = ?", (reservation,))

    def charge(self, reservation: str | None, tokens: int, usd: float) -> None:
        """Count what an answer cost that is not kept."""
        if reservation is not None:
            with transaction(self._db) as db:
                db.execute("DELETE FROM reserved WHERE id = ?", (reservation,))
                add_spent(db, run_name(), 1, tokens, usd)

    def _try(self, tokens: int, usd: float) -> str | None:
        run = run_name()
        with transaction(self._db) as db:
            self._bury_dead(run)
            spent = db.execute("SELECT calls, tokens, usd FROM spent WHERE run = ?", (run,)).fetchone()
            held = db.execute(
                "SELECT COUNT(*), COALESCE(SUM(tokens), 0), COALESCE(SUM(usd), 0.0) FROM reserved"
                " WHERE run = ?",
                (run,),
            ).fetchone()
            for name, limit, used, waiting, more in zip(
                ("calls", "tokens", "usd"),
                (self._budget.calls, self._budget.tokens, self._budget.usd),
                spent or (0, 0, 0.0), held, (1, tokens, usd), strict=True,
            ):  # fmt: skip
                if limit is not None and used + waiting + more > limit:
                    if held[0] == 0 or name == "calls":
                        raise _spent(name, limit, used, waiting, more, run)
                    return None
            reservation = uuid.uuid4().hex
            db.execute(
                "INSERT INTO reserved VALUES (?,?,?,?,?)", (reservation, self._owner, run, tokens, usd)
            )
        return reservation

    def _bury_dead(self, run: str) -> None:
        owners = self._db.execute("SELECT DISTINCT owner FROM reserved WHERE run = ?", (run,)).fetchall()
        for (owner,) in owners:
            if owner != self._owner and self._cache.locks.acquire(_digest(owner)):
                lost = self._db.execute(
                    "SELECT COUNT(*), SUM(tokens), SUM(usd) FROM reserved WHERE owner = ?", (owner,)
                ).fetchone()
                add_spent(self._db, run, *lost)
                self._db.execute("DELETE FROM reserved WHERE owner = ?", (owner,))
                self._cache.locks.release(_digest(owner))

    def close(self) -> None:
        if self.active:
            self._db.execute("DELETE FROM reserved WHERE owner = ?", (self._owner,))
            self._cache.locks.release(_digest(self._owner))


def _digest(owner: str) -> bytes:
    return hashlib.sha256(owner.encode()).digest()


def _spent(name: str, limit: float, used: float, waiting: float, more: float, run: str) -> EconError:
    flying = f" and {waiting:g} in flight" if waiting else ""
    following = "" if name == "calls" else f", and the next call may take {more:g}"
    return EconError(
        f"the budget of run '{run}' is reached: llm.budget.{name} is {limit:g}, {used:g} are spent{flying}"
        f"{following}",
        f"every answer is kept: raise llm.budget.{name} and run again, or name a new run with ECON_RUN",
    )
