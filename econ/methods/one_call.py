"""One greedy call: the answer at once, zero-shot or few-shot chain of thought."""

from __future__ import annotations

from collections.abc import Callable

from econ.methods.base import Session, Solution
from econ.prompts import Kind
from econ.records import Message

Prompt = Callable[[str, Kind, int], list[Message]]  # of a problem's prompt, its kind and a token cap


class OneCall:
    """A prompt, answered at temperature 0; what the model says is graded.

    Args:
        name: direct, cot (Kojima et al. 2022) or few-shot-cot (Wei et al. 2022).
        prompt: what the model is asked; it is all that sets these methods apart.
    """

    def __init__(self, name: str, prompt: Prompt) -> None:
        self.name, self.prompt = name, prompt

    async def solve(self, session: Session) -> Solution:
        tokens = session.params.llm.answer_tokens(session.kind)
        messages = self.prompt(session.prompt, session.kind, tokens)
        call = await session.ask("solver", messages, temperature=0.0, max_tokens=tokens)
        return Solution(call.text, rounds=1, stop="answered", error=call.error)
