"""A game as it is read in a terminal: rounds, who speaks, with which settings, and what is said."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence

import click
import orjson

from econ.records import Call, Json, Message, Trace
from econ.terminal import printable

# Where an agent's number tells nothing more than its role.
_ONE_OF_A_KIND = ("affirmative", "negative", "moderator", "selector", "aggregator")
_SEVERAL = ("executor", "debater", "proposer")
_ACTING = ("planner", "reflector")
_COLOURS = ("cyan", "green", "yellow", "blue", "bright_red", "bright_cyan")
_CHAIR = "magenta"  # who decides on others' answers


class Turns:
    """Prints every call as it ends.

    In a terminal there are colours, and texts are wrapped to its width; elsewhere texts stay as they are. A
    model is named where it is another than before.

    Args:
        prompts: show what was asked, too.
    """

    def __init__(self, *, prompts: bool = False) -> None:
        self._prompts = prompts
        self._round: int | None = None
        self._model = ""

    def __call__(self, call: Call) -> None:
        if call.round != self._round:
            self._round = call.round
            click.secho(f"── round {call.round} ──\n", dim=True)
        named = _facts(call) if call.model == self._model else f"{call.model}, {_facts(call)}"
        facts = printable(named)
        self._model = call.model
        head = click.style(speaker(call), fg=_colour(call), bold=True)
        click.echo(f"{head}  {click.style(facts, dim=True)}")
        for message in call.messages if self._prompts else _news(call):
            click.secho(_body(f"[{message['role']}] {message['content']}", "  > "), dim=True)
        if call.ok:
            click.echo(_body(_unfolded(call.text), "  ") + "\n")
        else:
            click.secho(f"  no answer: {printable(str(call.error))}\n", fg="red")


def _news(call: Call) -> Sequence[Message]:
    """What an agent's last action brought: nobody else's turn shows it."""
    return call.messages[-1:] if call.role in _ACTING and len(call.messages) > 1 else ()


def speaker(call: Call) -> str:
    """Role, number and sample: "executor 2", "moderator", "solver, sample 3"."""
    named = call.role
    if call.role in _SEVERAL or (call.agent and call.role not in _ONE_OF_A_KIND):
        named += f" {call.agent + 1}"
    return f"{named}, sample {call.sample + 1}" if call.sample else named


def answers(trace: Trace) -> list[str]:
    """A line per round with the participants' answers; where the gold is known, which are right."""
    lines = []
    for step in trace.steps:
        if "answers" in step and not any(map(_is_plan, step["answers"])):
            marks = step.get("correct") or [None] * len(step["answers"])
            given = (_marked(*pair) for pair in zip(step["answers"], marks, strict=True))
            lines.append(f"round {step['round']}: {'  '.join(given)}")
    return lines


def _is_plan(answer: str | None) -> bool:
    """Too long for a line: a plan is a JSON list of days."""
    return answer is not None and answer.startswith("[{")


def tree(trace: Trace) -> list[str]:
    """A search's tree, a line per node below its parent's: what it says, its value, visits and answer."""
    below: dict[int | None, list[Json]] = {}
    for node in trace.detail.get("tree", ()):
        below.setdefault(node["parent"], []).append(node)

    def lines(node: Json, depth: int) -> Iterator[str]:
        if depth:
            yield f"{'  ' * depth}{_node(node)}"
        for child in below.get(node["id"], ()):
            yield from lines(child, depth + 1)

    return [line for root in below.get(None, ()) for line in lines(root, 0)]


def _node(node: Json) -> str:
    said = textwrap.shorten(node.get("question") or node["text"], 64, placeholder=" …")
    facts = [f"value {node['value']:g}"]
    if "visits" in node:
        facts.append(f"visits {node['visits']}")
    if node.get("answer"):
        facts.append(f"answer {textwrap.shorten(node['answer'], 48, placeholder=' …')}")
    action = f"{node['action']} " if "action" in node else ""
    return f"{node['id']}. {action}{said} ({', '.join(facts)})"


def _marked(answer: str | None, right: bool | None) -> str:
    if answer is None:
        return "none"
    return answer if right is None else f"{answer} {'✓' if right else '✗'}"


def _facts(call: Call) -> str:
    """The settings that are not neutral, and what it cost."""
    s = call.sampling
    facts = [f"T {s.temperature:.2f}"]
    if s.top_p != 1:
        facts.append(f"top-p {s.top_p:.2f}")
    if s.repetition_penalty != 1:
        facts.append(f"penalty {s.repetition_penalty:.2f}")
    facts.append(f"{call.prompt_tokens} + {call.completion_tokens} tokens")
    if call.finish_reason == "length":
        facts.append("cut at its cap")
    if call.cached:
        facts.append("cached")
    return ", ".join(facts)


def _colour(call: Call) -> str:
    alone = call.role in ("coordinator", "judge", *_ONE_OF_A_KIND[2:])
    return _CHAIR if alone else _COLOURS[call.agent % len(_COLOURS)]


def _unfolded(text: str) -> str:
    """A JSON object as a line per key; anything else, a cut one too, as it is."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text.strip()
    if not isinstance(found, dict):
        return text.strip()
    return "\n".join(f"{key}: {line}" for key, value in found.items() for line in _lines(value))


def _lines(value: object) -> Iterable[str]:
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return (orjson.dumps(item).decode() for item in value)
    return [value if isinstance(value, str) else orjson.dumps(value).decode()]


def _body(text: str, indent: str) -> str:
    lines: Iterable[str] = printable(text).splitlines()
    if sys.stdout.isatty():
        width = max(40, shutil.get_terminal_size().columns - len(indent))
        lines = (part for line in lines for part in textwrap.wrap(line, width) or [""])
    return "\n".join(f"{indent}{line}".rstrip() for line in lines)
