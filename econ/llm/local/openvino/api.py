"""The engine behind HTTP on loopback, in the words of llama.cpp's OpenAI-compatible server."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from threading import Event, Thread
from typing import Annotated, Any, Literal, Protocol

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from econ.llm.local.openvino.engine import Answer, Asked, Broken, Engine, Pipeline, Refused
from econ.llm.local.openvino.grammar import Unsupported, from_schema
from econ.records import Json

DRAIN_SECONDS = 30.0
WHOLE = 32768  # tokens of the penalty's window from which it covers every text
ORDER = ["penalties", "temperature", "top_p"]
LARGEST_BODY = 16 * 2**20


class Served(Pipeline, Protocol):
    """A pipeline that can also read text."""

    def prompt(self, messages: list[Json]) -> list[int]: ...

    def tokens(self, text: str) -> list[int]: ...


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid")
    role: str
    content: str


class Body(BaseModel):
    """A chat completion's request. A field that would be ignored is refused, not dropped."""

    model_config = ConfigDict(extra="forbid")
    model: str
    messages: Annotated[list[Message], Field(min_length=1)]
    temperature: Annotated[float, Field(ge=0, le=100)] = 1.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    top_k: int = 0
    min_p: Annotated[float, Field(ge=0, lt=1)] = 0.0
    repetition_penalty: Annotated[float, Field(gt=0)] | None = None
    repeat_penalty: Annotated[float, Field(gt=0)] = 1.0  # the same, as llama.cpp calls it
    repeat_last_n: Annotated[int, Field(ge=WHOLE)] = WHOLE  # the penalty always looks at the whole text
    samplers: list[str] = ORDER  # always in this order
    cache_prompt: bool = True  # of no effect on answers
    seed: Annotated[int, Field(ge=0)] = 0
    max_tokens: Annotated[int, Field(gt=0)] | None = None
    stop: str | list[str] = []
    response_format: dict[str, Any] | None = None
    stream: Literal[False] = False
    n: Literal[1] = 1

    def asked(self, ids: list[int], room: int) -> Asked:
        if self.samplers != ORDER:
            raise Unsupported(f"samplers: only {ORDER} is supported")
        return Asked(
            ids, self.temperature, self.top_p, max(0, self.top_k), self.min_p,
            self.repetition_penalty or self.repeat_penalty, self.seed,
            min(room, self.max_tokens or room),
            tuple([self.stop] if isinstance(self.stop, str) else self.stop),
            self._grammar(),
        )  # fmt: skip

    def _grammar(self) -> str | None:
        wanted = self.response_format or {"type": "text"}
        if wanted.get("type") == "text":
            return None
        try:
            return from_schema(wanted["json_schema"]["schema"])
        except (LookupError, TypeError):
            raise Unsupported("response_format: only text and json_schema are supported") from None


class Api:
    """Handlers of one model's server.

    Args:
        pipeline, engine: what answers.
        model: the name it is asked for by.
        context: most tokens of prompt and answer.
    """

    def __init__(self, pipeline: Served, engine: Engine, model: str, context: int) -> None:
        self._pipeline = pipeline
        self._engine = engine
        self._model = model
        self._context = context

    def app(self) -> web.Application:
        app = web.Application(middlewares=[_faults], client_max_size=LARGEST_BODY)
        app.add_routes([
            web.post("/v1/chat/completions", self.complete),
            web.get("/v1/models", self.models),
            web.post("/tokenize", self.tokenize),
            web.get("/props", self.props),
            web.get("/health", self.health),
        ])  # fmt: skip
        return app

    async def complete(self, request: web.Request) -> web.Response:
        body = Body.model_validate_json(await request.read())
        ids = self._pipeline.prompt([message.model_dump() for message in body.messages])
        room = self._context - len(ids)
        if room <= 0:
            raise Unsupported(
                f"the prompt has {len(ids)} tokens, which exceeds the context size of {self._context}"
            )
        future = self._engine.submit(body.asked(ids, room))
        # Cancelled when the client hangs up, which cancels the request's generation.
        return _json(_completion(self._model, len(ids), await asyncio.wrap_future(future)))

    async def models(self, _: web.Request) -> web.Response:
        row = {"id": self._model, "object": "model", "owned_by": "openvino", "meta": {"n_ctx": self._context}}
        return _json({"object": "list", "data": [row]})

    async def tokenize(self, request: web.Request) -> web.Response:
        return _json({"tokens": self._pipeline.tokens(orjson.loads(await request.read())["content"])})

    async def props(self, _: web.Request) -> web.Response:
        return _json({"default_generation_settings": {"n_ctx": self._context}, "model_alias": self._model})

    async def health(self, _: web.Request) -> web.Response:
        if self._engine.broken is not None:
            raise Broken(self._engine.broken)
        return _json({"status": "ok"})


def _completion(model: str, prompt_tokens: int, answer: Answer) -> Json:
    message = {"role": "assistant", "content": answer.text}
    choice = {"index": 0, "message": message, "finish_reason": answer.finish_reason}
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": answer.tokens,
        "total_tokens": prompt_tokens + answer.tokens,
    }
    return {"object": "chat.completion", "created": int(time.time()), "model": model,
            "choices": [choice], "usage": usage}  # fmt: skip


def _json(content: Json, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(content), status=status, content_type="application/json")


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def _faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What went wrong, as an OpenAI-style error."""
    try:
        return await handler(request)
    except ValidationError as fault:
        first = fault.errors()[0]
        return _fault(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
    except (Unsupported, Refused, LookupError, TypeError, orjson.JSONDecodeError) as fault:
        return _fault(400, str(fault))
    except Broken as fault:
        return _fault(503, str(fault))


def _fault(status: int, message: str) -> web.Response:
    return _json({"error": {"code": status, "message": message}}, status)


class Server:
    """The API on a free port of ``host``, in a thread of its own."""

    def __init__(self, host: str, api: Api, engine: Engine) -> None:
        self._engine = engine
        self.address = ""
        ready = Event()
        Thread(target=lambda: asyncio.run(self._serve(host, api, ready)), name="http", daemon=True).start()
        ready.wait()

    async def _serve(self, host: str, api: Api, ready: Event) -> None:
        runner = web.AppRunner(api.app(), access_log=None, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, host, 0, backlog=1024)
        await site.start()
        self.address = f"http://{host}:{runner.addresses[0][1]}"
        ready.set()
        await asyncio.Event().wait()  # for ever

    def drain(self) -> None:
        """Finish what is in flight; no more is taken."""
        self._engine.drain(DRAIN_SECONDS)


def _end(why: str) -> None:
    """A process whose pipeline is broken ends; whoever needs it starts it again."""
    print(f"the engine failed: {why}", flush=True)
    time.sleep(0.5)  # those who waited are told
    os._exit(1)


def start_server(host: str, settings: Json) -> tuple[str, Server]:
    """Load the model of ``settings`` and serve it."""
    from pathlib import Path

    from econ.llm.local.openvino.pipeline import OpenVinoPipeline

    pipeline = OpenVinoPipeline(Path(settings["path"]), settings["slots"], settings["threads"])
    engine = Engine(pipeline, settings["slots"], _end)
    server = Server(host, Api(pipeline, engine, settings["model"], settings["context"]), engine)
    return server.address, server
