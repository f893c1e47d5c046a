"""rStar's discriminator (Qi et al. 2024): a second look at solution traces, with no look at the gold.

The model, here the one that generated them, completes the beginning of each trace; a trace whose answer it
does not come to is dropped. The authors' code asks the gold answer twice at this place, to skip questions
without a right candidate and to fall back where no kept trace is right. Nothing here can.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from econ import grading, prompts
from econ.methods.search.base import Question, SearchSettings, Table
from econ.params.base import Count, Share, Temperature
from econ.records import Json

UNANIMOUS = 0.999  # share of the traces from which one answer needs no discriminator


class SecondLook(SearchSettings):
    """What the discriminator is set by."""

    exemplars: Annotated[int, Field(ge=0, le=4)] = 2
    verify_share: Share = 0.3  # of max_calls and max_tokens, kept for the discriminator
    verify_temperature: Temperature = 1.0
    verify_cuts: tuple[Share, ...] = (0.2, 0.3, 0.4, 0.5)  # shares of a trace's words that it completes
    verify_agree: Count = 2  # completions that must reach the trace's answer


@dataclass(frozen=True, slots=True)
class Candidate:
    """A solution trace, and the discriminator's view of it."""

    id: int  # of the tree's node where it was first found
    trace: str
    answer: str  # in normal form
    count: int  # times that this very trace was found
    reached: int = 0  # completions that came to its answer
    kept: bool = True


async def discriminate(
    table: Table, found: Sequence[Candidate], params: SecondLook, round: int
) -> list[Candidate]:
    """Complete each trace from several early cuts; keep it if enough completions reach its answer.

    A trace that no longer fitted below the bounds has no completion and is not kept.
    """
    tokens = table.session.params.llm.answer_tokens(table.kind)
    texts = await table.ask(
        [
            Question(
                "discriminator",
                prompts.rstar_solution(
                    table.prompt, table.kind, beginning(one.trace, share), params.exemplars, tokens
                ),
                params.verify_temperature, tokens, round=round, agent=one.id, sample=k,
            )
            for one in found
            for k, share in enumerate(params.verify_cuts)
        ]
    )  # fmt: skip
    return await asyncio.to_thread(_judged, table.kind, found, texts, params)


def _judged(
    kind: str, found: Sequence[Candidate], texts: Sequence[str | None], params: SecondLook
) -> list[Candidate]:
    cuts = len(params.verify_cuts)
    judged = []
    for place, one in enumerate(found):
        answers = [grading.extract(kind, text) for text in texts[place * cuts : (place + 1) * cuts]]
        reached = sum(a is not None and grading.equivalent(kind, one.answer, a) for a in answers)
        judged.append(replace(one, reached=reached, kept=reached >= params.verify_agree))
    return judged


def beginning(trace: str, share: float) -> str:
    """The first ``share`` of a trace's words, at least one, with the white space between them."""
    ends = [match.end() for match in re.finditer(r"\S+", trace)]
    return trace[: ends[max(1, int(share * len(ends))) - 1]]


def unanimous(kind: str, found: Sequence[Candidate]) -> bool:
    """Nothing to discriminate: there is no trace, or (nearly) all give one answer."""
    groups = grading.grouped(kind, [one.answer for one in found])
    total = sum(one.count for one in found)
    return not found or any(sum(found[i].count for i in group) / total > UNANIMOUS for group in groups)


def scores(judged: Sequence[Candidate], groups: Sequence[Sequence[int]]) -> list[float]:
    """Of each group of equal answers: its share of the kept traces plus the kept share of its own.

    With no trace kept at all: its share of all traces.
    """
    before = [sum(judged[i].count for i in group) for group in groups]
    after = [sum(judged[i].count for i in group if judged[i].kept) for group in groups]
    if not any(after):
        return [count / sum(before) for count in before]
    return [kept / sum(after) + kept / count for kept, count in zip(after, before, strict=True)]


def judgement(one: Candidate) -> Json:
    """For the trace of the run."""
    return {
        "id": one.id,
        "count": one.count,
        "answer": one.answer,
        "reached": one.reached,
        "kept": one.kept,
    }
