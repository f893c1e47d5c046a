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
_MARK = re.compile(r"[<◁Ġ▁]|\[(?:/?[A-Z]{3}|\|)|\A\s*analysis", re.IGNORECASE)
_THINKING = (
    r"think|thinking|thoughts?|reasoning|reflection|scratchpad|analysis|inner_monologue"
    r"|chain_of_thought"
)
_TAG = re.compile(
    rf"<\|?\s?(?P<a>/?)\s?(?:[a-z]+:)?(?:{_THINKING})(?:\s[^<>]{{0,200}})?(?<!/)\|?>"
    r"|\[(?P<b>/?)THINK\]|◁(?P<c>/?)think▷|<\|(?P<d>begin|end)_of_thought\|>",
    re.IGNORECASE,
)
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)[^<]{0,100}<\|message\|>")
_CHANNEL_WORDS = re.compile(r"\s*analysis(?=[A-Z\s]).*?assistantfinal", re.DOTALL)  # its tokens were dropped
_ROLE = re.compile(
    r"(?:<\|im_start\|>|<start_of_turn>|<\|start\|>|<\|start_header_id\|>)\s*(?P<a>assistant|model"
    r"|user|system|tool|human)"
    r"(?:\s*<\|end_header_id\|>)?[ \t]*\n?|<[|｜](?P<b>assistant|user|system)[|｜]>|(?P<c>\[INST\])",
    re.IGNORECASE,
)
_ASKING = {"user", "human", "system", "tool", "[inst]"}
_TOKEN = re.compile(
    r"<\|(?=[^|<>\n]*[A-Za-z])[^|<>\n]{2,60}\|>|\[\|[A-Za-z_]{2,40}\|\]|<｜[^｜<>\n]{1,60}｜>|</?s>"
    r"|</?(?:eos|bos|pad|unk|mask|turn|eot|eod|endoftext|end_of_text|end_of_turn|start_of_turn"
    r"|end_of_utterance|extra_id_\d{1,3}|unused\d{1,3})>"
    r"|\[(?:/?INST|PAD|EOS|BOS|UNK|SEP|CLS|MASK)\]|<</?SYS>>",
    re.IGNORECASE,
)
_LEFTOVER = re.compile(
    r"[<\[][|｜/]|<0x|<s>|<[a-z_]+\d{0,3}>|<<SYS|\[/?[A-Z]{3,4}\]|[Ġ▁]", re.IGNORECASE
)  # may be there at all
_BYTES = re.compile(r"(?:<0x[0-9A-Fa-f]{2}>)+")
_BPE = re.compile(r"(?<=[a-z0-9.,:;!?)])Ġ")  # no Maltese word has its capital there


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
    """A text: its thinking, in tags or channels, and its answer as :func:`clean` has it.

    A closing tag alone ends a thinking that a chat template began. Thinking that is never closed has reached
    its cap: there is no answer. What was read may be read again: nothing changes any more.
    """
    if not _MARK.search(text):
        return Said(text, "", None if text.strip() else EMPTY)
    thoughts, answer = _taken_apart(text)
    thinking = "\n".join(clean(part) for part in thoughts).strip()
    if answer is None:
        return Said("", thinking, CAPPED)
    answer = clean(answer)
    if answer != text:
        answer = answer.strip()
    return Said(answer, thinking, None if answer.strip() else EMPTY)


def clean(text: str) -> str:
    """Without special tokens, byte tokens and the chat template; only the model's own first turn.

    A token becomes the end of a line: what stands behind one is no part of the word before it.
    """
    if not _LEFTOVER.search(text):
        return text
    text = _first_turn(text)
    text = _BYTES.sub(lambda run: bytes.fromhex(re.sub(r"<0x|>", "", run[0])).decode(errors="ignore"), text)
    if _BPE.search(text):
        text = text.replace("Ġ", " ").replace("Ċ", "\n")
    while (stripped := _TOKEN.sub("\n", text)) != text:
        text = stripped
    return text.replace("▁", " ")


def _taken_apart(text: str) -> tuple[list[str], str | None]:
    """What was thought, and the answer; None: the thinking never ended."""
    if _CHANNEL.search(text):
        return _channels(text)
    if led := _CHANNEL_WORDS.match(text):
        return [led.group()], text[led.end() :]
    return _tags(text)


def _tags(text: str) -> tuple[list[str], str | None]:
    tags = list(_TAG.finditer(text))
    is_closing = [any(tag[name] in ("/", "end") for name in "abcd") for tag in tags]
    last_closing = max((place for place, closing in enumerate(is_closing) if closing), default=-1)
    thinking: list[str] = []
    answer: list[str] = []
    depth = at = 0
    for place, tag in enumerate(tags):
        (thinking if depth else answer).append(text[at : tag.start()])
        at = tag.end()
        if not is_closing[place]:
            depth += 1
        elif depth:
            depth = depth - 1 if place != last_closing else 0
        else:  # the template wrote the opening tag
            thinking += answer
            answer = []
    if depth:
        return [*thinking, *answer, text[at:]], None
    return thinking, "".join([*answer, text[at:]])


def _channels(text: str) -> tuple[list[str], str | None]:
    headers = list(_CHANNEL.finditer(text))
    ends = [header.start() for header in headers[1:]] + [len(text)]
    bodies = [text[header.end() : end] for header, end in zip(headers, ends, strict=True)]
    if headers[-1][1].lower() != "final":
        return [text[: headers[0].start()], *bodies], None
    return [text[: headers[0].start()], *bodies[:-1]], bodies[-1]


def _first_turn(text: str) -> str:
    """Up to the first header of somebody else's turn; a prompt before the model's own is left out."""
    kept: list[str] = []
    at = 0
    asking = spoke = False
    for header in _ROLE.finditer(text):
        said = text[at : header.start()]
        if not asking:
            kept.append(said)
            spoke = spoke or bool(_TOKEN.sub("", said).strip())
        role = (header["a"] or header["b"] or header["c"]).lower()
        if role in _ASKING and spoke:
            return "".join(kept)
        asking, at = role in _ASKING and role != "[inst]", header.end()
    return "".join(kept) if asking else "".join(kept) + text[at:]


_THOUGHTS = (
    "reasoning_content", "reasoning", "thinking", "reasoning_details", "reasoning_text", "thinking_blocks",
    "thoughts",
)  # fmt: skip


def _field(message: Json) -> list[str]:
    """The thinking in the first field that holds one: as a text, or as parts with a text each."""
    for name in _THOUGHTS:
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
