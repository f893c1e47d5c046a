"""rStar, mutual reasoning (Qi et al. 2024): a tree search over five actions, then a discriminator.

A1 adds one thought, A2 finishes the solution, A3 asks and answers a sub-question, A4 answers the last one
again, A5 rephrases the problem (the rephrasing stands beside the problem, not in its place: small models lose
numbers). :mod:`econ.methods.search.discriminator` then takes a second look at each solution trace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field

from econ import grading, prompts
from econ.methods.base import InPaper, Method, Session, Solution, round_to
from econ.methods.search.base import Node, Question, Table, uct, vote
from econ.methods.search.discriminator import (
    Candidate,
    SecondLook,
    discriminate,
    judgement,
    scores,
    unanimous,
)
from econ.methods.search.sub_questions import is_overall, sub_answer, sub_question
from econ.params.base import Count, NonNegative, Temperature
from econ.records import Json, Message, stable_seed

Action = Literal["root", "A1", "A2", "A3", "A4", "A5"]
# What may follow what; solutions come first, for they count most where a bound lets only some calls through.
ALLOWED: dict[Action, tuple[Action, ...]] = {
    "root": ("A2", "A1", "A3", "A5"),
    "A1": ("A2", "A1"),
    "A2": (),
    "A3": ("A2", "A1", "A3", "A4"),
    "A4": ("A2", "A1", "A3"),
    "A5": ("A2", "A1", "A3"),
}
ROLES = {"A1": "thinker", "A2": "solver", "A3": "proposer", "A4": "reviser", "A5": "rephraser"}


@dataclass(eq=False)
class Step(Node):
    """What one action came to."""

    action: Action = "root"
    text: str = ""  # thought, solution, answer or rephrasing
    question: str = ""  # A3, A4
    value: float = 0.0  # share of the samples that agree with ``text``
    overall: bool = False  # A3 with the problem's own question
    expanded: bool = False
    total: float = 0.0  # rewards of the roll-outs that came through

    @property
    def solves(self) -> bool:
        """Does it end in an answer to the problem?"""
        return self.action == "A2" or self.overall

    @property
    def asked(self) -> list[tuple[str, str]]:
        """The sub-questions up to here, each with its latest answer."""
        pairs: list[tuple[str, str]] = []
        for step in self.path:
            if step.action == "A3":
                pairs.append((step.question, step.text))
            elif step.action == "A4":
                pairs[-1] = (step.question, step.text)
        return pairs

    @property
    def trace(self) -> str:
        """The solution up to here as text."""
        dialogue = [f"Q{i}: {q}\nA{i}: {a}" for i, (q, a) in enumerate(self.asked, 1)]
        return "\n".join([*dialogue, *(step.text for step in self.path if step.action in ("A1", "A2"))])


class RStarSettings(SecondLook):
    rollouts: Count = 2
    depth: Count = 4
    thoughts: Count = 2  # A1: next steps
    completions: Count = 4  # A2: whole solutions, and answers to the problem's own question
    questions: Count = 1  # A3: next sub-questions
    answers: Count = 2  # A3, A4: answers to each
    exploration: NonNegative = 2.0  # of UCT
    temperature: Temperature = 0.8
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95


class MutualReasoning(Method):
    """At most ``rollouts`` times ``depth`` expansions, then a completion per cut of every trace."""

    name, look = "rstar", ("#005F46", "+")
    paper = InPaper(accuracy="rStar")
    Settings = RStarSettings
    domain = "questions"

    def __init__(self, params: RStarSettings) -> None:
        p = self.params = params
        asking = p.questions * (1 + max(p.answers, p.completions))
        expansions = 1 + p.rollouts * (p.depth - 1)
        generator = expansions * (p.thoughts + p.completions + asking + p.answers)
        discriminator = expansions * (1 + p.questions) * len(p.verify_cuts)
        self.max_calls = min(p.max_calls, generator + discriminator)
        self.max_tokens = p.max_tokens

    async def solve(self, session: Session) -> Solution:
        table = Table(session, self.params, share=1 - self.params.verify_share)
        tree = [Step(0)]  # in the order in which nodes were made
        steps: list[Json] = []
        for rollout in range(self.params.rollouts):
            if not table.open:
                break
            steps.append(await self._roll_out(table, tree, rollout))
        table.reopen()
        found = await asyncio.to_thread(_solutions, table.kind, tree)
        if not await asyncio.to_thread(unanimous, table.kind, found):
            found = await discriminate(table, found, self.params, len(steps))
            steps.append({"round": len(steps), "traces": [judgement(one) for one in found]})
        return await asyncio.to_thread(_answer, table, tree, found, tuple(steps))

    async def _roll_out(self, table: Table, tree: list[Step], rollout: int) -> Json:
        """Select by UCT, expand, go down at random to a terminal node, add its reward to the path."""
        node = self._select(table, tree[0], rollout)
        while not self._terminal(node):
            if not node.expanded:
                await self._expand(table, tree, node, rollout)
            if not node.children:
                break
            node = self._draw(table, node.children, node, rollout)
        reward = node.value if node.solves else 0.0
        for step in [tree[0], *node.path]:
            step.visits, step.total = step.visits + 1, step.total + reward
        return {"round": rollout, "path": [step.id for step in node.path], "reward": round_to(reward)}

    def _select(self, table: Table, node: Step, rollout: int) -> Step:
        """Down the explored part by UCT, up to a child that no roll-out came through, drawn at random."""
        while node.children:
            unexplored = [child for child in node.children if not child.visits]
            if unexplored:
                return self._draw(table, unexplored, node, rollout)
            parent, w = node, self.params.exploration
            node = max(parent.children, key=lambda c: uct(c.total / c.visits, c.visits, parent.visits, w))
        return node

    def _draw(self, table: Table, among: Sequence[Step], at: Step, rollout: int) -> Step:
        seed = stable_seed(table.session.seed, table.session.problem_id, self.name, rollout, at.id)
        return among[seed % len(among)]

    def _terminal(self, node: Step) -> bool:
        return node.solves or node.depth >= self.params.depth

    # -- actions ------------------------------------------------------------------------------------------

    async def _expand(self, table: Table, tree: list[Step], node: Step, rollout: int) -> None:
        """All allowed actions, in flight together; the answers to new sub-questions follow them."""
        node.expanded = True
        asked = {a: self._first_calls(table, node, a, rollout) for a in ALLOWED[node.action]}
        said = iter(await table.ask([question for batch in asked.values() for question in batch]))
        texts = {a: list(filter(None, [next(said) for _ in batch])) for a, batch in asked.items()}
        new = [Step(0, node, action="A1", text=text) for text in texts.get("A1", [])]
        new += await _voted(table, Step(0, node, action="A2"), texts["A2"])
        new += await self._sub_steps(table, node, list(map(sub_question, texts.get("A3", []))), rollout)
        again = Step(0, node, action="A4", question=node.question)
        new += await _voted(table, again, list(map(sub_answer, texts.get("A4", []))))
        new += [Step(0, node, action="A5", text=text) for text in texts.get("A5", [])]
        for child in new:
            child.id = len(tree)
            tree.append(child)
            node.children.append(child)

    def _first_calls(self, table: Table, node: Step, action: Action, rollout: int) -> list[Question]:
        p, kind, prompt = self.params, table.kind, _problem(table, node)
        tokens, full = p.step_tokens, table.session.params.llm.answer_tokens(table.kind)
        match action:
            case "A1":
                messages = prompts.rstar_thought(prompt, kind, node.trace, p.exemplars, tokens)
                count = p.thoughts
            case "A2":
                messages = prompts.rstar_solution(prompt, kind, node.trace, p.exemplars, full)
                tokens, count = full, p.completions
            case "A3":
                messages = prompts.sub_question(prompt, kind, node.asked, p.exemplars)
                count = p.questions
            case "A4":
                before = node.asked[:-1]
                messages = prompts.sub_answer(prompt, kind, before, node.question, False, p.exemplars, tokens)
                count = p.answers
            case _:
                messages = prompts.rstar_rephrasing(prompt, kind, p.exemplars, full)
                tokens, count = full, 1
        return [self._question(ROLES[action], messages, tokens, rollout, node.id, k) for k in range(count)]

    async def _sub_steps(
        self, table: Table, node: Step, questions: Sequence[str], rollout: int
    ) -> list[Step]:
        """A3: a node per new sub-question, with the vote of its answers."""
        p, prompt = self.params, _problem(table, node)
        steps = [
            Step(0, node, action="A3", question=question, overall=is_overall(question, table.prompt))
            for question in questions
            if question
        ]
        counts = [p.completions if step.overall else p.answers for step in steps]
        most = max(p.completions, p.answers)
        said = iter(
            await table.ask(
                [
                    self._question(
                        "answerer",
                        prompts.sub_answer(
                            prompt, table.kind, node.asked, step.question, step.overall, p.exemplars,
                            p.step_tokens,
                        ),
                        p.step_tokens, rollout, node.id, i * most + k,
                    )
                    for i, step in enumerate(steps)
                    for k in range(counts[i])
                ]
            )
        )  # fmt: skip
        found: list[Step] = []
        for step, count in zip(steps, counts, strict=True):
            texts = [sub_answer(text) for text in [next(said) for _ in range(count)] if text is not None]
            found += await _voted(table, step, texts)
        return found

    def _question(
        self, role: str, messages: Sequence[Message], tokens: int, round: int, agent: int, sample: int
    ) -> Question:
        p = self.params
        return Question(
            role, messages, p.temperature, tokens, round=round, agent=agent, sample=sample, top_p=p.top_p
        )


async def _voted(table: Table, step: Step, texts: Sequence[str]) -> list[Step]:
    """The step with the text of the largest group of its samples; none, if there are no samples."""
    found = await asyncio.to_thread(vote, table.kind, texts, step.solves)
    if found is None:
        return []
    step.text, step.value = found.text, found.share
    return [step]


def _problem(table: Table, node: Step) -> str:
    """The problem, and below it the path's rephrasing if there is one."""
    again = [step.text for step in node.path if step.action == "A5"]
    return "\n\nIn other words: ".join([table.prompt, *again])


def _solutions(kind: str, tree: Sequence[Step]) -> list[Candidate]:
    """Every readable answer to the problem in the tree, with its trace; equal traces are one."""
    found: dict[str, Candidate] = {}
    for node in tree:
        answer = grading.extract(kind, node.text) if node.solves else None
        if answer is None:
            continue
        known = found.get(node.trace, Candidate(node.id, node.trace, answer, count=0))
        found[node.trace] = replace(known, count=known.count + 1)
    return list(found.values())


def _answer(
    table: Table, tree: Sequence[Step], found: Sequence[Candidate], steps: tuple[Json, ...]
) -> Solution:
    """The answer of the highest score, by its first trace; without one the deepest text is all there is."""
    groups = grading.grouped(table.kind, [one.answer for one in found])
    scored = scores(found, groups)
    if groups:
        best = tree[found[groups[scored.index(max(scored))][0]].id]
    else:
        best = max((step for step in tree if step.text), key=lambda s: (s.solves, s.depth), default=tree[0])
    return Solution(
        best.text,
        rounds=len(steps),
        stop=table.stop or "roll-outs",
        steps=steps,
        error=None if best.text else table.nothing,
        detail={
            "tree": [_record(step) for step in tree],
            "scores": {found[group[0]].answer: round_to(x) for group, x in zip(groups, scored, strict=True)},
        },
    )


def _record(step: Step) -> Json:
    return {
        **step.record(),
        "action": step.action,
        "question": step.question,
        "text": step.text,
        "value": round_to(step.value),
        "total": round_to(step.total),
    }
