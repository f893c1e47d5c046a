"""What a model said, taken apart: its thinking, its answer, and why there is none.

Servers give the thinking in a field of its own, in tags within the text, or as parts of a list; chat
templates leave special tokens behind. All of it ends here, once, before anything is kept, graded or shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from econ.records import Call, Json

EMPTY = "empty answer"
CAPPED = "thinking reached its cap"
REFUSED = "refused by the model"
FILTERED = "stopped by the provider's content filter"
OVERFLOW = "context overflow"  # the request is too long for the model


def failed(call: Call) -> bool:
    """Is there no answer for a reason that lies with the server, so that asking again can bring one?"""
    own = (EMPTY, CAPPED, REFUSED, FILTERED, OVERFLOW)
    return call.error is not None and not call.error.startswith(own)


@dataclass(frozen=True, slots=True)
class Said:
    """``answer`` is what is graded and shown; ``why`` says why it is empty, None where it is not."""

    answer: str
    thinking: str
    why: str | None


# What none of the tags and tokens below can do without: most texts hold none, and are looked at but once.
_MARK = re.compile(r"[<◁]|\[/?(?:THINK|INST)", re.IGNORECASE)
_NAMES = r"(?:think|thinking|thoughts?|reasoning|reflection|scratchpad|inner_monologue|seed:think)"
_TAG = re.compile(
    rf"<\s?(?P<close>/?)\s?{_NAMES}(?:\s[^<>]{{0,80}})?>"
    r"|◁(?P<close2>/?)think▷|\[(?P<close3>/?)THINK\]"
    r"|<\|(?:begin|(?P<close4>end))_of_thought\|>"
    r"|<\|channel\|>(?:(?:analysis|commentary)\b[^<]*|(?P<close5>final)\b[^<]*)<\|message\|>",
    re.IGNORECASE,
)
_BYTES = re.compile(r"(?:<0x[0-9A-Fa-f]{2}>)+")
_TOKEN = re.compile(
    r"<[|｜][A-Za-z_▁][A-Za-z0-9_▁:-]{1,40}[|｜]>"
    r"|</?(?:s|eos|bos|pad|unk|turn|end_of_turn|start_of_turn|end_of_text|endoftext)>|\[/?INST\]"
)
# A turn that ends, and the model goes on with the next speaker's.
_NEXT_TURN = re.compile(
    r"(?:<\|im_end\|>|<\|eot_id\|>|<\|end\|>|<\|endoftext\|>|<\|end_of_text\|>|<end_of_turn>|</s>)\s*"
    r"(?:<\|im_start\|>|<\|start_header_id\|>|<\|start\|>|<start_of_turn>|<\|user\|>|<s>|\[INST\])"
)
_SPEAKER = re.compile(
    r"^\s*(?:<\|im_start\|>|<\|start\|>|<start_of_turn>)(?:assistant|model)\s*?(?:\n|$|(?=<))"
    r"|^\s*<\|start_header_id\|>assistant<\|end_header_id\|>"
)


def read_message(message: Json, finish_reason: str | None) -> Said:
    """A provider's message: its fields, the parts of its content, the tags and tokens in its text.

    Raises:
        TypeError: the content is neither text nor parts.
    """
    thoughts, texts, refusal = _parts(message.get("content"))
    said = read_text("".join(texts))
    thoughts = [*(thoughts or _field(message)), said.thinking]
    thinking = "\n".join(part for part in thoughts if part.strip())
    return Said(said.answer, thinking, _why(said, thinking, refusal or message.get("refusal"), finish_reason))


def _why(said: Said, thinking: str, refusal: object, finish_reason: str | None) -> str | None:
    if finish_reason == "content_filter" and not said.answer:
        return FILTERED
    if said.answer:
        return None
    if refusal:
        return f"{REFUSED}: {' '.join(str(refusal).split())[:200]}"
    return CAPPED if thinking and finish_reason == "length" else said.why


def read_text(text: str) -> Said:
    """A text: what stands in thinking tags is thinking, and so is all before a closing tag alone.

    Thinking that is never closed has reached its cap: there is no answer.
    """
    if not _MARK.search(text):
        return Said(text, "", None if text.strip() else EMPTY)
    thoughts: list[str] = []
    rest: list[str] = []
    at, inside = 0, False
    for tag in _TAG.finditer(text):
        piece, at = text[at : tag.start()], tag.end()
        closes = any(tag.groups())
        if closes and not inside:
            thoughts += [*rest, piece]
            rest = []
        elif inside:
            thoughts.append(piece)
        else:
            rest.append(piece)
        inside = not closes
    (thoughts if inside else rest).append(text[at:])
    thinking = clean("\n".join(thoughts)).strip()
    answer = "" if inside else clean("".join(rest))
    answer = answer.strip() if thoughts else answer
    return Said(answer, thinking, CAPPED if inside else None if answer.strip() else EMPTY)


def clean(text: str) -> str:
    """Without what a tokenizer or chat template left in: special tokens, bytes by number, a next turn."""
    if not _MARK.search(text):
        return text
    text = _SPEAKER.sub("", text)
    turn = next((m for m in _NEXT_TURN.finditer(text) if text[: m.start()].strip()), None)
    text = text if turn is None else text[: turn.start()]
    return _TOKEN.sub("", _BYTES.sub(_decoded, text))


def _decoded(match: re.Match[str]) -> str:
    return bytes.fromhex(match[0].replace("<0x", "").replace(">", "")).decode("utf-8", "replace")


def _field(message: Json) -> list[str]:
    """The thinking in the first field that holds one: as a text, or as parts with a text each."""
    for name in ("reasoning_content", "reasoning", "thinking", "reasoning_details"):
        thoughts = _texts(message.get(name))
        if any(part.strip() for part in thoughts):
            return thoughts
    return []


def _parts(content: Any) -> tuple[list[str], list[str], str]:
    """Of a message's content: the thinking, the texts of the answer, and a refusal."""
    thinking: list[str] = []
    texts: list[str] = []
    refusal = ""
    for part in content if isinstance(content, list) else [content]:
        if part is None:
            continue
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict):
            kind = str(part.get("type") or "text")
            if kind == "refusal":
                refusal = str(part.get("refusal") or "refused")
            elif "think" in kind or "reason" in kind:
                thinking += _texts(part)
            else:
                texts += _texts(part)
        else:
            raise TypeError("a message's content is neither text nor parts")
    return thinking, texts, refusal


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    if isinstance(value, dict):
        names = ("text", "thinking", "reasoning", "summary", "content", "value")
        return next((_texts(value[name]) for name in names if value.get(name)), [])
    return []
