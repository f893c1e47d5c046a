"""A chat completion's body, read: what the model said, what it took, and who answered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import orjson

from econ.llm.cache.rows import Answer
from econ.llm.faults import Fault, error_fault, is_page, words_of
from econ.messages import EMPTY, read_message
from econ.records import Call, Request

_SAID = ("error", "message", "detail", "code")  # where servers tell a fault in an answer's clothes
MOST_TOKENS = 2**31  # of one call; a server that counts more counts nothing


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered. Token counts are None where it gave none; ``why``: why ``text`` is empty."""

    text: str
    thinking: str
    why: str | None
    finish_reason: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    answered_by: str | None  # the model's name, as the server has it


def read_reply(payload: bytes) -> Reply:
    """The answer in a chat completion's body.

    Raises:
        Fault: truncated, not JSON, without a choice, or an error in an answer's clothes.
    """
    data = decoded(payload)
    if isinstance(data, dict) and not data.get("choices") and any(data.get(name) for name in _SAID):
        raise error_fault(data.get("error") or data)
    try:
        choice = data["choices"][0]
        if choice.get("error"):
            raise error_fault(choice["error"])
        finish = _reason(choice.get("finish_reason"))
        said = read_message(choice.get("message") or {"content": choice["text"]}, finish)
        usage = data.get("usage")
    except (LookupError, TypeError, AttributeError):
        raise Fault("malformed response") from None
    usage = usage if isinstance(usage, dict) else {}
    name = data.get("model")
    return Reply(
        text=said.answer,
        thinking=said.thinking,
        why=said.why,
        finish_reason=finish,
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        answered_by=name if isinstance(name, str) else None,
    )


def decoded(payload: bytes) -> Any:
    """JSON as servers send it: with a byte order mark, bad UTF-8, NaN or half a surrogate pair too.

    Raises:
        Fault: it is none.
    """
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        pass
    try:
        return _whole(json.loads(payload.decode("utf-8-sig", "replace"), strict=False))
    except (ValueError, RecursionError):
        _, words = words_of(payload)
        raise Fault("malformed response", page=is_page(payload), detail=words) from None


def _whole(value: Any) -> Any:
    """Half of a surrogate pair is no character: nothing could write it."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(part) for part in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(part) for key, part in value.items()}
    return value


def _reason(value: Any) -> str | None:
    """Why the answer ended. Some say it in an object, or in a list."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("type") or value.get("reason")
    return value if isinstance(value, str) else None


def _count(value: Any) -> int | None:
    """A number of tokens, as a number or a text; None: none that can be true."""
    try:
        count = int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
    return count if 0 <= count < MOST_TOKENS and not isinstance(value, bool) else None


def call_of(request: Request, answer: Answer | None, error: str | None) -> Call:
    """The call that a request became: answered, or failed with ``error``."""
    if answer is None:
        return Call.of(request, "", 0, 0, error=error)
    return Call.of(
        request,
        answer.text,
        answer.prompt_tokens,
        answer.completion_tokens,
        error=error if answer.text else answer.why or EMPTY,
        finish_reason=answer.finish_reason,
        tokens_estimated=answer.estimated,
        thinking=answer.thinking,
        answered_by=answer.answered_by,
    )
