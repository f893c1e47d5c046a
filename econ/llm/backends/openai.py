"""Any OpenAI-compatible server, and the transport of all backends (:class:`econ.llm.backends.base.Backend`).

A backend makes one attempt and tells faults apart; caching, limits and retries are the client's
(:mod:`econ.llm.client`). The transport decides the overhead: plain aiohttp with an unbounded pool costs a
tenth of an SDK's CPU per call, so it carries everything, Together's SDK too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import orjson

from econ.errors import EconError
from econ.llm.backends import dialects
from econ.llm.backends.dialects import DIALECTS, Dialect
from econ.llm.cache.store import Cache, fact_key
from econ.llm.faults import Fault, http_fault
from econ.llm.replies import Reply, read_reply
from econ.records import Json

if TYPE_CHECKING:
    import aiohttp

    from econ.params import LLM

Say = Callable[[str], None]


def say(line: str) -> None:
    print(f"econ: {line}", file=sys.stderr, flush=True)


class Received(NamedTuple):
    status: int
    payload: bytes
    retry_after: str | None


class Http:
    """POST and GET over one aiohttp session, made at first use."""

    def __init__(self, timeout: float, key: str | None = None) -> None:
        self._timeout = timeout
        self._key = key
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        import aiohttp

        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
            timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=min(30.0, self._timeout)),
            headers=headers,
        )

    async def exchange(
        self, method: str, url: str, data: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Received:
        """What the server answers, whatever its status.

        Raises:
            Fault: it gives no whole answer.
        """
        import aiohttp

        if self._session is None:
            self._session = self._open()
        try:
            async with self._session.request(method, url, data=data, headers=headers) as response:
                payload = await response.read()
                return Received(response.status, payload, response.headers.get("Retry-After"))
        except aiohttp.ClientConnectorDNSError:
            raise Fault("unknown host", gone=True) from None
        except aiohttp.ClientConnectorError:
            raise Fault("connection refused", gone=True) from None
        except TimeoutError:
            raise Fault("timeout") from None
        except aiohttp.InvalidURL:
            way_out = "correct llm.base_url: one like http://127.0.0.1:8000/v1"
            raise EconError(f"'{url}' is not a URL", way_out) from None
        except (aiohttp.ClientError, OSError):
            raise Fault("connection dropped") from None

    async def ask(self, method: str, url: str, body: Json | None = None) -> bytes:
        """The body of a 200 answer.

        Raises:
            Fault: anything else.
        """
        got = await self.exchange(method, url, None if body is None else orjson.dumps(body))
        if got.status != 200:
            raise http_fault(got.status, got.payload, got.retry_after)
        return got.payload

    async def json(self, method: str, url: str, body: Json | None = None) -> Any:
        try:
            return orjson.loads(await self.ask(method, url, body))
        except orjson.JSONDecodeError:
            raise Fault("malformed response") from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


class OpenAI:
    """Any OpenAI-compatible server: vLLM, llama.cpp, Ollama, the official one …"""

    def __init__(self, llm: LLM, cache: Cache, *, offline: bool) -> None:
        self.where = (llm.base_url or "").rstrip("/")
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
        self._http = Http(llm.timeout_seconds, key)
        self._dialect: Dialect | None = None

    async def dialect(self) -> Dialect:
        if self._dialect is None:
            self._dialect = await self._find_dialect()
        return self._dialect

    async def _find_dialect(self) -> Dialect:
        if self._official:
            return dialects.OFFICIAL_OPENAI
        if self._wanted != "auto":
            return DIALECTS[self._wanted]
        key = fact_key("dialect", self.where)
        known = self._cache.fact(key)
        if known is not None:
            return DIALECTS[known.decode()]
        if self._offline:
            raise EconError(
                f"the dialect of {self.where} was never found out",
                "set llm.dialect, or run without --offline",
            )
        name = await self._ask_dialect()
        self._cache.put_facts("dialect", [(key, name.encode())])
        return DIALECTS[name]

    async def _ask_dialect(self) -> str:
        owners = {str(row.get("owned_by", "")).lower() for row in await self._models()}
        if owners & {"vllm", "sglang"}:
            return "vllm"
        if "llamacpp" in owners or await self._has_props():
            return "llama.cpp"
        return "unknown"

    async def _models(self) -> list[Json]:
        """The rows of the server's list of models; empty where it has none."""
        try:
            models = await self._http.json("GET", f"{self.where}/models")
        except Fault as fault:
            if fault.gone or fault.refused:
                raise
            return []
        rows = models.get("data", []) if isinstance(models, dict) else models
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    async def _has_props(self) -> bool:
        """llama.cpp's own endpoint, which older versions without ``owned_by`` have too."""
        try:
            return "default_generation_settings" in await self._http.json("GET", f"{self.root}/props")
        except (Fault, TypeError):
            return False

    @property
    def root(self) -> str:
        return self.where.removesuffix("/v1")

    def identity(self, model: str) -> str:
        return model

    async def send(self, body: Json) -> Reply:
        return read_reply(await self._http.ask("POST", f"{self.where}/chat/completions", body))

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
        except (Fault, LookupError, TypeError):
            return None

    async def context_tokens(self, model: str) -> int | None:
        rows = await self._models()
        for row in rows:
            length = row.get("max_model_len") or (row.get("meta") or {}).get("n_ctx")
            if isinstance(length, int) and (row.get("id") == model or len(rows) == 1):
                return length
        return None

    async def close(self) -> None:
        await self._http.close()


def missing_key(variable: str) -> EconError:
    return EconError(f"the environment has no {variable}", f"export {variable}=… and run again")
