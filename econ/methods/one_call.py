"""One greedy call: the answer at once, zero-shot or few-shot chain of thought."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from econ import prompts
from econ.methods.base import InPaper, Method, Session, Solution
from econ.prompts import Kind
from econ.records import Message

Prompt = Callable[[str, Kind, int], list[Message]]  # of a problem's prompt, its kind and a token cap


class OneCall(Method):
    """A prompt, answered at temperature 0; what the model says is graded."""

    @abstractmethod
    def prompt(self, prompt: str, kind: Kind, tokens: int) -> list[Message]:
        """What the model is asked; it is all that sets these methods apart."""

    async def solve(self, session: Session) -> Solution:
        tokens = session.params.llm.answer_tokens(session.kind)
        messages = self.prompt(session.prompt, session.kind, tokens)
        call = await session.ask("solver", messages, temperature=0.0, max_tokens=tokens)
        return Solution(call.text, rounds=1, stop="answered", error=call.error)


class Direct(OneCall):
    """The answer alone."""

    name, look = "direct", ("#000000", "v")
    prompt = staticmethod(prompts.direct)


class CoT(OneCall):
    """Zero-shot chain of thought (Kojima et al. 2022)."""

    name, look = "cot", ("#E69F00", "^")
    paper = InPaper(accuracy="Zero-shot CoT")
    prompt = staticmethod(prompts.cot)


class FewShotCoT(OneCall):
    """Few-shot chain of thought (Wei et al. 2022)."""

    name, look = "few-shot-cot", ("#A07800", "<")
    paper = InPaper(accuracy="Few-shot CoT")
    prompt = staticmethod(prompts.few_shot)
