"""What the searches share: asking within bounds, votes among samples, and a tree with its UCT rule."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from econ import grading, tokens
from econ.grading.forms import final_form
from econ.methods.base import Session
from econ.params.base import Positive, Section
from econ.records import Call, Json, Message


class SearchSettings(Section):
    """What every search is bounded by, per problem: it stops there and answers with the best so far."""

    max_calls: Positive = 40
    max_tokens: Positive = 40_000  # prompts and completions; never passed, a prompt being counted generously
    step_tokens: Positive = 256  # cap of one step's completion
    label_tokens: Positive = 6  # cap of a one-word judgement


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
    top_p: float = 1.0

    @property
    def upper_tokens(self) -> int:
        """Tokens that it takes at most, by the estimate."""
        return self.max_tokens + tokens.prompt_at_most(self.messages)


class Table:
    """One problem's session, at which a search asks one batch after another until it meets a bound.

    A batch is in flight together and its answers come back in the order of the questions, so that what a
    search does next depends on the answers alone and not on which of them came first.

    Args:
        share: of the bounds that is open at first; the rest is kept for what comes after :meth:`reopen`.
    """

    def __init__(self, session: Session, bounds: SearchSettings, share: float = 1.0) -> None:
        self.session = session
        self.kind = session.kind
        self.prompt = session.prompt
        self.bounds = bounds
        self._most = math.ceil(share * bounds.max_calls), math.ceil(share * bounds.max_tokens)
        self.open = True  # False: a bound was met, and nothing more is asked
        self.stop: str | None = None  # the bound that was met first
        self.errors: set[str] = set()  # of the calls that failed
        self._calls = self._tokens = 0

    def reopen(self) -> None:
        """Open the bounds as a whole."""
        self._most, self.open = (self.bounds.max_calls, self.bounds.max_tokens), True

    async def ask(self, questions: Sequence[Question]) -> list[str | None]:
        """The answers; None where the call failed, or no longer fitted below the bounds."""
        admitted = self._admit(questions)
        model = self.session.params.llm.executor(0)
        calls = await asyncio.gather(
            *(
                self.session.ask(
                    q.role, q.messages, agent=q.agent, round=q.round, sample=q.sample,
                    temperature=q.temperature, top_p=q.top_p, max_tokens=q.max_tokens, model=model,
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
        max_calls, max_tokens = self._most
        for place, question in enumerate(questions):
            calls, tokens = calls + 1, tokens + question.upper_tokens
            if calls > max_calls or tokens > max_tokens:
                self.open = False
                self.stop = self.stop or ("max_calls" if calls > max_calls else "max_tokens")
            if not self.open:
                return questions[:place]
        return questions

    @property
    def nothing(self) -> str:
        """Why there is no answer."""
        return ", ".join(sorted(self.errors)) or self.stop or "no readable answer"


@dataclass(frozen=True, slots=True)
class Vote:
    """Samples of one answer: ``text`` is the first of the largest group (of equal ones the earliest),
    ``share`` that group's share of all samples, ``tied`` whether another group is as large."""

    text: str
    share: float
    tied: bool


def vote(kind: str, samples: Sequence[str | None], final: bool = True) -> Vote | None:
    """Group samples by what they answer; None: there is none. A sample that cannot be read is in no group,
    yet it counts. Only a ``final`` answer is of the benchmark's kind; others are numbers or words."""
    texts = [text for text in samples if text is not None]
    if not texts:
        return None
    as_kind = kind if final or kind == "number" else "words"
    groups = grading.grouped(as_kind, [_reading(as_kind, text) for text in texts])
    if not groups:
        return Vote(texts[0], 0.0, tied=False)
    first, *others = sorted(groups, key=lambda group: -len(group))
    tied = bool(others) and len(others[0]) == len(first)
    return Vote(texts[first[0]], len(first) / len(texts), tied)


def _reading(kind: str, text: str) -> str | None:
    if kind != "words":
        return grading.extract(kind, text)
    form = final_form(text)
    return (text if form is None else form).casefold().strip(" .$*") or None


@dataclass(eq=False)
class Node:
    """A node of a search tree. ``id`` counts the nodes as they are made; the root is 0."""

    id: int
    parent: Self | None = None
    children: list[Self] = field(default_factory=list)
    visits: int = 0

    @property
    def path(self) -> list[Self]:
        """From the root's child down to this node: what was done to get here."""
        return [] if self.parent is None else [*self.parent.path, self]

    @property
    def depth(self) -> int:
        return len(self.path)

    def record(self) -> Json:
        """Where the node stands in the tree, for the trace."""
        return {"id": self.id, "parent": self.parent and self.parent.id, "visits": self.visits}


def uct(value: float, visits: int, parent_visits: int, weight: float) -> float:
    """Upper confidence bound of a child: its value and what little it was tried (Kocsis & Szepesvari 2006).
    One that was never visited counts as visited once."""
    return value + weight * math.sqrt(math.log(max(1, parent_visits)) / max(1, visits))
