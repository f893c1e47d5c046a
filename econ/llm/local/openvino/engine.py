"""One thread that steps the pipeline; requests join and leave its batch between two steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count
from threading import Condition, Thread
from typing import Protocol

from econ.llm.local.openvino.prefixes import Prefixes


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. Every setting is explicit, so that none is left to a default of the engine.

    Args:
        ids: the prompt's tokens.
        temperature: 0 is greedy.
        top_k: 0 is off, as ``min_p`` 0 and ``top_p`` 1 are.
        repetition_penalty: divides (positive) or multiplies (negative) the logits of all tokens of the prompt
            and of the answer so far, before the temperature: llama.cpp's with a window over the whole text.
        grammar: what the answer must fit; see :mod:`econ.llm.local.openvino.grammar`.
    """

    ids: Sequence[int]
    temperature: float
    top_p: float
    top_k: int
    min_p: float
    repetition_penalty: float
    seed: int
    max_tokens: int
    stop: tuple[str, ...] = ()
    grammar: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    tokens: int
    finish_reason: str  # stop or length


class Refused(Exception):
    """The pipeline does not take a request; the others go on."""


class Generation(Protocol):
    """A request in the batch."""

    def begun(self) -> bool:
        """Whether the prompt is read: there is a first token."""
        ...

    def answer(self) -> Answer | None:
        """The whole answer; None: not yet.

        Raises:
            Refused: the pipeline dropped the request.
        """
        ...

    def cancel(self) -> None: ...


class Pipeline(Protocol):
    """What batches. A step gives each request in it a token, or reads a part of its prompt."""

    def add(self, number: int, asked: Asked) -> Generation: ...

    def step(self) -> None: ...


@dataclass(slots=True)
class _Request:
    number: int
    asked: Asked
    future: Future[Answer] = field(default_factory=Future)
    generation: Generation | None = None
    reading: bool = True


class Broken(Exception):
    """A step failed: the pipeline is of no more use."""


class Engine:
    """Answers requests, at most ``in_flight`` in one batch, first come first served.

    A request whose prompt begins like one that is just being read waits for that (:class:`Prefixes`), and
    others may pass it. A step that fails ends it: ``broke`` is told why.
    """

    def __init__(self, pipeline: Pipeline, in_flight: int, broke: Callable[[str], None]) -> None:
        self._pipeline = pipeline
        self._in_flight = in_flight
        self._broke = broke
        self._numbers = count()
        self._waiting: list[_Request] = []
        self._live: list[_Request] = []
        self._prefixes = Prefixes()
        self._news = Condition()
        self._closing = False
        self.broken: str | None = None
        self._thread = Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def submit(self, asked: Asked) -> Future[Answer]:
        """The answer to be. Cancel it where nobody waits any more: the request leaves the batch.

        Raises:
            Broken: the engine takes no more requests.
        """
        request = _Request(next(self._numbers), asked)
        with self._news:
            if self._closing or self.broken is not None:
                raise Broken(self.broken or "the server is ending")
            self._waiting.append(request)
            self._news.notify()
        return request.future

    def drain(self, seconds: float) -> None:
        """Take no more requests, and wait for those that are here."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._thread.join(seconds)

    def _run(self) -> None:
        while self._wait():
            try:
                self._admit()
                if self._live:
                    self._pipeline.step()
                    self._collect()
            except Exception as fault:
                self._break(str(fault).strip().splitlines()[-1] if str(fault).strip() else repr(fault))
                return

    def _wait(self) -> bool:
        """Until there is something to do. False: there will be nothing more."""
        with self._news:
            while not self._waiting and not self._live:
                if self._closing:
                    return False
                self._news.wait()
        return True

    def _admit(self) -> None:
        with self._news:
            waiting, self._waiting = self._waiting, []
        kept: list[_Request] = []
        for request in waiting:
            if request.future.cancelled():
                continue
            room = len(self._live) < self._in_flight
            if not room or not self._prefixes.may_read(request.number, request.asked.ids):
                kept.append(request)
                continue
            try:
                request.generation = self._pipeline.add(request.number, request.asked)
            except Refused as fault:
                self._prefixes.gave_up(request.number)
                request.future.set_exception(fault)
            else:
                self._live.append(request)
        with self._news:
            self._waiting = kept + self._waiting

    def _collect(self) -> None:
        self._live = [request for request in self._live if self._goes_on(request)]

    def _goes_on(self, request: _Request) -> bool:
        generation = request.generation
        assert generation is not None  # noqa: S101 - set where it became live
        if request.reading and generation.begun():
            request.reading = False
            self._prefixes.has_read(request.number)
        if request.future.cancelled():
            generation.cancel()
        else:
            try:
                answer = generation.answer()
                if answer is None:
                    return True
                _settle(request.future, answer)
            except Refused as fault:
                _settle(request.future, fault)
        self._prefixes.gave_up(request.number)
        return False

    def _break(self, why: str) -> None:
        with self._news:
            self.broken = why
            left = [*self._live, *self._waiting]
        for request in left:
            _settle(request.future, Broken(why))
        self._broke(why)


def _settle(future: Future[Answer], result: Answer | Exception) -> None:
    """Give the result to whoever waits; who has just left misses nothing."""
    if not future.set_running_or_notify_cancel():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
