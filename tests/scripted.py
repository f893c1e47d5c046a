"""A model that says what a test tells it to: the Client protocol over a callable."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from econ.llm.base import Usage
from econ.params import Params
from econ.records import Call, Message, Request, Tokens
from econ.registry import METHODS

Script = Callable[[Request], str | Exception]


class ScriptedClient:
    """Answers every request with ``script(request)``; an exception it returns is a failed call.

    A word is a token. ``context`` is the models' window; it is told, and nothing is refused because of it.
    """

    simulated = True
    recorded = ""

    def __init__(self, script: Script, context: int | None = None) -> None:
        self.script = script
        self.context = context
        self.requests: list[Request] = []
        self.usage = Usage(0, 0, 0, Tokens(), None)

    async def complete(self, request: Request) -> Call:
        self.requests.append(request)
        said = self.script(request)
        failed = isinstance(said, Exception)
        text = "" if failed else said
        prompt = sum(len(message["content"].split()) for message in request.messages)
        self.usage = replace(self.usage, made=self.usage.made + 1, failed=self.usage.failed + failed)
        return Call(
            role=request.role,
            agent=request.agent,
            round=request.round,
            model=request.model,
            messages=request.messages,
            sampling=request.sampling,
            seed=request.seed,
            sample=request.sample,
            text=text,
            prompt_tokens=prompt,
            completion_tokens=len(text.split()),
            cached=False,
            error=str(said) if failed else None,
            finish_reason=None if failed else "stop",
        )

    def identity(self, model: str) -> str:
        return f"scripted:{model}"

    async def probe(self, prompt: Sequence[Message] = ()) -> None:
        return None

    async def count_tokens(self, model: str, text: str) -> int:
        return len(text.split())

    async def context_tokens(self, model: str) -> int | None:
        return self.context

    async def embed(self, texts: list[str]) -> list[list[float]]:
        """A fixed pseudo-random unit vector per text."""
        return [_unit(text) for text in texts]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


def _unit(text: str, size: int = 16) -> list[float]:
    digest = hashlib.sha256(text.encode()).digest()[:size]
    values = [byte / 255 - 0.5 for byte in digest]
    norm = sum(value * value for value in values) ** 0.5
    return [value / norm for value in values]


def params_of(**given: Any) -> Params:
    """Params in which a method's settings are given by its name (``self_consistency={"k": 4}``)."""
    whole: dict[str, Any] = {"settings": {}}
    for name, value in given.items():
        method = name.replace("_", "-")
        (whole["settings"] if method in METHODS else whole)[method if method in METHODS else name] = value
    return Params.model_validate(whole)
