"""One participant's conversation with its model: what it was told, what it said, and what still fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from econ.messages import OVERFLOW
from econ.methods.base import Session
from econ.records import Message

# Tokens that a chat template adds, at most: a system message of its own, and the marks around each message.
TEMPLATE_TOKENS = 48
MESSAGE_TOKENS = 8

TOO_SMALL = "context too small for the problem"


@dataclass(frozen=True, slots=True)
class Turn:
    """``text`` is None where no answer could be had, for the reason in ``error``."""

    text: str | None
    error: str | None = None


class Chat:
    """A participant and its own history, kept within its model's context.

    What is too long loses its oldest exchange (an answer and the message after it) until it fits, together
    with ``max_tokens`` for the answer; the system prompt and the first message, which hold the problem, stay.
    Where even these do not fit, nothing is asked. A turn without an answer stays out of the history.

    Args:
        model: None: the executor's of number ``agent``.
        system: the system prompt; None: there is none.
        keeps: what the participant remembers of a text of its own; all of it by default.
    """

    def __init__(
        self,
        session: Session,
        role: str,
        agent: int = 0,
        *,
        temperature: float,
        max_tokens: int,
        model: str | None = None,
        system: Message | None = None,
        keeps: Callable[[str], str] = str,
    ) -> None:
        self._session, self._role, self._agent = session, role, agent
        self._temperature, self._max_tokens = temperature, max_tokens
        self._model = model or session.params.llm.executor(agent)
        self._history: list[Message] = [system] if system else []
        self._keeps = keeps
        self.dropped = 0  # exchanges that did not fit

    @property
    def spoke(self) -> bool:
        """Has the participant said something that it remembers?"""
        return any(message["role"] == "assistant" for message in self._history)

    async def say(
        self, told: Message, round: int, schema: dict[str, Any] | None = None, role: str | None = None
    ) -> Turn:
        """Tell the participant something; what it says to it, in its own role or another one."""
        messages = [*self._history, told]
        while not await self._fits(messages):
            if not self._drop(messages):
                return Turn(None, TOO_SMALL)
        while True:
            call = await self._session.ask(
                role or self._role,
                messages,
                agent=self._agent,
                round=round,
                model=self._model,
                temperature=self._temperature,
                max_tokens=self._max_tokens,
                schema=schema,
            )
            # A server that does not tell its context tells when it is too small.
            if call.error != OVERFLOW or not self._drop(messages):
                break
        if not call.ok:
            return Turn(None, call.error)
        self._history = [*messages, {"role": "assistant", "content": self._keeps(call.text)}]
        return Turn(call.text)

    def _drop(self, messages: list[Message]) -> bool:
        """Take the oldest exchange out; False: there is none."""
        oldest = next((i for i, message in enumerate(messages) if message["role"] == "assistant"), None)
        if oldest is None:
            return False
        del messages[oldest : oldest + 2]
        self.dropped += 1
        return True

    async def _fits(self, messages: list[Message]) -> bool:
        """By the count of bytes where that is enough (no token is less than one), else of tokens."""
        client = self._session.client
        context = await client.context_tokens(self._model)
        if context is None:
            return True
        room = context - self._max_tokens - TEMPLATE_TOKENS - MESSAGE_TOKENS * len(messages)
        if sum(len(message["content"].encode()) for message in messages) <= room:
            return True
        counts = [await client.count_tokens(self._model, message["content"]) for message in messages]
        return sum(counts) <= room


def least(messages: Sequence[Message]) -> Sequence[Message]:
    """What stays of a participant's messages when all but the newest exchange is left out."""
    said = [place for place, message in enumerate(messages) if message["role"] == "assistant"]
    return [*messages[: said[0]], *messages[said[-1] :]] if said else messages
