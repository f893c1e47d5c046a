"""What servers say of a refusal, in their many words: status and body -> what comes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from econ.llm.faults import Fault, http_fault, refused_field, refuses_structure, refuses_system
from econ.llm.replies import read_reply
from econ.messages import FILTERED, OVERFLOW

BODY: dict[str, Any] = {
    "model": "m", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
    "temperature": 0.7, "top_p": 0.9, "max_tokens": 10, "seed": 1, "repetition_penalty": 1.1, "top_k": -1,
    "min_p": 0.0, "response_format": {},
}  # fmt: skip


# Meant: for the whole run (ends, refused), for this call alone, or to be tried again.
ROWS = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))


def kind(fault: Fault) -> str:
    """What the client makes of it, in the order in which it looks."""
    field = None if fault.passing else refused_field(fault.detail, BODY)
    told = {
        "ends": fault.ends is not None, "refused": fault.refused, "overflow": fault.reason == OVERFLOW,
        "filter": fault.reason == FILTERED, "system": refuses_system(fault, BODY),
        "structured": refuses_structure(fault, BODY), f"field:{field}": field is not None,
        "retry": fault.retry,
    }  # fmt: skip
    return next((name for name, holds in told.items() if holds), "own")


@pytest.mark.parametrize(("status", "body", "meant"), ROWS)
def test_a_refusal_is_understood(status: int, body: Any, meant: str) -> None:
    fault = http_fault(status, body.encode() if isinstance(body, str) else orjson.dumps(body))
    assert kind(fault) == meant
    assert "\n" not in fault.told


FINISHED: list[tuple[Any, str | None]] = [
    ("stop", "stop"), ({"type": "stop"}, "stop"), ({"reason": "length"}, "length"), (["stop"], "stop"),
    ({"type": "stop", "matched": 2}, "stop"), ([{"type": "stop"}], "stop"), ({}, None), ([], None), (3, None),
    (None, None), ({"type": {"type": "stop"}}, None),
]  # fmt: skip


@pytest.mark.parametrize(("value", "meant"), FINISHED)
def test_why_an_answer_ended_is_read_in_any_form(value: Any, meant: str | None) -> None:
    body = {"choices": [{"message": {"content": "7"}, "finish_reason": value}]}
    assert read_reply(orjson.dumps(body)).finish_reason == meant


BODIES: list[tuple[Any, str | None]] = [  # with status 200: the reason; None: the answer 7
    ({"choices": [{"text": "7"}]}, None),
    ({"choices": [{"message": {"content": "7"}}], "error": None, "code": 200}, None),
    ({"choices": [{"message": {"content": "7"}}], "usage": {"prompt_tokens": "12"}}, None),
    ({"choices": [{"message": {"content": "7"}}], "usage": {"prompt_tokens": [1]}}, None),
    ({"choices": [{"message": {"content": "7"}}], "usage": {"prompt_tokens": 2**63}}, None),
    ({"choices": [{"message": {"content": "7"}}], "usage": 7, "model": {"id": "m"}}, None),
    ({"message": "Not Found", "code": 404}, "http 404"),
    ({"detail": "Service overloaded", "status": 503}, "http 503"),
    ({"object": "error", "message": "The model `x` does not exist", "code": 404}, "http 404"),
    ({"error": {"code": "402"}}, "http 402"),
    ({"error": "Insufficient credits"}, "error in place of an answer"),
    ({"error": ["x"]}, "error in place of an answer"),
    ({"choices": [{"delta": {"content": "7"}}]}, "malformed response"),
    ({"choices": {"0": {"message": {"content": "7"}}}}, "malformed response"),
    ({"choices": [{"message": "7"}]}, "malformed response"),
    ({"choices": [{"message": {"content": [[7]]}}]}, "malformed response"),
    ({"choices": [None]}, "malformed response"),
    ([], "malformed response"),
    (None, "malformed response"),
]


@pytest.mark.parametrize(("body", "reason"), BODIES)
def test_a_body_with_status_200_is_an_answer_or_says_why_it_is_none(body: Any, reason: str | None) -> None:
    if reason is None:
        assert read_reply(orjson.dumps(body)).text == "7"
        return
    with pytest.raises(Fault) as fault:
        read_reply(orjson.dumps(body))
    assert fault.value.reason == reason


@pytest.mark.parametrize(
    "raw", [b"", b"\0", b"{" * 100_000, b"[" * 100_000, b"data: {}", b'{"choices": []}{}', b"\xff\xfe{\0"]
)
def test_no_body_is_more_than_a_fault(raw: bytes) -> None:
    with pytest.raises(Fault, match="malformed response"):
        read_reply(raw)
