"""Any OpenAI-compatible server (:class:`econ.llm.backends.base.Backend`).

A backend makes one attempt and tells faults apart; caching, limits and retries are the client's
(:mod:`econ.llm.client`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from econ.errors import EconError
from econ.llm.backends import dialects
from econ.llm.backends.dialects import DIALECTS, Dialect
from econ.llm.backends.http import Address, connection
from econ.llm.cache.rows import fact_key
from econ.llm.cache.store import Cache
from econ.llm.faults import Fault
from econ.llm.replies import Reply, read_reply
from econ.records import Json
from econ.terminal import printable

if TYPE_CHECKING:
    from econ.params import LLM

Say = Callable[[str], None]


def say(line: str) -> None:
    print(f"econ: {printable(line)}", file=sys.stderr, flush=True)


class OpenAI:
    """Any OpenAI-compatible server: vLLM, llama.cpp, Ollama, the official one …"""

    def __init__(self, llm: LLM, cache: Cache, *, offline: bool) -> None:
        self._address = Address.of(llm.base_url or "")
        self.where = self._address.base
        self._official = urlsplit(self.where).hostname == "api.openai.com"
        self.name = f"openai:{llm.provider or self.where}"
        self.key_variable: str | None = "OPENAI_API_KEY"
        key = os.environ.get("OPENAI_API_KEY")
        if self._official and not key and not offline:
            raise missing_key("OPENAI_API_KEY")
        self.in_flight = llm.max_in_flight
        self._wanted = llm.dialect
        self._cache = cache
        self._offline = offline
        self._http = connection(llm, key, offline=offline)
        self._completions = self._address.of_path("/chat/completions")
        self._shape = (llm.fields, llm.extra_body)
        self._dialect: Dialect | None = None
        self._rows: list[Json] | None = None

    async def dialect(self) -> Dialect:
        if self._dialect is None:
            self._dialect = (await self._find_dialect()).shaped(*self._shape)
        return self._dialect

    async def _find_dialect(self) -> Dialect:
        if self._official:
            return dialects.OFFICIAL_OPENAI
        if self._wanted != "auto":
            return DIALECTS[self._wanted]
        return DIALECTS[await self._asked()]

    async def _asked(self) -> str:
        """What the server says it is, anew at each start; what it said before, where it cannot be asked."""
        key = fact_key("dialect", self.where)
        known = self._cache.fact(key)
        if self._offline:
            if known is None:
                raise EconError(
                    f"the dialect of {self.where} was never found out",
                    "set llm.dialect, or run without --offline",
                )
            return known.decode()
        try:
            name = await self._ask_dialect()
        except Fault:
            if known is None:
                raise
            return known.decode()
        if known != name.encode():
            self._cache.put_facts("dialect", [(key, name.encode())])
        return name

    async def _ask_dialect(self) -> str:
        owners = {str(row.get("owned_by", "")).lower() for row in await self._models()}
        if owners & {"vllm", "sglang"}:
            return "vllm"
        if "llamacpp" in owners or await self._has_props():
            return "llama.cpp"
        return "unknown"

    async def _models(self) -> list[Json]:
        """The rows of the server's list of models; empty where it has none.

        Raises:
            Fault: the server cannot say for now.
        """
        if self._rows is None:
            try:
                models = await self._http.json("GET", self._address.of_path("/models"))
            except Fault as fault:
                if fault.retry or fault.refused:
                    raise
                models = []
            rows = models.get("data", []) if isinstance(models, dict) else models
            self._rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        return self._rows

    async def _has_props(self) -> bool:
        """llama.cpp's own endpoint, which older versions without ``owned_by`` have too."""
        try:
            return "default_generation_settings" in await self._http.json("GET", f"{self.root}/props")
        except (Fault, TypeError):  # of a server that has just listed its models
            return False

    @property
    def root(self) -> str:
        return self.where.removesuffix("/v1")

    def identity(self, model: str) -> str:
        return model

    async def send(self, body: Json) -> Reply:
        return read_reply(await self._http.ask("POST", self._completions, body))

    async def revive(self) -> None:
        """Not ours to start."""

    async def count_tokens(self, model: str, text: str) -> int | None:
        dialect = (await self.dialect()).name
        if dialect not in ("vllm", "llama.cpp"):
            return None
        body = {"content": text} if dialect == "llama.cpp" else {"model": model, "prompt": text}
        try:
            answer = await self._http.json("POST", f"{self.root}/tokenize", body)
            return len(answer["tokens"])
        except Fault as fault:
            if fault.gone or fault.unavailable or fault.limited:
                raise
            return None
        except (LookupError, TypeError):
            return None

    async def context_tokens(self, model: str) -> int | None:
        try:
            rows = await self._models()
        except Fault as fault:
            if fault.gone or fault.unavailable or fault.limited:
                raise
            return None
        for row in rows:
            length = row.get("max_model_len") or (row.get("meta") or {}).get("n_ctx")
            if isinstance(length, int) and (row.get("id") == model or len(rows) == 1):
                return length
        return None

    async def close(self) -> None:
        await self._http.close()


def missing_key(variable: str) -> EconError:
    return EconError(f"the environment has no {variable}", f"export {variable}=… and run again")
