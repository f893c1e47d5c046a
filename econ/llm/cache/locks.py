"""Locks held by the kernel: whatever kills their owner also frees them."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import ClassVar


class KeyLocks:
    """Exclusive locks on keys across processes: one byte of a file per key, the byte chosen by the key.

    POSIX record locks belong to a process and are lost when it closes any descriptor of the file. So each
    process opens the file once, here, and keeps it open; keys held are also remembered within the process.
    """

    _open: ClassVar[dict[Path, KeyLocks]] = {}

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._held: set[int] = set()

    @classmethod
    def at(cls, path: Path) -> KeyLocks:
        path = path.resolve()
        known = cls._open.get(path)
        if (
            known is None
            or not path.exists()
            or not os.path.samestat(os.fstat(known._descriptor), path.stat())
        ):
            known = cls._open[path] = cls(path)
        return known

    def acquire(self, key: bytes) -> bool:
        """Take the key's lock if nobody holds it; never waits."""
        offset = _offset(key)
        if offset in self._held:
            return False
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
        except (BlockingIOError, PermissionError):
            return False
        self._held.add(offset)
        return True

    def release(self, key: bytes) -> None:
        offset = _offset(key)
        self._held.discard(offset)
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, offset)


def _offset(key: bytes) -> int:
    return int.from_bytes(key[:8], "big") >> 2  # below 2**62: fits the kernel's signed offset


class FileLock:
    """A whole-file lock of one descriptor (flock): shared or exclusive, waiting or not."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def take(self, *, shared: bool = False, wait: bool = True) -> bool:
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self._descriptor, mode if wait else mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def drop(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._descriptor)
