"""Messages of all kinds of servers: what was thought, what was answered, and why there is no answer."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econ.messages import CAPPED, EMPTY, FILTERED, REFUSED, Said, clean, read_message, read_text

TEXTS: list[tuple[str, str, str]] = [  # a text, its thinking, its answer (kinds 4 and 9 of readings)
    ("So 48.", "", "So 48."),
    ("  a < b, <b> and |x| < |y|  ", "", "  a < b, <b> and |x| < |y|  "),
    ("<think>The answer is 72.</think> … so 48.", "The answer is 72.", "… so 48."),
    ("<think>\n72\n</think>\n\n48", "72", "48"),
    ("<think></think>\n\n48", "", "48"),
    ("<thinking>72</thinking>48", "72", "48"),
    ("<THINK>72</THINK>48", "72", "48"),
    ("<reasoning>72</reasoning>\n48", "72", "48"),
    ('<reasoning effort="high">72</reasoning>48', "72", "48"),
    ("<thought>72</thought>48", "72", "48"),
    ("<seed:think>72</seed:think>48", "72", "48"),
    ("The answer is 72.</think>48", "The answer is 72.", "48"),
    ("<think>a <think> b</think>c</think> 48", "a \n b\nc", "48"),
    ("<think>72</think>4<think>73</think>8", "72\n73", "48"),
    ("[THINK]72[/THINK]48", "72", "48"),
    ("◁think▷72◁/think▷48", "72", "48"),
    ("<|begin_of_thought|>72<|end_of_thought|>48", "72", "48"),
    (
        "<|channel|>analysis<|message|>72<|end|><|start|>assistant<|channel|>final<|message|>48<|return|>",
        "72",
        "48",
    ),
    ("Final answer: 3/4<|im_end|>", "", "Final answer: 3/4"),
    ("Final answer: 3/4<|eot_id|>", "", "Final answer: 3/4"),
    ("Final answer: 3/4</s>", "", "Final answer: 3/4"),
    ("Final answer: 3/4<end_of_turn>", "", "Final answer: 3/4"),
    ("Final answer: 3/4<｜end▁of▁sentence｜>", "", "Final answer: 3/4"),
    ("<|im_start|>assistant\n3/4<|im_end|>", "", "3/4"),
    ("<|start_header_id|>assistant<|end_header_id|>\n\n3/4", "", "3/4"),
    ("3/4<|im_end|>\n<|im_start|>user\nAnd 2 + 2?", "", "3/4"),
    ("<s>[INST] 3/4 [/INST]</s>", "", "3/4"),
    ("<think>a<thinking>b</thinking>72</think>48", "a\nb\n72", "48"),
    ("<think><think>72</think>48", "72", "48"),
    ("<analysis>72</analysis>48", "72", "48"),
    ("analysisIt is 72.assistantfinal48", "analysisIt is 72.assistantfinal", "48"),
    ("ItĠisĠ3.", "", "It is 3."),
    ("It▁is▁3.", "", "It is 3."),
    ("3[EOS]4", "", "3\n4"),
    ("48<|endoftext|>Question: 2 + 2?", "", "48\nQuestion: 2 + 2?"),
    ("left.<0x0A>So 3", "", "left.\nSo 3"),
    ("caf<0xC3><0xA9>", "", "café"),
]


@pytest.mark.parametrize(("text", "thinking", "answer"), TEXTS)
def test_a_text_is_taken_apart(text: str, thinking: str, answer: str) -> None:
    assert read_text(text) == Said(answer, thinking, None)


@pytest.mark.parametrize("text", ["<think>72", "So 5. <think>72", "72</think>48<think>73", "<reasoning>\n72"])
def test_thinking_without_an_end_has_reached_its_cap_and_answers_nothing(text: str) -> None:
    said = read_text(text)
    assert (said.answer, said.why) == ("", CAPPED)
    assert "72" in said.thinking


def part(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


MESSAGES: list[tuple[dict[str, Any], str, str, str, str | None]] = [
    ({"content": "48", "reasoning_content": "72"}, "stop", "72", "48", None),
    ({"content": "48", "reasoning": "72"}, "stop", "72", "48", None),
    ({"content": "48", "thinking": "72"}, "stop", "72", "48", None),
    ({"content": "48", "reasoning_content": None, "reasoning": "72"}, "stop", "72", "48", None),
    ({"content": "48", "reasoning_details": [{"type": "reasoning", "text": "72"}]}, "stop", "72", "48", None),
    ({"content": "<think>73</think>48", "reasoning": "72"}, "stop", "72\n73", "48", None),
    ({"content": None, "reasoning_content": "72"}, "length", "72", "", CAPPED),
    ({"content": "", "reasoning": "72"}, "stop", "72", "", EMPTY),
    ({"content": [part("4"), part("8")]}, "stop", "", "48", None),
    ({"content": ["4", {"text": "8"}]}, "stop", "", "48", None),
    ({"content": [{"type": "thinking", "thinking": [part("72")]}, part("48")]}, "stop", "72", "48", None),
    ({"content": [{"type": "reasoning", "summary": part("72")}, part("48")]}, "stop", "72", "48", None),
    ({"content": {"type": "output_text", "text": "48"}}, "stop", "", "48", None),
    ({"content": [{"type": "refusal", "refusal": "No."}]}, "stop", "", "", f"{REFUSED}: No."),
    ({"content": None, "refusal": "I will\nnot."}, "stop", "", "", f"{REFUSED}: I will not."),
    ({"content": "", "refusal": None}, "content_filter", "", "", FILTERED),
    ({"content": "48", "refusal": "No."}, "content_filter", "", "48", None),
    ({"content": None, "tool_calls": []}, "tool_calls", "", "", EMPTY),
    ({}, "stop", "", "", EMPTY),
]  # fmt: skip


@pytest.mark.parametrize(("message", "finish", "thinking", "answer", "why"), MESSAGES)
def test_a_message_is_taken_apart(
    message: dict[str, Any], finish: str, thinking: str, answer: str, why: str | None
) -> None:
    assert read_message(message, finish) == Said(answer, thinking, why)


PIECES = [
    "<think>",
    "</think>",
    "<",
    "|>",
    "<|",
    "im_end",
    "<|im_end|>",
    "<0xC3>",
    "</s>",
    "[THINK]",
    "a ",
    "◁",
]
TEXT = st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=60)


@settings(max_examples=300, deadline=2000)
@given(TEXT, st.sampled_from([1, 1, 1, 2000]))
def test_any_text_is_read_in_time_and_what_is_read_holds_no_tag(text: str, times: int) -> None:
    started = time.process_time()
    said = read_text(text * times)
    assert time.process_time() - started < 2.0
    assert "<think>" not in said.answer
    assert (said.why is None) == bool(said.answer.strip())
    clean(text)
