"""What can go wrong with one attempt, and whether asking again can help: in the many words of servers."""

from __future__ import annotations

import asyncio
import email.utils
import random
import re
import time
from collections.abc import Mapping
from typing import Any

import orjson

from econ.messages import FILTERED, OVERFLOW
from econ.records import Json

RETRY_STATUS = frozenset({408, 409, 425, 429})
UNAVAILABLE = frozenset({502, 503, 504, 520, 521, 522, 523, 524, 529})  # a server that starts, or is too busy
WORDS = 300  # characters of what a server says that are shown
_jitter = random.Random()  # noqa: S311 - spreads retries; of no effect on results or other generators

_QUOTA = re.compile(
    r"insufficient[ _](?:quota|balance|funds|credit)|billing[ _]|exceeded your current quota|out of credit"
    r"|payment required|requires more credits|credit balance|no credits|arrearage|add \d+ credits"
    r"|(?:spend(?:ing)?|usage|credit) limit|account is (?:not active|suspended|disabled)"
    r"|out of (?:funds|money)"
)
_FILTER = re.compile(
    r"content[ _-]?(?:filter|management policy|policy)|moderat|flagged|safety (?:system|policy|filter)"
    r"|content exists risk|inappropriate content|data_inspection|prohibited_content|guardrail"
    r"|blocked (?:by|due)"
)
_NO_MODEL = re.compile(
    r"model[ _]not[ _]found|model\b.{0,80}\b(?:does not exist|not found|not (?:be )?(?:available|served))"
    r"|unknown model|invalid model|no such model|not a valid model|model_not_(?:supported|available)"
    r"|no endpoints found|unable to access (?:non-serverless )?model"
    r"|(?<!this )\bmodel\s+\S+\s+is not supported"
)
_LONG = re.compile(
    r"context.{0,20}(?:length|size|window|limit|overflow)|(?:length|size) of the context|n_ctx"
    r"|(?:prompt|input|request|inputs?`?|messages?).{0,60}(?:too (?:long|large|many tokens)|exceed)"
    r"|exceeds?.{0,60}(?:context|token (?:limit|count)|max(?:imum)?.{0,20}tokens)"
    r"|reduce (?:the length|your prompt)"
    r"|input tokens? (?:count )?exceed|(?:inputs?`?|prompt).{0,30}must (?:have|be) (?:less|fewer|at most|<)"
    r"|maximum (?:number of )?(?:input|prompt|context|sequence).{0,10}(?:tokens|length)|longer than the"
    r"|inputs?`? tokens \+|range of input length|tokens in request|string_above_max_length"
)
_KEY = re.compile(
    r"(?:api|access)[ _-]?key.{0,20}(?:not valid|invalid)|(?:invalid|incorrect).{0,10}api[ _-]?key"
)
_OWN_CAP = re.compile(r"max_(?:completion_|new_|output_)?tokens")
_WEB_PAGE = re.compile(rb"\s*(?:<!doctype html|<html|<head|<body|<\?xml)", re.IGNORECASE)
_TITLE = re.compile(r"<(?:title|h1)[^>]*>(.*?)</", re.IGNORECASE | re.DOTALL)

TOP_UP = "top up or raise the limit there, then run the same command again: every answer is kept"
NOT_THERE = "is llm.base_url right (most end in /v1), and is the model served there under that name?"


class Fault(Exception):
    """One attempt that brought no answer.

    Args:
        reason: short and stable; what a Call's ``error`` says.
        retry: asking again can help.
        after: seconds the server asked us to wait.
        gone: nobody listens at the address.
        unavailable: the server is there, and cannot answer for now.
        limited: the server said that we ask too often.
        refused: the server refuses our key.
        ends: no call of the run can succeed; what the user can do about it.
        page: a web page came in place of an answer.
        detail: the server's own words.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry: bool = True,
        after: float | None = None,
        gone: bool = False,
        unavailable: bool = False,
        limited: bool = False,
        refused: bool = False,
        ends: str | None = None,
        page: bool = False,
        detail: str = "",
    ) -> None:
        self.reason = reason
        self.retry = retry
        self.after = after
        self.gone = gone
        self.unavailable = unavailable
        self.limited = limited
        self.refused = refused
        self.ends = ends
        self.page = page
        self.detail = detail
        super().__init__(reason)

    @property
    def passing(self) -> bool:
        """A state of the server, not an answer of it."""
        return self.gone or self.unavailable or self.limited or self.refused or self.ends is not None

    @property
    def told(self) -> str:
        """The reason, with the server's own words."""
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


def http_fault(status: int, payload: bytes, retry_after: str | None = None) -> Fault:
    """The fault that an HTTP status and the words with it tell of."""
    code, detail = words_of(payload)
    said = f"{code} {detail}".lower()
    reason = f"http {status}"
    if status == 451 or (status in (400, 403, 422) and _FILTER.search(said)):
        return Fault(FILTERED, retry=False, detail=detail)
    if status == 401 or (status == 400 and _KEY.search(said)):
        return Fault(reason, retry=False, refused=True, detail=detail)
    if status == 403 and not _QUOTA.search(said):
        return Fault(reason, retry=False, refused=True, detail=detail)
    if status == 402 or (status < 500 and _QUOTA.search(said)):
        return Fault(reason, retry=False, ends=TOP_UP, detail=detail)
    if _overflows(status, said):
        return Fault(OVERFLOW, retry=False, detail=detail)
    if status in (404, 405, 410) or (status in (400, 422) and _NO_MODEL.search(said)):
        return Fault(reason, retry=False, ends=NOT_THERE, detail=detail)
    return Fault(
        reason,
        retry=status >= 500 or status in RETRY_STATUS,
        after=parse_retry_after(retry_after),
        unavailable=status in UNAVAILABLE,
        limited=status == 429,
        page=is_page(payload),
        detail=detail,
    )


def _overflows(status: int, said: str) -> bool:
    if status == 413:
        return True
    if status not in (400, 422, 500) or not _LONG.search(said):
        return False
    own = "context" in said or "inputs` tokens" in said
    return own or not _OWN_CAP.search(said)  # "max_tokens is too large" is no prompt's fault


def error_fault(error: Any) -> Fault:
    """The fault that an ``error`` in a body with status 200 tells of."""
    payload = orjson.dumps({"error": error}, default=str)
    code = error.get("code", error.get("status")) if isinstance(error, dict) else None
    if isinstance(code, str) and code.isdigit():
        code = int(code)
    if isinstance(code, int) and 400 <= code < 600:
        return http_fault(code, payload)
    fault = http_fault(400, payload)
    if fault.reason != "http 400":
        return fault
    final = fault.ends is not None or fault.refused
    return Fault(
        "error in place of an answer", retry=not final, refused=fault.refused, ends=fault.ends,
        detail=fault.detail,
    )  # fmt: skip


def is_page(payload: bytes) -> bool:
    return _WEB_PAGE.match(payload) is not None


def words_of(payload: bytes) -> tuple[str, str]:
    """A server's error code (empty: none) and message, on one line without control characters."""
    code, text = "", payload[:4000].decode(errors="replace")
    if is_page(payload):
        title = _TITLE.search(text)
        return "", plain(f"a web page, '{title[1]}'" if title else "a web page")
    try:
        data = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return "", plain(text)
    error = data.get("error") or data if isinstance(data, dict) else data
    if isinstance(error, dict):
        code = " ".join(str(error[name]) for name in ("code", "type") if isinstance(error.get(name), str))
        text = _message(error)
    else:
        text = str(error)
    return code, plain(text)


def _message(error: Mapping[str, Any]) -> str:
    """The sentence in an error object; FastAPI's list of what is wrong with which field."""
    found = next((error[name] for name in ("message", "detail", "msg", "error") if error.get(name)), error)
    if isinstance(found, list):
        parts = [part for part in found if isinstance(part, dict)]
        if parts:
            return "; ".join(f"{'.'.join(map(str, p.get('loc', ())))}: {p.get('msg', p)}" for p in parts)
    return _message(found) if isinstance(found, dict) and found is not error else str(found)


def plain(text: str) -> str:
    """One line, without control characters, of bounded length."""
    line = " ".join(text.split())
    line = "".join(c if c.isprintable() else "�" for c in line)
    return line if len(line) <= WORDS else f"{line[:WORDS]}…"


def parse_retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header, given as seconds or as a date; None where it cannot be read."""
    if value is None:
        return None
    try:
        seconds = float(value)
        return None if seconds != seconds else max(0.0, seconds)
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


async def backoff(tries: int, after: float | None, cap: float = 30.0) -> None:
    """Wait before try ``tries`` + 1: exponential with jitter, and never less than the server asked."""
    wait = min(cap, 0.25 * 2.0 ** min(tries, 10)) * _jitter.uniform(0.5, 1.0)
    await asyncio.sleep(wait if after is None else after + min(wait, 0.25 * (after + 0.2)))


def refused_field(detail: str, body: Json) -> str | None:
    """The field of a request that a server's words refuse; None: they name none."""
    if not _REFUSES.search(detail):
        return None
    names = [name for name in body if name not in ("model", "messages")]
    return next((name for name in names if re.search(rf"(?<![\w]){name}(?![\w])", detail)), None)


_REFUSES = re.compile(
    r"(?i)support|permit|allow|unknown|unrecogni[sz]ed|unexpected|extra|invalid|must|cannot|can't|both|deprecat"
    r"|should|range|greater|less|only|not a valid|reject|unable"
)
_STRUCTURED = re.compile(
    r"(?i)response_?format|json_?(?:schema|object|mode)|structured|grammar|guided|schema"
)
_SYSTEM = re.compile(
    r"(?i)system.{0,20}(?:role|message|prompt|instruction)|role.{0,20}['\"`]?system"
    r"|only user and assistant|roles must alternate|developer instruction"
    r"|(?:role|be one of|should be).{0,20}user['\"`]?,? (?:or|and)?\s?['\"`]?assistant"
)


def refuses_structure(fault: Fault, body: Json) -> bool:
    return "response_format" in body and _STRUCTURED.search(fault.detail) is not None


def refuses_system(fault: Fault, body: Json) -> bool:
    """Does the server refuse the system message that the request has?"""
    has_one = any(message["role"] == "system" for message in body["messages"])
    return has_one and not fault.passing and _SYSTEM.search(fault.detail) is not None
