"""Paid answers, kept: an embedded database shared by parallel processes and safe to kill at any moment.

An answer is addressed by the SHA-256 of everything that can change it. ``Cache.put`` returns once the answer
is with the operating system, where no kill can reach it (one transaction for all answers that wait). It is
brought to the disk a moment later, off the calls' way: a power failure could lose the last ``SYNC_SECONDS``.
The same transaction counts the money. Locks (:mod:`~econ.llm.cache.locks`) are the kernel's: a killed job
leaves none behind.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import astuple, dataclass
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Any

import orjson

from econ import paths
from econ.errors import EconError
from econ.llm.cache import sums
from econ.llm.cache.locks import KeyLocks
from econ.messages import read_text
from econ.records import Json

FOLDER = paths.STATE / "cache"
SYNC_SECONDS = 0.2
WAIT_SECONDS = 60  # for another process that writes
AT_ONCE = 1000  # answers in one transaction
MERGE = 1000  # answers until what is written is merged into the database's main file
COLUMNS = (
    "key", "provider", "model", "payer", "run", "created", "finish_reason", "prompt_tokens",
    "completion_tokens", "estimated", "usd", "thinking", "why", "answered_by",
)  # fmt: skip
ROW = f"{', '.join(COLUMNS)}, text"  # of an answer; its text holds the checksum of it all
_PLACES = f"({','.join('?' * (len(COLUMNS) + 1))})"
FACT = "SELECT f.key, f.kind, f.value, s.sum FROM facts f LEFT JOIN fact_sums s ON s.key = f.key"
ADDED = {"thinking": "BLOB", "why": "TEXT", "answered_by": "TEXT"}  # columns that older caches lack
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


@dataclass(frozen=True, slots=True)
class Answer:
    """A paid answer. ``payer`` names the call that paid, the same in every run; ``usd`` None: no price;
    ``why`` says why ``text`` is empty."""

    text: str
    finish_reason: str | None
    prompt_tokens: int
    completion_tokens: int
    estimated: bool
    payer: str
    provider: str
    model: str
    usd: float | None = None
    thinking: str = ""
    why: str | None = None
    answered_by: str | None = None


def digest(request: Json) -> bytes:
    """The address of a request: SHA-256 of its canonical JSON."""
    return hashlib.sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS)).digest()


def run_name() -> str:
    """The run that budgets are counted for. A project's jobs are one run unless ECON_RUN names others."""
    return os.environ.get("ECON_RUN", "default")


class Cache:
    """The answers and facts (embeddings, token counts, probe results) of one project.

    Raises:
        EconError: the database cannot be opened or written.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self.path = folder / "answers.sqlite"
        paths.private()
        folder.mkdir(parents=True, exist_ok=True)
        self.locks = KeyLocks.at(folder / "in-flight.lock")
        self.connection = connect(self.path)
        self._writer: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(1, "econ-cache")
        self._disk = ThreadPoolExecutor(1, "econ-cache-disk")
        self._syncing: Future[None] | None = None
        self._closing = Event()
        self._unmerged = 0
        self._pending: list[tuple[bytes, Answer, str | None, asyncio.Future[None]]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._damaged: set[bytes] = set()  # keys of rows that are, each named once

    def get(self, key: bytes) -> Answer | None:
        """The answer to a request, if it is kept and whole; a damaged one is named, and is asked for again.

        Raises:
            EconError: the database itself is damaged there.
        """
        try:
            row = self._one(f"SELECT {ROW} FROM answers WHERE key = ?", key)  # noqa: S608
            return None if row is None else answer_of(row)
        except sums.Damaged as fault:
            self._name(key, f"an answer in the call cache is damaged ({fault}): it is asked for again")
            return None

    def _one(self, query: str, key: bytes) -> tuple[Any, ...] | None:
        try:
            row: tuple[Any, ...] | None = self.connection.execute(query, (key,)).fetchone()
        except (sqlite3.DatabaseError, UnicodeDecodeError) as fault:
            if "decode to UTF-8 column" in str(fault):  # of a column whose text is none
                raise sums.Damaged("it holds no text") from None
            raise damaged(self.path, fault) from None
        return row

    def _name(self, key: bytes, what: str) -> None:
        if key not in self._damaged:
            self._damaged.add(key)
            print(f"econ: {what} ({key.hex()[:16]})", file=sys.stderr, flush=True)

    async def put(self, key: bytes, answer: Answer, reservation: str | None = None) -> None:
        """Keep an answer and count its cost in place of its reservation; returns once no kill can lose it."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((key, answer, reservation, done))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        await done

    async def _flush(self) -> None:
        """Write what waits. In the loop itself, since a thread's turn can cost as much as a short call; in a
        thread only where another process is writing at this moment."""
        while self._pending:
            batch, self._pending = self._pending[:AT_ONCE], self._pending[AT_ONCE:]
            rows = [row[:3] for row in batch]
            try:
                if not self._write(rows, wait=False):
                    await asyncio.get_running_loop().run_in_executor(self._thread, self._write, rows)
            except sqlite3.Error as fault:
                problem = _not_written(self.path, fault)
                for row in batch:
                    if not row[3].done():
                        row[3].set_exception(problem)
            else:
                for row in batch:
                    if not row[3].done():
                        row[3].set_result(None)
                if self._syncing is None or self._syncing.done():
                    self._syncing = self._disk.submit(self._sync)

    def _sync(self) -> None:
        """Bring to the disk what was written so far, and what comes within a moment."""
        self._closing.wait(SYNC_SECONDS)
        descriptor = os.open(f"{self.path}-wal", os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if self._unmerged >= MERGE:  # here, since it waits for the disk
            self._unmerged = 0
            with closing(connect(self.path)) as db:
                db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _write(self, batch: list[tuple[bytes, Answer, str | None]], wait: bool = True) -> bool:
        """Write answers in one transaction; False: another process is writing, and we do not wait."""
        if self._writer is None:
            self._writer = connect(self.path)
            self._writer.execute("PRAGMA wal_autocheckpoint=0")
        run, now = run_name(), int(time.time())
        rows = [_row(key, answer, run, now) for key, answer, _ in batch]
        insert = f"INSERT OR IGNORE INTO answers ({ROW}) VALUES " + ",".join([_PLACES] * len(rows))  # noqa: S608
        ill = [(key,) for key, *_ in batch if key in self._damaged]
        tokens = sum(a.prompt_tokens + a.completion_tokens for _, a, _ in batch)
        reserved = [(reservation,) for *_, reservation in batch if reservation is not None]
        self._writer.execute(f"PRAGMA busy_timeout={int(WAIT_SECONDS * 1000) if wait else 0}")
        try:
            with transaction(self._writer) as db:
                db.executemany("DELETE FROM answers WHERE key = ?", ill)
                db.execute(insert, list(chain.from_iterable(rows)))
                db.executemany("DELETE FROM reserved WHERE id = ?", reserved)
                add_spent(db, run, len(batch), tokens, sum(a.usd or 0.0 for _, a, _ in batch))
        except sqlite3.OperationalError as fault:
            if wait or fault.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:  # the rest says why it is
                raise
            return False
        self._unmerged += len(batch)
        return True

    def facts(self, keys: Iterable[bytes]) -> list[bytes | None]:
        """Values of known facts; None where a fact is not known, or damaged."""
        return [self._fact(key) for key in keys]

    def _fact(self, key: bytes) -> bytes | None:
        try:
            row = self._one(f"{FACT} WHERE f.key = ?", key)
            return None if row is None else fact_of(row)
        except sums.Damaged as fault:
            self._name(key, f"a fact in the call cache is damaged ({fault}): it is found anew")
            return None

    def fact(self, key: bytes) -> bytes | None:
        return self.facts([key])[0]

    def put_facts(self, kind: str, rows: Iterable[tuple[bytes, bytes]]) -> None:
        with transaction(self.connection) as db:
            put_facts(db, [(key, kind, value) for key, value in rows])

    def close(self) -> None:
        self._thread.shutdown()
        self._closing.set()
        if self._syncing is not None:
            self._disk.submit(self._sync).result()
        self._disk.shutdown()
        for connection in (self._writer, self.connection):
            if connection is not None:
                connection.close()


def _row(key: bytes, answer: Answer, run: str, now: int) -> list[Any]:
    """A row of answers in the order of :data:`ROW`."""
    usd = None if answer.usd is None else float(answer.usd)
    values = [
        key, answer.provider, answer.model, answer.payer, run, now, answer.finish_reason,
        answer.prompt_tokens, answer.completion_tokens, int(answer.estimated), usd,
        sums.packed(answer.thinking), answer.why, answer.answered_by,
    ]  # fmt: skip
    return [*values, sums.sealed(answer.text, values)]


def answer_of(row: Sequence[Any]) -> Answer:
    """The answer in a row of :data:`ROW`; raises :class:`~econ.llm.cache.sums.Damaged`."""
    *others, blob = row
    text, stated = sums.opened(blob or b"", others), dict(zip(COLUMNS, others, strict=True))
    told = {"thinking": sums.unpacked(stated["thinking"]), "why": stated["why"]}
    if stated["thinking"] is None:  # an earlier version's: as it came
        text, told["thinking"], told["why"] = astuple(read_text(text))
    names = ("finish_reason", "prompt_tokens", "completion_tokens", "payer", "provider", "model", "usd")
    kept = {name: stated[name] for name in (*names, "answered_by")}
    return Answer(text=text, estimated=bool(stated["estimated"]), **kept, **told)


def fact_of(row: Sequence[Any]) -> bytes:
    """The value in a row of :data:`FACT`; raises :class:`~econ.llm.cache.sums.Damaged`."""
    key, kind, value, known = row
    if not isinstance(value, bytes) or known not in (None, sums.of_fact(key, kind, value)):
        raise sums.Damaged("its checksum is another")
    return value


def put_facts(db: sqlite3.Connection, rows: Sequence[tuple[bytes, str, bytes]]) -> None:
    db.executemany("INSERT OR REPLACE INTO facts VALUES (?,?,?)", rows)
    known = [(row[0], sums.of_fact(*row)) for row in rows]
    db.executemany("INSERT OR REPLACE INTO fact_sums VALUES (?,?)", known)


def _not_written(path: Path, fault: sqlite3.Error) -> EconError:
    if getattr(fault, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(path, fault)
    return EconError(f"the call cache {path} cannot be written: {fault}", "free disk space?")


def damaged(path: Path, fault: Exception) -> EconError:
    """The fault of a database that cannot be read any more at some place."""
    return EconError(f"the call cache {path} is damaged: {fault}", "stop all jobs and run: econ cache repair")


def fact_key(*parts: object) -> bytes:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()


def missing(what: str) -> EconError:
    """What --offline says of a thing that the cache does not hold."""
    return EconError(f"--offline: the cache lacks {what}", "run without --offline, or `econ cache import` it")


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
                db.execute(f"ALTER TABLE answers ADD COLUMN {name} {ADDED[name]}")


def _lacking(connection: sqlite3.Connection) -> list[str]:
    there = {row[1] for row in connection.execute("PRAGMA table_info(answers)")}
    return [name for name in ADDED if name not in there]


class transaction:
    """``with transaction(db)``: all or nothing; waits its turn among the processes."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> sqlite3.Connection:
        self._db.execute("BEGIN IMMEDIATE")
        return self._db

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")


def add_spent(db: sqlite3.Connection, run: str, calls: int, tokens: int, usd: float) -> None:
    db.execute(
        "INSERT INTO spent VALUES (?,?,?,?) ON CONFLICT (run) DO UPDATE SET"
        " calls = calls + excluded.calls, tokens = tokens + excluded.tokens, usd = usd + excluded.usd",
        (run, calls, tokens, usd),
    )
