"""A simulated team behind the LLM interface: closed-form players with known best actions. SIMULATED.

:mod:`econ.simulation.team` says what the players do. To answer they must know the gold, which no prompt
carries: the client is given the problems, or reads the prepared ones of the params' benchmarks, and finds the
problem by its prompt. The closed form is exact for number problems; a yes/no problem has no room for
mistakes of one's own, and a wrong plan is none at all.

The players know action, problem with its type, and whether there is a strategy. They take no notice of a
model's name, of what a strategy says or of peers' answers, so ablations of these change tokens at most.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
import orjson

from econ import benchmarks, paths
from econ.benchmarks.store import SPLITS
from econ.equilibrium.rewards import Array
from econ.llm.base import Usage, Vector
from econ.params import Params
from econ.records import Call, Message, Problem, Request, Tokens, stable_seed
from econ.simulation import team as game

_ANSWER = re.compile(r"(?:Final answer: |^(?=\[\{))(\[\{.*\}\]|\S+)", re.MULTILINE)  # a plan is a line
_READ = re.compile(r"^Answer \d+: ((?:(?!^Answer \d+: ).*\n?)*)", re.MULTILINE)
_MARK = "Problem:\n"
_READERS = ("coordinator", "selector", "aggregator")  # roles that decide on others' answers


def problems(count: int, benchmark: str = "svamp") -> list[Problem]:
    """``count`` number problems for the simulated team; difficulties spread over [0, 1)."""
    return [
        Problem(f"simulated-{i}", benchmark, f"SIMULATED problem {i}.", str(1000 + 37 * i))
        for i in range(count)
    ]


class SimulatedClient:
    """The Client protocol, answered by the closed form: at once, at no cost, alike for the same request."""

    simulated = True
    recorded = ""

    def __init__(self, params: Params, known: Iterable[Problem] = ()) -> None:
        self.params = params
        self._by_line: dict[str, list[Problem]] = {}
        self._embeddings: dict[str, Vector] = {}
        self._made, self._tokens = 0, Tokens()
        self._prepared = _prepared(params)  # read benchmark by benchmark, as far as needed
        self._know(known)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def probe(self, prompt: Sequence[Message] = ()) -> None:
        """Actions have effect by construction."""

    def identity(self, model: str) -> str:
        return "simulated"

    async def count_tokens(self, model: str, text: str) -> int:
        return len(text.split())

    async def context_tokens(self, model: str) -> int | None:
        return None

    @property
    def usage(self) -> Usage:
        return Usage(self._made, 0, 0, self._tokens, None)

    async def complete(self, request: Request) -> Call:
        content = next((m["content"] for m in reversed(request.messages) if _MARK in m["content"]), "")
        problem = self._find(content)
        text = self._answer_as(request, content, problem)
        prompt_tokens = sum(len(message["content"].split()) for message in request.messages)
        completion_tokens = len(text.split())
        self._made += 1
        self._tokens += Tokens(prompt_tokens, completion_tokens)
        return Call.of(request, text, prompt_tokens, completion_tokens, finish_reason="stop")

    async def embed(self, texts: list[str]) -> Sequence[Vector]:
        """Equal answers have equal embeddings, different ones unrelated directions."""
        return [self._embed(text) for text in texts]

    def _embed(self, text: str) -> Vector:
        found = _ANSWER.findall(text)
        key = found[-1] if found else text
        if key not in self._embeddings:
            vector = self._direction("embedding", key)
            if self.params.simulated.types > 1 and (problem := self._match(text)) is not None:
                vector = self._typed_vector(vector, problem)
            self._embeddings[key] = array("f", vector)
        return self._embeddings[key]

    def _typed_vector(self, own: Array, problem: Problem) -> Array:
        """A problem's embedding: part of it tells the type, so a belief can know it, the rest is its own."""
        simulated = self.params.simulated
        kind = self._direction("type", game.type_of(problem.id, simulated.types))
        vector = simulated.type_signal**0.5 * kind + (1 - simulated.type_signal) ** 0.5 * own
        out: Array = vector / np.linalg.norm(vector)
        return out

    def _direction(self, *name: object) -> Array:
        """A unit vector that is a function of ``name`` alone."""
        generator = np.random.default_rng(stable_seed(*name))
        vector = generator.standard_normal(self.params.simulated.embedding_dim)
        out: Array = vector / np.linalg.norm(vector)
        return out

    def _typed(self, answer: str, problem: Problem) -> Any:
        """As the commitment's schema has it: a number or a plan where the problem asks for one."""
        asked = problem.kind
        number = asked == "number" and re.fullmatch(r"-?\d{1,15}", answer)
        plan = asked == "plan" and answer.startswith("[{")
        return orjson.loads(answer) if number or plan else answer

    def _answer_as(self, request: Request, content: str, problem: Problem) -> str:
        """What the request's role says: of what it reads, the most frequent answer, ties to the earliest."""
        if request.role in ("moderator", "judge") and request.messages[0]["role"] == "system":
            return _chaired(request)
        if request.role not in _READERS:
            return self._play(request, content, problem)
        seen = "\n".join(message["content"].replace(problem.prompt, "") for message in request.messages)
        read = [_ANSWER.findall(answer) for answer in _READ.findall(seen)]
        if not read and request.role == "coordinator":
            return "SIMULATED strategy: list the quantities, compute in steps, check the result."
        given = [found[-1] if found else None for found in read]
        answers = Counter(answer for answer in given if answer is not None)
        if not answers:
            return ""
        answer, count = answers.most_common(1)[0]
        if request.role == "aggregator":
            return f"SIMULATED majority of {len(read)}. Final answer: {answer}"
        if request.role == "selector":
            return orjson.dumps({"choice": given.index(answer) + 1}).decode()
        return orjson.dumps(
            {
                "final_answer": self._typed(_plain(answer), problem),
                "confidence": count / len(read),
                "reasoning": f"SIMULATED majority of {len(read)}.",
                "checklist": [],
            }
        ).decode()

    def _play(self, request: Request, content: str, problem: Problem) -> str:
        """An answer of the class that the closed-form probabilities and the request's own draw give."""
        probabilities = game.probabilities(
            self._action(request), request.agent, game.difficulty_of(problem.id), "Strategy: " in content,
            self.params.simulated, game.type_of(problem.id, self.params.simulated.types),
        )  # fmt: skip
        s = request.sampling
        draw = stable_seed("simulated", request.seed, s.temperature, s.top_p, s.repetition_penalty) / 2**31
        right, common, _ = probabilities.tolist()
        kind = game.RIGHT if draw < right else game.COMMON if draw < right + common else game.OWN
        return f"SIMULATED answer. Final answer: {self._answer(problem, kind, request.agent)}"

    def _action(self, request: Request) -> Array:
        """The shares u that the request's sampling stands for."""
        action, sampling = self.params.action, request.sampling
        shares = [
            (getattr(sampling, name) - span.low) / (span.high - span.low)
            for name, span in action.dimensions.items()
        ]
        return np.array([min(max(share, 0.0), 1.0) for share in shares])

    def _answer(self, problem: Problem, kind: int, agent: int) -> str:
        gold = problem.gold
        answer_kind = problem.kind
        if answer_kind == "yesno":
            right = gold or "yes"
            return right if kind == game.RIGHT else {"yes": "no", "no": "yes"}.get(right, "no")
        if answer_kind == "plan" and gold and kind == game.RIGHT:
            return orjson.dumps(orjson.loads(gold)).decode()  # as a commitment's JSON has it
        wrong = {game.COMMON: "-101", game.OWN: str(-1001 - agent)}
        text = (gold or "0") if kind == game.RIGHT else wrong[kind]
        return f"\\boxed{{{text.replace(' ', '')}}}" if answer_kind == "math" else text

    def _find(self, content: str) -> Problem:
        """The problem whose prompt stands in the message; one that nobody prepared has no gold."""
        prompt = content.split(_MARK, 1)[-1]
        while (found := self._match(prompt)) is None:
            more = next(self._prepared, None)
            if more is None:
                break
            self._know(more)
        line = prompt.split("\n", 1)[0]
        if found is None:
            name = self.params.benchmarks[0]
            kind = benchmarks.spec(name, self.params).kind
            return Problem(f"own-{stable_seed(line)}", name, line, None, kind=kind)
        return found

    def _match(self, prompt: str) -> Problem | None:
        candidates = self._by_line.get(prompt.split("\n", 1)[0], [])
        fitting = [problem for problem in candidates if prompt.startswith(problem.prompt)]
        return max(fitting, key=lambda problem: len(problem.prompt), default=None)

    def _know(self, known: Iterable[Problem]) -> None:
        for problem in known:
            self._by_line.setdefault(problem.prompt.split("\n", 1)[0], []).append(problem)


def _plain(answer: str) -> str:
    return answer.removeprefix("\\boxed{").removesuffix("}") if answer.startswith("\\boxed{") else answer


def _chaired(request: Request) -> str:
    """A moderator prefers what both sides say; a judge takes the affirmative side's first answer."""
    told = request.messages[1 if request.role == "judge" else -1]["content"]
    given = list(map(_plain, _ANSWER.findall(told)))
    if request.role == "judge" and request.messages[-1]["content"] == told:
        return f"SIMULATED candidates: {', '.join(dict.fromkeys(given))}"
    answer = given[0] if given and (request.role == "judge" or len(set(given)) == 1) else None
    verdict = {"preference": "no" if answer is None else "yes", "side": "none", "answer": answer}
    return orjson.dumps({**verdict, "reason": "SIMULATED."}).decode()


def _prepared(params: Params) -> Iterator[list[Problem]]:
    for name in params.benchmarks:
        for split in SPLITS:
            if paths.problems(name, split).exists():
                yield benchmarks.load(name, split, params)
