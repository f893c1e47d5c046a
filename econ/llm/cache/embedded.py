"""The embedded store: an SQLite file in WAL mode, for all processes of one machine.

A commit is with the operating system when it returns, where no kill can reach it. It is brought to the disk a
moment later, off the calls' way: a power failure could lose the last ``SYNC_SECONDS``. Locks are the kernel's
(:mod:`~econ.llm.cache.locks`): a killed job leaves none behind.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

from econ import paths
from econ.errors import EconError
from econ.llm.cache.base import Row, Statements
from econ.llm.cache.limiter import Files
from econ.llm.cache.locks import KeyLocks
from econ.llm.cache.mounts import refuse_network
from econ.llm.cache.rows import KEYS, TABLES
from econ.llm.cache.sums import Damaged

NAME = "answers.sqlite"
SYNC_SECONDS = 0.2
WAIT_SECONDS = 60  # for another process that writes
MERGE = 1000  # answers until what is written is merged into the database's main file
_ADDED = {"thinking": "BLOB", "why": "TEXT", "answered_by": "TEXT"}
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key BLOB PRIMARY KEY, provider TEXT, model TEXT, payer TEXT, run TEXT, created INTEGER,
    finish_reason TEXT, prompt_tokens INTEGER, completion_tokens INTEGER, estimated INTEGER, usd REAL,
    text BLOB, thinking BLOB, why TEXT, answered_by TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (key BLOB PRIMARY KEY, kind TEXT, value BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fact_sums (key BLOB PRIMARY KEY, sum BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent (
    run TEXT PRIMARY KEY, calls INTEGER, tokens INTEGER, usd REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reserved (
    id TEXT PRIMARY KEY, owner TEXT, run TEXT, tokens INTEGER, usd REAL) WITHOUT ROWID;
"""
_INSERT = {
    table: (f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ", f"({','.join('?' * len(names))})")  # noqa: S608
    for table, names in TABLES.items()
}
_FIND = {select: f"{select} WHERE {key} = ?" for select, key in KEYS.items()}
T = TypeVar("T")


class Connection:
    """See :class:`~econ.llm.cache.base.Statements`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.inserted = 0

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Row]:
        return self.db.execute(query, values).fetchall()

    def change(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        self.db.executemany(query, rows)

    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        start, places = _INSERT[table]
        self.db.execute(start + ",".join([places] * len(rows)), list(chain.from_iterable(rows)))
        self.inserted += len(rows)


class Embedded(Connection):
    """See :class:`~econ.llm.cache.base.Store`.

    Raises:
        EconError: the database cannot be opened, or lies on a file system of the network.
    """

    far = False

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.where = str(self.path)
        paths.private()
        folder.mkdir(parents=True, exist_ok=True)
        refuse_network(folder)
        self._locks = KeyLocks.at(folder / "in-flight.lock")
        super().__init__(connect(self.path))
        self._writer: Connection | None = None
        self._disk = ThreadPoolExecutor(1, "econ-cache-disk")
        self._syncing: Future[None] | None = None
        self._closing = Event()

    def find(self, select: str, keys: Sequence[bytes]) -> list[Row | Damaged | None]:
        return [self._one(_FIND[select], key) for key in keys]

    def _one(self, query: str, key: bytes) -> Row | Damaged | None:
        try:
            row: Row | None = self.db.execute(query, (key,)).fetchone()
        except (sqlite3.DatabaseError, UnicodeDecodeError) as fault:
            if "decode to UTF-8 column" in str(fault):  # of a column whose text is none
                return Damaged("it holds no text")
            raise damaged(self.where, fault) from None
        return row

    def each(self, query: str) -> Iterator[Row]:
        try:
            yield from self.db.execute(query)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as fault:
            raise damaged(self.where, fault) from None

    def turn(self, work: Callable[[], T]) -> T:
        with transaction(self.db):
            return work()

    def write(self, work: Callable[[Statements], None], *, wait: bool) -> bool:
        """In the event loop itself where no other process writes at this moment, since a thread's turn can
        cost as much as a short call."""
        if self._writer is None:
            self._writer = Connection(connect(self.path))
            self._writer.db.execute("PRAGMA wal_autocheckpoint=0")
        self._writer.db.execute(f"PRAGMA busy_timeout={int(WAIT_SECONDS * 1000) if wait else 0}")
        try:
            with transaction(self._writer.db):
                work(self._writer)
        except sqlite3.OperationalError as fault:
            if not wait and fault.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                return False
            raise _not_written(self.where, fault) from None
        except sqlite3.Error as fault:
            raise _not_written(self.where, fault) from None
        if self._syncing is None or self._syncing.done():
            self._syncing = self._disk.submit(self._sync)
        return True

    def _sync(self) -> None:
        """Bring to the disk what was written so far, and what comes within a moment."""
        self._closing.wait(SYNC_SECONDS)
        descriptor = os.open(f"{self.path}-wal", os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if self._writer is not None and self._writer.inserted >= MERGE:  # here, since it waits for the disk
            self._writer.inserted = 0
            with closing(connect(self.path)) as db:
                db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def lock(self, key: bytes) -> bool:
        return self._locks.acquire(key)

    def unlock(self, key: bytes) -> None:
        self._locks.release(key)

    def limiter(self, name: str, slots: int) -> Files:
        """For the machine's jobs of all projects."""
        return of_this_machine(name, slots)

    def size(self) -> int:
        files = (self.path, self.path.with_name(f"{NAME}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def tidy(self) -> None:
        self.db.execute("VACUUM")

    def faults(self) -> Iterator[str]:
        return integrity(self.db)

    def close(self) -> None:
        self._closing.set()
        if self._syncing is not None:
            self._disk.submit(self._sync).result()
        self._disk.shutdown()
        for connection in (self._writer, self):
            if connection is not None:
                connection.db.close()


def integrity(db: sqlite3.Connection) -> Iterator[str]:
    for (fault,) in db.execute("PRAGMA integrity_check(5)"):
        if fault != "ok":
            yield fault


def of_this_machine(name: str, slots: int) -> Files:
    """The limits that the machine's jobs of all projects share, of one provider."""
    return Files(paths.home() / "limits" / hashlib.sha256(name.encode()).hexdigest()[:16], slots)


def _not_written(where: str, fault: sqlite3.Error) -> EconError:
    if getattr(fault, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(where, fault)
    return EconError(f"the call cache {where} cannot be written: {fault}", "free disk space?")


def damaged(where: str, fault: Exception) -> EconError:
    """The fault of a database that cannot be read any more at some place."""
    return EconError(
        f"the call cache {where} is damaged: {fault}", "stop all jobs and run: econ cache repair"
    )


def connect(path: Path) -> sqlite3.Connection:
    """A connection in WAL mode: a commit survives the death of its process when it returns."""
    try:
        connection = sqlite3.connect(
            path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.executescript(_SCHEMA)
        _extend(connection)
    except (sqlite3.Error, UnicodeDecodeError) as fault:
        way_out = "stop all jobs and run: econ cache repair"
        raise EconError(f"the call cache {path} cannot be opened: {fault}", way_out) from None
    return connection


def _extend(connection: sqlite3.Connection) -> None:
    """Give a cache of an earlier version the columns that it lacks; its answers stay as they are."""
    if _lacking(connection):
        with transaction(connection) as db:
            for name in _lacking(db):  # again: another process may have been quicker
                db.execute(f"ALTER TABLE answers ADD COLUMN {name} {_ADDED[name]}")


def _lacking(connection: sqlite3.Connection) -> list[str]:
    there = {row[1] for row in connection.execute("PRAGMA table_info(answers)")}
    return [name for name in _ADDED if name not in there]


class transaction:
    """``with transaction(db)``: all or nothing; waits its turn among the processes."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> sqlite3.Connection:
        self._db.execute("BEGIN IMMEDIATE")
        return self._db

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")
