"""The one interface of all methods, and the table they play at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from pydantic import BaseModel

from econ import grading
from econ.benchmarks.fitting import shown
from econ.errors import EconError
from econ.llm.base import Client
from econ.params import Params, Section
from econ.params.methods import Domain
from econ.params.methods import InPaper as InPaper
from econ.records import Call, Message, Problem, Request, Sampling, stable_seed

Unit = Literal["sample", "round"]  # what a method can be given less of; its calls carry the number


@dataclass(frozen=True, slots=True)
class Solution:
    """A method's answer: the text that is graded, and what it recorded on the way."""

    text: str
    rounds: int
    stop: str | None = None
    steps: tuple[dict[str, Any], ...] = ()
    error: str | None = None  # set: no answer could be had (INVALID), for this reason
    detail: dict[str, Any] = field(default_factory=dict)
    # The text that would be graded, had the method been given 1, 2, … k of its samples or rounds, where these
    # very calls tell; None: no answer. The traces hold the verdicts on them as ``detail.first_k``.
    firsts: tuple[str | None, ...] = ()
    unit: Unit = "round"


class Session:
    """One problem's table: asks models on a method's behalf and keeps every call.

    The gold is not here: a method cannot leak what it cannot see. Nor is anything else of the problem but
    ``prompt``, and ``reference``: of a plan, the very tables that the prompt shows, as rows.

    Args:
        problem: its ``prompt`` is all that a model may see of it.
        client: the shared LLM client.
        n_agents: executors (or debaters); at least one.
        seed: of the run. A request's own seed is a function of (seed, problem, role, agent, round, sample),
            so equal questions of two methods are one paid answer.
        watch: told of every call as it ends, for showing a game live.
        draw: which of the answers that were recorded ahead are taken, where they are; None: by ``seed``.
    """

    def __init__(
        self,
        problem: Problem,
        client: Client,
        params: Params,
        n_agents: int,
        seed: int,
        watch: Callable[[Call], None] | None = None,
        draw: int | None = None,
    ) -> None:
        if n_agents < 1:
            raise EconError(f"a team of {n_agents} agents cannot answer", "give it at least one (n_agents)")
        self.problem_id = problem.id
        self.benchmark = problem.benchmark
        self.kind = problem.kind
        self.prompt = problem.prompt
        self.reference = shown(problem)
        self.client = client
        self.params = params
        self.n_agents = n_agents
        self.seed = seed
        self.draw = seed if draw is None else draw
        self._watch = watch
        self._calls: list[Call] = []

    async def ask(
        self,
        role: str,
        messages: Sequence[Message],
        *,
        temperature: float,
        max_tokens: int,
        agent: int = 0,
        round: int = 0,
        sample: int = 0,
        model: str | None = None,
        top_p: float = 1.0,
        repetition_penalty: float = 1.0,
        schema: dict[str, Any] | None = None,
        seed: int | None = None,
    ) -> Call:
        """Ask one model one question; the call is recorded whatever comes of it.

        ``seed``: of the request, the same in every run and round; None: one of its own.
        """
        request = self.request(
            role, messages, temperature=temperature, max_tokens=max_tokens, agent=agent, round=round,
            sample=sample, model=model, top_p=top_p, repetition_penalty=repetition_penalty, schema=schema,
            seed=seed,
        )  # fmt: skip
        call = await self.client.complete(request)
        self._calls.append(call)
        if self._watch is not None:
            self._watch(call)
        return call

    def request(
        self,
        role: str,
        messages: Sequence[Message],
        *,
        temperature: float,
        max_tokens: int,
        agent: int = 0,
        round: int = 0,
        sample: int = 0,
        model: str | None = None,
        top_p: float = 1.0,
        repetition_penalty: float = 1.0,
        schema: dict[str, Any] | None = None,
        seed: int | None = None,
    ) -> Request:
        """What :meth:`ask` asks, not asked yet."""
        if model is None:
            llm = self.params.llm
            model = llm.coordinator if role == "coordinator" else llm.executor(agent)
        return Request(
            role=role,
            agent=agent,
            round=round,
            model=model,
            messages=tuple(messages),
            # Rounded so that what is recorded, hashed and sent is one and the same number.
            sampling=Sampling(
                round_to(temperature), round_to(top_p), round_to(repetition_penalty), max_tokens
            ),
            seed=stable_seed(self.seed, self.problem_id, role, agent, round, sample)
            if seed is None
            else seed,
            sample=sample,
            schema=schema,
            draw=self.draw,
        )

    @property
    def calls(self) -> tuple[Call, ...]:
        """All calls, in an order that does not depend on which answer came first."""
        return tuple(sorted(self._calls, key=lambda c: (c.round, c.role, c.agent, c.sample, c.seed)))


class Method(ABC):
    """Anything that answers a problem. A method of one's own is a subclass with a ``solve``.

    What belongs to it stands in the class: ``Settings`` (a pydantic model of what params can set), ``domain``
    (what it is defined on), ``look`` (colour and marker in the figures; None: made from its name), ``paper``
    (its names in the paper).
    """

    name: str = ""
    Settings: ClassVar[type[BaseModel]] = Section
    domain: ClassVar[Domain] = "all"
    trained: ClassVar[bool] = False  # plays from a checkpoint
    look: ClassVar[tuple[str, str] | None] = None
    paper: ClassVar[InPaper] = InPaper()

    def __init__(self, settings: Any = None) -> None:
        self.settings = self.Settings() if settings is None else settings

    @abstractmethod
    async def solve(self, session: Session) -> Solution:
        """Answer the session's problem; every question to a model goes through ``session.ask``."""


class Player(Protocol):
    """What it takes to be played: :class:`Method`, or whatever else has its ``solve``."""

    async def solve(self, session: Session) -> Solution: ...


@runtime_checkable
class Bounded(Protocol):
    """A method whose number of calls depends on what the models say: its bounds, per problem."""

    max_calls: int
    max_tokens: int  # prompts and completions


@runtime_checkable
class Forgetful(Protocol):
    """A method whose participants leave out what their models have no room for, oldest first (``Chat``)."""

    forgets: bool


class Said(Protocol):
    """A call, or whatever else has a text unless it has an error."""

    @property
    def text(self) -> str | None: ...

    @property
    def error(self) -> str | None: ...


def answers_of(kind: str, said: Sequence[Said]) -> list[str | None]:
    """The answers in what was said, in normal form; None: an error, or nothing in it can be read."""
    return [grading.extract(kind, one.text) if one.error is None else None for one in said]


def why_none(said: Sequence[Said]) -> str:
    """Why none of these gave an answer that can be read."""
    return ", ".join(sorted({one.error for one in said if one.error})) or "no readable answer"


def round_to(value: float, digits: int = 4) -> float:
    return round(float(value), digits)
