"""Paid answers, kept: shared by parallel processes and safe to kill at any moment.

An answer is addressed by the SHA-256 of everything that can change it. ``Cache.put`` returns once no kill can
lose the answer (one transaction for all answers that wait). The same transaction counts the money. What it
all stands on is :mod:`~econ.llm.cache.base`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from econ import paths
from econ.errors import EconError
from econ.llm.cache import places, sums
from econ.llm.cache.base import Row, Statements
from econ.llm.cache.rows import ANSWER, FACT, Answer, answer_of, fact_of, row_of, run_name

FOLDER = paths.STATE / "cache"
AT_ONCE = 1000  # answers in one transaction

Waiting = tuple[bytes, Answer, str | None, asyncio.Future[None]]


class Cache:
    """The answers and facts (embeddings, token counts, probe results) of one project.

    Args:
        folder: of the embedded store.
        url: of a PostgreSQL database instead; None: ECON_CACHE_URL says it, or there is none.

    Raises:
        EconError: the store cannot be opened or written.
    """

    def __init__(self, folder: Path = FOLDER, url: str | None = None) -> None:
        self.store = places.opened(folder, url)
        self._thread = ThreadPoolExecutor(1, "econ-cache")
        self._pending: list[Waiting] = []
        self._flushing: asyncio.Task[None] | None = None
        self._looked_for: dict[bytes, asyncio.Future[Answer | None]] = {}
        self._damaged: set[bytes] = set()  # keys of rows that are, each named once

    def get(self, key: bytes) -> Answer | None:
        """The answer to a request, if it is kept and whole; a damaged one is named, and is asked for again.

        Raises:
            EconError: the store itself is damaged there.
        """
        return self._answer(key, self.store.find(ANSWER, (key,))[0])

    async def look(self, key: bytes) -> Answer | None:
        """As :meth:`get`; of a store that is far, in one question with all that is looked for by now."""
        if not self.store.far:
            return self.get(key)
        found = self._looked_for.get(key)
        if found is None:
            loop = asyncio.get_running_loop()
            if not self._looked_for:
                loop.call_soon(self._look)
            found = self._looked_for[key] = loop.create_future()
        return await asyncio.shield(found)

    def _look(self) -> None:
        waiting, self._looked_for = self._looked_for, {}
        keys = list(waiting)
        for first in range(0, len(keys), AT_ONCE):
            some = keys[first : first + AT_ONCE]
            try:
                rows = self.store.find(ANSWER, some)
            except EconError as fault:
                for key in some:
                    waiting[key].set_exception(fault)
            else:
                for key, row in zip(some, rows, strict=True):
                    waiting[key].set_result(self._answer(key, row))

    def _answer(self, key: bytes, row: Row | sums.Damaged | None) -> Answer | None:
        if row is None:
            return None
        try:
            if isinstance(row, sums.Damaged):
                raise row
            return answer_of(row)
        except sums.Damaged as fault:
            self._name(key, f"an answer in the call cache is damaged ({fault}): it is asked for again")
            return None

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
        """Write what waits: here if it takes no time, else in a thread."""
        while self._pending:
            batch, self._pending = self._pending[:AT_ONCE], self._pending[AT_ONCE:]
            try:
                if not self._write(batch, wait=False):
                    await asyncio.get_running_loop().run_in_executor(self._thread, self._write, batch)
            except EconError as problem:
                for row in batch:
                    if not row[3].done():
                        row[3].set_exception(problem)
            else:
                for row in batch:
                    if not row[3].done():
                        row[3].set_result(None)

    def _write(self, batch: Sequence[Waiting], wait: bool = True) -> bool:
        """Write answers in one transaction; False: that would take a while, and we do not wait."""
        run, now = run_name(), int(time.time())
        rows = [row_of(key, answer, run, now) for key, answer, *_ in batch]
        ill = [(key,) for key, *_ in batch if key in self._damaged]
        tokens = sum(answer.prompt_tokens + answer.completion_tokens for _, answer, *_ in batch)
        usd = sum(answer.usd or 0.0 for _, answer, *_ in batch)
        reserved = [(reservation,) for *_, reservation, _ in batch if reservation is not None]

        def work(db: Statements) -> None:
            if ill:
                db.change("DELETE FROM answers WHERE key = ?", ill)
            db.insert("answers", rows)
            if reserved:
                db.change("DELETE FROM reserved WHERE id = ?", reserved)
            add_spent(db, run, len(batch), tokens, usd)

        return self.store.write(work, wait=wait)

    def facts(self, keys: Iterable[bytes]) -> list[bytes | None]:
        """Values of known facts; None where a fact is not known, or damaged."""
        keys = list(keys)
        found: list[bytes | None] = []
        for key, row in zip(keys, self.store.find(FACT, keys), strict=True):
            try:
                if isinstance(row, sums.Damaged):
                    raise row
                found.append(None if row is None else fact_of(row))
            except sums.Damaged as fault:
                self._name(key, f"a fact in the call cache is damaged ({fault}): it is found anew")
                found.append(None)
        return found

    def fact(self, key: bytes) -> bytes | None:
        return self.facts([key])[0]

    def put_facts(self, kind: str, rows: Iterable[tuple[bytes, bytes]]) -> None:
        known = [(key, kind, value) for key, value in rows]
        self.store.turn(lambda: put_facts(self.store, known))

    def close(self) -> None:
        self._thread.shutdown()
        self.store.close()


def put_facts(db: Statements, rows: Sequence[tuple[bytes, str, bytes]]) -> None:
    """Keep facts with their checksums, in place of those that are known."""
    rows = sorted(rows)  # one order for all who do so at once: none waits for the other
    db.change(
        "INSERT INTO facts (key, kind, value) VALUES (?,?,?)"
        " ON CONFLICT (key) DO UPDATE SET kind = excluded.kind, value = excluded.value",
        rows,
    )
    db.change(
        "INSERT INTO fact_sums (key, sum) VALUES (?,?) ON CONFLICT (key) DO UPDATE SET sum = excluded.sum",
        [(row[0], sums.of_fact(*row)) for row in rows],
    )


def add_spent(db: Statements, run: str, calls: int, tokens: int, usd: float) -> None:
    db.change(
        "INSERT INTO spent (run, calls, tokens, usd) VALUES (?,?,?,?) ON CONFLICT (run) DO UPDATE SET"
        " calls = spent.calls + excluded.calls, tokens = spent.tokens + excluded.tokens,"
        " usd = spent.usd + excluded.usd",
        [(run, calls, tokens, usd)],
    )
