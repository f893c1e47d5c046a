"""One model, many samples: self-consistency votes over them, best-of-N lets the coordinator pick one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Literal

from econ import grading, prompts
from econ.grading import objects
from econ.methods.base import InPaper, Method, Session, Solution, answers_of, why_none
from econ.methods.one_call import Prompt
from econ.params.base import Count, Section, Temperature
from econ.records import Call, Json


class SelfConsistencySettings(Section):
    k: Count = 8  # samples; every smaller number is known from the first of the same
    temperature: Temperature = 0.7
    prompt: Literal["zero-shot", "few-shot"] = "zero-shot"


class BestOfNSettings(Section):
    temperature: Temperature = 0.7


class SelfConsistency(Method):
    """Wang et al. 2023: the majority of k samples of one prompt.

    The vote over the first 1, 2, … k of these samples is recorded as well, so every smaller k is known at no
    further call.
    """

    name, look = "self-consistency", ("#999933", ">")
    paper = InPaper(accuracy="SC@maj64", tokens="Self Consistency (64 rounds)")
    Settings = SelfConsistencySettings

    def __init__(self, settings: SelfConsistencySettings) -> None:
        self.k, self.temperature = settings.k, settings.temperature
        self.prompt: Prompt = prompts.few_shot if settings.prompt == "few-shot" else prompts.cot

    async def solve(self, session: Session) -> Solution:
        calls = await draw(session, self.prompt, self.k, self.temperature)
        step, winners = await asyncio.to_thread(_count, session.kind, calls)
        firsts = tuple(None if winner is None else calls[winner].text for winner in winners)
        return Solution(
            firsts[-1] or "",
            rounds=1,
            stop="majority",
            steps=(step,),
            error=why_none(calls) if winners[-1] is None else None,
            firsts=firsts,
            unit="sample",
        )


class BestOfN(Method):
    """As many samples as the team has executors; the coordinator reads them and names the best one.

    The samples are self-consistency's first ones, so that the two differ in who chooses alone. Where fewer
    than two calls gave an answer nothing is asked; a choice that names no sample with an answer, or failed,
    leaves it to the majority. ``stop`` says which it was.
    """

    name, look = "best-of-n", ("#CC79A7", "X")
    Settings = BestOfNSettings

    def __init__(self, settings: BestOfNSettings) -> None:
        self.temperature = settings.temperature

    async def solve(self, session: Session) -> Solution:
        calls = await draw(session, prompts.cot, session.n_agents, self.temperature)
        step, winners = await asyncio.to_thread(_count, session.kind, calls)
        picked, stop = winners[-1], "majority: nothing to choose from"
        if sum(call.ok for call in calls) > 1:
            choice = await self._choose(session, calls)
            picked, stop = (choice, "chosen") if choice is not None else (picked, "majority: no valid choice")
        return Solution(
            "" if picked is None else calls[picked].text,
            rounds=1,
            stop=stop,
            steps=({**step, "picked": picked},),
            error=why_none(calls) if picked is None else None,
        )

    async def _choose(self, session: Session, calls: Sequence[Call]) -> int | None:
        """The index of the sample that the coordinator names; None: it named none that has an answer."""
        llm = session.params.llm
        call = await session.ask(
            "selector",
            prompts.selection(session.prompt, [call.text for call in calls]),
            temperature=0.0,
            max_tokens=llm.max_tokens.commitment,
            model=llm.coordinator,
            schema=prompts.selection_schema(len(calls)) if llm.structured else None,
        )
        choice = (objects.find(call.text, "choice") or {}).get("choice")
        named = int(choice) if isinstance(choice, str) and re.fullmatch("[0-9]{1,3}", choice) else choice
        if isinstance(named, bool) or not isinstance(named, int) or not 1 <= named <= len(calls):
            return None
        return named - 1 if calls[named - 1].ok else None


async def draw(session: Session, prompt: Prompt, count: int, temperature: float) -> Sequence[Call]:
    """``count`` samples of one prompt, all in flight together, in sample order."""
    tokens = session.params.llm.answer_tokens(session.kind)
    messages = prompt(session.prompt, session.kind, tokens)
    asked = (
        session.ask("solver", messages, sample=sample, temperature=temperature, max_tokens=tokens)
        for sample in range(count)
    )
    return await asyncio.gather(*asked)


def _count(kind: str, calls: Sequence[Call]) -> tuple[Json, list[int | None]]:
    """The samples' answers and tokens, and who wins the vote over the first 1, 2, … of them."""
    answers = answers_of(kind, calls)
    step: Json = {
        "round": 0,
        "answers": answers,
        "prompt_tokens": [call.prompt_tokens for call in calls],
        "completion_tokens": [call.completion_tokens for call in calls],
    }
    return step, grading.majorities(kind, answers)
