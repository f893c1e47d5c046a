"""The one async client: cache first, then single flight, limits, budget, one attempt after another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import orjson

from econ import tokens
from econ.errors import EconError
from econ.llm import base as face
from econ.llm.activity import Activity
from econ.llm.backends.base import Backend
from econ.llm.backends.dialects import Dialect, folded
from econ.llm.backends.openai import say
from econ.llm.base import Counts, Progress, Usage, Vector
from econ.llm.budget import BudgetGuard
from econ.llm.cache.base import Limiter
from econ.llm.cache.embedded import of_this_machine
from econ.llm.cache.rows import Answer, digest, fact_key, missing
from econ.llm.cache.store import Cache
from econ.llm.embedding.client import Embedder
from econ.llm.faults import Fault, backoff, refuses_system
from econ.llm.limits import Throttle
from econ.llm.notices import Notices
from econ.llm.patience import Failed, Patience
from econ.llm.probe import Prober
from econ.llm.replies import Reply, call_of
from econ.messages import EMPTY
from econ.params import LLM, Params
from econ.records import Call, Json, Message, Request, Tokens

EMPTY_TRIES = 2  # an empty answer is asked for again this often, then it is the model's answer
LOOK_AGAIN = 0.05  # seconds until the first look at a call that another process pays for; then less often
DRAIN_SECONDS = 20.0  # after Ctrl-C, SIGTERM or SIGHUP: how long paid answers are waited for

T = TypeVar("T")


class _Busy(Exception):
    """Another process makes this call at this moment."""


class MakeBackend(Protocol):
    def __call__(self, llm: LLM, cache: Cache, *, offline: bool) -> Backend: ...


class LLMClient:
    """See :class:`econ.llm.base.Client`."""

    simulated, recorded = False, ""

    def __init__(
        self,
        params: Params,
        backend: MakeBackend,
        *,
        offline: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self._params = params
        self._llm = params.llm
        self._offline = offline
        self._progress = progress
        self._counts = Counts()
        self._paying: dict[bytes, asyncio.Task[Answer]] = {}
        self._asking: dict[bytes, asyncio.Task[int | None]] = {}
        self._sent: set[asyncio.Task[Any] | None] = set()  # on the wire, or answered and not yet kept
        self._told: set[tuple[str, str]] = set()  # models and reasons of failed calls
        self._activity: Activity | None = None
        self._cache = Cache(url=params.cache.url)
        self._backend = backend(params.llm, self._cache, offline=offline)
        self._dialect: Dialect
        self._throttle = Throttle(self._limiter(), self._backend.in_flight, self._llm.limits)
        self._budget = BudgetGuard(self._llm.budget, self._cache.store)
        self._patience = Patience(self._llm, self._backend.where, self._backend.key_variable)
        self._longest_wait = min(30.0, max(0.5, self._llm.patience_seconds / 8))
        self._folding: set[str] = set()  # models that know no system role
        self._notices = Notices(self._cache, self._backend.name)
        self._embedder = Embedder(params, self._cache, offline)

    def _limiter(self) -> Limiter:
        """Of a server that others reach too, the store's; the embedded one serves its own machine."""
        limits = of_this_machine if self._llm.backend == "local" else self._cache.store.limiter
        return limits(self._backend.name, self._backend.in_flight)

    async def __aenter__(self) -> Self:
        try:
            self._dialect = await self._patiently(self._backend.dialect)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._drain(None if kind is None or issubclass(kind, Exception) else DRAIN_SECONDS)
        await self._close()

    async def _close(self) -> None:
        self._budget.close()
        if self._activity is not None:
            self._activity.close()
        await self._backend.close()
        await self._embedder.close()
        await self._throttle.close()
        self._cache.close()

    async def _drain(self, seconds: float | None) -> None:
        """Let what is on the wire arrive, since it is paid for; what is not sent yet is dropped."""
        self._patience.closing = True
        for task in self._paying.values():
            if task not in self._sent:
                task.cancel()
        if self._paying:
            if seconds is not None:
                say(f"waiting {seconds:g} s at most for {len(self._paying)} answers that are on their way")
            await asyncio.wait(list(self._paying.values()), timeout=seconds)

    # -- answers ------------------------------------------------------------------------------------------

    async def complete(self, request: Request) -> Call:
        body = self._dialect.body(request)
        key = self._key(body, request)
        payer = f"{face.current_job.get()} {request.role} {request.agent} {request.round}"
        answer = await self._cache.look(key)
        paid = False
        if answer is None:
            if self._offline:
                raise missing(
                    f"{request.role} {request.agent}, round {request.round}, of {face.current_job.get()}"
                )
            task = self._paying.get(key)
            if task is None:
                task = self._paying[key] = asyncio.create_task(self._pay(key, body, payer))
                task.add_done_callback(lambda done: self._forget(key, done))
            try:
                answer = await asyncio.shield(task)
            except Failed as failure:
                self._count_failed(request.model, failure)
                return self._report(call_of(request, None, failure.reason), paid=False)
            paid = answer.payer == payer
        if not paid:
            self._counts.cached += 1
        return self._report(call_of(request, answer, None), paid)

    def look_up(self, request: Request) -> tuple[bytes, Call] | None:
        """A request's address and its answer, if that is kept."""
        key = self._key(self._dialect.body(request), request)
        answer = self._cache.get(key)
        return None if answer is None else (key, call_of(request, answer, None))

    def _report(self, call: Call, paid: bool) -> Call:
        if self._progress is not None:
            self._progress.call(call, paid)
        return call

    def _forget(self, key: bytes, task: asyncio.Task[Answer]) -> None:
        self._paying.pop(key, None)
        self._sent.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has it; with nobody left to wait it is no one's

    def _key(self, body: Json, request: Request) -> bytes:
        address = {
            **body,
            "model": self._backend.identity(request.model),
            "provider": self._backend.name,
            "sample": request.sample,
        }
        return digest(address)

    async def _pay(self, key: bytes, body: Json, payer: str) -> Answer:
        """Ask until there is an answer, asking again cannot help, or the server is held to be dead. What
        another process pays for at this moment is waited for."""
        tries, empty, wait, started = 0, 0, LOOK_AGAIN, time.monotonic()
        while True:
            last = empty >= min(EMPTY_TRIES, self._llm.max_retries)
            try:
                answer = await self._attempt(key, body, payer, may_be_empty=last)
            except _Busy:
                with self._counts.waits("answers that another job pays for"):
                    await asyncio.sleep(wait)
                wait, started = min(1.0, 1.5 * wait), time.monotonic()
                answer = await self._cache.look(key)
            except Fault as fault:
                tries += 0 if fault.gone else 1
                self._patience.decide(fault, tries, started, body)
                if fault.gone:
                    await self._backend.revive()
                await backoff(tries, fault.after, self._longest_wait)
                continue
            else:
                empty += answer is None
            if answer is not None:
                return answer

    async def _attempt(self, key: bytes, body: Json, payer: str, *, may_be_empty: bool) -> Answer | None:
        """One attempt, and its answer kept; None: it is empty and may not be.

        A call counts as in flight until its answer is kept, so a kill costs no more calls than that limit; so
        long it is locked, and no longer: whoever has a slot first makes it.

        Raises:
            _Busy: another process makes this call at this moment.
        """
        with self._counts.waits("a turn: all places for calls (llm.max_in_flight) are taken"):
            slot = await self._throttle.slots.take()
        try:
            if not self._cache.store.lock(key):
                raise _Busy
            try:
                return self._cache.get(key) or await self._paid(key, body, payer, may_be_empty=may_be_empty)
            finally:
                self._cache.store.unlock(key)
        finally:
            self._throttle.slots.give(slot)

    async def _paid(self, key: bytes, body: Json, payer: str, *, may_be_empty: bool) -> Answer | None:
        """See :meth:`_attempt`, which holds a slot and the call's lock."""
        upper = self._upper_tokens(body)
        reservation = await self._budget.reserve(sum(upper), self._usd(body["model"], Tokens(*upper)) or 0.0)
        try:
            with self._counts.waits("llm.limits"):
                await self._throttle.pace(sum(upper))
            with self._counts.waits(f"answers of {self._backend.where}"):
                reply = await self._on_the_wire(body)
            self._arrived(reply, body, sum(upper))
            self._notices.arrived(body["model"], body["messages"], reply)
            if reply.why == EMPTY and not (may_be_empty or self._patience.closing):
                self._charge(reply, body, reservation)
                return None
            answer = await self._answer(reply, body, payer)
            await self._cache.put(key, answer, reservation)
        except BaseException:
            self._budget.release(reservation)
            raise
        self._count(answer)
        return answer

    def _arrived(self, reply: Reply, body: Json, upper: int) -> None:
        self._patience.arrived(body)
        used = (reply.prompt_tokens or 0) + (reply.completion_tokens or 0)
        self._throttle.settle(upper, used or upper)

    def _charge(self, reply: Reply, body: Json, reservation: str | None) -> None:
        used = (reply.prompt_tokens or 0, reply.completion_tokens or 0)
        self._budget.charge(reservation, sum(used), self._usd(body["model"], Tokens(*used)) or 0.0)

    async def _on_the_wire(self, body: Json) -> Reply:
        task = asyncio.current_task()
        activity = self._activity = self._activity or Activity(face.current_job.get())
        activity.begin()
        self._sent.add(task)
        try:
            return await self._send(body)
        except Fault:
            self._sent.discard(task)
            raise
        finally:
            activity.end()

    async def _send(self, body: Json) -> Reply:
        """The server's reply; a system message goes in front of the user's where the model takes none."""
        model = body["model"]
        try:
            return await self._backend.send(self._folded(body) if model in self._folding else body)
        except Fault as fault:
            if model in self._folding or not refuses_system(fault, body):
                raise
        if model not in self._folding:
            self._folding.add(model)
            say(f"{model} takes no system message: its text goes in front of the first user message")
        return await self._backend.send(self._folded(body))

    def _folded(self, body: Json) -> Json:
        return {**body, "messages": folded(body["messages"])}

    async def _answer(self, reply: Reply, body: Json, payer: str) -> Answer:
        prompt, completion = reply.prompt_tokens, reply.completion_tokens
        estimated = prompt is None or completion is None
        if prompt is None:
            text = "\n".join(message["content"] for message in body["messages"])
            prompt = await self.count_tokens(body["model"], text)
        if completion is None:
            completion = await self.count_tokens(body["model"], reply.thinking + reply.text)
        return Answer(
            text=reply.text if reply.why is None else "",
            finish_reason=reply.finish_reason,
            prompt_tokens=prompt,
            completion_tokens=completion,
            estimated=estimated,
            payer=payer,
            provider=self._backend.name,
            model=body["model"],
            usd=self._usd(body["model"], Tokens(prompt, completion)),
            thinking=reply.thinking,
            why=reply.why,
            answered_by=reply.answered_by,
        )

    def _upper_tokens(self, body: Json) -> tuple[int, int]:
        """Of prompt and answer, where a limit asks for them."""
        if not (self._budget.active or self._throttle.counts_tokens):
            return 0, 0
        return tokens.prompt_at_most(body["messages"]), self._dialect.cap(body)

    def _usd(self, model: str, tokens: Tokens) -> float | None:
        price = self._llm.prices.get(model)
        return None if price is None else price.usd(tokens)

    def _count(self, answer: Answer) -> None:
        self._counts.add(answer.tokens, answer.usd)
        if self._activity is not None:
            self._activity.answered(answer.tokens, answer.usd)

    def _count_failed(self, model: str, failure: Failed) -> None:
        self._counts.failed += 1
        if (model, failure.reason) not in self._told:
            self._told.add((model, failure.reason))
            said = f"{failure.reason}: {failure.detail}" if failure.detail else failure.reason
            say(f"a call to {model} got no answer ({said}); such calls count as failed, `econ doctor` looks")

    @property
    def usage(self) -> Usage:
        return self._counts.usage(priced=bool(self._llm.prices))

    # -- about models -------------------------------------------------------------------------------------

    def identity(self, model: str) -> str:
        return f"{self._backend.name}:{self._backend.identity(model)}"

    async def count_tokens(self, model: str, text: str) -> int:
        key = fact_key("tokens", self._backend.name, self._backend.identity(model), text)
        known = self._cache.fact(key)
        if known is not None:
            return int(known)
        if self._offline:
            raise missing(f"a token count for model {model}")
        count = await self._patiently(lambda: self._backend.count_tokens(model, text))
        if count is None:
            return tokens.at_most(text)
        self._cache.put_facts("tokens", [(key, str(count).encode())])
        return count

    async def context_tokens(self, model: str) -> int | None:
        key = fact_key("context", self._backend.name, self._backend.identity(model), self._llm.local.context)
        if self._offline:
            return self._known_context(key)  # what nobody who paid for answers asked for, none depends on
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._ask_context(key, model))
        return await asyncio.shield(task)

    async def _ask_context(self, key: bytes, model: str) -> int | None:
        """Anew in each client: a server may be started again with another context."""
        known = self._known_context(key)
        try:
            value = await self._backend.context_tokens(model)
        except Fault:
            if known is not None:
                return known
            value = await self._patiently(lambda: self._backend.context_tokens(model))
        if value is not None and value != known:
            self._cache.put_facts("context", [(key, orjson.dumps(value))])
        return value

    def _known_context(self, key: bytes) -> int | None:
        known = self._cache.fact(key)
        value: int | None = None if known is None else orjson.loads(known)
        return value

    async def probe(self, prompt: Sequence[Message] = ()) -> None:
        if not self._offline:  # a replay steers nothing
            await Prober(self, self._params, self._backend.where, self._dialect.name, prompt).run()

    async def embed(self, texts: list[str]) -> Sequence[Vector]:
        with self._counts.waits("embeddings"):
            return await self._embedder.embed(texts)

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer to a question about the server; asked again while it may still come up."""
        started, tries = time.monotonic(), 0
        while True:
            try:
                return await ask()
            except Fault as fault:
                tries += 0 if fault.gone else 1
                try:
                    self._patience.decide(fault, tries, started)
                except Failed:
                    raise EconError(f"{self._backend.where} answers a plain question with: {fault.told}",
                                    "is llm.base_url right?") from None  # fmt: skip
                await self._backend.revive()
                await backoff(tries, fault.after, self._longest_wait)
