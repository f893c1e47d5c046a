"""Servers as they are known to behave: mode -> what comes of it, in one line."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from econ.errors import EconError
from econ.llm import open_client
from econ.llm.backends.http import Http
from econ.llm.faults import Fault, parse_retry_after
from econ.methods.base import Session
from econ.methods.registry import baseline
from econ.params import Params
from econ.records import Problem
from tests.llm.canned import CANNED, error
from tests.llm.conftest import params_for, request
from tests.llm.fake_server import Body, FakeServer
from tests.llm.test_client import ask

pytestmark = pytest.mark.usefixtures("quick")

ENDS = {  # a mode that no call of the run can get past: what the one line says
    "credit": "answers http 402: Insufficient credits. Add more. - top up",
    "quota": "answers http 429: You exceeded your current quota. - top up",
    "no model": "answers http 404: The model `fake` does not exist - is llm.base_url right",
    "no model 400": "answers http 400: Invalid model name passed in model=fake - is llm.base_url right",
    "no path": "answers http 404: Not Found - is llm.base_url right (most end in /v1)",
    "no method": "answers http 405: Method Not Allowed",
    "went away": "answers http 410: This model was retired",
    "key": "refuses the key (http 401: Incorrect API key provided: ***)",
    "no rights": "refuses the key (http 403: You have no access to this model)",
    "page": "answers with a web page, 'Welcome to nginx!' (malformed response) - llm.base_url is a",
    "page 502": "cannot answer for 0.5 s (http 502: a web page, 'Welcome to nginx!')",
    "loading": "cannot answer for 0.5 s (http 503: Loading model)",
    "hour": "asks to come back in 3600 s (http 429: Too many requests), and llm.patience_seconds is 0.5 - "
            "run again after 20",
    "day": "asks to come back in 86400 s (http 503: Maintenance)",
    "for ever": "asks to come back in no time at all",
    "strange wait": "lets no call through for 0.5 s (http 429: Too many requests)",
    "max_tokens": "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.) - "
                  "set llm.fields: {max_tokens: max_completion_tokens}",
    "seed": "set llm.fields: {seed: null}, which leaves it out",
    "top_p": "{temperature: null}, which leaves it out, or action.temperature to what it takes",
    "temperature": "refuses temperature",
    "penalty": "(http 422: body.repetition_penalty: Extra inputs are not permitted)",
    "schema": "takes no structured answers (http 400: This response_format type is unavailable now) - set "
              "llm.structured: false",
    "schema 500": "takes no structured answers (http 500: grammar compilation failed)",
    "credit in 200": "answers http 402: Insufficient credits",
    "error in 200": "cannot answer for 0.5 s (http 502: Provider returned error)",
    "error in choice": "cannot answer for 0.5 s (http 503: overloaded)",
}  # fmt: skip


@pytest.mark.parametrize(("mode", "line"), ENDS.items())
async def test_what_no_call_gets_past_ends_the_run_in_one_line(
    mode: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    schema = {"type": "object"} if mode.startswith("schema") else None
    with FakeServer(faults=lambda body, attempt: mode) as server:
        params = params_for(server.url, patience_seconds=0.5, max_retries=4)
        with pytest.raises(EconError) as told:
            await ask(params, request(schema=schema))
    assert line in str(told.value)
    assert "sk-very-secret" not in str(told.value)


CALLS: dict[str, str | None] = {  # a mode that concerns the call alone: its error; None: an answer
    "no rights": "http 403",
    "overflow 400": "context overflow",
    "overflow 413": "context overflow",
    "overflow 422": "context overflow",
    "overflow 500": "context overflow",
    "overflow words": "context overflow",
    "overflow prompt": "context overflow",
    "filter": "stopped by the provider's content filter",
    "moderated": "stopped by the provider's content filter",
    "refusal": "refused by the model: I cannot help.",
    "filtered": "stopped by the provider's content filter",
    "page": "malformed response",
    "finish dict": None,
    "surrogate": None,
    "bad utf-8": None,
    "bom": None,
    "nan": None,
    "echoes the key": "http 500",
    "control characters": "http 400",
}


@pytest.mark.parametrize(("mode", "error"), CALLS.items())
async def test_what_concerns_one_call_is_its_own(
    mode: str, error: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")

    def faults(body: Body, attempt: int) -> str | None:
        return mode if body["messages"] == list(request(1).messages) else None

    with FakeServer(faults=faults) as server:
        async with open_client(params_for(server.url, max_retries=1)) as client:
            calls = [await client.complete(request(number)) for number in range(3)]
        if error is None or not error.startswith(("http 5", "malformed")):
            assert len(server.log) == 3  # nothing is paid for twice
    assert [call.error for call in calls] == [None, error, None]
    assert error is not None or calls[1].text.startswith("7")
    told = capsys.readouterr()
    assert "sk-very-secret" not in told.err
    assert "\x1b" not in told.err


def test_every_canned_answer_is_tried() -> None:
    assert set(CANNED) == set(ENDS) | set(CALLS)


async def test_a_server_that_loads_is_waited_for_as_long_as_patience_says() -> None:
    with FakeServer(faults=lambda body, attempt: "loading" if attempt < 60 else None) as server:
        [call] = await ask(params_for(server.url, patience_seconds=30, max_retries=2), request())
    assert call.ok


async def test_a_server_without_a_system_role_gets_its_text_with_the_users() -> None:
    def refuses(body: Body, attempt: int) -> str | None:
        return "no system" if body["messages"][0]["role"] == "system" else None

    CANNED["no system"] = (400, error("System role not supported"), {})
    try:
        with FakeServer(lambda body: "Final answer: 7", faults=refuses) as server:
            params = params_for(server.url)
            problem = Problem("p1", "svamp", "Tom has 3 apples and buys 4. How many?", gold="7")
            async with open_client(params) as client:
                session = Session(problem, client, params, n_agents=3, seed=0)
                await baseline("mad", params, problem.kind).solve(session)
    finally:
        del CANNED["no system"]
    assert all(call.ok for call in session.calls)
    first = server.log[-1].body["messages"][0]
    assert first["role"] == "user"
    assert "How many?" in first["content"]


async def test_fields_extra_body_and_headers_reach_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_TOKEN", "team-secret")
    shape: dict[str, Any] = {
        "fields": {"max_tokens": "max_completion_tokens", "seed": None, "min_p": None},
        "extra_body": {"reasoning_effort": "low", "chat_template_kwargs": {"enable_thinking": False}},
        "headers": {"X-Team": "research", "X-Token": "$TEAM_TOKEN"},
        "limits": {"tokens_per_minute": 10**6},
    }
    with FakeServer() as server:
        [call] = await ask(params_for(server.url, **shape), request())
    body, headers = server.log[0].body, server.log[0].headers
    assert call.ok
    assert (body["max_completion_tokens"], body["reasoning_effort"]) == (32, "low")
    assert not {"max_tokens", "seed", "min_p"} & set(body)
    assert (headers["X-Team"], headers["X-Token"]) == ("research", "team-secret")
    assert b"team-secret" not in kept()


def kept() -> bytes:
    return b"".join(path.read_bytes() for path in Path(".econ").rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("llm", "told"),
    [
        ({"base_url": "127.0.0.1:8000/v1"}, "is not a URL of a server"),
        ({"base_url": "localhost"}, "is not a URL of a server"),
        ({"base_url": "ftp://host/v1"}, "is not a URL of a server"),
        ({"base_url": "http://[::1/v1"}, "is not a URL"),
        ({"base_url": "http://host:99999/v1"}, "is not a URL"),
        ({"base_url": "http://host/v 1"}, "has a blank"),
        ({"base_url": "http://me:sesame@host/v1"}, "user or password"),
        ({"base_url": "http://host/v1/chat/completions"}, "ends in /chat/completions"),
        ({"base_url": "http://host/v1/models/"}, "ends in /models"),
        ({"fields": {"messages": None}}, "cannot be renamed"),
        ({"extra_body": {"stream": True}}, "stream has params of its own"),
        ({"headers": {"api-key": "secret"}}, "keys come from the environment"),
        ({"headers": {"X-A": "a\r\nb"}}, "cannot be sent as a header"),
        ({"failed_share": 2}, "failed_share"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_runs(llm: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told) as refused:
        Params.model_validate({"llm": {"backend": "openai", "base_url": "http://host/v1", **llm}})
    assert told in str(refused.value.errors(include_input=False))


def test_a_failed_share_is_one_number_or_two() -> None:
    alone = Params.model_validate({"llm": {"failed_share": 0.1}}).llm.failed_share
    both = Params.model_validate({"llm": {"failed_share": {"train": 0.1, "answers": 0}}}).llm.failed_share
    assert (alone.train, alone.answers, both.train, both.answers) == (0.0, 0.1, 0.1, 0.0)


async def test_a_query_in_the_base_url_goes_with_every_request() -> None:
    with FakeServer() as server:
        [call] = await ask(params_for(f"{server.url}/?api-version=2024"), request())
    assert call.ok
    assert server.log[0].query == "api-version=2024"


async def test_what_was_seen_in_an_outage_is_forgotten() -> None:
    with FakeServer(owner="vllm") as server:
        server.listing = 503
        with pytest.raises(EconError, match="cannot answer for"):
            await ask(params_for(server.url, patience_seconds=0.3), request())
        server.listing = 200
        await ask(params_for(server.url), request())
        assert server.log[-1].body["repetition_penalty"] == 1.1
        server.owner, server.context = "llamacpp", 16384  # another server at the same address
        async with open_client(params_for(server.url)) as client:
            await client.complete(request(1))
            assert await client.context_tokens("fake") == 16384
        assert server.log[-1].body["repeat_penalty"] == 1.1


async def test_a_proxy_is_used_and_loopback_is_direct(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with FakeServer() as server:
        monkeypatch.setenv("http_proxy", server.root)
        [through] = await ask(params_for("http://a-server.invalid/v1"), request())
        assert server.log[-1].host == "a-server.invalid"
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        [direct] = await ask(params_for(server.url), request(1))
    assert through.ok
    assert direct.ok


@pytest.mark.parametrize("size", [1, 80])
async def test_a_body_is_read_to_a_bound(size: int) -> None:
    raw = gzip.compress(b" " * (size * 2**20), 9)
    CANNED["bomb"] = (200, raw, {"Content-Encoding": "gzip"})
    try:
        with FakeServer(faults=lambda body, attempt: "bomb") as server:
            http = Http(20)
            sent = http.exchange("POST", f"{server.url}/chat/completions", b"{}")
            if size == 1:
                assert len((await sent).payload) == 2**20
            else:
                with pytest.raises(Fault, match="more than 64 MB"):
                    await sent
            await http.close()
    finally:
        del CANNED["bomb"]


async def test_a_server_that_speaks_no_tls_is_told_apart_from_one_that_is_not_there() -> None:
    told = pytest.raises(EconError, match=r"no secure connection.*does it speak https")
    with FakeServer() as server, told:
        await ask(params_for(server.url.replace("http:", "https:"), dialect="vllm"), request())


@pytest.mark.parametrize(
    ("header", "seconds"), [("inf", float("inf")), ("nan", None), ("1e400", float("inf")), ("-inf", 0.0),
                            ("Mon, 99 Foo 2026", None)],
)  # fmt: skip
def test_strange_waits_are_read(header: str, seconds: float | None) -> None:
    assert parse_retry_after(header) == seconds


async def test_the_doctor_asks_afresh() -> None:
    from econ.llm.doctor import _model

    with FakeServer() as server:
        params = params_for(server.url)
        async with open_client(params) as client:
            assert (await _model(client, "fake")).ok
        server.faults = lambda body, attempt: "no rights"
        async with open_client(params) as client:
            with pytest.raises(EconError, match="refuses the key"):
                await _model(client, "fake")
