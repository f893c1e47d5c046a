"""Mixture-of-agents (Wang et al. 2024): layers of proposers, each reading the last; an aggregator's text."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from econ import prompts
from econ.methods.base import Method, Session, Solution, answers_of
from econ.params.base import Section, Temperature
from econ.records import Call, Json


class MoaSettings(Section):
    layers: Annotated[int, Field(ge=2)] = 2  # the last is the aggregator; 2: the light form; its authors: 3
    temperature: Temperature = 0.7


class MixtureOfAgents(Method):
    """``layers - 1`` layers of one proposer per executor, then the coordinator as aggregator: no vote.

    With two layers, its light form, this is ECON without strategy, beliefs and a structured commitment. An
    answer that failed is shown to nobody; a layer without any answer leaves the next one to answer alone.
    """

    name, look = "moa", ("#882255", "P")
    Settings = MoaSettings

    def __init__(self, settings: MoaSettings) -> None:
        self.layers, self.temperature = settings.layers, settings.temperature

    async def solve(self, session: Session) -> Solution:
        read: list[str] = []
        steps: list[Json] = []
        for layer in range(self.layers - 1):
            proposers = (self._ask(session, read, layer, agent) for agent in range(session.n_agents))
            calls = await asyncio.gather(*proposers)
            read = [call.text for call in calls if call.ok]
            steps.append({"round": layer, "answers": answers_of(session.kind, calls)})
        last = await self._ask(session, read, self.layers - 1, None)
        steps.append({"round": self.layers - 1, "answers": answers_of(session.kind, [last])})
        return Solution(last.text, self.layers, "aggregated", tuple(steps), error=last.error)

    async def _ask(self, session: Session, read: Sequence[str], layer: int, agent: int | None) -> Call:
        """The answer of a proposer, or of the aggregator (None), after reading the layer before."""
        llm = session.params.llm
        tokens = llm.answer_tokens(session.kind)
        return await session.ask(
            "aggregator" if agent is None else "proposer",
            prompts.synthesis(session.prompt, session.kind, read, tokens),
            agent=agent or 0,
            round=layer,
            temperature=self.temperature,
            max_tokens=tokens,
            model=llm.coordinator if agent is None else None,
        )
