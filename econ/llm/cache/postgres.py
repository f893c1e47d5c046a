"""The store of many machines: a PostgreSQL database.

A commit is on the server's disk when it returns. Locks are advisory and belong to the session: the server
frees them when a process or its machine dies (dead machines are noticed by TCP keepalives, in a minute). A
connection that is lost is made again within ``WAIT_SECONDS``; what was under way is done again.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from functools import cache
from typing import Any, LiteralString, TypeVar

import psycopg

from econ.errors import EconError
from econ.llm.cache.base import Row, Statements
from econ.llm.cache.rows import KEYS, TABLES
from econ.llm.cache.sums import Damaged
from econ.params.address import Address

WAIT_SECONDS = 60.0  # for a server that is gone, or for another process that writes
AT_ONCE = 1000  # rows fetched together
_LAYOUT, _TURN = 0x65636F6E, 0x7475726E  # advisory locks: to make the tables, to take turns
_SESSION = """
SET search_path TO econ; SET lock_timeout TO '60s'; SET idle_in_transaction_session_timeout TO '120s';
SET tcp_keepalives_idle TO 30; SET tcp_keepalives_interval TO 10; SET tcp_keepalives_count TO 3
"""
_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS econ;
CREATE TABLE IF NOT EXISTS answers (
    key BYTEA PRIMARY KEY, provider TEXT, model TEXT, payer TEXT, run TEXT, created BIGINT,
    finish_reason TEXT, prompt_tokens BIGINT, completion_tokens BIGINT, estimated BIGINT,
    usd DOUBLE PRECISION, text BYTEA, thinking BYTEA, why TEXT, answered_by TEXT);
CREATE TABLE IF NOT EXISTS facts (key BYTEA PRIMARY KEY, kind TEXT, value BYTEA);
CREATE TABLE IF NOT EXISTS fact_sums (key BYTEA PRIMARY KEY, sum BYTEA);
CREATE TABLE IF NOT EXISTS spent (run TEXT PRIMARY KEY, calls BIGINT, tokens BIGINT, usd DOUBLE PRECISION);
CREATE TABLE IF NOT EXISTS reserved (
    id TEXT PRIMARY KEY, owner TEXT, run TEXT, tokens BIGINT, usd DOUBLE PRECISION);
CREATE TABLE IF NOT EXISTS rates (name TEXT PRIMARY KEY, free DOUBLE PRECISION);
CREATE TABLE IF NOT EXISTS damaged (kept_at TIMESTAMPTZ DEFAULT now(), held TEXT);
""".replace(" TEXT", ' TEXT COLLATE "C"')  # compared byte by byte, as SQLite does
_FIND = {select: f"{select} WHERE {key} = ANY(?)" for select, key in KEYS.items()}
_INSERT = {
    table: f"INSERT INTO {table} ({', '.join(names)}) VALUES ({','.join('?' * len(names))})"  # noqa: S608
    f" ON CONFLICT ({names[0]}) DO NOTHING"
    for table, names in TABLES.items()
}
_SHIFT = """
WITH now AS (SELECT extract(epoch FROM clock_timestamp())::float8 AS t)
INSERT INTO rates AS r (name, free) SELECT ?::text, t + ? FROM now
ON CONFLICT (name) DO UPDATE SET free = ? + (
    SELECT CASE WHEN r.free < t + 3600 THEN greatest(r.free, t) ELSE t END FROM now)
RETURNING free - ? - (SELECT t FROM now)
"""
_HUNGRY = 2**31 - 1  # beside a provider's slots: held by all who wait for one
Connection = psycopg.Connection[Any]
T = TypeVar("T")


class _Connection:
    """See :class:`~econ.llm.cache.base.Statements`."""

    def __init__(self, db: Connection) -> None:
        self.db = db

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Row]:
        found = self.db.execute(_sql(query), _texts(values), binary=True)
        return [tuple(map(_read, row)) for row in found]

    def change(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        if rows := list(rows):
            with self.db.cursor() as cursor:
                cursor.executemany(_sql(query), [_texts(row) for row in rows])

    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """In the order of the keys: two that insert the same at once wait, and not for each other."""
        self.change(_INSERT[table], sorted(rows, key=lambda row: row[0]))


class Postgres:
    """See :class:`~econ.llm.cache.base.Store`.

    Raises:
        EconError: the database cannot be reached or used.
    """

    far = True

    def __init__(self, url: str) -> None:
        self._address = Address(url)
        self.where = self._address.shown
        self._held: set[int] = set()
        self._limiters: list[PgLimiter] = []
        self._main = _Connection(self._connect())
        self._writer: _Connection | None = None
        self._in_turn = False

    # -- connections --------------------------------------------------------------------------------------

    def _connect(self) -> Connection:
        try:
            db = psycopg.connect(
                self._address.url, autocommit=True, connect_timeout=10, application_name="econ",
                keepalives_idle=30, keepalives_interval=10, keepalives_count=3,
            )  # fmt: skip
            db.execute(_SESSION)
            _lay_out(db)
        except psycopg.Error as fault:
            raise self._fault("cannot be reached", fault) from None
        return db

    def _fault(self, what: str, fault: Exception) -> EconError:
        said = self._address.hidden(" ".join(str(fault).split()))
        return EconError(
            f"the call cache {self.where} {what}: {said}",
            "is the server up, and cache.url or ECON_CACHE_URL right?",
        )

    def _again(self, fault: psycopg.Error) -> Connection:
        """A new connection in the place of one that was lost."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                return self._connect()
            except EconError:
                if time.monotonic() > deadline:
                    raise self._fault("is gone", fault) from None
                time.sleep(0.5)

    def _run(self, work: Callable[[_Connection], T]) -> T:
        if self._in_turn:  # done again as a whole, or not at all
            return work(self._main)
        try:
            try:
                return work(self._main)
            except psycopg.OperationalError as fault:
                if not self._main.db.closed:
                    raise
                self._main = _Connection(self._again(fault))
                self._lock_again()
                return work(self._main)
        except psycopg.Error as fault:
            raise self._fault("cannot be used", fault) from None

    def _lock_again(self) -> None:
        """What this process held: another may be quicker, and then one call is made twice."""
        for number in self._held:
            self._main.rows("SELECT pg_try_advisory_lock(?)", (number,))
        for limiter in self._limiters:
            limiter.hold_again(self._main)

    # -- statements ---------------------------------------------------------------------------------------

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._run(lambda db: db.rows(query, values))

    def change(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        rows = list(rows)
        self._run(lambda db: db.change(query, rows))

    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        self._run(lambda db: db.insert(table, rows))

    def find(self, select: str, keys: Sequence[bytes]) -> list[Row | Damaged | None]:
        found = {row[0]: row for row in self.rows(_FIND[select], (list(keys),))}
        return [found.get(key) for key in keys]

    def each(self, query: str) -> Iterator[Row]:
        try:
            with self._connect() as db, db.transaction(), db.cursor("each", binary=True) as cursor:
                cursor.itersize = AT_ONCE
                for row in cursor.execute(_sql(query)):
                    yield tuple(map(_read, row))
        except psycopg.Error as fault:
            raise self._fault("cannot be read", fault) from None

    def turn(self, work: Callable[[], T]) -> T:
        def alone(connection: _Connection) -> T:
            with connection.db.transaction():
                connection.rows("SELECT pg_advisory_xact_lock(?)", (_TURN,))
                self._in_turn = True
                try:
                    return work()
                finally:
                    self._in_turn = False

        return self._run(alone)

    def write(self, work: Callable[[Statements], None], *, wait: bool) -> bool:
        if not wait:
            return False  # a commit waits for the server's disk
        try:
            if self._writer is None:
                self._writer = _Connection(self._connect())
            try:
                self._write(self._writer, work)
            except psycopg.OperationalError as fault:
                if not self._writer.db.closed:
                    raise
                self._writer = _Connection(self._again(fault))
                self._write(self._writer, work)
        except psycopg.Error as fault:
            raise self._fault("cannot be written", fault) from None
        return True

    def _write(self, connection: _Connection, work: Callable[[Statements], None]) -> None:
        with connection.db.transaction(), connection.db.pipeline():
            work(connection)

    # -- locks --------------------------------------------------------------------------------------------

    def lock(self, key: bytes) -> bool:
        number = _number(key)
        if number in self._held:
            return False
        [(taken,)] = self.rows("SELECT pg_try_advisory_lock(?)", (number,))
        if taken:
            self._held.add(number)
        return bool(taken)

    def unlock(self, key: bytes) -> None:
        number = _number(key)
        self._held.discard(number)
        self.rows("SELECT pg_advisory_unlock(?)", (number,))

    def limiter(self, name: str, slots: int) -> PgLimiter:
        """For the jobs of all machines that share the database."""
        limiter = PgLimiter(self, name, slots)
        self._limiters.append(limiter)
        return limiter

    # -- as a whole ---------------------------------------------------------------------------------------

    def size(self) -> int:
        tables = " + ".join(f"pg_total_relation_size('econ.{table}')" for table in TABLES)
        return int(self.rows(f"SELECT {tables}")[0][0])

    def tidy(self) -> None:
        for table in TABLES:
            self._vacuum(table)

    def _vacuum(self, table: str) -> None:
        self._run(lambda connection: connection.db.execute(f"VACUUM econ.{table}".encode()))

    def faults(self) -> Iterator[str]:
        """None: the server checks its own pages."""
        return iter(())

    def close(self) -> None:
        for connection in (self._writer, self._main):
            if connection is not None:
                connection.db.close()


class PgLimiter:
    """See :class:`~econ.llm.cache.base.Limiter`: advisory locks of two numbers: provider, slot."""

    poll = 0.1

    def __init__(self, store: Postgres, name: str, slots: int) -> None:
        self._store, self._name, self._slots = store, name, slots
        self._class = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") >> 1  # of 31 bits
        self._mine: set[int] = set()
        self._waits = False

    def shift(self, rate: str, seconds: float) -> float:
        """By the server's clock."""
        [(wait,)] = self._store.rows(_SHIFT, (f"{self._name} {rate}", seconds, seconds, seconds))
        return max(0.0, float(wait))

    def take(self, free: Set[int]) -> int | None:
        found = self._store.rows(
            "SELECT n FROM unnest(?::int[]) AS n WHERE pg_try_advisory_lock(?::int, n) LIMIT 1",
            (list(free), self._class),
        )
        if not found:
            return None
        slot = int(found[0][0])
        self._mine.add(slot)
        return slot

    def drop(self, slot: int) -> None:
        self._mine.discard(slot)
        self._store.rows("SELECT pg_advisory_unlock(?::int, ?::int)", (self._class, slot))

    def hunger(self, waits: bool) -> None:
        if waits != self._waits:
            self._waits = waits
            way = "lock" if waits else "unlock"
            self._store.rows(f"SELECT pg_advisory_{way}_shared(?::int, ?::int)", (self._class, _HUNGRY))

    def others_wait(self) -> bool:
        [(waits,)] = self._store.rows(
            "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
            " WHERE l.locktype = 'advisory' AND d.datname = current_database() AND l.classid = ?::int::oid"
            " AND l.objid = ?::int::oid AND l.objsubid = 2 AND l.pid <> pg_backend_pid())",
            (self._class, _HUNGRY),
        )
        return bool(waits)

    def hold_again(self, db: _Connection) -> None:
        """On a new connection what was held on the one before."""
        for slot in self._mine:
            db.rows("SELECT pg_try_advisory_lock(?::int, ?::int)", (self._class, slot))
        if self._waits:
            db.rows("SELECT pg_advisory_lock_shared(?::int, ?::int)", (self._class, _HUNGRY))

    def close(self) -> None:
        """The session's end frees what is held."""


def _lay_out(db: Connection) -> None:
    """Make the tables that are not there yet."""
    [encoding] = _first(db, "SHOW server_encoding")
    if encoding not in ("UTF8", b"UTF8"):
        raise EconError(f"the database of the call cache holds no UTF-8 ({encoding})",
                        "make one with: createdb --encoding UTF8 --template template0 NAME")  # fmt: skip
    if _first(db, "SELECT to_regclass('econ.damaged') IS NOT NULL") == (True,):  # the last to be made
        return
    with db.transaction():
        db.execute("SELECT pg_advisory_xact_lock(%s)", (_LAYOUT,))
        db.execute(_SCHEMA)


def _first(db: Connection, query: LiteralString) -> Row:
    row: Row | None = db.execute(query).fetchone()
    return row or ()


@cache
def _sql(query: str) -> bytes:
    return query.replace("?", "%s").encode()


def _texts(values: Sequence[Any]) -> list[Any]:
    return [_kept(value) if isinstance(value, str) else value for value in values]


def _kept(text: str) -> str:
    """A text as the server takes it: it knows no NUL."""
    return text.replace("\\", "\\\\").replace("\0", "\\0") if "\\" in text or "\0" in text else text


def _read(value: Any) -> Any:
    if isinstance(value, str) and "\\" in value:
        return re.sub(r"\\(.)", lambda found: "\0" if found[1] == "0" else found[1], value, flags=re.DOTALL)
    return value


def _number(key: bytes) -> int:
    """The advisory lock of a key: its first 64 bits, with a sign."""
    return int.from_bytes(key[:8], "big", signed=True)
