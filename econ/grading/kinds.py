"""Kinds of answers: how one is asked for, found in a text, and compared.

The built-in graders are modules with the same functions (:mod:`econ.grading.number` and its neighbours); one
of your own is a subclass of :class:`Grader`, named as ``module:Class`` in ``data.custom`` or by the
entry-point group ``econ.graders``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

from econ.errors import EconError
from econ.registry import GRADERS


class Grader:
    """A kind of answer of your own: say its form, and find it in a text; all else has a default.

    Every answer is handled in normal form: a text that is equal for equal answers, as far as that goes.
    """

    form: ClassVar[str] = 'End with one line "Final answer: X", X being the answer alone.'  # closes prompts
    value: ClassVar[str] = "the answer alone"  # the same where JSON is asked for
    schema: ClassVar[Mapping[str, Any]] = {"type": "string"}  # of the answer in a commitment
    examples: ClassVar[Sequence[tuple[str, str]]] = ()  # worked ones: question, answer; for few-shot prompts

    def find(self, text: str) -> str | None:
        """The answer in the content of an explicit final form ("Final answer: …"); None: none readable."""
        return text.strip() or None

    def find_last(self, text: str) -> str | None:
        """The answer of a text without such a form; None: INVALID."""
        return None

    def gold_form(self, answer: Any) -> str | None:
        """A data set's own answer in normal form; None: it cannot be read."""
        return self.find(str(answer))

    def equal(self, a: str, b: str) -> bool:
        """Do two answers say the same? For votes."""
        return a == b

    def matches(self, gold: str, answer: str) -> bool:
        """Is an answer right?"""
        return self.equal(gold, answer)


@cache
def grader(kind: str) -> Any:
    """The module or object that grades a kind of answer.

    Raises:
        EconError: there is none.
    """
    found = GRADERS.find(kind)
    if isinstance(found, type):
        found = found()
    missing = [name for name in ("find", "find_last", "gold_form") if not hasattr(found, name)]
    if missing and kind != "plan":  # plans have a way of their own: by constraints
        raise EconError(f"grader '{kind}' has no {missing[0]}", "make it a subclass of econ.Grader")
    return found


def own(kind: str) -> Grader | None:
    """The grader, where it is not one of the built-in modules, which other places know by name; else None."""
    return grader(kind) if kind in GRADERS and kind not in GRADERS.built_in else None
