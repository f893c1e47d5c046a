"""The coordinator's commitment: asked for as JSON, read back even when cut, graded by its final answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import orjson

from econ import grading, prompts
from econ.errors import EconError
from econ.grading import objects
from econ.grading.forms import final_form
from econ.methods.base import Session
from econ.records import Call, Request, stable_seed

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


NO_ANSWER = "commitment without a final answer"


@dataclass(frozen=True, slots=True)
class Commitment:
    """C, as read. ``text`` is what is graded: "Final answer: X", a plan's JSON, or the reply if it holds no
    JSON.

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

    One coordinator reads all, or local ones at most ``team.local_size`` each and a central one what they say;
    by vote, nobody is asked.
    """
    team = session.params.team
    if team.commitment == "vote":
        return voted(tuple(answers), session.kind)
    if team.commitment == "cached":
        if not isinstance(session.client, Represents):
            raise EconError("team.commitment: cached is played from a bank", "set llm.backend: bank")
        same = session.client.representative
        shown = [None if answer is None else same(session.problem_id, answer) for answer in answers]
        return await committed(session, shown, round)
    if team.coordination == "hierarchical" and len(answers) > team.local_size:
        groups = _groups(answers, team.local_size)
        local = await asyncio.gather(*(_ask(session, g, round, j + 1) for j, g in enumerate(groups)))
        answers = [commitment.meaning if commitment.ok else None for commitment in local]
    return await _ask(session, answers, round, 0)


@lru_cache(maxsize=4096)  # teams repeat themselves
def voted(answers: tuple[str | None, ...], kind: str) -> Commitment:
    """The answer of the largest group of equivalent ones, ties to the earliest; confidence: its share."""
    winner, equal = elect([None if a is None else grading.extract(kind, a) for a in answers], kind)
    return elected(None if winner is None else answers[winner], equal / len(answers))


def elect(given: Sequence[str | None], kind: str) -> tuple[int | None, int]:
    """Whose answer, in normal form, the vote chooses (None: nobody's), and how many gave an equal one."""
    winner = grading.majority(kind, given)
    mine = None if winner is None else given[winner]
    if mine is None:
        return None, 0
    return winner, sum(one is not None and grading.equivalent(kind, mine, one) for one in given)


def elected(text: str | None, share: float) -> Commitment:
    """The commitment to the answer that a vote chose, which so large a share of the team gave."""
    if text is None:
        return Commitment("", "", "", None, "no readable answer to vote on")
    return Commitment(text, text, text, share, None, valid=True)


def read(call: Call, kind: prompts.Kind) -> Commitment:
    """The commitment in a coordinator's answer; JSON cut at its end is read as far as it goes."""
    if not call.ok:
        return Commitment("", "", "", None, call.error)
    return read_text(call.text, kind)


@lru_cache(maxsize=256)  # teams repeat themselves
def read_text(text: str, kind: prompts.Kind) -> Commitment:
    """The commitment in what a coordinator said."""
    raw = text.strip()
    found = objects.find(raw, "final_answer")
    if found is None:
        return _without(raw)
    answer, confidence = found["final_answer"], found.get("confidence")
    if answer is None:
        return Commitment(raw, raw, raw, None, NO_ANSWER)
    graded = as_text(answer, kind)
    meaning = f"{found.get('reasoning') or ''}\n{graded}".strip()
    confident = float(confidence) if isinstance(confidence, int | Decimal) and 0 <= confidence <= 1 else None
    return Commitment(raw, graded, meaning, confident, None, _form(kind).is_valid(_whole(raw)))


def _without(raw: str) -> Commitment:
    """A commitment that holds no such object: its text is read, but nothing out of an object in it."""
    around = objects.outside(raw)
    if around is not None and final_form(around) is None:
        return Commitment(raw, raw, raw, None, NO_ANSWER)
    text = raw if around is None else around.strip()
    return Commitment(raw, text, text, None, None if text else "empty commitment")


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
        return answer if isinstance(answer, str) else _dumped(answer)
    text = _value(answer, kind)
    if kind == "math" and final_form(text) is None:
        text = f"\\boxed{{{text}}}"
    return f"Final answer: {text}"


def _value(answer: Any, kind: str) -> str:
    """What a final answer says: a value of its own, one that stands alone in a list, or under its name."""
    if isinstance(answer, dict):
        answer = next((answer[name] for name in ("value", "answer", "result") if name in answer), answer)
    if isinstance(answer, list) and answer and (len(answer) == 1 or kind == "math"):
        return ", ".join(_value(part, kind) for part in answer)
    return str(answer).strip() if isinstance(answer, str | Decimal) else _dumped(answer)


def _dumped(answer: Any) -> str:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"), default=str)


@runtime_checkable
class Represents(Protocol):
    """A client that knows which recorded answers say the same."""

    def representative(self, problem_id: str, text: str) -> str | None:
        """The text that stands for all answers that are equal to this one; None: it cannot be read."""
        ...


async def committed(session: Session, shown: Sequence[str | None], round: int = 0) -> Commitment:
    """C of the coordinator's model from texts that stand for the answers: the same request in every run."""
    return await _ask(session, shown, round, 0, _seed(session))


def committed_by(session: Session, shown: Sequence[str | None]) -> Request:
    """What :func:`committed` asks."""
    return session.request("coordinator", **_asked(session, shown, 0, 0, _seed(session)))


def _seed(session: Session) -> int:
    return stable_seed("commitment", session.problem_id)


async def _ask(
    session: Session, answers: Sequence[str | None], round: int, agent: int, seed: int | None = None
) -> Commitment:
    call = await session.ask("coordinator", **_asked(session, answers, round, agent, seed))
    return read(call, session.kind)


def _asked(
    session: Session, answers: Sequence[str | None], round: int, agent: int, seed: int | None
) -> dict[str, Any]:
    """The question to the coordinator, as a session takes it."""
    llm, kind = session.params.llm, session.kind
    tokens = llm.commitment_tokens(kind)
    return {
        "messages": prompts.commitment(session.prompt, kind, [answer or "" for answer in answers], tokens),
        "agent": agent,
        "round": round,
        "temperature": session.params.team.commitment_temperature,
        "max_tokens": tokens,
        "schema": prompts.commitment_schema(kind) if llm.structured else None,
        "seed": seed,
    }


def _groups(answers: Sequence[str | None], size: int) -> list[Sequence[str | None]]:
    """As few groups of at most ``size`` as possible, of nearly equal sizes: 9 -> 3 + 3 + 3, 5 -> 2 + 3."""
    count = -(-len(answers) // size)
    bounds = [round(i * len(answers) / count) for i in range(count + 1)]
    return [answers[a:b] for a, b in pairwise(bounds)]
