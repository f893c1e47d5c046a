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


def table() -> str:
    head = ["Day", *(key.replace("_", " ").title() for key in PLAN[0] if key != "days")]
    rows = [[str(day["days"]), *(v for k, v in day.items() if k != "days")] for day in PLAN]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def camel(key: str) -> str:
    first, *others = key.split("_")
    return first + "".join(word.title() for word in others)


CELLS = [{key: value for key, value in day.items() if key != "days"} for day in PLAN]
HEADINGS = [
    "Day {n}.", "Day #{n}:", "Day-{n}:", "DAY {n}:", "Day 0{n}:", "(Day {n})", "[Day {n}]", "`Day {n}`:",
    "**Day {n} — Tuesday**", "Day {n} of 3:", "Day {n} of the trip", "Day {n} | March 3", "{n}. Day {n}:",
    "March 3 (Day {n}):", "Itinerary for Day {n}:", "📅 Day {n}:", "> Day {n}:", "#### Day {n}: From A to B",
    "Day {n}：", "Day {n} (arrival)",
]  # fmt: skip
LINES = [
    "• {key}: {value}", "+ {key}: {value}", "– {key}: {value}", "\t{key}:\t{value}", "🍽 {key}: {value}",
    "{key} - {value}", "{key} = {value}", "`{key}`: {value}", '{key}: "{value}"', "{key}：{value}",
    "> {key}: {value}", "- **{key}**: {value}",
]  # fmt: skip

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
    "camel case": json.dumps([{camel(key): value for key, value in day.items()} for day in PLAN]),
    "kebab case": json.dumps([{key.replace("_", "-"): v for key, v in day.items()} for day in PLAN]),
    "upper case": json.dumps([{key.upper(): value for key, value in day.items()} for day in PLAN]),
    "days by number": json.dumps({str(n): cells for n, cells in enumerate(CELLS, 1)}),
    "days by name, an object each": json.dumps([{f"Day {n}": c} for n, c in enumerate(CELLS, 1)]),
    "days without numbers": json.dumps(CELLS),
    "days as text": json.dumps([{**day, "days": f"Day {day['days']}:"} for day in PLAN]),
    "a list in a list": json.dumps([PLAN]),
    "a tuple": str(tuple(PLAN)),
    "a text in an object": json.dumps({"plan": json.dumps(PLAN)}),
    "Python in a text in an object": json.dumps({"plan": str(PLAN)}),
    "a bracket that stays open before": f"Note [ this: {json.dumps(PLAN)}",
    "a brace that stays open before": f"Note {{ this: {json.dumps(PLAN)}",
    "no closing bracket": json.dumps(PLAN)[:-1],
    "no commas": "[" + "\n".join(map(json.dumps, PLAN)) + "]",
    "comments": "[\n" + ",\n".join(f"  # day\n  {day}" for day in PLAN) + "\n]",
    "a table": table(),
    "YAML": "plan:\n" + layout("- days: {n}", '  {key}: "{value}"'),
    "lines that end as on Windows": layout("Day {n}:", "{key}: {value}").replace("\n", "\r\n"),
    "numbers in words": layout("Day {n}:", "{key}: {value}")
    .replace("Day 1", "Day One")
    .replace("Day 2", "Day Two")
    .replace("Day 3", "Day Three"),
    **{f"heading {heading}": layout(heading, "{key}: {value}") for heading in HEADINGS},
    **{f"line {line}": layout("Day {n}:", line) for line in LINES},
    "layout, then an example": layout("Day {n}:", "{key}: {value}") + "\n\nDay 1:\nLunch: -",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_read_whole(shape: str) -> None:
    verdict = grade(problem("G01"), SHAPES[shape], PARAMS)
    assert (verdict.flexible, verdict.reward) == (True, 1.0)
