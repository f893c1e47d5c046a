"""Plans in the shapes that models give them (kind 16 of ``docs/readings.md``): each is worth 1.00."""

from __future__ import annotations

import json

import pytest

from econ.grading import grade
from tests.grading.test_travelplanner import CASES, PARAMS, problem

PLAN = CASES["G01"]["plan"]
EXAMPLE = [{**PLAN[0], "days": 1, "lunch": "No Such Kitchen, Nowhere"}]
TITLED = [{key.replace("_", " ").title(): value for key, value in day.items()} for day in PLAN]
NAMED = {f"Day {day['days']}": {k: v for k, v in day.items() if k != "days"} for day in PLAN}


def layout(heading: str, line: str) -> str:
    rows = []
    for day in PLAN:
        rows.append(heading.format(n=day["days"]))
        cells = [(key, value) for key, value in day.items() if key != "days"]
        rows += [
            line.format(i=i, key=k.replace("_", " ").title(), value=v) for i, (k, v) in enumerate(cells, 1)
        ]
    return "\n".join(rows)


SHAPES = {
    "JSON": json.dumps(PLAN),
    "Python literals": str(PLAN),
    "Python literals in prose": f"Joe's plan is:\n{PLAN}\nEnjoy [it]!",
    "trailing commas": json.dumps(PLAN, indent=1).replace("\n }", ",\n }").replace("}\n]", "},\n]"),
    "one object per line": "\n".join(map(json.dumps, PLAN)),
    "objects with commas": ",\n".join(map(json.dumps, PLAN)),
    "days by name": json.dumps(NAMED),
    "days by name in a list": json.dumps([NAMED]),
    "within an object": json.dumps({"query": "x", "plan": PLAN}),
    "title case": json.dumps(TITLED),
    "spaced keys": json.dumps([{k.replace("_", " "): v for k, v in day.items()} for day in PLAN]),
    "day for days": json.dumps([{("day" if k == "days" else k): v for k, v in day.items()} for day in PLAN]),
    "Day 1 as a number": json.dumps([{**day, "days": f"Day {day['days']}"} for day in PLAN]),
    "fenced": f"```json\n{json.dumps(PLAN, indent=2)}\n```",
    "an example before": f"Like {json.dumps(EXAMPLE)}:\n{json.dumps(PLAN)}",
    "an example behind": f"{json.dumps(PLAN)}\nOne day looks so: {json.dumps(EXAMPLE)}",
    "a plan put right": f"{json.dumps([*PLAN[:-1], EXAMPLE[0]])}\nBetter:\n{json.dumps(PLAN)}",
    "thinking before": f"<think>{json.dumps([*PLAN, *EXAMPLE])}</think>{json.dumps(PLAN)}",
    "a special token behind": f"{json.dumps(PLAN)}<|im_end|>",
    "heading with a title": layout("### Day {n} - Arrival", "- **{key}:** {value}"),
    "heading with a date": layout("Day {n} (March 16):", "{key}: {value}"),
    "bold heading": layout("**Day {n}: March 16th**", "* {key}: {value}"),
    "numbered lines": layout("Day {n}:", "{i}. {key}: {value}"),
    "numbered bold lines": layout("## Day {n}", "{i}) **{key}**: {value}"),
    "layout, then an example": layout("Day {n}:", "{key}: {value}") + "\n\nDay 1:\nLunch: -",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_read_whole(shape: str) -> None:
    verdict = grade(problem("G01"), SHAPES[shape], PARAMS)
    assert (verdict.flexible, verdict.reward) == (True, 1.0)
