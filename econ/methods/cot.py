"""Zero-shot chain of thought (Kojima et al. 2022): one greedy call, answer in a fixed final form."""

from __future__ import annotations

from econ import prompts
from econ.methods.base import Session, Solution


class ZeroShotCoT:
    name = "cot"

    async def solve(self, session: Session) -> Solution:
        tokens = session.params.llm.answer_tokens(session.benchmark)
        messages = prompts.cot(session.prompt, session.kind, tokens)
        call = await session.ask("solver", messages, temperature=0.0, max_tokens=tokens)
        return Solution(call.text, rounds=1, stop="answered", error=call.error)
