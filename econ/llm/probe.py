"""Does the server obey what we steer with? Shown on a few answers before a run, since ignoring is silent."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from econ.errors import EconError
from econ.llm import base as face
from econ.llm.base import Client
from econ.messages import failed
from econ.params import Params
from econ.records import Message, Request, Sampling

# A penalty shows where a model would repeat itself, a temperature where much can be said.
PROMPTS = (
    "Write the word apple twelve times: apple apple apple",
    "Invent a name for a new planet and tell its story in one sentence.",
)
# (prompts, seeds, points) of each stage. A server that obeys is seen at the first, as a rule; one that gives
# a few fixed answers may need more, and the run's own prompt, which is long, comes last. Points: low and high
# end, then the middle.
STAGES = ((1, range(1, 2), 2), (2, range(1, 4), 2), (3, range(1, 9), 3))


@dataclass(frozen=True, slots=True)
class Prober:
    """Compares answers at the ends of each action dimension, at equal seeds and all else equal.

    Args:
        where, dialect: of the server, for messages.
        prompt: a prompt of the run, tried beside the built-in ones; may be empty.
    """

    client: Client
    params: Params
    where: str
    dialect: str
    prompt: Sequence[Message]

    async def run(self) -> None:
        """Probe each executor model.

        Raises:
            EconError: a dimension never changes an answer, or the server gave none.
        """
        token = face.current_job.set("probe")
        try:
            await asyncio.gather(*(
                self._show(model, dimension, points)
                for model in dict.fromkeys(self.params.llm.executors)
                for dimension, points in _dimensions(self.params).items()
            ))  # fmt: skip
        finally:
            face.current_job.reset(token)

    async def _show(self, model: str, dimension: str, points: tuple[Sampling, ...]) -> None:
        differs, silent = False, True
        for prompts, seeds, count in STAGES:
            for row in await self._rows(model, self._prompts(dimension)[:prompts], seeds, points[:count]):
                low, again, *others = row
                silent = silent and not any(row)
                if others != [low] * len(others):
                    differs = True
                    if low == again:
                        return
        if silent:
            raise self._said_nothing(model)
        if not differs:
            raise self._ignored(model, dimension, points)
        # Answers differ, but so do those to one and the same question: neither shown nor refuted.
        print(f"econ: {self.where} never repeats itself, so it is not shown that it obeys {dimension}",
              file=sys.stderr)  # fmt: skip

    def _prompts(self, dimension: str) -> list[tuple[Message, ...]]:
        texts = PROMPTS[::-1] if dimension == "temperature" else PROMPTS
        own = [({"role": "user", "content": text},) for text in texts]
        return [*own, *([tuple(self.prompt)] if self.prompt else [])]

    async def _rows(
        self, model: str, prompts: list[tuple[Message, ...]], seeds: range, points: tuple[Sampling, ...]
    ) -> list[list[str]]:
        """Per prompt and seed: the answers at the low end, there once more, and at the other points."""
        asked = [(0, points[0]), (1, points[0]), *((0, point) for point in points[1:])]
        return await asyncio.gather(*(
            asyncio.gather(*(self._ask(model, prompt, seed, sample, point) for sample, point in asked))
            for prompt in prompts for seed in seeds
        ))  # fmt: skip

    async def _ask(
        self, model: str, messages: tuple[Message, ...], seed: int, sample: int, sampling: Sampling
    ) -> str:
        call = await self.client.complete(Request("probe", 0, 0, model, messages, sampling, seed, sample))
        if failed(call):
            raise EconError(f"the probe of {self.where} got no answer from {model}: {call.error}",
                            "is the model served there? `econ doctor` looks")  # fmt: skip
        return f"{call.thinking}\n{call.text}".strip()  # a model that thinks may do no more within the cap

    def _said_nothing(self, model: str) -> EconError:
        cap = self.params.llm.max_tokens.probe
        return EconError(
            f"model {model} says nothing within {cap} tokens, so it is not known what {self.where} obeys",
            "raise llm.max_tokens.probe; a model that thinks out of sight may need hundreds",
        )

    def _ignored(self, model: str, dimension: str, points: tuple[Sampling, ...]) -> EconError:
        low, high = (getattr(point, dimension) for point in points[:2])
        return EconError(
            f"{self.where} ignores {dimension}: model {model} answers the same at {low:g} and {high:g} "
            f"(dialect {self.dialect})",
            "set llm.dialect to what the server speaks, action.second to what it obeys, or hold it: "
            f"action.fixed: {{{dimension}: 1.0}}",
        )


def _dimensions(params: Params) -> dict[str, tuple[Sampling, ...]]:
    """Per dimension that is learned: sampling at its low end, high end and middle, the others at rest."""
    action = params.action
    top_p = action.top_p.high if action.second == "top_p" else action.fixed_top_p
    penalty = 1.0 if action.second == "top_p" else action.repetition_penalty.low
    held: dict[str, Any] = action.fixed
    rest = replace(Sampling(action.temperature.low, top_p, penalty, params.llm.max_tokens.probe), **held)
    # Top-p shows only where there is choice, so the temperature is not at its low end then.
    warm = replace(rest, temperature=action.fixed.get("temperature", min(1.0, action.temperature.high)))
    return {
        name: tuple(
            _at(warm if name == "top_p" else rest, name, value)
            for value in (span.low, span.high, (span.low + span.high) / 2)
        )
        for name, span in action.dimensions.items()
        if name not in action.fixed
    }


def _at(base: Sampling, dimension: str, value: float) -> Sampling:
    changed: dict[str, Any] = {dimension: round(value, 4)}
    return replace(base, **changed)
