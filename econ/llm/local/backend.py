"""The embedded servers as a backend: started at the first call, shared by all jobs of the project."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AbstractAsyncContextManager, nullcontext
from itertools import chain
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary
from zlib import crc32

from econ.errors import EconError
from econ.llm.backends import dialects
from econ.llm.backends.dialects import Dialect
from econ.llm.backends.http import Http
from econ.llm.backends.openai import Say, say
from econ.llm.cache.store import Cache
from econ.llm.local import engines
from econ.llm.local.serve import lower_priority
from econ.llm.replies import Reply, read_reply
from econ.records import Json

if TYPE_CHECKING:
    from econ.llm.local.lease import Lease
    from econ.params import LLM

LONG_PROMPT = 2000  # characters from which a beginning is worth reading once
# A server of ours that dies is noticed at once; one that reads many long prompts takes its time.
PATIENCE = 3600.0  # seconds


class Local:
    """Engines in processes of ours, one or more per model file, shared by all jobs of the project.

    All of them speak llama.cpp's dialect. Prompts with one beginning go to the same copy, which has read it
    already, while that has a slot free.
    """

    def __init__(self, llm: LLM, cache: Cache, *, offline: bool, say: Say = say) -> None:
        self.name = "local"
        self.where = "the local model server"
        self.key_variable: str | None = None
        self._models = tuple(dict.fromkeys((llm.coordinator, *llm.executors)))
        self._settings = llm.local
        self.in_flight = min(llm.max_in_flight, max(map(self._room, self._models)))
        self._say = say
        self._http = Http(max(llm.timeout_seconds, PATIENCE))
        self._leases: dict[str, list[Lease]] = {}
        self._urls: dict[str, list[str]] = {}
        self._identities: dict[str, str] = {}
        self._starting = asyncio.Lock()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._busy: Counter[str] = Counter()  # our calls with each copy

    async def dialect(self) -> Dialect:
        return dialects.LLAMA_CPP

    def identity(self, model: str) -> str:
        if model not in self._identities:
            self._identities[model] = engines.identity(model, self._engine(model))
        return self._identities[model]

    def _engine(self, model: str) -> engines.Engine:
        return engines.choose(model, self._settings.engine)[0]

    def _slots(self, model: str) -> int:
        return self._settings.slots or engines.SLOTS[self._engine(model)]

    def _room(self, model: str) -> int:
        """Calls that make sense at once: as many wait as are answered."""
        try:
            copies = (self._settings.copies or engines.cores()) if self._engine(model) == "llama.cpp" else 1
            return 2 * copies * self._slots(model)
        except EconError:
            return 1  # no such model: the first call says so

    async def _copies(self, model: str) -> list[str]:
        """The addresses of the model's copies, which are started if they are not there."""
        if model not in self._urls:
            async with self._starting:
                if model not in self._urls:
                    self._urls = await asyncio.to_thread(self._attach, model)
                    lower_priority()
        return self._urls[model]

    def _copy(self, copies: list[str], beginning: str, slots: int) -> str:
        usual = copies[crc32(beginning.encode()) % len(copies)]
        if len(beginning) >= LONG_PROMPT or self._busy[usual] < slots:
            return usual
        return min(copies, key=lambda url: self._busy[url])

    def _attach(self, model: str) -> dict[str, list[str]]:
        """The addresses of the copies of the team's models and of this one. Blocks while they start."""
        models = dict.fromkeys((*self._models, model))
        return {name: [lease.url() for lease in self._lease(name)] for name in models}

    def _lease(self, model: str) -> list[Lease]:
        from econ.llm.local.lease import Lease, Spec

        if model not in self._leases:
            started = engines.settings(model, self._settings, self._say)
            self._leases[model] = [Lease(Spec("llm", settings)) for settings in started]
        return self._leases[model]

    async def send(self, body: Json) -> Reply:
        model, beginning = body["model"], body["messages"][0]["content"][:LONG_PROMPT]
        url = self._copy(await self._copies(model), beginning, self._slots(model))
        self._busy[url] += 1
        try:
            async with self._turn(model, beginning):
                return read_reply(await self._http.ask("POST", f"{url}/v1/chat/completions", body))
        finally:
            self._busy[url] -= 1

    def _turn(self, model: str, beginning: str) -> AbstractAsyncContextManager[None]:
        """Long prompts with one beginning take turns: the first is read in full, the others find it read.

        In llama.cpp, side by side, each would be read anew in a slot of its own, which costs far more than
        the wait. OpenVINO's server sees to it itself.
        """
        if len(beginning) < LONG_PROMPT or self._engine(model) == "openvino":
            return nullcontext()
        return self._turns.setdefault(beginning, asyncio.Lock())

    async def revive(self) -> None:
        self._urls.clear()

    async def count_tokens(self, model: str, text: str) -> int | None:
        url = (await self._copies(model))[0]
        return len((await self._http.json("POST", f"{url}/tokenize", {"content": text}))["tokens"])

    async def context_tokens(self, model: str) -> int | None:
        url = (await self._copies(model))[0]
        return int((await self._http.json("GET", f"{url}/props"))["default_generation_settings"]["n_ctx"])

    async def close(self) -> None:
        await self._http.close()
        for lease in chain(*self._leases.values()):
            lease.close()
