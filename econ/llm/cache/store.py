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
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import astuple, dataclass
from itertools import chain
from pathlib import Path
from threading import Event

import orjson
import zstandard

from econ import paths
from econ.errors import EconError
from econ.llm.cache.locks import KeyLocks
from econ.messages import read_text
from econ.records import Json

FOLDER = paths.STATE / "cache"
SYNC_SECONDS = 0.2
WAIT_SECONDS = 60  # for another process that writes
AT_ONCE = 1000  # answers in one transaction
MERGE = 1000  # answers until what is written is merged into the database's main file
_ROW = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"  # of answers
ADDED = {"thinking": "BLOB", "why": "TEXT", "answered_by": "TEXT"}  # columns that older caches lack
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key BLOB PRIMARY KEY, provider TEXT, model TEXT, payer TEXT, run TEXT, created INTEGER,
    finish_reason TEXT, prompt_tokens INTEGER, completion_tokens INTEGER, estimated INTEGER, usd REAL,
    text BLOB, thinking BLOB, why TEXT, answered_by TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (key BLOB PRIMARY KEY, kind TEXT, value BLOB) WITHOUT ROWID;
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
        self._unpack = zstandard.ZstdDecompressor()
        self._pack = zstandard.ZstdCompressor(level=3)

    def get(self, key: bytes) -> Answer | None:
        row = self.connection.execute(
            "SELECT text, finish_reason, prompt_tokens, completion_tokens, estimated, payer, provider, model,"
            " usd, thinking, why, answered_by FROM answers WHERE key = ?",
            (key,),
        ).fetchone()
        if row is None:
            return None
        text, thinking, why = self._unpacked(row[0]), self._unpacked(row[9]), row[10]
        if row[9] is None:  # an earlier version's: as it came
            text, thinking, why = astuple(read_text(text))
        told = {"thinking": thinking, "why": why, "answered_by": row[11]}
        return Answer(text, row[1], row[2], row[3], bool(row[4]), *row[5:9], **told)

    def _unpacked(self, blob: bytes | None) -> str:
        return self._unpack.decompress(blob).decode() if blob else ""

    def _packed(self, text: str) -> bytes:
        return self._pack.compress(text.encode()) if text else b""

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
                problem = EconError(
                    f"the call cache {self.path} cannot be written: {fault}", "free disk space?"
                )
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
        rows = [
            (key, answer.provider, answer.model, answer.payer, run, now, answer.finish_reason,
             answer.prompt_tokens, answer.completion_tokens, int(answer.estimated), answer.usd,
             self._packed(answer.text), self._packed(answer.thinking), answer.why, answer.answered_by)
            for key, answer, _ in batch
        ]  # fmt: skip
        insert = "INSERT OR IGNORE INTO answers VALUES " + ",".join([_ROW] * len(rows))  # noqa: S608
        tokens = sum(a.prompt_tokens + a.completion_tokens for _, a, _ in batch)
        reserved = [(reservation,) for *_, reservation in batch if reservation is not None]
        self._writer.execute(f"PRAGMA busy_timeout={int(WAIT_SECONDS * 1000) if wait else 0}")
        try:
            with transaction(self._writer) as db:
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
        """Values of known facts; None where a fact is not known."""
        cursor = self.connection.cursor()
        rows = (cursor.execute("SELECT value FROM facts WHERE key = ?", (k,)).fetchone() for k in keys)
        return [row[0] if row else None for row in rows]

    def fact(self, key: bytes) -> bytes | None:
        return self.facts([key])[0]

    def put_facts(self, kind: str, rows: Iterable[tuple[bytes, bytes]]) -> None:
        with transaction(self.connection) as db:
            db.executemany(
                "INSERT OR REPLACE INTO facts VALUES (?,?,?)", [(key, kind, value) for key, value in rows]
            )

    def close(self) -> None:
        self._thread.shutdown()
        self._closing.set()
        if self._syncing is not None:
            self._disk.submit(self._sync).result()
        self._disk.shutdown()
        for connection in (self._writer, self.connection):
            if connection is not None:
                connection.close()


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
    except sqlite3.Error as fault:
        way_out = "move it away to start a new one, and `econ cache import` what you exported"
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
