"""JSON schemas as grammars: what is understood, and one clear error for the rest."""

from __future__ import annotations

from typing import Any

import pytest

from econ import prompts
from econ.llm.local.openvino.grammar import Unsupported, from_schema

TEXT = {"type": "string"}


def root(schema: dict[str, Any]) -> str:
    return from_schema(schema).splitlines()[0].removeprefix("root ::= ")


@pytest.mark.parametrize(
    ("schema", "rule"),
    [
        (TEXT, "string"),
        ({"type": ["integer", "null"]}, "(integer | null)"),
        ({"enum": ["yes", 2, None]}, r'("\"yes\"" | "2" | "null")'),
        ({"const": 'a "b"'}, r'"\"a \\\"b\\\"\""'),
        ({"anyOf": [TEXT, {"type": "boolean"}]}, "(string | boolean)"),
        ({"type": "array", "items": TEXT}, '"[" space ((string) (space "," space (string)){0,})? space "]"'),
        (
            {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 3},
            '"[" space ((string) (space "," space (string)){1,2}) space "]"',
        ),
        ({"type": "object"}, '"{" space "}"'),
        (
            {"type": "object", "properties": {"a": TEXT, "b": {"type": "null"}}, "required": ["a", "b"]},
            r'"{" space "\"a\"" space ":" space string'
            r' space "," space "\"b\"" space ":" space null space "}"',
        ),
    ],
)
def test_a_schema_is_said_as_a_rule(schema: dict[str, Any], rule: str) -> None:
    assert root(schema) == rule


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        ({}, "type None"),
        ({"type": "string", "pattern": "a+"}, "'pattern'"),
        ({"type": "array"}, "items"),
        ({"type": "object", "properties": {"a": TEXT}}, "'a' must be required"),
        ({"enum": []}, "nothing to choose from"),
        ({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}, r"'\$ref'"),
    ],
)
def test_what_is_not_understood_is_named(schema: dict[str, Any], named: str) -> None:
    with pytest.raises(Unsupported, match=named):
        from_schema(schema)


@pytest.mark.parametrize("kind", prompts.FINAL_ANSWER)
def test_all_schemas_of_the_prompts_are_understood(kind: Any) -> None:
    for schema in (
        prompts.commitment_schema(kind),
        prompts.mad_schema(kind),
        prompts.mad_schema(kind, final=True),
        prompts.selection_schema(9),
    ):
        assert root(schema).startswith('"{"')
