"""A cache that was damaged: looked through row by row, and mended so that all rows are whole.

Of the embedded store's file the whole rows go to a new one; in a database the others are put aside.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from econ.errors import EconError
from econ.llm.cache import places, sums
from econ.llm.cache.base import Row, Store
from econ.llm.cache.embedded import NAME, Connection, connect, integrity, transaction
from econ.llm.cache.rows import ANSWER, COLUMNS, FACT, KEYS, TABLES, answer_of, fact_of
from econ.llm.cache.store import FOLDER, put_facts

_PAYER = COLUMNS.index("payer")
_FAULTS = (sqlite3.DatabaseError, UnicodeDecodeError)  # the latter where the schema is damaged
_LAST = b"\xff" * 33  # after every key
_LONE = "SELECT COUNT(*) FROM fact_sums WHERE key NOT IN (SELECT key FROM facts)"
_SPENT = f"SELECT {', '.join(TABLES['spent'])} FROM spent"  # noqa: S608
Read = Callable[[str], Iterable[Row]]  # the rows of a query
Ill = Callable[[str, Row], None]  # told of each row that is not whole, with its table


@dataclass(frozen=True)
class _Kind:
    """Rows that have a checksum each: how they are read, told of, and known to have one."""

    table: str
    query: str
    decode: Callable[[Row], object]  # raises where the row is not whole
    named: Callable[[Row], str]
    sealed: Callable[[Row], bool]


_KINDS = (
    _Kind(
        "answers", ANSWER, answer_of,
        lambda row: f"an answer of {str(row[_PAYER])[:60]}", lambda row: sums.has_sum(row[-1]),
    ),
    _Kind(
        "facts", FACT, fact_of,
        lambda row: f"a fact: {str(row[1])[:20]}", lambda row: row[3] is not None,
    ),
)  # fmt: skip


@dataclass
class Health:
    """What a look through a cache found. ``ill``: what is damaged, and in how many rows."""

    whole: Counter[str] = field(default_factory=Counter)  # rows by table: answers, facts
    unsealed: int = 0  # of an earlier version: no checksum
    ill: Counter[str] = field(default_factory=Counter)


def look(folder: Path = FOLDER, url: str | None = None) -> Health:
    """Every row and the structure below, checked."""
    health = Health()
    if places.address(url):
        with closing(places.opened(folder, url)) as store:
            _look(store.each, store.rows, store.faults, health)
    else:
        with closing(_opened(folder)) as db:
            read = _reader(db, health)
            _look(read, lambda query: db.execute(query).fetchall(), lambda: integrity(db), health)
    return health


def _look(read: Read, rows: Read, faults: Callable[[], Iterable[str]], health: Health) -> None:
    for _ in _whole(read, health):
        pass
    try:
        for fault in faults():
            health.ill[f"database: {fault}"] += 1
        [(lone,)] = rows(_LONE)
        health.ill["a fact's key"] += lone
    except _FAULTS as fault:
        health.ill[f"database: {fault}"] += 1
    health.ill += Counter()  # without zeros


def repair(folder: Path = FOLDER, url: str | None = None) -> tuple[Health, str]:
    """Mend the cache. Of the embedded one no job may be at work.

    Returns:
        What was found, and where the damaged rows or file are now.
    """
    if not places.address(url):
        return _made_anew(folder)
    with closing(places.opened(folder, url)) as store:
        return _put_aside(store), f"{store.where}, table econ.damaged"


def _put_aside(store: Store) -> Health:
    """Move the rows that are not whole to a table of their own, all in one transaction."""
    health, found = Health(), list[tuple[str, Row]]()
    for _ in _whole(store.each, health, lambda table, row: found.append((table, row))):
        pass

    def work() -> None:
        store.change("INSERT INTO damaged (held) VALUES (?)", [(repr(row),) for row in found])
        for table, row in found:
            store.change(f"DELETE FROM {table} WHERE key = ?", [(row[0],)])  # noqa: S608
        store.change("DELETE FROM fact_sums WHERE key NOT IN (SELECT key FROM facts)", [()])

    store.turn(work)
    return health


def _made_anew(folder: Path) -> tuple[Health, str]:
    """Make the file anew of all whole rows; the damaged one stays beside it."""
    path, fresh = folder / NAME, folder / "repaired.sqlite"
    for old in (fresh, fresh.with_name(f"{fresh.name}-wal"), fresh.with_name(f"{fresh.name}-shm")):
        old.unlink(missing_ok=True)
    health = Health()
    with closing(_opened(folder)) as db, closing(connect(fresh)) as new:
        with transaction(new):
            for table, row in _whole(_reader(db, health), health):
                _keep(new, table, row)
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    number = 1 + sum(1 for _ in folder.glob("damaged-*.sqlite"))
    aside = folder / f"damaged-{number}.sqlite"
    for end in ("-wal", "-shm", ""):
        old = path.with_name(path.name + end)
        if old.exists():
            old.rename(aside.with_name(aside.name + end))
    fresh.rename(path)
    return health, str(aside)


def _keep(db: sqlite3.Connection, table: str, row: Row) -> None:
    connection = Connection(db)
    if table == "facts":
        put_facts(connection, [row[:3]])
    else:
        connection.insert(table, [row])


def _opened(folder: Path) -> sqlite3.Connection:
    path = folder / NAME
    if not path.exists():
        raise EconError(f"there is no call cache at {path}", "it comes with the first answer")
    db = sqlite3.connect(path, isolation_level=None)
    db.text_factory = lambda raw: raw.decode("utf-8", "replace")  # what is no text fails its checksum
    return db


def _reader(db: sqlite3.Connection, health: Health) -> Read:
    def read(query: str) -> Iterable[Row]:
        return _rows(db, query, KEYS[query], health) if query in KEYS else db.execute(query)

    return read


def _whole(read: Read, health: Health, ill: Ill = lambda table, row: None) -> Iterator[tuple[str, Row]]:
    """Table and row of all that is whole; the rest is counted in ``health``."""
    for kind in _KINDS:
        for row in read(kind.query):
            try:
                kind.decode(row)
            except (sums.Damaged, ValueError, TypeError):
                health.ill[kind.named(row)] += 1
                ill(kind.table, row)
                continue
            health.whole[kind.table] += 1
            health.unsealed += not kind.sealed(row)
            yield kind.table, row
    try:
        yield from (("spent", row) for row in read(_SPENT))
    except _FAULTS as fault:
        health.ill[f"what was spent: {fault}"] += 1


def _rows(db: sqlite3.Connection, select: str, key: str, health: Health) -> Iterator[Row]:
    """All rows that can be read, by ranges of keys: what one damaged page holds hides no other page."""
    whole = list[tuple[bytes, bytes]]([(b"", _LAST)])
    ranges = [(bytes([i]), bytes([i + 1]) if i < 255 else _LAST) for i in range(256)]
    for parts in (whole, ranges):
        found: list[Row] = []
        ill = False
        for low, high in parts:
            part, fault = _between(db, select, key, low, high)
            found += part
            ill |= fault
        if not ill:
            break
    if ill:
        health.ill["pages that cannot be read"] += 1
    yield from found


def _between(
    db: sqlite3.Connection, select: str, key: str, low: bytes, high: bytes
) -> tuple[list[Row], bool]:
    """Rows of a range of keys, from both its ends where something between cannot be read."""
    found: dict[Any, Row] = {}
    ill = False
    for order in ("ASC", "DESC"):
        query = f"{select} WHERE {key} >= ? AND {key} < ? ORDER BY {key} {order}"
        try:
            for row in db.execute(query, (low, high)):
                found.setdefault(row[0], row)
        except _FAULTS:
            ill = True
            continue
        break
    return list(found.values()), ill
