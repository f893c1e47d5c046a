"""A pipeline that answers by a script, for the server around the engine: a token a step, no model."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event
from typing import Any

from econ.llm.local.openvino.engine import Answer, Asked, Refused


@dataclass
class Generation:
    asked: Asked
    made: int = 0
    cancelled: bool = False
    dropped: bool = False

    def begun(self) -> bool:
        return self.made > 0

    def answer(self) -> Answer | None:
        if self.dropped:
            raise Refused("no room")
        if self.made < min(self.asked.max_tokens, 5):
            return None
        reason = "stop" if self.made >= 5 else "length"
        return Answer(f"{self.made} tokens, T {self.asked.temperature:g}", self.made, reason)

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class Pipeline:
    """Words are tokens. Until ``go`` is set, steps make nothing. The word "break" breaks a step."""

    go: Event = field(default_factory=Event)
    live: list[Generation] = field(default_factory=list)
    most: int = 0

    def prompt(self, messages: list[dict[str, Any]]) -> list[int]:
        return self.tokens(" ".join(message["content"] for message in messages))

    def tokens(self, text: str) -> list[int]:
        return [hash(word) for word in text.split()]

    def add(self, number: int, asked: Asked) -> Generation:
        if asked.seed == 13:
            raise Refused("seed 13 is not taken")
        self.live.append(Generation(asked, dropped=asked.seed == 14))
        return self.live[-1]

    def step(self) -> None:
        if not self.go.wait(0.01):
            return
        running = [one for one in self.live if not (one.cancelled or one.dropped or one.answer())]
        self.most = max(self.most, len(running))
        if any(hash("break") in one.asked.ids for one in running):
            raise RuntimeError("where it broke:\nout of memory")
        for one in running:
            one.made += 1
