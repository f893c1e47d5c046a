"""What a bank holds: rows, each one answer of an executor, and the card that says what they are answers to.

Columns and card are a format that lasts: what is recorded with one version is read by the next. Seeds, too,
never change, or answers that are paid for would be asked for again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import orjson

from econ.errors import EconError
from econ.params import Params
from econ.records import Call, Json, Message, Sampling, stable_seed

VERSION = 1
PLAIN = "plain"  # the style of prompt that there is
NO_STRATEGY = "none"
NO_CLASS = -1  # of an answer that cannot be read


class Cell(NamedTuple):
    """An action of the grid. ``second`` is the repetition penalty or top-p, as ``action.second`` says."""

    temperature: float
    second: float

    def __str__(self) -> str:
        return f"(T {self.temperature:g}, p {self.second:g})"


@dataclass(frozen=True, slots=True)
class Row:
    """One answer. ``group`` is the column ``class``: equal numbers within a problem say the same.

    ``reward`` is the task reward TS in [0, 1]; ``embedding`` a unit vector, None: not computed yet.
    """

    problem_id: str
    strategy_id: str
    temperature: float
    second: float
    sample: int
    seed: int
    text: str
    prompt_tokens: int
    completion_tokens: int
    truncated: bool
    answer: str | None = None
    group: int = NO_CLASS
    correct: bool = False
    invalid: bool = True
    reward: float = 0.0

    @property
    def cell(self) -> Cell:
        return Cell(self.temperature, self.second)

    @property
    def key(self) -> Key:
        return self.problem_id, self.cell, self.sample


Key = tuple[str, Cell, int]  # problem, cell, sample


@dataclass(frozen=True, slots=True)
class Entry:
    """A problem of the bank: digests of its text and of the executors' prompt, and the strategy in it.

    ``calls`` are the coordinator's answers that made the strategy: text, tokens, why each ended, and the
    digest of what was asked.
    """

    id: str
    problem: str
    prompt: str
    strategy_id: str
    strategy: str | None
    calls: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """What the rows of one file are answers to.

    ``identity`` names provider, weights and engine; ``sampling`` what is equal in all requests; ``made`` the
    first and the last day of recording.
    """

    benchmark: str
    split: str
    model: str
    identity: str
    coordinator: str
    coordinator_identity: str
    style: str
    second: str
    max_tokens: int
    top_p: float
    strategy: Json
    entries: tuple[Entry, ...]
    simulated: bool
    made: tuple[str, str]
    embedding: str | None = None
    note: str = ""
    version: int = VERSION

    @property
    def prompts(self) -> str:
        """Digest of all executors' prompts: another one, and the bank is of other questions."""
        return digest(sorted(entry.prompt for entry in self.entries))

    def to_json(self) -> bytes:
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, text: bytes) -> Card:
        values: Json = orjson.loads(text)
        entries = tuple(Entry(**{**entry, "calls": tuple(entry["calls"])}) for entry in values["entries"])
        return cls(**{**values, "entries": entries, "made": tuple(values["made"])})


@dataclass(frozen=True)
class Bank:
    """One file's content. ``embeddings``: by text, as numbers of half precision."""

    card: Card
    rows: Sequence[Row]
    embeddings: Mapping[str, bytes] = field(default_factory=dict)

    @cached_property
    def places(self) -> Mapping[Key, int]:
        """Where each row stands."""
        return {row.key: i for i, row in enumerate(self.rows)}


def digest(value: object) -> str:
    """SHA-256 of a value's canonical JSON, in hexadecimal."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def text_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def prompt_digest(messages: Iterable[Message]) -> str:
    return digest([[message["role"], message["content"]] for message in messages])


def strategy_id(text: str | None) -> str:
    return NO_STRATEGY if text is None else text_digest(text)[:16]


def answer_seed(problem_id: str, style: str, cell: Cell, sample: int) -> int:
    """The seed of a request: other ones in every cell, so that answers of two cells are independent."""
    return stable_seed("bank", problem_id, style, f"{cell.temperature:g}", f"{cell.second:g}", sample)


def sampling(cell: Cell, params: Params, max_tokens: int) -> Sampling:
    """As an executor's request with this action has it."""
    if params.action.second == "repetition_penalty":
        return Sampling(cell.temperature, params.action.fixed_top_p, cell.second, max_tokens)
    return Sampling(cell.temperature, cell.second, 1.0, max_tokens)


def strategy_setting(params: Params) -> Json:
    """All of the params that a strategy depends on, beside the coordinator's model."""
    team, caps = params.team, params.llm.max_tokens
    return {
        "mode": team.strategy,
        "temperature": team.strategy_temperature,
        "asked": caps.strategy_asked,
        "cap": caps.strategy if team.strategy == "short" else team.detailed_tokens,
    }


def same_origin(path: Path, old: Card, new: Card) -> None:
    """Make sure that answers of ``new`` may stand beside the old ones of a file.

    Raises:
        EconError: they are of another model, or asked for in another way; what differs is named.
    """
    for name in (
        "identity",
        "coordinator_identity",
        "second",
        "max_tokens",
        "top_p",
        "strategy",
        "simulated",
    ):
        before, now = getattr(old, name), getattr(new, name)
        if before != now:
            raise EconError(
                f"{path} is a bank of another {name.replace('_', ' ')}: {before}, not {now}",
                "move it away to record anew, or name the model and the params that it was recorded with",
            )


def row(call: Call, problem_id: str, strategy: str, cell: Cell) -> Row:
    """An answer as it came, not graded yet."""
    return Row(
        problem_id, strategy, cell.temperature, cell.second, call.sample, call.seed, call.text,
        call.prompt_tokens, call.completion_tokens, call.finish_reason == "length",
    )  # fmt: skip
