"""TravelPlanner's ReAct and Reflexion (Xie et al. 2024, sole-planning): think, ask for a cost, finish."""

from __future__ import annotations

import re
from dataclasses import dataclass

from econ import prompts
from econ.grading import objects
from econ.grading.travelplanner import Enquiry, enquire, from_reference
from econ.methods.base import Method, Session, Solution
from econ.methods.chat import Chat
from econ.params.base import Count, Positive, Section
from econ.records import Json, Message

_LABEL = re.compile(r"^[^\w\n]*Action\b[^:\n]*:", re.IGNORECASE | re.MULTILINE)
_ACTION = re.compile(r"\b(CostEnquiry|Finish)\s*\[")
_MADE_UP = re.compile(r"^[^\w\n]*Observation\b", re.IGNORECASE | re.MULTILINE)
_BRACKET = re.compile(r'"(?:[^"\\\n]|\\.)*"|[\[\]]')


class ReActSettings(Section):
    """A step is a thought and an action."""

    steps: Count = 4  # at most; the benchmark: 30
    step_tokens: Positive = 2048  # cap of a step, the one that hands in the plan included


class ReflexionSettings(ReActSettings):
    failures: Count = 3  # steps in a row that brought no cost, after which the agent reflects


class ReAct(Method):
    """One executor, one conversation: a thought and an action a step, then what the action brought.

    The cost of a day, by the tables that the prompt shows, is all that it ever hears: no constraint is
    checked, no plan judged. As in the benchmark's code, Reflexion adds a reflection after ``failures`` steps
    in a row without a cost, and the failed steps stay in view. Without Finish there is no plan (INVALID).
    Other than there, a step is one call instead of two, and the plan is asked for as JSON.
    """

    name, look = "react", ("#AA4499", "1")
    Settings = ReActSettings
    domain = "plans"
    failures: int | None = None  # None: never reflect

    def __init__(self, settings: ReActSettings) -> None:
        self.steps, self.step_tokens = settings.steps, settings.step_tokens

    async def solve(self, session: Session) -> Solution:
        run = _Run(session, self.step_tokens)
        told, failed = prompts.react(session.prompt, self.steps), 0
        for number in range(self.steps):
            step = await run.say(told, number)
            if step is None:
                return run.without_plan()
            if step.action == "Finish":
                return run.finished(step)
            found = run.look_up(step)
            failed = failed + 1 if found is None or found.dollars is None else 0
            reflects = failed == self.failures and number + 1 < self.steps
            told = prompts.react_observation(
                dollars=found.dollars if found else None,
                unknown=found.unknown if found else (),
                action=step.action is not None,
                reflect=failed if reflects else 0,
            )
            if reflects:
                if await run.reflect(told, number) is None:
                    return run.without_plan()
                told, failed = prompts.react_on(), 0
        run.error = f"no plan within {self.steps} steps"
        return run.without_plan()


class Reflexion(ReAct):
    """A reflection takes no step of its own, and none is written after the last."""

    name, look = "reflexion", ("#332288", "2")
    Settings = ReflexionSettings

    def __init__(self, settings: ReflexionSettings) -> None:
        super().__init__(settings)
        self.failures = settings.failures


class _Run:
    """One problem's conversation as it goes."""

    def __init__(self, session: Session, tokens: int) -> None:
        self.chat = Chat(
            session, "planner", temperature=0.0, max_tokens=tokens, keeps=lambda text: read(text).text
        )
        self.sandbox = from_reference(session.reference)
        self.steps: list[Json] = []
        self.error: str | None = None

    async def say(self, told: Message, number: int) -> Step | None:
        turn = await self.chat.say(told, number)
        self.error = turn.error
        if turn.text is None:
            return None
        step = read(turn.text)
        self.steps.append({"round": number, "action": step.action})
        return step

    async def reflect(self, told: Message, number: int) -> str | None:
        turn = await self.chat.say(told, number, role="reflector")
        self.error, self.steps[-1]["reflection"] = turn.error, turn.text
        return turn.text

    def look_up(self, step: Step) -> Enquiry | None:
        """What the enquiry tells; None: there was none, or its day cannot be read."""
        day = objects.find(step.argument) if step.action else None
        found = None if day is None else enquire(day, self.sandbox)
        if found is not None:
            self.steps[-1] |= {"dollars": found.dollars, "unknown": list(found.unknown)}
        return found

    def finished(self, step: Step) -> Solution:
        """The plan handed in: a JSON list, or its bare objects, or the ``Day N:`` layout."""
        plan = step.argument.strip()
        return self._solution(f"[{plan}]" if plan.startswith("{") else plan, "finished")

    def without_plan(self) -> Solution:
        return self._solution("", "no plan")

    def _solution(self, text: str, stop: str) -> Solution:
        detail = {"dropped_exchanges": self.chat.dropped}
        return Solution(text, len(self.steps), stop, tuple(self.steps), self.error, detail)


@dataclass(frozen=True, slots=True)
class Step:
    """``text``: what was said up to the end of its action; what a model makes up after that is forgotten."""

    text: str
    action: str | None  # CostEnquiry | Finish
    argument: str = ""


def read(text: str) -> Step:
    """The first action of a step: after its label where there is one, else anywhere."""
    label = _LABEL.search(text)
    found = _ACTION.search(text, label.end() if label else 0) or _ACTION.search(text)
    if found is None:
        made_up = _MADE_UP.search(text)
        return Step(text[: made_up.start()].rstrip() if made_up else text, None)
    end = _closing(text, found.end())
    return Step(text[: end + 1], found[1], text[found.end() : end])


def _closing(text: str, start: int) -> int:
    """Where the bracket opened before ``start`` closes, not within quotes; else the last one, or the end."""
    depth = 1
    for mark in _BRACKET.finditer(text, start):
        depth += {"[": 1, "]": -1}.get(mark[0], 0)
        if depth == 0:
            return mark.start()
    last = text.rfind("]", start)
    return last if last >= 0 else len(text)
