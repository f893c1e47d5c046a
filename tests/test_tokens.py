"""The upper estimate of a prompt against what servers counted, as recorded in traces."""

from __future__ import annotations

import pytest

from econ import tokens
from econ.records import Message

RECORDED = {
    "digits and signs, by Qwen 2.5": (
        178,
        "Problem:\nChad ordered a build-your-own burrito for lunch.  The base burrito is $6.50.  He "
        "adds extra meat for $2.00, extra cheese for $1.00, avocado for $1.00 and 2 sauces for $0.25 "
        "each.  He decides to upgrade his meal for an extra $3.00 which will add chips and a drink.  "
        "He has a gift card for $5.00 that he uses at check out.  How much does he still owe?\n\nLet's "
        'think step by step. Use at most 80 words. End with one line "Final answer: N", N being one '
        "number without units.",
    ),
    "LaTeX, by SmolLM2": (
        131,
        "Problem:\nWhat is the integer value of $x$ in the arithmetic sequence $3^2, x, "
        "3^4$?\n\nStrategy: The sum of integers in a sequence is always congruent to the sum of the "
        "first term and the last term. In\n\nSolve the problem step by step, following the strategy. "
        'Use at most 25 words. End with one line "Final answer: \\boxed{X}", X being the simplified '
        "result in LaTeX.",
    ),
    "answers at a high temperature, by SmolLM2": (
        241,
        "Problem:\nWould a member of the United States Air Force get a discount at Dunkin "
        "Donuts?\n\nAnswer 1: One person can earn \n2 x LavaceFinR     SoloMbalintcha for job A slash  "
        "       \n\nAnswer 2: Awesome recommendation bringing some numbers between each other myoer "
        "dotDOFT_39 weirdeno\n\n2 Is\n\nAnswer 3: THE YARRESTED PARADY OF LIFE ye shall ponder his "
        "doomscaping charmsweepillshela\n\nAnswer 4: Ajmoore overbal city online restaurants burgers "
        "fast going proteins diet reform fitfu google my company involves selling brun\n\nYou "
        "coordinate the team that gave these answers. Weigh them and commit to one final answer. Reply "
        'with JSON: "final_answer" ("yes" or "no"), "confidence" (0 to 1), "reasoning" (at most 15 '
        'words), "checklist" (what you checked, short texts).',
    ),
}


@pytest.mark.parametrize("name", RECORDED)
def test_a_prompt_takes_no_more_than_the_upper_estimate_and_not_much_less(name: str) -> None:
    counted, text = RECORDED[name]
    messages: list[Message] = [{"role": "user", "content": text}]
    assert counted <= tokens.prompt_at_most(messages) <= 1.6 * counted


def test_no_byte_level_tokenizer_needs_more_for_other_scripts() -> None:
    assert tokens.at_most("三个苹果") >= len("三个苹果".encode())
