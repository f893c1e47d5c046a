"""What the searches share: asking within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from econ.llm.client import estimate_tokens
from econ.methods.base import Session
from econ.params import Search
from econ.records import Call, Message


@dataclass(frozen=True, slots=True)
class Question:
    """One call that a search wants made. ``agent``, ``round`` and ``sample`` say where in the search it is:
    two questions of one search differ in one of them or in their role."""

    role: str
    messages: Sequence[Message]
    temperature: float
    max_tokens: int
    round: int
    agent: int = 0
    sample: int = 0

    @property
    def upper_tokens(self) -> int:
        """Tokens that it takes at most, by the estimate."""
        return self.max_tokens + sum(estimate_tokens(m["content"]) + 16 for m in self.messages)


class Table:
    """One problem's session, at which a search asks one batch after another until it meets a bound.

    A batch is in flight together and its answers come back in the order of the questions, so that what a
    search does next depends on the answers alone and not on which of them came first.
    """

    def __init__(self, session: Session, bounds: Search) -> None:
        self.session = session
        self.kind = session.kind
        self.prompt = session.prompt
        self.bounds = bounds
        self.stop: str | None = None  # set: the bound that was met; nothing more is asked
        self.errors: set[str] = set()  # of the calls that failed
        self._calls = self._tokens = 0

    async def ask(self, questions: Sequence[Question]) -> list[str | None]:
        """The answers; None where the call failed, or no longer fitted below the bounds."""
        admitted = self._admit(questions)
        model = self.session.params.llm.executor(0)
        calls = await asyncio.gather(
            *(
                self.session.ask(
                    q.role, q.messages, agent=q.agent, round=q.round, sample=q.sample,
                    temperature=q.temperature, max_tokens=q.max_tokens, model=model,
                )
                for q in admitted
            )
        )  # fmt: skip
        self._calls += len(calls)
        self._tokens += sum(call.prompt_tokens + call.completion_tokens for call in calls)
        return [self._text(call) for call in calls] + [None] * (len(questions) - len(admitted))

    def _text(self, call: Call) -> str | None:
        if call.error is not None:
            self.errors.add(call.error)
            return None
        return call.text.strip() or None

    def _admit(self, questions: Sequence[Question]) -> Sequence[Question]:
        """The first of the questions, as many as surely fit below both bounds."""
        calls, tokens = self._calls, self._tokens
        for place, question in enumerate(questions):
            calls, tokens = calls + 1, tokens + question.upper_tokens
            if self.stop is None and calls > self.bounds.max_calls:
                self.stop = "max_calls"
            if self.stop is None and tokens > self.bounds.max_tokens:
                self.stop = "max_tokens"
            if self.stop is not None:
                return questions[:place]
        return questions

    @property
    def nothing(self) -> str:
        """Why there is no answer."""
        return ", ".join(sorted(self.errors)) or self.stop or "no readable answer"
