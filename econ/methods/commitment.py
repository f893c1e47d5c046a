"""The coordinator's commitment: asked for as JSON, read back even when cut, graded by its final answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import orjson
import pydantic_core

from econ import prompts
from econ.methods.base import Session
from econ.records import Call

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


@dataclass(frozen=True, slots=True)
class Commitment:
    """C, as read. ``text`` is what is graded: "Final answer: X", a plan's JSON, or the raw text if no JSON.

    ``error`` says why there is no answer to grade; the commitment is then INVALID.
    """

    raw: str
    text: str
    meaning: str  # what is embedded and compared: reasoning and final answer, without JSON's keys
    confidence: float | None
    error: str | None
    valid: bool = False  # the whole reply is JSON of the form that was asked for; others are read leniently

    @property
    def ok(self) -> bool:
        return self.error is None


async def commit(session: Session, answers: Sequence[str | None], round: int) -> Commitment:
    """C from the executors' answers (None: the executor gave none; it is shown as absent).

    One coordinator reads all, or local ones at most ``team.local_size`` each and a central one what they say.
    """
    team = session.params.team
    if team.coordination == "hierarchical" and len(answers) > team.local_size:
        groups = _groups(answers, team.local_size)
        local = await asyncio.gather(*(_ask(session, g, round, j + 1) for j, g in enumerate(groups)))
        answers = [commitment.meaning if commitment.ok else None for commitment in local]
    return await _ask(session, answers, round, 0)


def read(call: Call, kind: prompts.Kind) -> Commitment:
    """The commitment in a coordinator's answer; JSON cut at its end is read as far as it goes."""
    if not call.ok:
        return Commitment("", "", "", None, call.error)
    return _read(call.text, kind)


@lru_cache(maxsize=256)  # teams repeat themselves
def _read(text: str, kind: prompts.Kind) -> Commitment:
    raw = text.strip()
    found = json_object(raw)
    if found is None:
        return Commitment(raw, raw, raw, None, None if raw else "empty commitment")
    answer, confidence = found.get("final_answer"), found.get("confidence")
    if answer is None:
        return Commitment(raw, raw, raw, None, "commitment without a final answer")
    graded = as_text(answer, kind)
    meaning = f"{found.get('reasoning') or ''}\n{graded}".strip()
    if not (isinstance(confidence, int | float) and 0 <= confidence <= 1):
        confidence = None
    return Commitment(raw, graded, meaning, confidence, None, _form(kind).is_valid(_whole(raw)))


@cache
def _form(kind: prompts.Kind) -> Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(prompts.commitment_schema(kind))


def _whole(raw: str) -> Any:
    """The reply, where all of it is JSON; else None."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None


def as_text(answer: Any, kind: str) -> str:
    """A final answer out of JSON as a text that graders read in its explicit form."""
    if kind == "plan":
        return answer if isinstance(answer, str) else orjson.dumps(answer).decode()
    text = answer.strip() if isinstance(answer, str) else orjson.dumps(answer).decode()
    if kind == "math" and "\\boxed" not in text:
        text = f"\\boxed{{{text}}}"
    return f"Final answer: {text}"


def json_object(text: str) -> dict[str, Any] | None:
    """The first JSON object in ``text``; an incomplete last value is dropped, never guessed."""
    start = text.find("{")
    if start < 0:
        return None
    end = text.rfind("}") + 1
    for candidate in dict.fromkeys([text[start:end] if end > start else text[start:], text[start:]]):
        try:
            found = pydantic_core.from_json(candidate, allow_partial=True)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    return None


async def _ask(session: Session, answers: Sequence[str | None], round: int, agent: int) -> Commitment:
    llm, kind = session.params.llm, session.kind
    tokens = llm.commitment_tokens(kind)
    call = await session.ask(
        "coordinator",
        prompts.commitment(session.prompt, kind, [answer or "" for answer in answers], tokens),
        agent=agent,
        round=round,
        temperature=session.params.team.commitment_temperature,
        max_tokens=tokens,
        schema=prompts.commitment_schema(kind) if llm.structured else None,
    )
    return read(call, kind)


def _groups(answers: Sequence[str | None], size: int) -> list[Sequence[str | None]]:
    """As few groups of at most ``size`` as possible, of nearly equal sizes: 9 -> 3 + 3 + 3, 5 -> 2 + 3."""
    count = -(-len(answers) // size)
    bounds = [round(i * len(answers) / count) for i in range(count + 1)]
    return [answers[a:b] for a, b in pairwise(bounds)]
