"""Rates and slots in small files of the user's cache folder, guarded by kernel locks: of one machine."""

from __future__ import annotations

import struct
import time
from collections.abc import Set
from pathlib import Path

from econ.llm.cache.locks import FileLock


class Files:
    """See :class:`~econ.llm.cache.base.Limiter`: one locked file per slot; a file per rate holds the time at
    which its next unit is free."""

    poll = 0.02

    def __init__(self, folder: Path, slots: int) -> None:
        self._folder = folder
        self._slots = [FileLock(folder / f"slot-{number}") for number in range(slots)]
        self._hungry = FileLock(folder / "hungry")  # shared by waiting processes; each looks with another
        self._look = FileLock(folder / "hungry")
        self._waits = False
        self._rates: dict[str, FileLock] = {}

    def shift(self, rate: str, seconds: float) -> float:
        path = self._folder / rate
        lock = self._rates.get(rate)
        if lock is None:
            lock = self._rates[rate] = FileLock(path.with_suffix(".lock"))
        lock.take()
        try:
            now = time.time()
            stored = path.read_bytes() if path.exists() else b""
            free = struct.unpack("d", stored)[0] if len(stored) == 8 else now
            free = max(now, free) if free < now + 3600 else now  # a clock that was set back
            path.write_bytes(struct.pack("d", free + seconds))
            return float(free - now)
        finally:
            lock.drop()

    def take(self, free: Set[int]) -> int | None:
        return next((slot for slot in free if self._slots[slot].take(wait=False)), None)

    def drop(self, slot: int) -> None:
        self._slots[slot].drop()

    def hunger(self, waits: bool) -> None:
        self._waits = waits
        if waits:
            self._hungry.take(shared=True)
        else:
            self._hungry.drop()

    def others_wait(self) -> bool:
        """Another process holds the hungry lock (our own shared lock is dropped for the look)."""
        if self._waits:
            self._hungry.drop()
        alone = self._look.take(wait=False)
        self._look.drop()
        if self._waits:
            self._hungry.take(shared=True)
        return not alone

    def close(self) -> None:
        for lock in (*self._slots, self._hungry, self._look, *self._rates.values()):
            lock.close()
