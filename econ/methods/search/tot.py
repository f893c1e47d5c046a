"""Tree of Thoughts, breadth first (Yao et al. 2023): sample next steps, value the states, keep the best.

No setting is published for these benchmarks. Here a thought is one step of the solution, and a branch ends
where it states an answer.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from econ import grading, prompts
from econ.methods.base import InPaper, Method, Session, Solution
from econ.methods.search.base import Question, SearchSettings, Table
from econ.params.base import Count, Temperature
from econ.records import Json

WORTH = {"sure": 20.0, "likely": 1.0, "impossible": 0.001}  # of the authors' code, summed over judgements


@dataclass(frozen=True, slots=True)
class State:
    """A partial solution, in steps; one that states an ``answer`` (in normal form) is finished."""

    thoughts: tuple[str, ...] = ()
    answer: str | None = None
    value: float = 0.0
    id: int = field(default=0, compare=False)  # counts the states as they are made; 0 is the empty one
    parent: int | None = field(default=None, compare=False)

    @property
    def text(self) -> str:
        return "\n".join(self.thoughts)


class ToTSettings(SearchSettings):
    """For these benchmarks no setting is published: this is our own."""

    steps: Count = 4
    samples: Count = 2  # continuations of every kept state
    values: Count = 1  # judgements of every candidate
    beam: Count = 2  # states kept
    temperature: Temperature = 0.7


class TreeOfThoughts(Method):
    """At most ``samples * (1 + (steps - 1) * beam) * (1 + values)`` calls."""

    name, look = "tot", ("#44AA99", "d")
    paper = InPaper(accuracy="ToT")
    Settings = ToTSettings
    domain = "questions"

    def __init__(self, params: ToTSettings) -> None:
        self.params = params
        states = params.samples * (1 + (params.steps - 1) * params.beam)
        self.max_calls = min(params.max_calls, states * (1 + params.values))
        self.max_tokens = params.max_tokens

    async def solve(self, session: Session) -> Solution:
        table = Table(session, self.params)
        kept = [State()]
        tree: list[State] = []
        steps: list[Json] = []
        for step in range(self.params.steps):
            parents = [state for state in kept if state.answer is None]
            if not parents or not table.open:
                break
            new = await self._expand(table, parents, step)
            new = await self._value(table, [replace(s, id=len(tree) + i) for i, s in enumerate(new, 1)], step)
            tree += new
            # A finished branch that is kept holds its place in the beam, at no further cost.
            rivals = [state for state in kept if state.answer is not None] + new
            kept = sorted(rivals, key=lambda state: -state.value)[: self.params.beam] or kept
            steps.append({"round": step, "kept": [state.id for state in kept]})
        stop = table.stop or (
            "all branches answered" if all(s.answer is not None for s in kept) else "last step"
        )
        return await asyncio.to_thread(_best, table, tree, kept, tuple(steps), stop)

    async def _expand(self, table: Table, parents: Sequence[State], step: int) -> list[State]:
        """``samples`` independent continuations of every parent."""
        p, last = self.params, step == self.params.steps - 1
        places = [(i, k) for i in range(len(parents)) for k in range(p.samples)]
        thoughts = await table.ask(
            [
                Question(
                    "thinker",
                    prompts.tot_step(table.prompt, table.kind, parents[i].thoughts, last, p.step_tokens),
                    p.temperature, p.step_tokens, round=step, agent=i, sample=k,
                )
                for i, k in places
            ]
        )  # fmt: skip
        return [
            State((*parents[i].thoughts, thought), grading.stated(table.kind, thought), parent=parents[i].id)
            for (i, _), thought in zip(places, thoughts, strict=True)
            if thought is not None
        ]

    async def _value(self, table: Table, states: Sequence[State], step: int) -> list[State]:
        """The states with the worth of their judgements; a repeated one is not asked about and worth 0."""
        p = self.params
        asked = [i for i, state in enumerate(states) if state not in states[:i]]
        judgements = await table.ask(
            [
                Question(
                    "evaluator", prompts.tot_value(table.prompt, states[i].thoughts),
                    p.temperature, p.label_tokens, round=step, agent=i, sample=k,
                )
                for i in asked
                for k in range(p.values)
            ]
        )  # fmt: skip
        values = dict.fromkeys(range(len(states)), 0.0)
        for place, judgement in enumerate(judgements):
            values[asked[place // p.values]] += worth(judgement)
        return [replace(state, value=values[i]) for i, state in enumerate(states)]


def worth(judgement: str | None) -> float:
    """What the label named last is worth; no label, nothing."""
    labels = re.findall(r"\b(sure|likely|impossible)\b", (judgement or "").lower())
    return WORTH[labels[-1]] if labels else 0.0


def _best(
    table: Table, tree: Sequence[State], kept: Sequence[State], steps: tuple[Json, ...], stop: str
) -> Solution:
    """The finished branch of the highest value, a tie by majority; if none is finished, the best state."""
    pool = [state for state in tree if state.answer is not None] or kept
    best = [state for state in pool if state.value == max(state.value for state in pool)]
    winner = best[grading.majority(table.kind, [state.answer for state in best]) or 0]
    return Solution(
        winner.text,
        rounds=len(steps),
        stop=stop,
        steps=steps,
        error=None if winner.text else table.nothing,
        detail={"tree": [_record(state) for state in (State(), *tree)]},
    )


def _record(state: State) -> Json:
    return {
        "id": state.id,
        "parent": state.parent,
        "text": state.thoughts[-1] if state.thoughts else "",
        "answer": state.answer,
        "value": state.value,
    }
