"""What is kept of an answer and of a fact, as rows: the same bytes in every store."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import orjson

from econ.errors import EconError
from econ.llm.cache import sums
from econ.messages import read_text
from econ.records import Json, Tokens

COLUMNS = (
    "key", "provider", "model", "payer", "run", "created", "finish_reason", "prompt_tokens",
    "completion_tokens", "estimated", "usd", "thinking", "why", "answered_by",
)  # fmt: skip
ADDED = ("thinking", "why", "answered_by")  # columns that older caches and exports lack
TABLES = {  # columns in the order of a row; the first is the key
    "answers": (*COLUMNS, "text"),  # the text holds the checksum of it all
    "facts": ("key", "kind", "value"),
    "fact_sums": ("key", "sum"),
    "spent": ("run", "calls", "tokens", "usd"),
    "reserved": ("id", "owner", "run", "tokens", "usd"),
}
ANSWER = f"SELECT {', '.join(TABLES['answers'])} FROM answers"  # noqa: S608
FACT = "SELECT f.key, f.kind, f.value, s.sum FROM facts f LEFT JOIN fact_sums s ON s.key = f.key"
KEYS = {ANSWER: "key", FACT: "f.key"}  # of what each selects


@dataclass(frozen=True, slots=True)
class Answer:
    """A paid answer. ``payer`` names the call that paid, the same in every run; ``usd`` None: no price;
    ``why`` says why ``text`` is empty."""

    text: str
    finish_reason: str | None
    prompt_tokens: int
    completion_tokens: int
    estimated: bool
    payer: str
    provider: str
    model: str
    usd: float | None = None
    thinking: str = ""
    why: str | None = None
    answered_by: str | None = None

    @property
    def tokens(self) -> Tokens:
        return Tokens(self.prompt_tokens, self.completion_tokens)


def digest(request: Json) -> bytes:
    """The address of a request: SHA-256 of its canonical JSON."""
    return hashlib.sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS)).digest()


def fact_key(*parts: object) -> bytes:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()


def run_name() -> str:
    """The run that budgets are counted for. A project's jobs are one run unless ECON_RUN names others."""
    return os.environ.get("ECON_RUN", "default")


def missing(what: str) -> EconError:
    """What --offline says of a thing that the cache does not hold."""
    return EconError(f"--offline: the cache lacks {what}", "run without --offline, or `econ cache import` it")


def row_of(key: bytes, answer: Answer, run: str, now: int) -> list[Any]:
    """A row of answers in the order of :data:`TABLES`."""
    usd = None if answer.usd is None else float(answer.usd)
    values = [
        key, answer.provider, answer.model, answer.payer, run, now, answer.finish_reason,
        answer.prompt_tokens, answer.completion_tokens, int(answer.estimated), usd,
        sums.packed(answer.thinking), answer.why, answer.answered_by,
    ]  # fmt: skip
    return [*values, sums.sealed(answer.text, values)]


def answer_of(row: Sequence[Any]) -> Answer:
    """The answer in a row of :data:`ANSWER`; raises :class:`~econ.llm.cache.sums.Damaged`."""
    *others, blob = row
    text, stated = sums.opened(blob or b"", others), dict(zip(COLUMNS, others, strict=True))
    told = {"thinking": sums.unpacked(stated["thinking"]), "why": stated["why"]}
    if stated["thinking"] is None:  # an earlier version's: as it came
        text, told["thinking"], told["why"] = astuple(read_text(text))
    names = ("finish_reason", "prompt_tokens", "completion_tokens", "payer", "provider", "model", "usd")
    kept = {name: stated[name] for name in (*names, "answered_by")}
    return Answer(text=text, estimated=bool(stated["estimated"]), **kept, **told)


def fact_of(row: Sequence[Any]) -> bytes:
    """The value in a row of :data:`FACT`; raises :class:`~econ.llm.cache.sums.Damaged`."""
    key, kind, value, known = row
    if not isinstance(value, bytes) or known not in (None, sums.of_fact(key, kind, value)):
        raise sums.Damaged("its checksum is another")
    return value
