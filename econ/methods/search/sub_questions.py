"""What models write when they take a problem apart into sub-questions (RAP, rStar), and how it is read."""

from __future__ import annotations

import re


def is_overall(question: str, prompt: str) -> bool:
    """Is it the problem's own question?"""
    plain = question.casefold().strip()
    return plain.startswith("now we can answer") or plain in (
        prompt.casefold().strip(),
        own_question(prompt).casefold(),
    )


def own_question(prompt: str) -> str:
    """What a problem asks: its last sentence."""
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", prompt.strip())[-1]


def sub_question(text: str) -> str:
    """The question in a proposal: its first line, without "Q3:"."""
    return re.sub(r"^\W*Q\d*\s*[:.]\s*", "", text.split("\n", 1)[0]).strip()


def sub_answer(text: str) -> str:
    """The answer in what the model wrote: without "A3:", and without the questions that it went on to ask."""
    return re.sub(r"^\W*A\d*\s*[:.]\s*", "", re.split(r"\n\s*(?:Q\d|Problem:|Example:)", text)[0]).strip()
