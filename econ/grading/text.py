"""What a grader reads of a model's raw text: the answer, without its thinking and a server's leftovers."""

from __future__ import annotations

import re
from typing import NamedTuple

from econ.grading.symbols import plain
from econ.messages import CAPPED, read_text

LONGEST_SENTENCE = 2000  # characters


class Parts(NamedTuple):
    """A raw text taken apart; ``closed`` False: the thinking never ended, so there is no answer."""

    thinking: str
    answer: str
    closed: bool = True


def parts(text: str) -> Parts:
    """A model's thinking and its answer, as :func:`~econ.messages.read_text` tells them apart."""
    said = read_text(text)
    return Parts(said.thinking, said.answer, said.why != CAPPED)


def readable(text: str) -> str:
    """The answer of a raw text in plain characters: what every grader reads."""
    return plain(parts(text).answer)


def first_sentence(text: str) -> str:
    """Up to the first full stop of a sentence or the line's end, and no further than any answer goes."""
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])|\n", text[:LONGEST_SENTENCE].strip(), maxsplit=1)[0]
