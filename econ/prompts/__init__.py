"""What models are told, as template files; and how a commitment is read back.

The problem comes first in every prompt and the role's instructions after it: all roles then share one
prefix, which servers with prefix caching read once. The paper's prompts lack slots for question and format
(inconsistency 5.10); both are given here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from econ.grading.kinds import own
from econ.grading.text import first_sentence
from econ.prompts.exemplars import Kind as Kind
from econ.prompts.exemplars import decomposed, exemplars
from econ.records import Message, Problem

if TYPE_CHECKING:
    import jinja2

    from econ.params import Params

# The parts of mad.j2; the first two are system prompts.
DebateTurn = Literal["debater", "moderator", "side", "verdict", "candidates", "final"]

CONTENT_KEYS = (
    "current_city",
    "transportation",
    "breakfast",
    "attraction",
    "lunch",
    "dinner",
    "accommodation",
)
DAY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"days": {"type": "integer"}, **{key: {"type": "string"} for key in CONTENT_KEYS}},
    "required": ["days", *CONTENT_KEYS],
}

CHECKS = 3  # of a commitment, at most: a list without an end is cut

FINAL_ANSWER: dict[str, dict[str, Any]] = {
    "number": {"type": "number"},
    "math": {"type": "string"},
    "yesno": {"enum": ["yes", "no"]},
    "plan": {"type": "array", "items": DAY_SCHEMA},
}


def final_answer(kind: Kind) -> Mapping[str, Any]:
    """JSON schema of an answer of this kind."""
    return mine.schema if (mine := own(kind)) else FINAL_ANSWER[kind]


def commitment_schema(kind: Kind) -> dict[str, Any]:
    """JSON schema of a commitment. The final answer comes first, so a cut commitment still carries it."""
    return {
        "type": "object",
        "properties": {
            "final_answer": final_answer(kind),
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
            "reasoning": {"type": "string"},
            "checklist": {"type": "array", "items": {"type": "string"}, "maxItems": CHECKS},
        },
        "required": ["final_answer", "confidence", "reasoning", "checklist"],
        "additionalProperties": False,
    }


def mad_schema(kind: Kind, *, final: bool = False) -> dict[str, Any]:
    """JSON schema of a moderator's verdict (Liang et al.), or of the last judge's final answer."""
    if final:
        found = {"answer": final_answer(kind)}
    else:
        found = {
            "preference": {"enum": ["yes", "no"]},
            "side": {"enum": ["affirmative", "negative", "none"]},
            "answer": {"anyOf": [final_answer(kind), {"type": "null"}]},
        }
    found["reason"] = {"type": "string"}
    return {"type": "object", "properties": found, "required": list(found), "additionalProperties": False}


def strategy(prompt: str, kind: Kind, tokens: int) -> list[Message]:
    """Ask the coordinator for a short strategy of at most ``tokens`` tokens, without the answer."""
    return _message(_kept("strategy", prompt=prompt, kind=kind, words=words(tokens)))


def executor(
    prompt: str, kind: Kind, strategy: str | None, tokens: int, note: str | None = None
) -> list[Message]:
    """Ask an executor for its answer from problem and strategy alone.

    ``note`` is what params let it also read: a summary of its own belief, the last commitment.
    """
    text = _kept(
        "executor", prompt=prompt, kind=kind, strategy=strategy, words=_brief(tokens, kind), note=note
    )
    return _message(text)


def for_probe(problems: Sequence[Problem], params: Params) -> list[Message]:
    """An executor's prompt of this run, for a server to be tried with; empty without problems."""
    if not problems:
        return []
    first = problems[0]
    return executor(first.prompt, first.kind, None, params.llm.answer_tokens(first.kind))


def commitment(prompt: str, kind: Kind, answers: Sequence[str], tokens: int) -> list[Message]:
    """Ask the coordinator to commit to one structured answer after reading the executors' answers."""
    limit = words(tokens, COMMITMENT_WORDS)
    return _user("commitment", prompt=prompt, kind=kind, answers=list(answers), words=limit)


def cot(prompt: str, kind: Kind, tokens: int) -> list[Message]:
    """Zero-shot chain of thought (Kojima et al. 2022); also the first message of a debater."""
    return _user("cot", prompt=prompt, kind=kind, words=_brief(tokens, kind))


def few_shot(prompt: str, kind: Kind, tokens: int) -> list[Message]:
    """Few-shot chain of thought (Wei et al. 2022): worked examples as earlier turns, then :func:`cot`.

    The last message is zero-shot CoT's own, so the examples are all that differs between the two; and all
    problems of a kind share one prefix.
    """
    turns: list[Message] = []
    for example in exemplars(kind):
        turns.append({"role": "user", "content": f"Problem:\n{example.question}"})
        turns.append({"role": "assistant", "content": example.answer})
    return [*turns, *cot(prompt, kind, tokens)]


def direct(prompt: str, kind: Kind, tokens: int) -> list[Message]:
    """Ask for the answer alone; :func:`cot` without its reasoning. ``tokens`` sets no word limit here."""
    return _user("direct", prompt=prompt, kind=kind)


def selection(prompt: str, answers: Sequence[str]) -> list[Message]:
    """Ask the coordinator which of the numbered answers is the best (an empty one is shown as absent)."""
    return _user("selection", prompt=prompt, answers=list(answers))


def selection_schema(count: int) -> dict[str, Any]:
    """JSON schema of a choice among ``count`` answers, numbered from 1."""
    return {
        "type": "object",
        "properties": {"choice": {"enum": list(range(1, count + 1))}},
        "required": ["choice"],
        "additionalProperties": False,
    }


def synthesis(prompt: str, kind: Kind, answers: Sequence[str], tokens: int) -> list[Message]:
    """Mixture-of-agents: :func:`cot` after a system message with the previous layer's numbered answers."""
    [user] = cot(prompt, kind, tokens)
    if not answers:
        return [user]
    [read] = _user("synthesis", answers=list(answers))
    return [{"role": "system", "content": read["content"]}, user]


def debate_update(others: Sequence[str]) -> Message:
    """Du et al.: the other agents' latest answers, each fenced and unnamed; alone: double-check.

    Problem and format stand in the agent's own history and are not restated, as in the authors' arithmetic
    script: restating them would only add to the debate's tokens.
    """
    return _user("debate", others=list(others))[0]


def tot_step(prompt: str, kind: Kind, thoughts: Sequence[str], last: bool, tokens: int) -> list[Message]:
    """Tree of Thoughts: one more step after ``thoughts``; the last one must bring the answer."""
    return _user(
        "tot_step", prompt=prompt, kind=kind, thoughts=list(thoughts), last=last, words=_brief(tokens, kind)
    )


def tot_value(prompt: str, thoughts: Sequence[str]) -> list[Message]:
    """Tree of Thoughts: is a partial solution sure, likely or impossible to lead to the answer?"""
    return _user("tot_value", prompt=prompt, thoughts=list(thoughts))


NOW = "Now we can answer:"  # what the last sub-question starts with

Asked = Sequence[tuple[str, str]]  # sub-questions so far, with their answers


def sub_question(prompt: str, kind: Kind, asked: Asked, examples: int) -> list[Message]:
    """RAP, rStar: the next sub-question, after so many worked examples."""
    shown = decomposed(kind)[:examples]
    return _user("sub_question", examples=shown, prompt=prompt, steps=list(asked), now=NOW)


def sub_answer(
    prompt: str, kind: Kind, asked: Asked, question: str, last: bool, examples: int, tokens: int
) -> list[Message]:
    """RAP, rStar: the answer to a sub-question. The beginning is that of :func:`sub_question`."""
    shown = decomposed(kind)[:examples]
    return _user(
        "sub_answer", examples=shown, prompt=prompt, kind=kind, steps=list(asked), question=question,
        last=last, words=words(tokens), now=NOW,
    )  # fmt: skip


def sub_useful(prompt: str, kind: Kind, asked: Asked, question: str, examples: int) -> list[Message]:
    """RAP: is a new sub-question useful? Every other example shows one that is not."""
    shown = decomposed(kind)[:examples]
    return _user("sub_useful", examples=shown, prompt=prompt, steps=list(asked), question=question)


def mad(turn: DebateTurn, prompt: str, kind: Kind, tokens: int, **values: Any) -> Message:
    """Liang et al.: one message of a debate by tit for tat. ``values``: what that part of mad.j2 names.

    The problem stands in the system prompts, before the role: all participants share one prefix.
    """
    limit = words(tokens, COMMITMENT_WORDS) if turn in ("verdict", "final") else _brief(tokens, kind)
    [message] = _user("mad", turn=turn, prompt=prompt, kind=kind, words=limit, **values)
    return {**message, "role": "system"} if turn in ("debater", "moderator") else message


def react(prompt: str, steps: int) -> Message:
    """ReAct on plans (Yao et al. 2023, as in TravelPlanner): the task, the two actions, the plan's form."""
    return _user("react", prompt=prompt, steps=steps)[0]


def react_observation(
    *, dollars: float | None, unknown: Sequence[str], action: bool, reflect: int = 0
) -> Message:
    """What an action brought: a cost, or why there is none; no ``action`` was read at all.

    ``reflect``: ask for a reflection (Reflexion, Shinn et al. 2023) on so many failures in a row.
    """
    cost = None if dollars is None else f"{dollars:g}"
    values = {"dollars": cost, "unknown": list(unknown), "action": action, "reflect": reflect}
    return _user("react_observation", **values)[0]


def react_on() -> Message:
    """After a reflection: go on."""
    return _user("react_on")[0]


def rstar_thought(prompt: str, kind: Kind, steps: str, examples: int, tokens: int) -> list[Message]:
    """rStar's A1: one more step. The examples show the first step of a solution."""
    firsts = [(e.question, first_sentence(e.answer)) for e in exemplars(kind)[:examples]]
    return _rstar("thought", "First step", firsts, prompt, kind, steps, tokens)


def rstar_solution(prompt: str, kind: Kind, steps: str, examples: int, tokens: int) -> list[Message]:
    """rStar's A2, and its discriminator: the solution from ``steps`` on, to its end."""
    whole = [(e.question, e.answer) for e in exemplars(kind)[:examples]]
    return _rstar("solution", "Solution", whole, prompt, kind, steps, tokens)


def rstar_rephrasing(prompt: str, kind: Kind, examples: int, tokens: int) -> list[Message]:
    """rStar's A5: the problem in other words."""
    again = [(e.question, e.rephrased) for e in decomposed(kind)[:examples]]
    return _rstar("rephrasing", "In other words", again, prompt, kind, "", tokens)


def _rstar(
    action: str,
    label: str,
    shown: Sequence[tuple[str, str]],
    prompt: str,
    kind: Kind,
    steps: str,
    tokens: int,
) -> list[Message]:
    examples = [{"question": question, "shown": text} for question, text in shown]
    return _user(
        "rstar", action=action, label=label, examples=examples, prompt=prompt, kind=kind, steps=steps,
        words=_brief(tokens, kind),
    )  # fmt: skip


# Words that an answer is asked to keep to where its cap leaves room for more: told to be brief, a small model
# ends by itself, is as often right, and spends half the tokens.
BRIEF: Mapping[Kind, int] = {"number": 50, "math": 60, "yesno": 45}
COMMITMENT_WORDS = 25  # of its reasoning


def words(tokens: int, most: int | None = None) -> int:
    """A word limit that leaves room below a token cap (an English word takes about 1.4 tokens)."""
    limit = max(10, int(tokens / 1.6))
    return limit if most is None else min(limit, most)


def _brief(tokens: int, kind: Kind) -> int:
    return words(tokens, BRIEF.get(kind))


def _user(template: str, **values: Any) -> list[Message]:
    return _message(_text(template, **values))


def _message(text: str) -> list[Message]:
    return [{"role": "user", "content": text}]


def _text(template: str, **values: Any) -> str:
    return _template(template).render(**values).strip()


_kept = lru_cache(maxsize=128)(_text)  # for what many are told: all executors, the same problem's next team


@cache
def _template(name: str) -> jinja2.Template:
    return _environment().get_template(f"{name}.j2")


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        auto_reload=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - plain text, not HTML
    )
    environment.globals["own"] = own
    return environment
