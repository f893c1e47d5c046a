"""What models are told, pinned: a bank's answers are answers to these very words (data/records).

A change here makes every record another model's word: build anew what ships, then pin the new digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import orjson
import pytest

from econ import prompts
from econ.prompts import Kind
from econ.records import Message

PROBLEM, CAP = "What is 30 plus 36?", 512
SAID = ["Final answer: 66", "", "Final answer: 65"]
KINDS: tuple[Kind, ...] = ("number", "math", "yesno")

TOLD: dict[str, Callable[[Kind], list[Message]]] = {
    "strategy": lambda kind: prompts.strategy(PROBLEM, kind, 40),
    "executor": lambda kind: prompts.executor(PROBLEM, kind, "Add the two numbers.", CAP),
    "executor without a strategy": lambda kind: prompts.executor(PROBLEM, kind, None, CAP),
    "commitment": lambda kind: prompts.commitment(PROBLEM, kind, SAID, 160),
    "cot": lambda kind: prompts.cot(PROBLEM, kind, CAP),
    "debate": lambda kind: [prompts.debate_update(SAID[:1]), prompts.debate_update([])],
}
DIGESTS: dict[str, str] = {
    "strategy": "f67ea27030782bb1",
    "executor": "cc390cbaaaf5f173",
    "executor without a strategy": "5231293588fb65ef",
    "commitment": "6769f7c2a106a487",
    "cot": "8f80dfb20e693a70",
    "debate": "32b09a893e1270a0",
}


def digest(told: Callable[[Kind], list[Message]]) -> str:
    """Of the messages for every kind of answer."""
    return hashlib.sha256(orjson.dumps([told(kind) for kind in KINDS])).hexdigest()[:16]


@pytest.mark.parametrize("name", TOLD)
def test_the_records_prompts_are_these(name: str) -> None:
    assert digest(TOLD[name]) == DIGESTS[name], (
        "records in data/records answer other prompts: build them anew"
    )


@pytest.mark.parametrize("cap", [192, 320, 1024])
@pytest.mark.parametrize("kind", KINDS)
def test_a_larger_cap_does_not_ask_for_longer_answers(kind: Kind, cap: int) -> None:
    assert prompts.executor(PROBLEM, kind, None, cap) == prompts.executor(PROBLEM, kind, None, CAP)


@pytest.mark.parametrize("kind", KINDS)
def test_a_tight_cap_asks_for_fewer_words(kind: Kind) -> None:
    [tight] = prompts.executor(PROBLEM, kind, None, 48)
    assert "at most 30 words" in tight["content"]
