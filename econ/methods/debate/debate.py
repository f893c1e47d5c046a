"""Debate by exchange of answers: in full (Du et al. 2024), or between neighbours alone (Li et al. 2024)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from econ import grading, prompts
from econ.methods.base import InPaper, Method, Session, Solution, answers_of, why_none
from econ.methods.chat import Chat, Turn
from econ.params.base import Count, Section, Temperature
from econ.records import Json, Message


class DebateSettings(Section):
    """Agents x rounds, the independent first answer included."""

    rounds: Count = 3
    temperature: Temperature = 1.0
    agreement_stop: bool = False  # end once all agents (two or more) have given one and the same answer


class SparseDebateSettings(DebateSettings):
    """Their ring has degree 2, which between 3 agents is full exchange; 1 is sparse for any team."""

    degree: Count = 1  # how many others each agent reads; n_agents - 1 and more: all of them
    agreement_stop: bool = True


class Debate(Method):
    """Every agent answers alone, then up to ``rounds - 1`` times after reading others' latest answers.

    All answer at once: nobody reads an answer of its own round. The last round's majority decides; of groups
    of one size, as an even jury can have them, the one with the earliest agent wins. An agent that has nobody
    to read checks its own answer. A call that failed gave no answer: nobody is shown it, it has no vote.
    """

    name, look = "debate", ("#D55E00", "s")
    paper = InPaper(tokens="Multi-Agent Debate (3 rounds)")
    Settings = DebateSettings
    forgets = True
    degree: int | None = None  # how many others each agent reads, its nearest on a ring; None: all

    def __init__(self, settings: DebateSettings) -> None:
        self.rounds, self.temperature = settings.rounds, settings.temperature
        self.agreement_stop = settings.agreement_stop

    async def solve(self, session: Session) -> Solution:
        chats = self._agents(session)
        readers = [neighbours(agent, len(chats), self.degree) for agent in range(len(chats))]
        turns: list[Turn] = []
        steps: list[Json] = []
        firsts: list[str | None] = []
        stop = "last round"
        for round in range(self.rounds):
            told = [
                _told(session, chat, [turns[i].text for i in read] if turns else [])
                for chat, read in zip(chats, readers, strict=True)
            ]
            said = (chat.say(message, round) for chat, message in zip(chats, told, strict=True))
            turns = await asyncio.gather(*said)
            answers = answers_of(session.kind, turns)
            steps.append({"round": round, "answers": answers})
            firsts.append(_decide(session.kind, turns, answers))
            if self.agreement_stop and _agreed(session.kind, answers):
                stop = "agreement"
                break
        return Solution(
            firsts[-1] or "",
            rounds=len(steps),
            stop=stop,
            steps=tuple(steps),
            error=why_none(turns) if firsts[-1] is None else None,
            detail={"dropped_exchanges": sum(chat.dropped for chat in chats)},
            firsts=tuple(firsts),
        )

    def _agents(self, session: Session) -> list[Chat]:
        tokens = session.params.llm.answer_tokens(session.kind)
        return [
            Chat(session, "debater", agent, temperature=self.temperature, max_tokens=tokens)
            for agent in range(session.n_agents)
        ]


class SparseDebate(Debate):
    """Debate between neighbours on a ring (Li et al. 2024), ended by agreement."""

    name, look = "sparse-debate", ("#EE8866", "D")
    paper = InPaper()
    Settings = SparseDebateSettings

    def __init__(self, settings: SparseDebateSettings) -> None:
        super().__init__(settings)
        self.degree = settings.degree


def neighbours(agent: int, n: int, degree: int | None) -> list[int]:
    """Whose answers ``agent`` of ``n`` reads, in agent order: all others', or its ``degree`` nearest ones'.

    On a ring, the next one is nearest, then the one before, then the second next, … Degree 1 is a directed
    ring, 2 that of Li et al., n - 1 and more full exchange. Each is read by as many as it reads.
    """
    count = n - 1 if degree is None else min(degree, n - 1)
    steps = [step for reach in range(1, n) for step in (reach, -reach)]
    nearest = dict.fromkeys((agent + step) % n for step in steps)
    return sorted(list(nearest)[:count])


def _decide(kind: str, turns: Sequence[Turn], answers: Sequence[str | None]) -> str | None:
    """The text of the largest group of equal answers: its earliest member's; None: no votes."""
    winner = grading.majority(kind, answers)
    return None if winner is None else turns[winner].text


def _agreed(kind: str, answers: Sequence[str | None]) -> bool:
    """Have two or more agents all given one and the same answer?"""
    return len(answers) > 1 and None not in answers and len(grading.grouped(kind, answers)) == 1


def _told(session: Session, chat: Chat, read: Sequence[str | None]) -> Message:
    """The next message of an agent; one that has given no answer so far gets the problem again."""
    others = [text for text in read if text is not None]
    tokens = session.params.llm.answer_tokens(session.kind)
    [first] = prompts.cot(session.prompt, session.kind, tokens)
    if not chat.spoke and not others:
        return first
    update = prompts.debate_update(others)
    if chat.spoke:
        return update
    return {"role": "user", "content": f"{first['content']}\n\n{update['content']}"}
