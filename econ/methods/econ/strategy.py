"""The coordinator's strategy: short by order and without the answer (paper 4.1, D.2).

One that is too long or states an answer is asked for once more. What is then past the cap is cut, and what
still states an answer is withheld from that sentence on. The gold has no part in this: the coordinator and
this check do not know it.
"""

from __future__ import annotations

from dataclasses import dataclass

from econ import prompts
from econ.grading.leaks import statement
from econ.methods.base import Session
from econ.records import Call


@dataclass(frozen=True, slots=True)
class Strategy:
    """``text`` is None where the mode asks for none, the coordinator gave none, or nothing of it is left."""

    text: str | None
    tokens: int
    regenerated: bool = False
    cut: bool = False
    states_answer: bool = False  # the one that was asked for first did
    withheld: bool = False  # so did the next, or there was none: what states the answer is not shown


async def ask_strategy(session: Session) -> Strategy:
    """The strategy in the mode of ``team.strategy``: none, short (50 asked, 70 hard) or detailed."""
    team, limits = session.params.team, session.params.llm.max_tokens
    if team.strategy == "none":
        return Strategy(None, 0)
    short = team.strategy == "short"
    cap = limits.strategy if short else team.detailed_tokens
    asked = min(cap, limits.strategy_asked) if short else cap
    call = await _ask(session, asked, cap, sample=0)
    states_answer = statement(session.kind, call.text) is not None
    regenerated = call.ok and (_too_long(call, cap) or states_answer)
    if regenerated:
        again = await _ask(session, asked, cap, sample=1)
        call = again if again.ok else call
    text = await _within(session, call, cap)
    shown = text[: statement(session.kind, text)].rstrip()
    return Strategy(
        text=shown or None,
        tokens=min(call.completion_tokens, cap),
        regenerated=regenerated,
        cut=_too_long(call, cap),
        states_answer=states_answer,
        withheld=shown != text,
    )


async def _ask(session: Session, asked: int, cap: int, sample: int) -> Call:
    return await session.ask(
        "coordinator",
        prompts.strategy(session.prompt, session.kind, asked),
        temperature=session.params.team.strategy_temperature,
        max_tokens=cap,
        sample=sample,
    )


def _too_long(call: Call, cap: int) -> bool:
    return call.ok and (call.finish_reason == "length" or call.completion_tokens > cap)


async def _within(session: Session, call: Call, cap: int) -> str:
    """What is still past the cap is cut: by the server already, or here where it ignored ``max_tokens``."""
    text = call.text.strip() if call.ok else ""
    return await _cut(session, text, cap) if call.completion_tokens > cap else text


async def _cut(session: Session, text: str, cap: int) -> str:
    """The longest prefix of whole words within ``cap`` tokens."""
    words = text.split()
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        count = await session.client.count_tokens(session.params.llm.coordinator, " ".join(words[:middle]))
        low, high = (middle, high) if count <= cap else (low, middle - 1)
    return " ".join(words[:low])
