"""Reasoning via planning (Hao et al. 2023): Monte Carlo tree search over sub-questions.

A state is what was asked and answered so far, an action the next sub-question; one model is policy (proposes
it), world model (answers it) and reward. Two things differ from the authors' code. Usefulness is their
probability of "Yes" as the next token; chat interfaces give none, so yes or no is sampled ``judgements``
times. And at the depth limit they make a greedy call whose text is then replaced by the overall question;
here that question is asked without the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import Field

from econ import grading, prompts
from econ.methods.base import InPaper, Method, Session, Solution, round_to
from econ.methods.search.base import Node, Question, SearchSettings, Table, uct, vote
from econ.methods.search.sub_questions import is_overall, own_question, sub_answer, sub_question
from econ.params.base import Count, NonNegative, Positive, Share, Temperature
from econ.records import Json


@dataclass(eq=False)
class Asked(Node):
    """A sub-question; visited, with its answer. The root asks nothing."""

    question: str = ""
    overall: bool = False  # the problem's own question: its answer ends the search's path
    useful: float = 0.0
    quick: float = 0.0  # reward assumed while unanswered
    answer: str | None = None
    confidence: float = 0.0
    reward: float = 0.0
    returns: list[float] = field(default_factory=list)  # backed up, one per visit

    @property
    def value(self) -> float:
        """Q: the best that came of it."""
        return max(self.returns, default=self.quick)

    @property
    def dialogue(self) -> list[tuple[str, str]]:
        return [(node.question, node.answer or "") for node in self.path]


class RAPSettings(SearchSettings):
    max_calls: Positive = 48
    iterations: Count = 3
    depth: Count = 4  # sub-questions to an answer, at most
    proposals: Count = 2  # next sub-questions of a new node
    judgements: Count = 2  # yes/no samples in place of the authors' next-token probability
    answers: Count = 4  # samples of a sub-answer, at most
    batch: Count = 2  # of them at a time, until one has a majority
    exploration: NonNegative = 1.0  # w of UCT
    usefulness_weight: Share = 0.5  # a of reward = useful^a confidence^(1-a)
    prior_confidence: Share = 0.8  # while a sub-question is not answered
    exemplars: Annotated[int, Field(ge=0, le=4)] = 4
    temperature: Temperature = 0.8
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95


class ReasoningViaPlanning(Method):
    """At most ``iterations`` times a path of ``depth`` new nodes."""

    name, look = "rap", ("#009E73", "h")
    paper = InPaper(accuracy="RAP", tokens="RAP")
    Settings = RAPSettings
    domain = "questions"

    def __init__(self, params: RAPSettings) -> None:
        p = self.params = params
        proposing = (p.depth - 1) * p.proposals * (1 + p.judgements) + p.judgements
        self.max_calls = min(p.max_calls, p.iterations * (proposing + p.depth * p.answers))
        self.max_tokens = p.max_tokens

    async def solve(self, session: Session) -> Solution:
        table = Table(session, self.params)
        tree = [Asked(0)]  # in the order in which nodes were made
        steps: list[Json] = []
        answers: list[Solution] = []
        for iteration in range(self.params.iterations):
            if not table.open:
                break
            node = self._select(tree[0])
            await self._visit(table, tree, node, iteration)
            while node.children and table.open:  # simulate, greedily
                node = max(node.children, key=lambda child: child.quick)
                await self._visit(table, tree, node, iteration)
            back_up(node)
            steps.append(
                {"round": iteration, "path": [n.id for n in node.path], "value": round_to(node.value)}
            )
            answers.append(await asyncio.to_thread(_answer, table, tree, tuple(steps)))
        firsts = (None if answer.error else answer.text for answer in answers)
        return replace(answers[-1], firsts=tuple(firsts))

    def _select(self, node: Asked) -> Asked:
        """Down to a leaf by UCT; an unvisited child's value is its quick reward."""
        w = self.params.exploration
        while node.children:
            parent = node
            node = max(parent.children, key=lambda c: uct(c.value, c.visits, parent.visits, w))
        return node

    async def _visit(self, table: Table, tree: list[Asked], node: Asked, iteration: int) -> None:
        """Answer a new node's sub-question, and propose what to ask next unless it was the last."""
        if node.visits:
            return
        if node.parent is not None:
            await self._step(table, node, iteration)
            if node.answer is None or node.overall:
                return
        questions = await self._propose(table, node, iteration)
        useful = await self._usefulness(table, node, questions, iteration)
        for question, share in zip(questions, useful, strict=True):
            child = Asked(len(tree), node, question=question, overall=is_overall(question, table.prompt))
            child.useful, child.quick = share, self._reward(share, self.params.prior_confidence)
            tree.append(child)
            node.children.append(child)

    async def _propose(self, table: Table, node: Asked, iteration: int) -> list[str]:
        """Next sub-questions, duplicates merged; at the depth limit the overall question alone."""
        p = self.params
        if node.depth == p.depth - 1:
            return [f"{prompts.NOW} {own_question(table.prompt)}"]
        messages = prompts.sub_question(table.prompt, table.kind, node.dialogue, p.exemplars)
        texts = await table.ask(
            [
                Question(
                    "proposer", messages, p.temperature, p.step_tokens, round=iteration, agent=node.id,
                    sample=k, top_p=p.top_p,
                )
                for k in range(p.proposals)
            ]
        )  # fmt: skip
        merged: dict[str, str] = {}
        for question in map(sub_question, filter(None, texts)):
            merged.setdefault(question.casefold(), question)
        return [question for question in merged.values() if question]

    async def _usefulness(
        self, table: Table, node: Asked, questions: Sequence[str], iteration: int
    ) -> list[float]:
        """Each question's share of "yes" among its samples."""
        p = self.params
        texts = await table.ask(
            [
                Question(
                    "judge",
                    prompts.sub_useful(table.prompt, table.kind, node.dialogue, question, p.exemplars),
                    p.temperature, p.label_tokens, round=iteration, agent=node.id,
                    sample=i * p.judgements + k, top_p=p.top_p,
                )
                for i, question in enumerate(questions)
                for k in range(p.judgements)
            ]
        )  # fmt: skip
        said_yes = [grading.extract("yesno", text) == "yes" for text in texts]
        n = p.judgements
        return [sum(said_yes[i : i + n]) / n for i in range(0, len(said_yes), n)]

    async def _step(self, table: Table, node: Asked, iteration: int) -> None:
        """Sample the answer in batches until one has at least half of the samples, and no other as many."""
        p, before = self.params, node.path[:-1]
        messages = prompts.sub_answer(
            table.prompt, table.kind, [(n.question, n.answer or "") for n in before], node.question,
            node.overall, p.exemplars, p.step_tokens,
        )  # fmt: skip
        samples: list[str | None] = []
        while len(samples) < p.answers and table.open:
            texts = await table.ask(
                [
                    Question(
                        "answerer", messages, p.temperature, p.step_tokens, round=iteration, agent=node.id,
                        sample=k, top_p=p.top_p,
                    )
                    for k in range(len(samples), min(len(samples) + p.batch, p.answers))
                ]
            )  # fmt: skip
            samples += [text and sub_answer(text) for text in texts]
            found = await asyncio.to_thread(vote, table.kind, samples, node.overall)
            if found is None:
                continue
            node.answer, node.confidence = found.text, found.share
            node.reward = self._reward(node.useful, node.confidence)
            if found.share >= 0.5 and not found.tied:
                return

    def _reward(self, useful: float, confidence: float) -> float:
        a = self.params.usefulness_weight
        return float(useful**a * confidence ** (1 - a))


def back_up(leaf: Asked) -> None:
    """To each node of the path the mean reward from there on."""
    total, count, node = 0.0, 0, leaf
    while node.parent is not None:
        total, count = total + node.reward, count + 1
        node.returns.append(total / count)
        node.visits += 1
        node = node.parent
    node.visits += 1


def _answer(table: Table, tree: Sequence[Asked], steps: tuple[Json, ...]) -> Solution:
    """Every final answer collects the rewards of the edges that lead to it; the highest sum wins.

    Without a final answer the deepest sub-answer is what there is.
    """
    ends = [node for node in tree if node.overall and node.answer is not None]
    groups = grading.grouped(table.kind, [grading.extract(table.kind, node.answer) for node in ends])
    sums = []
    for group in groups:
        edges = {node.id for place in group for node in ends[place].path}
        sums.append(sum(tree[id].reward for id in sorted(edges)))
    if groups:
        best = ends[groups[sums.index(max(sums))][0]]
    else:
        best = max(
            (n for n in tree if n.answer is not None), key=lambda n: (n.depth, n.reward), default=tree[0]
        )
    return Solution(
        best.answer or "",
        rounds=len(steps),
        stop=table.stop or "iterations",
        steps=steps,
        error=table.nothing if best.answer is None else None,
        detail={
            "tree": [_record(node) for node in tree],
            "sums": {
                str(ends[group[0]].id): round_to(total) for group, total in zip(groups, sums, strict=True)
            },
        },
    )


def _record(node: Asked) -> Json:
    return {
        **node.record(),
        "question": node.question,
        "answer": node.answer,
        "useful": round_to(node.useful),
        "reward": round_to(node.reward),
        "value": round_to(node.value),
    }
