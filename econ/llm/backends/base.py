"""What a provider of answers offers to the client, which does all else: cache, limits, retries, budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from econ.llm.backends.dialects import VLLM, Dialect
from econ.llm.replies import Reply
from econ.records import Json

if TYPE_CHECKING:
    from econ.llm.cache.store import Cache
    from econ.params import LLM


class Backend(Protocol):
    """One provider. ``name`` addresses its answers in the cache; ``where`` names it to users.

    One of your own is a subclass with ``answer`` (or ``send``, to tell tokens and faults too), named as
    ``llm.backend: module:Class`` or by the entry-point group ``econ.backends``.
    """

    name: str
    where: str
    key_variable: str | None = None  # the environment variable that its key is in
    in_flight: int  # no more calls than this make sense at once

    def __init__(self, llm: LLM, cache: Cache, *, offline: bool) -> None:
        self.name = self.where = llm.backend
        self.in_flight = llm.max_in_flight

    async def dialect(self) -> Dialect:
        """How it names what is asked for; asks the server if it must be found out. Default: as vLLM does."""
        return VLLM

    def identity(self, model: str) -> str:
        """What stands for the model in the cache's address."""
        return model

    async def answer(self, body: Json) -> str:
        """The text that answers a request, which is the JSON body of a chat completion."""
        raise NotImplementedError(f"{type(self).__name__} has neither answer nor send")

    async def send(self, body: Json) -> Reply:
        """One attempt.

        Raises:
            econ.llm.faults.Fault: no answer came of it.
        """
        return Reply(await self.answer(body), "", None, "stop", None, None, None)

    async def revive(self) -> None:
        """Nobody listens: start the server again, where it is ours."""

    async def count_tokens(self, model: str, text: str) -> int | None:
        """By the server's tokenizer; None where it offers none."""
        return None

    async def context_tokens(self, model: str) -> int | None:
        """The longest prompt and answer together; None: not known."""
        return None

    async def close(self) -> None:
        """Let go of connections and the like."""
