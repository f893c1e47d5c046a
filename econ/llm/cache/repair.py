"""A cache whose file was damaged: looked through row by row, and made anew from all rows that are whole."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from econ.errors import EconError
from econ.llm.cache import sums
from econ.llm.cache.store import (
    COLUMNS,
    FACT,
    FOLDER,
    ROW,
    answer_of,
    connect,
    fact_of,
    put_facts,
    transaction,
)

_ANSWER = f"SELECT {ROW} FROM answers a"  # noqa: S608
_PAYER = COLUMNS.index("payer")
_FAULTS = (sqlite3.DatabaseError, UnicodeDecodeError)  # the latter where the schema is damaged
_LAST = b"\xff" * 33  # after every key


@dataclass
class Health:
    """What a look through a cache found. ``ill``: what is damaged, and in how many rows."""

    answers: int = 0
    facts: int = 0
    unsealed: int = 0  # of an earlier version: no checksum
    ill: Counter[str] = field(default_factory=Counter)


def look(folder: Path = FOLDER) -> Health:
    """Every row and the database's own structure, checked."""
    health = Health()
    with closing(_opened(folder)) as db:
        for _ in _whole(db, health):
            pass
        try:
            for (fault,) in db.execute("PRAGMA integrity_check(5)"):
                if fault != "ok":
                    health.ill[f"database: {fault}"] += 1
            lone = "SELECT COUNT(*) FROM fact_sums WHERE key NOT IN (SELECT key FROM facts)"
            health.ill["a fact's key"] += db.execute(lone).fetchone()[0]
        except _FAULTS as fault:
            health.ill[f"database: {fault}"] += 1
    health.ill += Counter()  # without zeros
    return health


def repair(folder: Path = FOLDER) -> tuple[Health, Path]:
    """Make the cache anew of all whole rows; the damaged file stays beside it. No job may be at work.

    Returns:
        What was found, and where the damaged file is now.
    """
    path, fresh = folder / "answers.sqlite", folder / "repaired.sqlite"
    for old in (fresh, fresh.with_name(f"{fresh.name}-wal"), fresh.with_name(f"{fresh.name}-shm")):
        old.unlink(missing_ok=True)
    health = Health()
    with closing(_opened(folder)) as db, closing(connect(fresh)) as new:
        with transaction(new):
            for table, row in _whole(db, health):
                _keep(new, table, row)
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    number = 1 + sum(1 for _ in folder.glob("damaged-*.sqlite"))
    aside = folder / f"damaged-{number}.sqlite"
    for end in ("-wal", "-shm", ""):
        old = path.with_name(path.name + end)
        if old.exists():
            old.rename(aside.with_name(aside.name + end))
    fresh.rename(path)
    return health, aside


def _keep(db: sqlite3.Connection, table: str, row: tuple[Any, ...]) -> None:
    if table == "answers":
        places = ",".join("?" * len(row))
        db.execute(f"INSERT OR IGNORE INTO answers ({ROW}) VALUES ({places})", row)  # noqa: S608
    elif table == "facts":
        put_facts(db, [row[:3]])
    else:
        db.execute("INSERT OR IGNORE INTO spent VALUES (?,?,?,?)", row)


def _opened(folder: Path) -> sqlite3.Connection:
    path = folder / "answers.sqlite"
    if not path.exists():
        raise EconError(f"there is no call cache at {path}", "it comes with the first answer")
    db = sqlite3.connect(path, isolation_level=None)
    db.text_factory = lambda raw: raw.decode("utf-8", "replace")  # what is no text fails its checksum
    return db


def _whole(db: sqlite3.Connection, health: Health) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Table and row of all that is whole; the rest is counted in ``health``."""
    for row in _rows(db, _ANSWER, "a.key", health):
        try:
            answer_of(row)
        except (sums.Damaged, ValueError, TypeError):
            health.ill[f"an answer of {str(row[_PAYER])[:60]}"] += 1
            continue
        health.answers += 1
        health.unsealed += not sums.has_sum(row[-1])
        yield "answers", row
    for row in _rows(db, FACT, "f.key", health):
        try:
            fact_of(row)
        except (sums.Damaged, ValueError, TypeError):
            health.ill[f"a fact: {str(row[1])[:20]}"] += 1
            continue
        health.facts += 1
        health.unsealed += row[3] is None
        yield "facts", row
    try:
        yield from (("spent", row) for row in db.execute("SELECT run, calls, tokens, usd FROM spent"))
    except _FAULTS as fault:
        health.ill[f"what was spent: {fault}"] += 1


def _rows(db: sqlite3.Connection, select: str, key: str, health: Health) -> Iterator[tuple[Any, ...]]:
    """All rows that can be read, by ranges of keys: what one damaged page holds hides no other page."""
    whole = list[tuple[bytes, bytes]]([(b"", _LAST)])
    ranges = [(bytes([i]), bytes([i + 1]) if i < 255 else _LAST) for i in range(256)]
    for parts in (whole, ranges):
        found: list[tuple[Any, ...]] = []
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
) -> tuple[list[tuple[Any, ...]], bool]:
    """Rows of a range of keys, from both its ends where something between cannot be read."""
    found: dict[Any, tuple[Any, ...]] = {}
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
