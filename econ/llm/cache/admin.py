"""The cache as a whole: what it holds and has cost, moved between machines, pruned.

An export is one zstd-compressed JSONL file, rows in the order of their keys, so equal contents give equal
bytes: DVC can track it.
"""

from __future__ import annotations

import base64
import io
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import zstandard

from econ.errors import EconError
from econ.files import write_atomic
from econ.llm.cache.store import (
    ADDED,
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
from econ.llm.cache.sums import Damaged

MAGIC = b'{"econ-cache":1}\n'
_ANSWER = (
    "key", "provider", "model", "payer", "run", "created", "finish_reason", "prompt_tokens",
    "completion_tokens", "estimated", "usd", "text",
    "thinking", "why", "answered_by",
)  # fmt: skip
_BLOBS = ("key", "text", "thinking", "value")


@dataclass(frozen=True, slots=True)
class Holding:
    """What the cache holds of one model: counts, tokens, and money as paid (None: no price was set)."""

    provider: str
    model: str
    answers: int
    prompt_tokens: int
    completion_tokens: int
    usd: float | None


@dataclass(frozen=True, slots=True)
class Spending:
    run: str
    calls: int
    tokens: int
    usd: float


class Ledger:
    """Opens the project's cache for looking into or changing it as a whole.

    Raises:
        EconError: there is none yet, and ``create`` is not set.
    """

    def __init__(self, folder: Path = FOLDER, *, create: bool = False) -> None:
        self.path = folder / "answers.sqlite"
        if not self.path.exists() and not create:
            raise EconError(f"there is no call cache at {self.path}", "it comes with the first answer")
        folder.mkdir(parents=True, exist_ok=True)
        self._db = connect(self.path)

    def holdings(self) -> list[Holding]:
        return self._holdings("")

    def _holdings(self, where: str, *values: str) -> list[Holding]:
        rows = self._db.execute(
            "SELECT provider, model, COUNT(*), SUM(prompt_tokens), SUM(completion_tokens), SUM(usd)"  # noqa: S608
            f" FROM answers {where} GROUP BY provider, model ORDER BY provider, model", values,
        )  # fmt: skip
        return [Holding(*row) for row in rows]

    def facts(self) -> dict[str, int]:
        """Number of facts by kind."""
        return dict(self._db.execute("SELECT kind, COUNT(*) FROM facts GROUP BY kind ORDER BY kind"))

    def spending(self) -> list[Spending]:
        return [Spending(*row) for row in self._db.execute("SELECT * FROM spent ORDER BY run")]

    def paid_by(self, job: str) -> list[Holding]:
        """What a job (``svamp/train-n3-s0``) has paid for so far."""
        between = "WHERE payer >= ? AND payer < ?"
        return self._holdings(between, f"{job} ", f"{job}!")  # "!" follows the blank that ends the job's name

    def export(self, path: Path) -> int:
        """Write all answers and facts to one file; returns their number.

        Raises:
            EconError: one of them is damaged; nothing is written.
        """
        try:
            lines = list(self._lines())
        except (Damaged, sqlite3.DatabaseError) as fault:
            raise EconError(
                f"the call cache {self.path} is damaged: {fault}", "run: econ cache repair"
            ) from None
        packed = zstandard.ZstdCompressor(level=10, write_checksum=True).compress(MAGIC + b"".join(lines))
        write_atomic(path, [packed])
        return len(lines)

    def _lines(self) -> Iterator[bytes]:
        for row in self._db.execute(f"SELECT {ROW} FROM answers ORDER BY key"):  # noqa: S608
            answer_of(row)
            known = dict(zip((*COLUMNS, "text"), row, strict=True))
            yield _line({"table": "answers", **{name: known[name] for name in _ANSWER}})
        for row in self._db.execute(f"{FACT} ORDER BY f.key"):
            yield _line({"table": "facts", "key": row[0], "kind": row[1], "value": fact_of(row)})

    def absorb(self, path: Path) -> tuple[int, int]:
        """Take in an export, all or nothing; answers that are here already stay. Returns (new, known).

        Raises:
            EconError: the file is no export, or damaged; the cache is then as it was.
        """
        before = self._count()
        try:
            with transaction(self._db) as db:
                total = sum(self._insert(db, line) for line in _read(path))
        except (zstandard.ZstdError, LookupError, TypeError, ValueError, sqlite3.Error) as fault:
            raise EconError(
                f"{path} is no export of a call cache, or damaged ({fault})", "export it again"
            ) from None
        new = self._count() - before
        return new, total - new

    def _insert(self, db: sqlite3.Connection, line: bytes) -> int:
        record: dict[str, Any] = orjson.loads(line)
        names = {"answers": (*COLUMNS, "text"), "facts": ("key", "kind", "value")}[record["table"]]
        record = {**dict.fromkeys(ADDED), **record}  # an earlier version's has fewer columns
        values = [_value(name, record[name]) for name in names]
        if len(values[0]) != 32:
            raise ValueError("a key of another length")
        if record["table"] == "answers":
            answer_of(values)
            places = ",".join("?" * len(names))
            db.execute(f"INSERT OR IGNORE INTO answers ({ROW}) VALUES ({places})", values)  # noqa: S608
        elif not db.execute("SELECT 1 FROM facts WHERE key = ?", values[:1]).fetchone():
            put_facts(db, [(values[0], values[1], values[2])])
        return 1

    def _count(self) -> int:
        count = "SELECT (SELECT COUNT(*) FROM answers) + (SELECT COUNT(*) FROM facts)"
        return int(self._db.execute(count).fetchone()[0])

    def prune(self, *, model: str | None, older_than_days: float | None, everything: bool) -> int:
        """Delete answers by model and age, or everything with its facts; returns how many rows went."""
        before = self._count()
        with transaction(self._db) as db:
            if everything:
                db.execute("DELETE FROM answers")
                db.execute("DELETE FROM facts")
                db.execute("DELETE FROM fact_sums")
            else:
                until = time.time() - 86400 * (older_than_days or 0.0)
                db.execute(
                    "DELETE FROM answers WHERE (?1 IS NULL OR model = ?1) AND created <= ?2",
                    (model, int(until)),
                )
        self._db.execute("VACUUM")
        return before - self._count()

    def close(self) -> None:
        self._db.close()


def _line(record: dict[str, Any]) -> bytes:
    return orjson.dumps(record, default=lambda blob: base64.b64encode(blob).decode()) + b"\n"


def _value(name: str, value: Any) -> Any:
    return base64.b64decode(value, validate=True) if name in _BLOBS and value is not None else value


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as plain:
        lines = io.BufferedReader(plain)
        if lines.readline() != MAGIC:
            raise ValueError("its first line is another")
        yield from lines
