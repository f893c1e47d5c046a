"""How long a server is waited for, and which of its refusals end the run."""

from __future__ import annotations

import re
import time
from math import isinf

from econ.errors import EconError
from econ.llm.backends.openai import say
from econ.llm.faults import Fault, refused_field, refuses_structure
from econ.params import LLM
from econ.records import Json
from econ.terminal import clock

KEPT = "every answer is kept"
TELL_AFTER, TELL_EVERY = 2.0, 15.0  # seconds of waiting until it is said, and said again
PAGES = 3  # web pages in place of answers, from an address that never gave one
SAME_REFUSALS = 8  # calls that are refused alike before any succeeds: so will all others be


class Failed(Exception):
    """A call that got no answer; ``reason`` goes into its record, ``detail`` is what the server said."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(reason)


class Patience:
    """Of one client with one server. ``closing``: nobody waits for an answer any more."""

    def __init__(self, llm: LLM, where: str, key_variable: str | None) -> None:
        self._llm, self._where, self._key_variable = llm, where, key_variable
        self._alive: float | None = None  # when the server last gave an answer
        self._structured = False  # it gave one to a schema
        self._refusals: dict[str, int] = {}
        self._waiting: float | None = None  # since when nothing but waiting helps
        self._told = 0.0
        self.closing = False

    def arrived(self, body: Json) -> None:
        self._alive, self._waiting = time.monotonic(), None
        self._structured = self._structured or "response_format" in body

    def decide(self, fault: Fault, tries: int, started: float, body: Json | None = None) -> None:
        """Raises if another try makes no sense.

        Raises:
            Failed: for this call.
            EconError: for every call: what the server refuses, or how long it is gone, and the way out.
        """
        body = body or {}
        if self.closing:
            raise Failed(fault.reason, fault.detail)
        self._end_if_permanent(fault, tries, body)
        if fault.after is not None and fault.after > self._llm.patience_seconds:
            raise self._too_long(fault, fault.after)
        self._end_if_out_of_patience(fault, started)
        waited = time.monotonic() - started
        patient = (fault.limited or fault.unavailable) and waited <= self._llm.patience_seconds
        if not fault.retry or (tries > self._llm.max_retries and not patient):
            self._fail(fault, body)
        if fault.gone or fault.unavailable or fault.limited:
            self._tell(fault)

    def _end_if_permanent(self, fault: Fault, tries: int, body: Json) -> None:
        if fault.ends is not None:
            raise EconError(f"{self._where} answers {fault.told}", fault.ends)
        prompt_alone = fault.reason == "http 403" and self._alive is not None
        if fault.refused and not prompt_alone and self._key_variable:
            raise EconError(
                f"{self._where} refuses the key ({fault.told})",
                f"check {self._key_variable} in the environment, and its rights to the model",
            )
        if fault.page and tries >= PAGES and self._alive is None and not fault.unavailable:
            raise EconError(
                f"{self._where} answers with {fault.detail or 'a web page'} ({fault.reason})",
                "llm.base_url is a web site's: most servers want an address that ends in /v1",
            )
        if not fault.passing and refuses_structure(fault, body):
            raise EconError(
                f"{self._where} takes no structured answers ({fault.told})", "set llm.structured: false"
            )
        field = None if fault.passing or fault.page else refused_field(fault.detail, body)
        if field is not None and fault.reason in ("http 400", "http 422", "http 500"):
            raise EconError(f"{self._where} refuses {field} ({fault.told})", _remedy(field, fault.detail))

    def _end_if_out_of_patience(self, fault: Fault, started: float) -> None:
        patience = self._llm.patience_seconds
        since = time.monotonic() - max(self._alive or started, started)
        if since <= patience:
            return
        if fault.gone or fault.unavailable:
            how = "is gone" if fault.gone else "cannot answer"
            raise EconError(
                f"{self._where} {how} for {patience:g} s ({fault.told})", f"start it and run again: {KEPT}"
            )
        if fault.limited and self._alive is None:
            raise EconError(
                f"{self._where} lets no call through for {patience:g} s ({fault.told})",
                f"ask less at once (llm.limits, llm.max_in_flight) or later: {KEPT}",
            )

    def _too_long(self, fault: Fault, seconds: float) -> EconError:
        when = "no time at all" if isinf(seconds) else f"{seconds:.0f} s"
        back = time.time() + min(seconds, 1e9)
        at = "" if isinf(seconds) else f" after {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(back))}"
        return EconError(
            f"{self._where} asks to come back in {when} ({fault.told}), and llm.patience_seconds is "
            f"{self._llm.patience_seconds:g}",
            f"run again{at}: {KEPT}",
        )

    def _fail(self, fault: Fault, body: Json) -> None:
        unstructured = "response_format" in body and not self._structured and self._alive is not None
        if unstructured and fault.reason == "http 500":
            raise EconError(
                f"{self._where} fails whenever a structured answer is asked for ({fault.told})",
                "set llm.structured: false",
            )
        self._refusals[fault.reason] = self._refusals.get(fault.reason, 0) + 1
        if self._alive is None and self._refusals[fault.reason] >= SAME_REFUSALS:
            raise EconError(
                f"{self._where} answers no call ({fault.told}, {SAME_REFUSALS} times)", "`econ doctor` looks"
            )
        raise Failed(fault.reason, fault.detail)

    def _tell(self, fault: Fault) -> None:
        """While there is nothing but to wait: for what, and for how long at most."""
        now = time.monotonic()
        self._waiting = self._waiting or now
        waited = now - self._waiting
        if waited >= TELL_AFTER and now - self._told >= TELL_EVERY:
            self._told = now
            left = max(0.0, self._llm.patience_seconds - waited)
            say(f"waiting for {self._where} ({fault.told}): {clock(left)} left of llm.patience_seconds")


def _remedy(field: str, detail: str) -> str:
    """The params that mend a refused field."""
    other = re.search(r"(?i)(?:use|try|did you mean)\s+['\"`]?(\w+)['\"`]?(?:\s+instead|\?)", detail)
    if other and other[1] != field:
        return f"set llm.fields: {{{field}: {other[1]}}}"
    if field == "response_format":
        return "set llm.structured: false"
    if field in ("max_tokens", "max_completion_tokens"):
        swapped = "max_completion_tokens" if field == "max_tokens" else "max_tokens"
        return f"set llm.fields: {{{field}: {swapped}}}, or lower the caps in llm.max_tokens"
    steered = {"temperature": "action.temperature", "top_p": "action.fixed_top_p or action.top_p"}
    values = f", or {steered[field]} to what it takes" if field in steered else ""
    return f"set llm.fields: {{{field}: null}}, which leaves it out{values}"
