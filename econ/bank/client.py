"""A team that answers from records alone: executors from the bank, others from recorded calls. RECORDED.

A request is recognised by what it asks (the prompt's digest), so what was recorded with other prompts is
never taken for an answer. What the records lack is an error that names it.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from econ import paths, tokens
from econ.bank import calls, commitments, draws, schema, store
from econ.bank.schema import Bank, Card, Cell, Entry
from econ.bank.table import rows_of
from econ.benchmarks.store import SPLITS
from econ.errors import EconError
from econ.llm.base import Usage, Vector
from econ.llm.cache.store import Cache
from econ.llm.embedding.client import Embedder
from econ.params import Params
from econ.records import Call, Json, Message, Request, Tokens

if TYPE_CHECKING:
    from econ.methods.econ.asking import Answering

BUILD = "econ bank build records it; or play live, with llm.backend: local"


@dataclass(frozen=True)
class Shelf:
    """One problem's answers by one model: row numbers in cells and samples, [C, S]."""

    bank: Bank
    key: int
    rows: np.ndarray[tuple[int, int], np.dtype[np.int64]]


class BankClient:
    """See :class:`econ.llm.base.Client`. Answers at once, the same for the same request, at no cost."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self._grid = draws.Grid(params.bank.temperature, params.bank.second)
        self._cards: dict[Path, Card] = {}
        self._where: dict[tuple[str, str], tuple[Path, Entry]] = {}  # by model and executors' prompt
        self._strategies: dict[tuple[str, str, int], Json] = {}  # by coordinator, prompt, sample
        self._banks: dict[Path, Bank] = {}
        self._shelves: dict[tuple[str, str], Shelf] = {}
        self._calls: dict[bytes, calls.Answer] = {}
        self._context: dict[str, int | None] = {}
        self._vectors: dict[str, Vector] = {}
        self._same: dict[str, dict[str, str | None]] = {}  # by problem and text, what stands for it
        self._answered = 0
        self._exit = AsyncExitStack()
        self._embedder: Embedder | None = None
        self.simulated = False
        self.recorded = ""

    async def __aenter__(self) -> Self:
        """Read the cards of all banks of the params' benchmarks and models, and the recorded calls.

        Raises:
            EconError: there are none, one is damaged, or it was recorded in another way than params say.
        """
        self._grid.covers(self._params.action)
        self._read()
        self.simulated = any(card.simulated for card in self._cards.values())
        self.recorded = "; ".join(dict.fromkeys(map(described, self._cards.values())))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exit.aclose()

    # -- the records --------------------------------------------------------------------------------------

    def _read(self) -> None:
        llm = self._params.llm
        models = dict.fromkeys(map(paths.model_label, llm.executors))
        for benchmark in self._params.benchmarks:
            for model in models:
                for split in SPLITS:
                    for path in _there(paths.bank(benchmark, split, model, schema.PLAIN), model):
                        self._take(path, store.card(path))
            self._calls |= commitments.read(benchmark, llm.coordinator)
            for model in dict.fromkeys((*models, paths.model_label(llm.coordinator))):
                for path in _there(paths.recorded_calls(benchmark, model), model):
                    card, answers = calls.read(path)
                    self._calls |= answers
                    self._context.setdefault(model, card.context)
        if not self._cards:
            raise EconError(
                f"there is no bank of {', '.join(models)} for {', '.join(self._params.benchmarks)}",
                BUILD,
            )

    def _take(self, path: Path, card: Card) -> None:
        _check(path, card, self._params)
        self._cards[path] = card
        for entry in card.entries:
            self._where.setdefault((card.model, entry.prompt), (path, entry))
            for told in entry.calls:
                self._strategies.setdefault((card.coordinator, told["asked"], told["sample"]), told)

    @property
    def grid(self) -> draws.Grid:
        return self._grid

    def shelf(self, model: str, prompt: Sequence[Message]) -> Shelf:
        """A model's answers to an executor's prompt.

        Raises:
            EconError: there are none, or not in every cell and as often as the params ask for.
        """
        found = self._shelf(paths.model_label(model), schema.prompt_digest(prompt))
        if found is None:
            raise _missing(model, "any executor", prompt)
        return found

    def representative(self, problem_id: str, text: str) -> str | None:
        """See :class:`econ.methods.commitment.Represents`."""
        if problem_id not in self._same:
            self._same[problem_id] = {}
            for path, card in self._cards.items():
                if any(entry.id == problem_id for entry in card.entries):
                    bank = self._bank(path)
                    stands = commitments.representatives(bank).get(problem_id, {})
                    rows = (row for row in bank.rows if row.problem_id == problem_id)
                    self._same[problem_id] |= {row.text: stands.get(row.group) for row in rows}
        return self._same[problem_id].get(text)

    def answering(self, n: int, size: int) -> Answering | None:
        """See :class:`econ.methods.econ.asking.Together`."""
        from econ.bank.recorded import Recorded, covers

        return Recorded(self, self._params, n, size) if covers(self._params, n) else None

    def took(self, answers: int) -> None:
        """Count answers that were taken from :meth:`shelf`, as if they had been asked for."""
        self._answered += answers

    def _shelf(self, model: str, digest: str) -> Shelf | None:
        if (model, digest) in self._shelves:
            return self._shelves[model, digest]
        if (model, digest) not in self._where:
            return None
        path, entry = self._where[model, digest]
        bank = self._bank(path)
        rows = rows_of(bank, entry.id, self._grid.cells, self._params.bank.samples)
        self._shelves[model, digest] = Shelf(bank, draws.problem_key(digest), rows)
        return self._shelves[model, digest]

    def _bank(self, path: Path) -> Bank:
        if path not in self._banks:
            bank = self._banks[path] = store.read(path)
            if bank.card.embedding == self._params.embedding.model:
                for text, half in bank.embeddings.items():
                    self._vectors[text] = array("f", np.frombuffer(half, np.float16).astype(np.float32))
        return self._banks[path]

    # -- answers ------------------------------------------------------------------------------------------

    async def complete(self, request: Request) -> Call:
        self._answered += 1
        digest = schema.prompt_digest(request.messages)
        model = paths.model_label(request.model)
        if request.role == "executor":
            shelf = self._shelf(model, digest)
            if shelf is not None:
                return self._drawn(request, shelf)
        elif request.role == "coordinator":
            told = self._strategies.get((model, digest, request.sample))
            if told is not None:
                return Call.of(
                    request, told["text"], told["prompt_tokens"], told["completion_tokens"], cached=True,
                    error=None if told["text"] else "empty answer", finish_reason=told["finish_reason"],
                )  # fmt: skip
        answer = self._calls.get(calls.key(request))
        if answer is None:
            r = request
            who = f"the {r.role} (agent {r.agent}, round {r.round}, T {r.sampling.temperature:g})"
            raise _missing(r.model, who, r.messages)
        return Call.of(
            request, answer.text, answer.prompt_tokens, answer.completion_tokens, cached=True,
            error=answer.error, finish_reason=answer.finish_reason,
        )  # fmt: skip

    def _drawn(self, request: Request, shelf: Shelf) -> Call:
        """The recorded answer that this request draws."""
        samples = shelf.rows.shape[1]
        if request.agent >= samples:
            raise EconError(
                f"the bank has {samples} samples a cell, too few for executor {request.agent + 1}",
                f"record more (bank.samples of at least {request.agent + 2}), or play with fewer executors",
            )
        cell = self._cell(request, shelf.key)
        key = int(self._grid.keys[cell])
        sample = draws.sample_one(request.draw, shelf.key, request.round, key, request.agent, samples)
        row = shelf.bank.rows[shelf.rows[cell, sample]]
        return Call.of(
            request, row.text, row.prompt_tokens, row.completion_tokens, cached=True,
            error=None if row.text else "empty answer", finish_reason="length" if row.truncated else "stop",
        )  # fmt: skip

    def _cell(self, request: Request, key: int) -> int:
        s, action = request.sampling, self._params.action
        second = s.repetition_penalty if action.second == "repetition_penalty" else s.top_p
        chance = draws.uniforms_one(request.draw, key, request.round, request.agent)
        return self._grid.one(Cell(s.temperature, second), chance, self._params.bank.between)

    # -- about models -------------------------------------------------------------------------------------

    async def embed(self, texts: list[str]) -> Sequence[Vector]:
        """The bank's own vectors; of other texts computed once, as elsewhere."""
        unknown = list(dict.fromkeys(text for text in texts if text not in self._vectors))
        if unknown:
            vectors = await self._embedding().embed(unknown)
            self._vectors |= dict(zip(unknown, vectors, strict=True))
        return [self._vectors[text] for text in texts]

    def _embedding(self) -> Embedder:
        if self._embedder is None:
            cache = Cache(url=self._params.cache.url)
            self._exit.callback(cache.close)
            self._embedder = Embedder(self._params, cache, offline=False)
            self._exit.push_async_callback(self._embedder.close)
        return self._embedder

    async def count_tokens(self, model: str, text: str) -> int:
        return tokens.at_most(text)

    async def context_tokens(self, model: str) -> int | None:
        return self._context.get(paths.model_label(model))

    async def probe(self, prompt: Sequence[Message] = ()) -> None:
        """What was recorded was probed then."""

    def identity(self, model: str) -> str:
        label = paths.model_label(model)
        known = {card.coordinator: card.coordinator_identity for card in self._cards.values()}
        known |= {card.model: card.identity for card in self._cards.values()}
        return known.get(label, "recorded")

    @property
    def usage(self) -> Usage:
        return Usage(0, self._answered, 0, Tokens(), None)


def _there(path: Path, model: str) -> list[Path]:
    """The record of this run, and the one that ships: what the first one lacks may be in the other."""
    return [file for file in (path, paths.shipped(path, model)) if file.is_file()]


def _missing(model: str, who: str, messages: Sequence[Message]) -> EconError:
    shown = messages[-1]["content"].split("Problem:\n")[-1].strip().split("\n", 1)[0][:60]
    return EconError(
        f"the records of {paths.model_label(model)} hold no answer of {who} to '{shown} …'",
        f"{BUILD}. Prompts, caps and team must be those of the record",
    )


def _check(path: Path, card: Card, params: Params) -> None:
    """The bank was recorded as the params say.

    Raises:
        EconError: naming what differs.
    """
    asked: dict[str, tuple[object, object]] = {
        "coordinator": (card.coordinator, paths.model_label(params.llm.coordinator)),
        "action.second": (card.second, params.action.second),
        "strategy": (card.strategy, schema.strategy_setting(params)),
    }
    if params.action.second == "repetition_penalty":
        asked["action.fixed_top_p"] = card.top_p, params.action.fixed_top_p
    for name, (recorded, now) in asked.items():
        if recorded != now:
            raise EconError(
                f"{path} was recorded with another {name}: {recorded}, and params say {now}",
                "set it as it was, or record a bank of your own",
            )


def described(card: Card) -> str:
    """Model, engine and date, for people."""
    made = " to ".join(dict.fromkeys(card.made))
    engine = re.sub(r"[0-9a-f]{64}", lambda found: found[0][:8], card.identity)
    return f"{card.model} ({engine}, {made})"
