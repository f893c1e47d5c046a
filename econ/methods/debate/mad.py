"""Debate by tit for tat (Liang et al. 2023): two sides speak in turn, a moderator may end it each round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from econ import grading, prompts
from econ.grading import objects
from econ.methods.base import Method, Session, Solution, answers_of, why_none
from econ.methods.chat import Chat, Turn
from econ.methods.commitment import as_text
from econ.params.base import Count, Section, Temperature
from econ.records import Json, Message

SIDES = ("affirmative", "negative")


@dataclass(frozen=True, slots=True)
class Verdict:
    """``text`` is what is graded; None: no preference, and so is everything that cannot be read."""

    text: str | None
    side: str | None = None


def read(text: str | None, kind: prompts.Kind) -> Verdict:
    """The verdict in JSON that may be cut; an answer that its grader cannot read is none."""
    found = objects.find(text or "", "answer") or {}
    answer = found.get("answer")
    if answer is None or str(found.get("preference", "yes")).strip().lower() == "no":
        return Verdict(None)
    graded = as_text(answer, kind)
    if grading.extract(kind, graded) is None:
        return Verdict(None)
    side = str(found.get("side", "")).strip().lower()
    return Verdict(graded, side if side in SIDES else None)


class MadSettings(Section):
    level: Annotated[int, Field(ge=0, le=3)] = 2  # of disagreement: 0 none wanted ... 3 on every point
    rounds: Count = 3  # at most
    temperature: Temperature = 0.0


class TitForTat(Method):
    """Two debaters whatever the number of agents; the coordinator's model moderates.

    Each round: the affirmative side, the negative side on what it just heard, the moderator on both. Without
    a preference after the last round a fresh judge reads both sides' first arguments and decides in two
    calls: 3, 6, 9 or 11 calls by default. If that judge cannot be read either, the majority of the two sides'
    last answers decides, the affirmative one where they differ.
    """

    name, look = "mad", ("#882200", "p")
    Settings = MadSettings
    forgets = True

    def __init__(self, settings: MadSettings) -> None:
        self.level, self.rounds, self.temperature = settings.level, settings.rounds, settings.temperature

    async def solve(self, session: Session) -> Solution:
        debate = _Debate(session, self.level, self.temperature)
        for round in range(self.rounds):
            verdict = await debate.round(round)
            if verdict.text is not None:
                return debate.solution(verdict, "moderator")
        verdict = await debate.judge()
        if verdict.text is not None:
            return debate.solution(verdict, "judge")
        return debate.majority()


class _Debate:
    """One problem's debate as it goes."""

    def __init__(self, session: Session, level: int, temperature: float) -> None:
        self.session, self.temperature = session, temperature
        llm = session.params.llm
        self.tokens = llm.answer_tokens(session.kind)
        self.verdict_tokens = llm.commitment_tokens(session.kind)
        self.chats = [
            self._chat(side, agent, llm.executor(agent), self.tokens, self._told("debater", level=level))
            for agent, side in enumerate(SIDES)
        ]
        self.chats.append(self._chair("moderator"))
        self.said: list[list[Turn]] = []  # by round: both sides
        self.steps: list[Json] = []

    async def round(self, round: int) -> Verdict:
        """Both sides in turn, then the moderator."""
        affirmative, negative, moderator = self.chats
        heard = self.said[-1][1].text if self.said else None
        first = await affirmative.say(self._side(affirmative, heard), round)
        second = await negative.say(self._side(negative, first.text, opposes=not self.said), round)
        self.said.append([first, second])
        told = self._told("verdict", number=round + 1, sides=self._texts(round))
        turn = await moderator.say(told, round, self._schema(prompts.mad_schema(self.session.kind)))
        verdict = read(turn.text, self.session.kind)
        self.steps.append(
            {
                "round": round,
                "answers": answers_of(self.session.kind, self.said[-1]),
                "verdict": verdict.text,
                "side": verdict.side,
            }
        )
        return verdict

    async def judge(self) -> Verdict:
        """A fresh judge on both sides' first arguments: the candidates, then the final answer."""
        judge, last = self._chair("judge"), len(self.said) - 1
        self.chats.append(judge)
        await judge.say(self._told("candidates", sides=self._texts(0)), last)
        schema = self._schema(prompts.mad_schema(self.session.kind, final=True))
        return read((await judge.say(self._told("final"), last, schema)).text, self.session.kind)

    def majority(self) -> Solution:
        """What the two sides said last, where nobody who judges could be read; a tie is the affirmative's."""
        turns = self.said[-1]
        winner = grading.majority(self.session.kind, self.steps[-1]["answers"])
        if winner is not None:
            return self.solution(Verdict(turns[winner].text, SIDES[winner]), "majority")
        return self.solution(Verdict(None), "majority", why_none(turns))

    def solution(self, verdict: Verdict, by: str, error: str | None = None) -> Solution:
        """The side favoured is the one that was named, else the one whose last answer it is."""
        side = verdict.side or self._whose(verdict.text)
        dropped = sum(chat.dropped for chat in self.chats)
        return Solution(
            verdict.text or "", len(self.steps), by, tuple(self.steps), error,
            {"favoured": side, "dropped_exchanges": dropped},
        )  # fmt: skip

    def _whose(self, text: str | None) -> str | None:
        kind = self.session.kind
        answer = grading.extract(kind, text)
        owners = [
            side
            for side, last in zip(SIDES, self.steps[-1]["answers"], strict=True)
            if answer is not None and last is not None and grading.equivalent(kind, answer, last)
        ]
        return "both" if len(owners) == len(SIDES) else next(iter(owners), None)

    def _chat(self, role: str, agent: int, model: str, tokens: int, system: Message) -> Chat:
        return Chat(
            self.session, role, agent, model=model, temperature=self.temperature, max_tokens=tokens,
            system=system,
        )  # fmt: skip

    def _chair(self, role: str) -> Chat:
        """Who decides: the moderator, and at the end the judge, under one system prompt."""
        model = self.session.params.llm.coordinator
        return self._chat(role, 0, model, self.verdict_tokens, self._told("moderator"))

    def _side(self, chat: Chat, heard: str | None, *, opposes: bool = False) -> Message:
        """What a side is told: what the other one just said, None: nothing."""
        return self._told("side", heard=heard, opposes=opposes, spoke=chat.spoke)

    def _told(self, turn: prompts.DebateTurn, **values: Any) -> Message:
        judging = turn in ("verdict", "candidates", "final")
        tokens = self.verdict_tokens if judging else self.tokens
        return prompts.mad(turn, self.session.prompt, self.session.kind, tokens, **values)

    def _texts(self, round: int) -> list[str | None]:
        return [turn.text for turn in self.said[round]]

    def _schema(self, schema: Json) -> Json | None:
        return schema if self.session.params.llm.structured else None
