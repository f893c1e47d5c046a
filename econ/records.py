"""The records that flow through the pipeline: problems, LLM requests and calls, verdicts, traces.

All are plain frozen dataclasses; JSON is made at the edge by :func:`to_json` and read by ``from_json``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import orjson

Json = dict[str, Any]
Message = dict[str, str]  # {"role": "system" | "user" | "assistant", "content": text}


@dataclass(frozen=True, slots=True)
class Problem:
    """One benchmark item. ``gold`` and ``meta`` never reach a prompt; only ``prompt`` does.

    ``kind`` is the kind of answer asked for (number, math, yesno, plan …): it chooses the sentence on the
    answer's form, the grader and the token cap. The benchmark sets it when its problems are loaded.
    """

    id: str
    benchmark: str
    prompt: str
    gold: str | None
    meta: Mapping[str, Any] = field(default_factory=dict)
    kind: str = "number"

    @property
    def subsets(self) -> tuple[str, ...]:
        """The parts of its benchmark that results are also given for, such as ``verbatim`` of GSM-Hard."""
        return tuple(self.meta.get("subsets", ()))

    @property
    def source(self) -> str | None:
        """The problem of another benchmark that this one was made of, where that is known."""
        return self.meta.get("source")


@dataclass(frozen=True, slots=True)
class Sampling:
    """How one answer is sampled.

    ``temperature`` in [0, 2]; ``top_p`` in (0, 1]; ``repetition_penalty`` is multiplicative, 1 = off;
    ``max_tokens`` caps the completion.
    """

    temperature: float
    top_p: float
    repetition_penalty: float
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Request:
    """One question to one model. Everything that can change the answer is in here, and nothing else."""

    role: str  # coordinator | executor | debater | solver | judge …
    agent: int
    round: int
    model: str
    messages: tuple[Message, ...]
    sampling: Sampling
    seed: int
    sample: int = 0  # repeat number: the same question asked again on purpose
    schema: Mapping[str, Any] | None = None  # JSON schema of a structured answer, where the backend can
    draw: int = 0  # which of the answers that were recorded ahead; no server sees it


@dataclass(frozen=True, slots=True)
class Tokens:
    """Of prompts and of completions: one call's, or those of many together."""

    prompt: float = 0
    completion: float = 0

    @property
    def total(self) -> float:
        return self.prompt + self.completion

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(self.prompt + other.prompt, self.completion + other.completion)

    def times(self, factor: float) -> Tokens:
        return Tokens(self.prompt * factor, self.completion * factor)


NO_TOKENS = Tokens()


@dataclass(frozen=True, slots=True)
class Call:
    """One LLM call as it happened. ``error`` is None for an answer, else why there is none.

    ``text`` is the answer; ``thinking``, what the model thought before it, is kept and counted, and never
    graded, shown to an executor or sent to a peer. ``cached`` says that the answer was recorded before the
    run, in a bank. Which of several jobs paid for an answer that they share is the order's affair, and not
    told.
    """

    role: str
    agent: int
    round: int
    model: str
    messages: tuple[Message, ...]
    sampling: Sampling
    seed: int
    sample: int
    text: str
    prompt_tokens: int
    completion_tokens: int
    cached: bool
    error: str | None
    finish_reason: str | None = None
    tokens_estimated: bool = False  # the server gave no usage; counted with a tokenizer instead
    thinking: str = ""
    answered_by: str | None = None  # the model's name, as the server that answered has it

    @classmethod
    def of(
        cls,
        request: Request,
        text: str,
        prompt_tokens: int,
        completion_tokens: int,
        *,
        cached: bool = False,
        error: str | None = None,
        finish_reason: str | None = None,
        tokens_estimated: bool = False,
        thinking: str = "",
        answered_by: str | None = None,
    ) -> Call:
        """What came of a request."""
        r = request
        return cls(
            r.role, r.agent, r.round, r.model, r.messages, r.sampling, r.seed, r.sample, text, prompt_tokens,
            completion_tokens, cached, error, finish_reason, tokens_estimated, thinking, answered_by,
        )  # fmt: skip

    @property
    def ok(self) -> bool:
        return self.error is None

    @property
    def tokens(self) -> Tokens:
        return Tokens(self.prompt_tokens, self.completion_tokens)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A grader's reading of one answer.

    ``answer`` is the extracted answer in normal form (None: nothing readable). ``strict`` and ``flexible``
    are True, False or None (None = INVALID). ``reward`` in [0, 1] is the task reward TS: 1 for a right
    answer, 0 for a wrong or INVALID one, a share of the constraints for a plan.
    """

    answer: str | None
    strict: bool | None
    flexible: bool | None
    reward: float
    reason: str | None = None  # why INVALID
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def invalid(self) -> bool:
        return self.flexible is None

    @property
    def correct(self) -> bool:
        return bool(self.flexible)


@dataclass(frozen=True, slots=True)
class Trace:
    """The complete record of how a method answered a problem. One JSON line.

    ``rounds`` counts the answering rounds (calls carry ``round`` = 0 … rounds-1); ``steps`` holds what the
    method recorded of each (actions, answers, commitment …); ``stop`` says why it ended.
    """

    problem_id: str
    benchmark: str
    method: str
    n_agents: int
    seed: int
    gold: str | None
    answer: str | None
    correct: bool
    invalid: bool
    reason: str | None
    strict: bool | None
    reward: float
    rounds: int
    stop: str | None
    text: str
    steps: tuple[Json, ...]
    detail: Mapping[str, Any]
    simulated: bool
    calls: tuple[Call, ...]
    recorded: str = ""  # model, engine and date of the records that it was played from

    @classmethod
    def from_json(cls, row: Json) -> Trace:
        known = {f.name for f in fields(cls)}
        row = {key: value for key, value in row.items() if key in known}
        row["calls"] = tuple(
            Call(**{**call, "messages": tuple(call["messages"]), "sampling": Sampling(**call["sampling"])})
            for call in row["calls"]
        )
        row["steps"] = tuple(row["steps"])
        return cls(**row)


@dataclass(frozen=True, slots=True)
class Job:
    """What one command works on; the same four selectors everywhere."""

    benchmark: str
    method: str
    n_agents: int
    seed: int

    @property
    def name(self) -> str:
        return f"{self.method}-n{self.n_agents}-s{self.seed}"


Split = Literal["train", "test"]


def to_json(record: Any) -> bytes:
    """One compact JSON line (no newline), keys in field order, for any record of this module."""
    return orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY)


def stable_seed(*parts: object) -> int:
    """A 31-bit seed that is a function of ``parts`` alone, on every machine and Python."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
