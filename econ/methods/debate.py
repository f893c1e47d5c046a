"""Multi-agent debate (Du et al. 2024): agents x rounds, full simultaneous exchange, last-round majority."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from econ import grading, prompts
from econ.methods.base import Session, Solution, answers_of, why_none
from econ.records import Call, Json, Message


class Debate:
    """Every agent answers alone, then ``rounds - 1`` times after reading all others' latest answers.

    A call that failed gave no answer: nobody is shown it, it has no vote, and its turn stays out of the
    agent's own history.
    """

    name = "debate"

    def __init__(self, rounds: int, temperature: float) -> None:
        self.rounds = rounds
        self.temperature = temperature

    async def solve(self, session: Session) -> Solution:
        histories: list[list[Message]] = [[] for _ in range(session.n_agents)]
        latest: Sequence[Call] = ()
        answers: list[str | None] = []
        steps: list[Json] = []
        for round in range(self.rounds):
            turns = [self._turn(session, histories[i], latest, i) for i in range(session.n_agents)]
            latest = await asyncio.gather(
                *(
                    session.ask(
                        "debater",
                        [*history, turn],
                        agent=agent,
                        round=round,
                        temperature=self.temperature,
                        max_tokens=session.params.llm.answer_tokens(session.benchmark),
                    )
                    for agent, (history, turn) in enumerate(zip(histories, turns, strict=True))
                )
            )
            for history, turn, call in zip(histories, turns, latest, strict=True):
                if call.ok:
                    history += [turn, {"role": "assistant", "content": call.text}]
            answers = answers_of(session.kind, latest)
            steps.append({"round": round, "answers": answers})
        return _majority(session, latest, answers, tuple(steps))

    def _turn(self, session: Session, history: list[Message], latest: Sequence[Call], agent: int) -> Message:
        """The new user message of ``agent``; one that has no answer so far gets the problem again."""
        tokens = session.params.llm.answer_tokens(session.benchmark)
        [first] = prompts.cot(session.prompt, session.kind, tokens)
        others = [call.text for call in latest if call.agent != agent and call.ok]
        if not history and not others:
            return first
        update = prompts.debate_update(others)
        if history:
            return update
        return {"role": "user", "content": f"{first['content']}\n\n{update['content']}"}


def _majority(
    session: Session, latest: Sequence[Call], answers: Sequence[str | None], steps: tuple[Json, ...]
) -> Solution:
    """The last round's largest group of equal answers; its earliest member is the answer that is graded."""
    winner = grading.majority(session.kind, answers)
    if winner is not None:
        return Solution(latest[winner].text, rounds=len(steps), stop="last round", steps=steps)
    return Solution("", rounds=len(steps), stop="last round", steps=steps, error=why_none(latest))
