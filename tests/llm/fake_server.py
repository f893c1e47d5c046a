"""An OpenAI-compatible server for tests: scripted answers, faults on demand, a log of what it received.

Runs in a thread of its own, so that clients in this process and in others can use it. As a program it prints
its address and serves until it is killed: ``python -m tests.llm.fake_server LATENCY_SECONDS``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import orjson
from aiohttp import web

from tests.llm.canned import CANNED, error

Body = dict[str, Any]
Answer = Callable[[Body], "str | Body"]  # a text, or a whole message with "finish_reason" and "model" in it
# A fault's name for the n-th attempt (from 0) of a body, or None: an HTTP status, 429-date, overflow, drop,
# hang, truncated, not-json, no-choices, empty, no-usage, length
Faults = Callable[[Body, int], str | None]


@dataclass(frozen=True)
class Seen:
    time: float
    body: Body
    fault: str | None
    authorization: str | None
    headers: dict[str, str]
    query: str
    host: str


def no_fault(body: Body, attempt: int) -> str | None:
    return None


def echo(body: Body) -> str:
    """An answer that depends on everything that may change one."""
    sampling = [body.get(k) for k in ("temperature", "top_p", "repetition_penalty", "repeat_penalty", "seed")]
    return f"answer to {body['messages'][-1]['content'][:40]!r} at {sampling}"


class FakeServer:
    """``with FakeServer(answer) as server: server.url`` is the base URL, ``server.log`` what came in."""

    def __init__(
        self, answer: Answer = echo, *, faults: Faults = no_fault, latency: float = 0.0,
        owner: str = "vllm", port: int = 0, context: int = 8192, keep_log: bool = True,
        usage: Body | None = None,
    ) -> None:  # fmt: skip
        self.answer, self.faults, self.latency, self.owner = answer, faults, latency, owner
        self.port, self.context, self.keep_log = port, context, keep_log
        self.usage = usage  # what it says of every answer; None: the truth
        self.listing = 200  # status of the models' list
        self.listings = 0  # of the models, asked for
        self.log: list[Seen] = []
        self.answered: list[tuple[float, bytes]] = []  # when, and the request's body
        self.in_flight = self.most_in_flight = self.served = 0
        self._attempts: Counter[bytes] = Counter()
        self._ready = threading.Event()

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.root}/v1"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._ready.clear()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/v1/models", self._models)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, backlog=512, reuse_address=True)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self._ready.set()
        await self._end.wait()
        await runner.cleanup()

    async def _models(self, request: web.Request) -> web.Response:
        self.listings += 1
        if self.listing != 200:
            return web.json_response(error("Loading model"), status=self.listing)
        row = {"id": "fake", "object": "model", "owned_by": self.owner, "max_model_len": self.context}
        row["context_length"] = self.context  # as Together names it
        return web.json_response({"object": "list", "data": [row]})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        payload = await request.read()
        body: Body = orjson.loads(payload)
        attempt = self._attempts[payload]
        self._attempts[payload] += 1
        fault = self.faults(body, attempt)
        if self.keep_log:
            self.log.append(Seen(time.time(), body, fault, request.headers.get("Authorization"),
                                 dict(request.headers), request.query_string, request.host))  # fmt: skip
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            response = await self._respond(request, body, fault)
            if fault is None and self.keep_log:
                self.answered.append((time.time(), payload))
            return response
        finally:
            self.in_flight -= 1

    async def _respond(self, request: web.Request, body: Body, fault: str | None) -> web.StreamResponse:
        if fault in CANNED:
            status, said, headers = CANNED[fault]
            raw = said if isinstance(said, bytes) else json.dumps(said).encode()
            return web.Response(
                status=status, body=raw, headers={"Content-Type": "application/json", **headers}
            )
        if fault in ("429", "429-date"):
            after = "0.01" if fault == "429" else "Wed, 21 Oct 2015 07:28:00 GMT"
            return web.json_response(
                {"error": {"message": "slow"}}, status=429, headers={"Retry-After": after}
            )
        if fault == "overflow":
            text = "This model's maximum context length is 8192 tokens"
            return web.json_response({"error": {"message": text}}, status=400)
        if fault is not None and fault.isdigit():
            told = f"no, {request.headers.get('Authorization')}"  # some servers tell the key that they refuse
            return web.json_response({"error": {"message": told}}, status=int(fault))
        if fault == "drop":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault == "hang":
            await asyncio.sleep(3600)
        self.served += 1
        return self._answer(body, fault)

    def _answer(self, body: Body, fault: str | None) -> web.Response:
        said = "" if fault == "empty" else self.answer(body)
        message = {"role": "assistant", "content": said} if isinstance(said, str) else dict(said)
        model, finish = message.pop("model", body["model"]), message.pop("finish_reason", "stop")
        finish = "length" if fault == "length" else finish
        prompt = words(*(m["content"] for m in body["messages"]))
        completion = words(message["content"]) if isinstance(message.get("content"), str) else 0
        payload: Body = {
            "id": "x", "object": "chat.completion", "created": 0, "model": model,
            "choices": [{"index": 0, "finish_reason": finish, "message": message}],
            "usage": {"prompt_tokens": prompt, "completion_tokens": completion,
                      "total_tokens": prompt + completion},
        }  # fmt: skip
        if self.usage is not None:
            payload["usage"] = self.usage
        if fault == "no-usage":
            del payload["usage"]
        if fault == "no-choices":
            payload["choices"] = []
        raw = json.dumps(payload).encode()
        raw = {"truncated": raw[: len(raw) // 2], "not-json": b"<html>oops</html>"}.get(fault or "", raw)
        return web.Response(body=raw, content_type="application/json")


def words(*texts: str) -> int:
    return sum(len(text.split()) for text in texts)


def main() -> None:
    server = FakeServer(latency=float(sys.argv[1]), keep_log=False)
    server.start()
    print(server.url, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
