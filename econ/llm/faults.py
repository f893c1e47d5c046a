"""What can go wrong with one attempt, and whether asking again can help."""

from __future__ import annotations

import asyncio
import email.utils
import random
import time

import orjson

from econ.messages import OVERFLOW
from econ.records import Json

RETRY_STATUS = frozenset({408, 409, 425, 429})
_jitter = random.Random()  # noqa: S311 - spreads retries; of no effect on results or other generators


class Fault(Exception):
    """One attempt that brought no answer.

    Args:
        reason: short and stable; what a Call's ``error`` says.
        retry: asking again can help.
        after: seconds the server asked us to wait.
        gone: nobody listens at the address.
        limited: the server said that we ask too often.
        refused: the server refuses our key.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry: bool = True,
        after: float | None = None,
        gone: bool = False,
        limited: bool = False,
        refused: bool = False,
        detail: str = "",
    ) -> None:
        self.reason = reason
        self.retry = retry
        self.after = after
        self.gone = gone
        self.limited = limited
        self.refused = refused
        self.detail = detail
        super().__init__(reason)


def http_fault(status: int, payload: bytes, retry_after: str | None) -> Fault:
    """The fault that an HTTP status tells of; a context overflow says so."""
    detail = _message(payload)
    if status in (401, 403):
        return Fault(f"http {status}", retry=False, refused=True, detail=detail)
    if status == 400 and "context" in detail.lower():
        return Fault(OVERFLOW, retry=False, detail=detail)
    retry = status >= 500 or status in RETRY_STATUS
    after = parse_retry_after(retry_after)
    return Fault(f"http {status}", retry=retry, after=after, limited=status == 429, detail=detail)


def _message(payload: bytes) -> str:
    try:
        data: Json = orjson.loads(payload)
        error = data.get("error", data)
        text = error.get("message", error) if isinstance(error, dict) else error
    except (orjson.JSONDecodeError, AttributeError):
        text = payload[:200].decode(errors="replace")
    return " ".join(str(text).split())[:200]


def parse_retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header, given as seconds or as a date; None where it cannot be read."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


async def backoff(tries: int, after: float | None, cap: float = 30.0) -> None:
    """Wait before try ``tries`` + 1: exponential with jitter, and never less than the server asked."""
    wait = min(cap, 0.25 * 2.0 ** min(tries, 10)) * _jitter.uniform(0.5, 1.0)
    await asyncio.sleep(wait if after is None else after + min(wait, 0.25 * (after + 0.2)))
