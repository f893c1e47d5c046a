"""Filling a bank: a strategy for each problem, then answers in every cell, each asked for once.

Answers come through the ordinary client, so they stand in the call cache and a killed build loses none. What
an earlier build left in the bank's file is taken from there. The file is written at intervals, whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np

from econ import paths, prompts
from econ.bank import schema, store
from econ.bank.grades import Verdicts, graded
from econ.bank.schema import Bank, Card, Cell, Entry, Key, Row
from econ.errors import EconError
from econ.llm.base import Client
from econ.messages import failed
from econ.methods.base import Session
from econ.methods.econ.strategy import ask_strategy
from econ.params import Params
from econ.progress import Progress
from econ.records import Call, Json, Message, Problem, Request, Split

WRITE_SECONDS = 120.0  # between two writes of a bank that grows
EMBEDDED_AT_ONCE = 256  # texts
SEED = 0  # of the strategies: a run with this seed asks for the same ones

T = TypeVar("T")


class Builder:
    """Fills the bank of one (benchmark, split, executor model).

    Args:
        path: its file; one that is there is gone on with.
        problems: those that the bank is to cover.
    """

    def __init__(
        self, benchmark: str, split: Split, model: str, problems: Sequence[Problem], params: Params
    ) -> None:
        self.path = paths.bank(benchmark, split, model)
        self.benchmark, self.split, self.model, self.params = benchmark, split, model, params
        self.problems = {problem.id: problem for problem in problems}
        self._max_tokens = params.llm.answer_tokens(problems[0].kind)
        shipped = paths.shipped(self.path, model)
        taken = not self.path.is_file() and shipped.is_file()  # the project's own record, to be gone on with
        found = shipped if taken else self.path
        self.old = store.read(found) if found.is_file() else None
        self.entries: dict[str, Entry] = (
            {entry.id: entry for entry in self.old.card.entries} if self.old else {}
        )
        self.rows: dict[Key, Row] = {row.key: row for row in self.old.rows} if self.old else {}
        self.embeddings: dict[str, bytes] = dict(self.old.embeddings) if self.old else {}
        self.failed: dict[str, int] = {}  # answers that could not be had, by reason
        self._verdicts: Verdicts = {}
        self._changed = taken
        self._writing = asyncio.Lock()

    @property
    def wanted(self) -> list[tuple[Cell, str, int]]:
        """All answers that the params ask for, in the order of asking: cell by cell, corners first."""
        samples = range(self.params.bank.samples)
        cells = [Cell(*cell) for cell in self.params.bank.cells]
        return [(cell, name, sample) for cell in cells for name in self.problems for sample in samples]

    @property
    def missing(self) -> list[tuple[Cell, str, int]]:
        return [(cell, name, s) for cell, name, s in self.wanted if (name, cell, s) not in self.rows]

    async def build(self, client: Client, progress: Progress, *, embed: bool = True) -> None:
        """Ask for what is missing, and write the bank.

        Raises:
            EconError: the file is a bank of another model or of other prompts, answers could not be had, or
                as the client does. What was answered is in the file then.
        """
        self._check_origin(client)
        try:
            async with self._written_at_intervals(client):
                await pooled(self._strategy(client, p) for p in self._without_strategy())
                self._check_prompts()
                missing = self.missing
                progress.advance(len(self.wanted) - len(missing))
                width = self.params.llm.max_in_flight
                await pooled((self._answer(client, *ask, progress) for ask in missing), width)
        finally:
            await asyncio.shield(self._write(client))
        if embed:
            await self._embed(client)
        if self.failed:
            reasons = ", ".join(f"{count} × {reason}" for reason, count in self.failed.items())
            raise EconError(
                f"{sum(self.failed.values())} of {len(self.wanted)} answers for {self.path} could not be had "
                f"({reasons})",
                "run it again: it asks for these alone",
            )

    # -- asking -------------------------------------------------------------------------------------------

    def _without_strategy(self) -> Iterable[Problem]:
        return [problem for name, problem in self.problems.items() if name not in self.entries]

    async def _strategy(self, client: Client, problem: Problem) -> None:
        session = Session(problem, client, self.params, 1, SEED)
        strategy = await ask_strategy(session)
        failed = next((call.error for call in session.calls if not call.ok), None)
        if failed is not None:
            raise EconError(f"{problem.id}: the coordinator gave no strategy ({failed})", "run it again")
        self.entries[problem.id] = Entry(
            id=problem.id,
            problem=schema.text_digest(problem.prompt),
            prompt=schema.prompt_digest(self._prompt(problem, strategy.text)),
            strategy_id=schema.strategy_id(strategy.text),
            strategy=strategy.text,
            calls=tuple(map(_told, session.calls)),
        )
        self._changed = True

    def _prompt(self, problem: Problem, strategy: str | None) -> list[Message]:
        return prompts.executor(problem.prompt, problem.kind, strategy, self._max_tokens)

    async def _answer(self, client: Client, cell: Cell, name: str, sample: int, progress: Progress) -> None:
        call = await client.complete(self.request(cell, name, sample))
        progress.advance()
        if call.error is not None and failed(call):
            self.failed[call.error] = self.failed.get(call.error, 0) + 1
            return
        found = schema.row(call, name, self.entries[name].strategy_id, cell)
        self.rows[found.key] = found
        self._changed = True

    def request(self, cell: Cell, name: str, sample: int) -> Request:
        """What is asked for one row."""
        return Request(
            role="executor",
            agent=0,
            round=0,
            model=self.model,
            messages=tuple(self._prompt(self.problems[name], self.entries[name].strategy)),
            sampling=schema.sampling(cell, self.params, self._max_tokens),
            seed=schema.answer_seed(name, schema.PLAIN, cell, sample),
            sample=sample,
        )

    async def _embed(self, client: Client) -> None:
        """Vectors of all texts that have none yet."""
        texts = list(dict.fromkeys(row.text for row in self.rows.values() if row.text not in self.embeddings))
        for start in range(0, len(texts), EMBEDDED_AT_ONCE):
            some = [text for text in texts[start : start + EMBEDDED_AT_ONCE] if text]
            vectors = await client.embed(some) if some else []
            halves = (np.asarray(vector, dtype=np.float16).tobytes() for vector in vectors)
            self.embeddings |= dict(zip(some, halves, strict=True))
            self._changed = True
        await self._write(client)

    # -- the file -----------------------------------------------------------------------------------------

    def card(self, client: Client) -> Card:
        """What this build's rows are answers to."""
        params, today = self.params, datetime.now(UTC).date().isoformat()
        coordinator = params.llm.coordinator
        return Card(
            benchmark=self.benchmark,
            split=self.split,
            model=paths.model_label(self.model),
            identity=client.identity(self.model),
            coordinator=paths.model_label(coordinator),
            coordinator_identity=client.identity(coordinator),
            style=schema.PLAIN,
            second=params.action.second,
            max_tokens=self._max_tokens,
            top_p=params.action.fixed_top_p,
            strategy=schema.strategy_setting(params),
            entries=tuple(self.entries.values()),
            simulated=client.simulated,
            made=(self.old.card.made[0] if self.old else today, today),
            embedding=params.embedding.model if self.embeddings else None,
            note=self.old.card.note if self.old else "",
        )

    def _check_origin(self, client: Client) -> None:
        """An old file is of this very model, asked in this very way."""
        if self.old is None:
            return
        schema.same_origin(self.path, self.old.card, self.card(client))

    def _check_prompts(self) -> None:
        for name, problem in self.problems.items():
            entry = self.entries[name]
            if entry.prompt != schema.prompt_digest(self._prompt(problem, entry.strategy)):
                raise EconError(
                    f"{self.path} was recorded with another prompt of {name}",
                    "move it away to record anew, or take the prompts back",
                )

    @asynccontextmanager
    async def _written_at_intervals(self, client: Client) -> AsyncIterator[None]:
        async def keep_writing() -> None:
            while True:
                await asyncio.sleep(WRITE_SECONDS)
                await self._write(client)

        task = asyncio.create_task(keep_writing())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
        if not task.cancelled():
            task.result()

    async def _write(self, client: Client) -> None:
        """Grade and write what there is, if anything is new. Aside: grading may take long."""
        if not self._changed:
            return
        self._changed = False
        rows = sorted(self.rows.values(), key=lambda row: (row.problem_id, row.cell, row.sample))
        card, vectors = self.card(client), dict(self.embeddings)
        async with self._writing:
            await asyncio.to_thread(self._keep, card, rows, vectors)

    def _keep(self, card: Card, rows: list[Row], vectors: dict[str, bytes]) -> None:
        rows = graded(rows, self.problems, self.params, self._verdicts)
        store.write(self.path, Bank(card, rows, vectors))


def regrade(path: Path, problems: Sequence[Problem], params: Params) -> tuple[int, int]:
    """Grade a bank anew, after a change of graders; returns (rows, those that changed)."""
    bank = store.read(path)
    rows = graded(bank.rows, {problem.id: problem for problem in problems}, params, {})
    changed = sum(new != old for new, old in zip(rows, bank.rows, strict=True))
    if changed:
        store.write(path, replace(bank, rows=rows))
    return len(rows), changed


def _told(call: Call) -> Json:
    return {
        "asked": schema.prompt_digest(call.messages),
        "sample": call.sample,
        "text": call.text,
        "prompt_tokens": call.prompt_tokens,
        "completion_tokens": call.completion_tokens,
        "finish_reason": call.finish_reason,
    }


async def pooled(work: Iterable[Awaitable[T]], width: int = 64) -> None:
    """Do all of it, ``width`` at a time, begun in order."""
    todo = iter(work)

    async def worker() -> None:
        for one in todo:
            await one

    async with asyncio.TaskGroup() as group:
        for _ in range(width):
            group.create_task(worker())
