"""Together AI through its SDK, carried by aiohttp: the SDK's own pool stops at 100 connections."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from econ.llm import dialects
from econ.llm.backends import missing_key
from econ.llm.dialects import Dialect
from econ.llm.faults import Fault, Reply, http_fault, read_reply
from econ.records import Json

if TYPE_CHECKING:
    from econ.params import LLM


class Together:
    """The hosted provider. Its base URL carries no ``/v1``; one that does is put right."""

    def __init__(self, llm: LLM, *, offline: bool) -> None:
        self.name = "together"
        base_url = llm.base_url or os.environ.get("TOGETHER_BASE_URL")
        self._base_url = base_url.rstrip("/").removesuffix("/v1") if base_url else None
        self.where = self._base_url or "Together AI"
        self.key_variable: str | None = "TOGETHER_API_KEY"
        if not os.environ.get("TOGETHER_API_KEY") and not offline:
            raise missing_key("TOGETHER_API_KEY")
        self.in_flight = llm.max_in_flight
        self._timeout = llm.timeout_seconds
        self._client: Any = None

    async def dialect(self) -> Dialect:
        return dialects.TOGETHER

    def identity(self, model: str) -> str:
        return model

    def _sdk(self) -> Any:
        if self._client is None:
            self._client = self._open()
        return self._client

    def _open(self) -> Any:
        import httpx
        from together import AsyncTogether, DefaultAioHttpClient

        limits = httpx.Limits(max_connections=self.in_flight, max_keepalive_connections=self.in_flight)
        return AsyncTogether(
            base_url=self._base_url,
            timeout=self._timeout,
            max_retries=0,
            http_client=DefaultAioHttpClient(limits=limits),
        )

    async def send(self, body: Json) -> Reply:
        try:
            # As extra_body, since the SDK takes a fifth of a call's time to walk through typed arguments.
            response = await self._sdk().chat.completions.with_raw_response.create(
                model=body["model"], messages=[], extra_body=body
            )
        except Exception as error:
            raise _fault(error) from None
        return read_reply(response.http_response.content)

    async def revive(self) -> None:
        """Not ours to start."""

    async def count_tokens(self, model: str, text: str) -> int | None:
        return None

    async def context_tokens(self, model: str) -> int | None:
        """From the hosted models' list, which the SDK has no method for."""
        try:
            rows = await self._sdk().get("/v1/models", cast_to=object)
        except Exception as error:
            fault = _fault(error)
            if fault.gone or fault.refused:
                raise fault from None
            return None
        rows = rows.get("data") if isinstance(rows, dict) else rows
        lengths = {row.get("id"): row.get("context_length") for row in rows or [] if isinstance(row, dict)}
        length = lengths.get(model)
        return length if isinstance(length, int) else None

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()


def _fault(error: Exception) -> Fault:
    """What an error of the SDK means; anything but the server's and the transport's own is raised again."""
    import together

    if isinstance(error, together.APIStatusError):
        answer = error.response
        return http_fault(answer.status_code, answer.content, answer.headers.get("Retry-After"))
    if isinstance(error, together.APIConnectionError):  # timeouts are among these
        return _connection_fault(error)
    raise error


def _connection_fault(fault: BaseException | None) -> Fault:
    """Tell apart what the SDK reports alike, by the transport's own error further down the chain."""
    import aiohttp

    while fault is not None:
        if isinstance(fault, aiohttp.ClientConnectorError):
            return Fault("connection refused", gone=True)
        if isinstance(fault, TimeoutError):
            return Fault("timeout")
        if isinstance(fault, aiohttp.ClientError):
            return Fault("connection dropped")
        fault = fault.__cause__ or fault.__context__
    return Fault("connection dropped")
