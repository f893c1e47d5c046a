"""The cache as a whole: what it holds and has cost, moved between machines, pruned.

An export is one zstd-compressed JSONL file, rows in the order of their keys, so equal contents give equal
bytes: DVC can track it.
"""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import zstandard

from econ.errors import EconError
from econ.files import write_atomic
from econ.llm.cache import places
from econ.llm.cache.base import Row
from econ.llm.cache.rows import ADDED, ANSWER, FACT, TABLES, answer_of, fact_of
from econ.llm.cache.store import FOLDER, put_facts
from econ.llm.cache.sums import Damaged

MAGIC = b'{"econ-cache":1}\n'
_ANSWER = (
    "key", "provider", "model", "payer", "run", "created", "finish_reason", "prompt_tokens",
    "completion_tokens", "estimated", "usd", "text",
    "thinking", "why", "answered_by",
)  # fmt: skip
AT_ONCE = 500  # rows put in together
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

    def __init__(self, folder: Path = FOLDER, url: str | None = None, *, create: bool = False) -> None:
        self.store = places.opened(folder, url, create=create)
        self.where = self.store.where

    def holdings(self) -> list[Holding]:
        return self._holdings("")

    def _holdings(self, where: str, *values: str) -> list[Holding]:
        rows = self.store.rows(
            "SELECT provider, model, COUNT(*), CAST(SUM(prompt_tokens) AS BIGINT),"  # noqa: S608
            f" CAST(SUM(completion_tokens) AS BIGINT), SUM(usd) FROM answers {where}"
            " GROUP BY provider, model ORDER BY provider, model", values,
        )  # fmt: skip
        return [Holding(*row) for row in rows]

    def facts(self) -> dict[str, int]:
        """Number of facts by kind."""
        return dict(self.store.rows("SELECT kind, COUNT(*) FROM facts GROUP BY kind ORDER BY kind"))

    def spending(self) -> list[Spending]:
        return [Spending(*row) for row in self.store.rows("SELECT * FROM spent ORDER BY run")]

    def paid_by(self, job: str) -> list[Holding]:
        """What a job (``svamp/train-n3-s0``) has paid for so far."""
        between = "WHERE payer >= ? AND payer < ?"
        return self._holdings(between, f"{job} ", f"{job}!")  # "!" follows the blank that ends the job's name

    def export(self, path: Path) -> int:
        """Write all answers and facts to one file; returns their number.

        Raises:
            EconError: one of them is damaged; nothing is written.
        """
        number = 0

        def lines() -> Iterator[bytes]:
            nonlocal number
            for line in self._lines():
                number += 1
                yield line

        try:
            write_atomic(path, _packed(lines()))
        except Damaged as fault:
            raise EconError(
                f"the call cache {self.where} is damaged: {fault}", "run: econ cache repair"
            ) from None
        return number

    def _lines(self) -> Iterator[bytes]:
        for row in self.store.each(f"{ANSWER} ORDER BY key"):
            answer_of(row)
            known = dict(zip(TABLES["answers"], row, strict=True))
            yield _line({"table": "answers", **{name: known[name] for name in _ANSWER}})
        for row in self.store.each(f"{FACT} ORDER BY f.key"):
            yield _line({"table": "facts", "key": row[0], "kind": row[1], "value": fact_of(row)})

    def absorb(self, path: Path) -> tuple[int, int]:
        """Take in an export, all or nothing; answers that are here already stay. Returns (new, known).

        Raises:
            EconError: the file is no export, or damaged; the cache is then as it was.
        """
        before = self._count()
        try:
            total = self.store.turn(lambda: sum(map(self._insert, _batches(map(_row, _read(path))))))
        except (zstandard.ZstdError, LookupError, TypeError, ValueError) as fault:
            raise EconError(
                f"{path} is no export of a call cache, or damaged ({fault})", "export it again"
            ) from None
        new = self._count() - before
        return new, total - new

    def _insert(self, rows: Iterable[tuple[str, Row]]) -> int:
        answers, facts = list[Row](), dict[bytes, tuple[bytes, str, bytes]]()
        for table, row in rows:
            if table == "answers":
                answers.append(row)
            else:
                key, kind, value = row
                facts[key] = (key, kind, value)
        if answers:
            self.store.insert("answers", answers)
        there = self.store.find(FACT, list(facts))
        put_facts(
            self.store, [row for row, known in zip(facts.values(), there, strict=True) if known is None]
        )
        return len(answers) + len(facts)

    def _count(self) -> int:
        count = "SELECT (SELECT COUNT(*) FROM answers) + (SELECT COUNT(*) FROM facts)"
        return int(self.store.rows(count)[0][0])

    def prune(self, *, model: str | None, older_than_days: float | None, everything: bool) -> int:
        """Delete answers by model and age, or everything with its facts; returns how many rows went."""
        before = self._count()
        until = int(time.time() - 86400 * (older_than_days or 0.0))

        def work() -> None:
            if everything:
                for table in ("answers", "facts", "fact_sums"):
                    self.store.change(f"DELETE FROM {table}", [()])  # noqa: S608
            elif model is None:
                self.store.change("DELETE FROM answers WHERE created <= ?", [(until,)])
            else:
                self.store.change("DELETE FROM answers WHERE model = ? AND created <= ?", [(model, until)])

        self.store.turn(work)
        self.store.tidy()
        return before - self._count()

    def close(self) -> None:
        self.store.close()


def _row(line: bytes) -> tuple[str, Row]:
    """Table and row in a line of an export; raises LookupError, TypeError or ValueError."""
    record: dict[str, Any] = orjson.loads(line)
    table = record["table"]
    names = {"answers": TABLES["answers"], "facts": TABLES["facts"]}[table]
    record = {**dict.fromkeys(ADDED), **record}  # an earlier version's has fewer columns
    row = tuple(_value(name, record[name]) for name in names)
    if len(row[0]) != 32:
        raise ValueError("a key of another length")
    if any(type(value) not in (bytes, str, int, float, type(None)) for value in row):
        raise ValueError("a value of another type")
    if any(isinstance(value, int) and abs(value) >= 2**63 for value in row):
        raise ValueError("a number beyond all bounds")
    if table == "answers":
        answer_of(row)
    elif not (isinstance(row[1], str) and isinstance(row[2], bytes)):
        raise ValueError("a fact that is none")
    return table, row


def _packed(lines: Iterator[bytes]) -> Iterator[bytes]:
    """An export's bytes, of rows of any number."""
    packer = zstandard.ZstdCompressor(level=10, write_checksum=True).compressobj()
    yield packer.compress(MAGIC)
    yield from map(packer.compress, lines)
    yield packer.flush()


def _batches(rows: Iterator[tuple[str, Row]]) -> Iterator[list[tuple[str, Row]]]:
    return iter(lambda: list(islice(rows, AT_ONCE)), [])


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
