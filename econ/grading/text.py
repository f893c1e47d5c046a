"""What a model's raw text holds: its thinking, and its answer without a server's leftovers.

Thinking is never an answer. Special tokens, byte tokens and chat templates that a server left in the text are
taken out; what a model wrote in another's turn, after its own, is cut. Both functions may be applied again to
what they gave: nothing changes any more.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from econ.grading.symbols import plain

LONGEST_SENTENCE = 2000  # characters

_NAMES = (
    r"think|thinking|thoughts?|reasoning|reflection|scratchpad|analysis|inner_monologue"
    r"|chain_of_thought"
)
_TAG = re.compile(
    rf"<\|?(?P<a>/?)(?:[a-z]+:)?(?:{_NAMES})(?:\s[^<>]{{0,200}})?(?<!/)\|?>"
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
    r"<\|(?=[^|<>\n]*[A-Za-z])[^|<>\n]{2,60}\|>|<｜[^｜<>\n]{1,60}｜>|</?s>"
    r"|</?(?:eos|bos|pad|unk|mask|eot|eod|endoftext|end_of_turn|start_of_turn|end_of_utterance"
    r"|extra_id_\d{1,3}|unused\d{1,3})>|\[(?:/?INST|PAD|EOS|BOS|UNK|SEP|CLS|MASK)\]|<</?SYS>>",
    re.IGNORECASE,
)
_LEFTOVER = re.compile(
    r"<[|｜/]|<0x|<s>|<[a-z_]+\d{0,3}>|<<SYS|\[/?[A-Z]{3,4}\]|[Ġ▁]", re.IGNORECASE
)  # may be there at all
_BYTES = re.compile(r"(?:<0x[0-9A-Fa-f]{2}>)+")
_BPE = re.compile(r"(?<=[a-z0-9.,:;!?)])Ġ")  # no Maltese word has its capital there


class Parts(NamedTuple):
    """A raw text taken apart; ``closed`` False: the thinking never ended, so there is no answer."""

    thinking: str
    answer: str
    closed: bool = True


def parts(text: str) -> Parts:
    """A model's thinking and its answer, in tags or in channels; the answer as :func:`without_tokens` has it.

    A closing tag alone ends a thinking that a chat template began. An opening one without its end leaves no
    answer: the model was cut while it thought.
    """
    if _CHANNEL.search(text):
        found = _channels(text)
    elif led := _CHANNEL_WORDS.match(text):
        found = Parts(led.group(), text[led.end() :])
    else:
        found = _tags(text)
    return found._replace(thinking=found.thinking.strip(), answer=without_tokens(found.answer))


def without_tokens(text: str) -> str:
    """Without special tokens, byte tokens and the chat template; only the model's own first turn."""
    if not _LEFTOVER.search(text):
        return text
    text = _first_turn(text)
    text = _BYTES.sub(lambda run: bytes.fromhex(re.sub(r"<0x|>", "", run[0])).decode(errors="ignore"), text)
    if _BPE.search(text):
        text = text.replace("Ġ", " ").replace("Ċ", "\n")
    while (stripped := _TOKEN.sub("\n", text)) != text:
        text = stripped
    return text.replace("▁", " ")


def readable(text: str) -> str:
    """The answer of a raw text in plain characters: what every grader reads."""
    return plain(parts(text).answer)


def first_sentence(text: str) -> str:
    """Up to the first full stop of a sentence or the line's end, and no further than any answer goes."""
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])|\n", text[:LONGEST_SENTENCE].strip(), maxsplit=1)[0]


def _tags(text: str) -> Parts:
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
            thinking, answer = [*thinking, *answer], []
    if depth:
        return Parts("".join([*thinking, *answer, text[at:]]), "", closed=False)
    return Parts("".join(thinking), "".join([*answer, text[at:]]))


def _channels(text: str) -> Parts:
    *_, last = _CHANNEL.finditer(text)
    if last[1].lower() == "final":
        return Parts(text[: last.start()], text[last.end() :])
    return Parts(text, "", closed=False)


def _first_turn(text: str) -> str:
    """Up to the first header of somebody else's turn; a prompt before the model's own is left out."""
    kept = ""
    at = 0
    asking = False
    for header in _ROLE.finditer(text):
        said = text[at : header.start()]
        if not asking:
            kept += said
        role = (header["a"] or header["b"] or header["c"]).lower()
        if role in _ASKING and _TOKEN.sub("", kept).strip():
            return kept
        asking, at = role in _ASKING and role != "[inst]", header.end()
    return kept if asking else kept + text[at:]
