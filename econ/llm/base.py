"""What every LLM backend offers to the rest of the project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from econ.records import NO_TOKENS, Call, Message, Request, Tokens

current_job: ContextVar[str] = ContextVar("job", default="")
"""Who pays for the calls made in this context: a name that is the same in every run of the same job, like
``svamp/econ-bne-n3-s0``. It is kept with each answer, so that a replay can tell whose answer it was."""

Vector = Sequence[float]  # a text's embedding; array("f") where it can be, which numpy takes whole


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts of one client since it was opened. ``made`` calls reached the server, ``cached`` did not."""

    made: int
    cached: int
    failed: int
    tokens: Tokens  # of made calls
    usd: float | None  # None: no price in params
    waiting: dict[str, int] = field(default_factory=dict)  # calls that wait at this moment, by what for


@dataclass(slots=True)
class Waits:
    """A class, since every call passes several: a generator would take more than twice as long."""

    all: Counter[str]
    what: str

    def __enter__(self) -> None:
        self.all[self.what] += 1

    def __exit__(self, *_: object) -> None:
        self.all[self.what] -= 1


@dataclass(slots=True)
class Counts:
    """What a client has done so far."""

    made: int = 0
    cached: int = 0
    failed: int = 0
    tokens: Tokens = NO_TOKENS
    usd: float = 0.0
    waiting: Counter[str] = field(default_factory=Counter)

    def waits(self, what: str) -> Waits:
        """One more call waits for ``what`` within."""
        return Waits(self.waiting, what)

    def add(self, tokens: Tokens, usd: float | None) -> None:
        self.made += 1
        self.tokens += tokens
        self.usd += usd or 0.0

    def usage(self, *, priced: bool) -> Usage:
        waiting = {what: n for what, n in dict(self.waiting).items() if n > 0}
        return Usage(self.made, self.cached, self.failed, self.tokens, self.usd if priced else None, waiting)


class Progress(Protocol):
    """Told of each finished call; ``paid``: it reached the server just now."""

    def call(self, call: Call, paid: bool) -> None: ...


class Client(Protocol):
    """One async client for all backends.

    ``complete`` never raises for an answer that failed: the Call carries ``error``. It raises
    :class:`~econ.errors.EconError` only where going on makes no sense: the server is gone past the stated
    patience, the budget is spent, the key is missing or refused, or the cache lacks the answer (offline).
    """

    simulated: bool  # everything made with a simulated backend says SIMULATED
    recorded: str  # model, engine and date of the records that answer; everything made so says RECORDED

    async def complete(self, request: Request) -> Call: ...

    async def count_tokens(self, model: str, text: str) -> int:
        """Tokens of ``text`` for ``model``, with the server's tokenizer or an upper estimate."""
        ...

    async def context_tokens(self, model: str) -> int | None:
        """The model's context window in tokens; None: unknown."""
        ...

    def identity(self, model: str) -> str:
        """What answers under this model's name: its provider and, where known, its weights and engine."""
        ...

    async def probe(self, prompt: Sequence[Message] = ()) -> None:
        """Show that each action dimension changes the output; EconError names one that the server ignores.

        Args:
            prompt: an executor's prompt of the run, tried beside built-in ones.
        """
        ...

    async def embed(self, texts: list[str]) -> Sequence[Vector]:
        """Unit-norm embeddings of ``texts`` with params' embedding model, computed once per text."""
        ...

    @property
    def usage(self) -> Usage: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None: ...
