"""Together AI through its SDK, carried by our own transport.

The SDK words requests and errors; what it would send them with (httpx, or httpx over aiohttp) stops at 100
connections, or spends more time on cookies, redirects and authentication flows than a call takes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import httpx

from econ.errors import EconError
from econ.llm.backends import dialects
from econ.llm.backends.dialects import Dialect
from econ.llm.backends.http import Http, connection
from econ.llm.backends.openai import missing_key
from econ.llm.cache.store import Cache
from econ.llm.faults import Fault, http_fault
from econ.llm.replies import Reply, read_reply
from econ.params.servers import base_url
from econ.records import Json

if TYPE_CHECKING:
    from together import AsyncTogether

    from econ.params import LLM


class Carrier(httpx.AsyncClient):
    """The HTTP client that the SDK is given: straight to :class:`Http`."""

    def __init__(self, http: Http) -> None:
        super().__init__(transport=httpx.AsyncBaseTransport())  # never asked: send is ours
        self._http = http

    def build_request(self, method: str, url: Any, **parts: Any) -> httpx.Request:
        wanted = {name: parts.get(name) for name in ("content", "params", "headers")}
        return httpx.Request(method, url, **wanted)

    async def send(self, request: httpx.Request, **_: Any) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        got = await self._http.exchange(request.method, str(request.url), request.content, headers)
        told = {"Content-Type": "application/json"}
        if got.retry_after is not None:
            told["Retry-After"] = got.retry_after
        return httpx.Response(got.status, headers=told, content=got.payload, request=request)

    async def aclose(self) -> None:
        await self._http.close()


class Together:
    """The hosted provider. Its base URL carries no ``/v1``; one that does is put right."""

    def __init__(self, llm: LLM, cache: Cache, *, offline: bool) -> None:
        self.name = "together"
        url = llm.base_url or stated_url("TOGETHER_BASE_URL")
        self._base_url = url.rstrip("/").removesuffix("/v1") if url else None
        self.where = self._base_url or "Together AI"
        self.key_variable: str | None = "TOGETHER_API_KEY"
        key = os.environ.get("TOGETHER_API_KEY")
        if not key and not offline:
            raise missing_key("TOGETHER_API_KEY")
        self.in_flight = llm.max_in_flight
        self._http = connection(llm, key, offline=offline)
        self._dialect = dialects.TOGETHER.shaped(llm.fields, llm.extra_body)
        self._client: AsyncTogether | None = None

    async def dialect(self) -> Dialect:
        return self._dialect

    def identity(self, model: str) -> str:
        return model

    def _sdk(self) -> AsyncTogether:
        from together import AsyncTogether

        if self._client is None:
            self._client = AsyncTogether(
                base_url=self._base_url, max_retries=0, http_client=Carrier(self._http)
            )
        return self._client

    async def send(self, body: Json) -> Reply:
        try:
            # Not chat.completions.create: it takes a third of a call's time to walk through typed arguments.
            response = await self._sdk().post("/v1/chat/completions", cast_to=httpx.Response, body=body)
        except Exception as error:
            raise _fault(error) from None
        return read_reply(response.content)

    async def revive(self) -> None:
        """Not ours to start."""

    async def count_tokens(self, model: str, text: str) -> int | None:
        return None

    async def context_tokens(self, model: str) -> int | None:
        """From the hosted models' list, which the SDK has no method for."""
        try:
            rows: Any = await self._sdk().get("/v1/models", cast_to=object)
        except Exception as error:
            fault = _fault(error)
            if not isinstance(fault, Fault) or fault.retry or fault.refused:
                raise fault from None
            return None
        rows = rows.get("data") if isinstance(rows, dict) else rows
        lengths = {row.get("id"): row.get("context_length") for row in rows or [] if isinstance(row, dict)}
        length = lengths.get(model)
        return length if isinstance(length, int) else None

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()


def stated_url(variable: str) -> str | None:
    """A base URL that the environment states.

    Raises:
        EconError: it is none.
    """
    url = os.environ.get(variable)
    try:
        return base_url(url) if url else None
    except ValueError as fault:
        raise EconError(f"{variable} {fault}", "correct or unset it") from None


def _fault(error: Exception) -> Exception:
    """What an error of the SDK stands for; an error that is none of the server's or transport's is itself."""
    import together

    if isinstance(error, together.APIStatusError):
        answer = error.response
        return http_fault(answer.status_code, answer.content, answer.headers.get("Retry-After"))
    if isinstance(error, together.APIConnectionError) and isinstance(error.__cause__, Exception):
        return error.__cause__  # our transport's own
    return error
