"""The coordinator's strategy: short by order, regenerated once when too long, then cut (paper 4.1, D.2)."""

from __future__ import annotations

from dataclasses import dataclass

from econ import prompts
from econ.methods.base import Session
from econ.records import Call


@dataclass(frozen=True, slots=True)
class Strategy:
    """``text`` is None where the mode asks for none or the coordinator gave none."""

    text: str | None
    tokens: int
    regenerated: bool
    cut: bool


async def ask_strategy(session: Session) -> Strategy:
    """The strategy in the mode of ``team.strategy``: none, short (50 asked, 70 hard) or detailed."""
    team, limits = session.params.team, session.params.llm.max_tokens
    if team.strategy == "none":
        return Strategy(None, 0, regenerated=False, cut=False)
    short = team.strategy == "short"
    cap = limits.strategy if short else team.detailed_tokens
    asked = min(cap, limits.strategy_asked) if short else cap
    call = await _ask(session, asked, cap, sample=0)
    regenerated = _too_long(call, cap)
    if regenerated:
        again = await _ask(session, asked, cap, sample=1)
        call = again if again.ok else call
    return await _within(session, call, cap, regenerated)


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


async def _within(session: Session, call: Call, cap: int, regenerated: bool) -> Strategy:
    """What is still past the cap is cut: by the server already, or here where it ignored ``max_tokens``."""
    text = call.text.strip() if call.ok else ""
    cut = _too_long(call, cap)
    if cut and call.completion_tokens > cap:
        text = await _cut(session, text, cap)
    return Strategy(text or None, min(call.completion_tokens, cap), regenerated, cut)


async def _cut(session: Session, text: str, cap: int) -> str:
    """The longest prefix of whole words within ``cap`` tokens."""
    words = text.split()
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        count = await session.client.count_tokens(session.params.llm.coordinator, " ".join(words[:middle]))
        low, high = (middle, high) if count <= cap else (low, middle - 1)
    return " ".join(words[:low])
