"""A JSON schema as a grammar that the engine can keep to (the EBNF of xgrammar).

The engine takes schemas itself, but then allows any run of white space, which a small model at a high
temperature fills its answer with; and a schema that it cannot read ends it. So the grammar is written here:
the part of JSON schema below, white space as people write it, and one clear error for everything else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# ``space``: compact and pretty-printed JSON both fit. ``rest`` says what may follow a string, so that the
# engine can tell beforehand which tokens fit: otherwise each costs 8 ms.
BASE = r"""
space ::= "" | " " | "\n" [ \t]{0,12}
string ::= "\"" rest
rest ::= ("\"" | [^"\\\x00-\x1F] rest | "\\" escape rest) (= [ \n\t]* [,}\]:])
escape ::= ["\\/bfnrt] | "u" [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F]
integer ::= "-"? ("0" | [1-9] [0-9]{0,15})
number ::= integer ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?
boolean ::= "true" | "false"
null ::= "null"
"""
SCALARS = frozenset({"string", "integer", "number", "boolean", "null"})
KNOWN = frozenset({
    "type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems", "enum",
    "const", "anyOf", "minimum", "maximum", "title", "description",
})  # fmt: skip


class Unsupported(ValueError):
    """The schema asks for something that the grammar cannot say."""


def from_schema(schema: Mapping[str, Any]) -> str:
    """The grammar of JSON texts that fit ``schema``; properties come in the schema's order.

    ``minimum`` and ``maximum`` are left to the reader: a grammar counts no values.

    Raises:
        Unsupported: a keyword or type outside of the part that is understood.
    """
    return f"root ::= {_value(schema)}\n{BASE}"


def _value(schema: Mapping[str, Any]) -> str:
    if unknown := sorted(set(schema) - KNOWN):
        raise Unsupported(f"json_schema: '{unknown[0]}' is not supported")
    if "enum" in schema:
        return _one_of([_literal(value) for value in schema["enum"]])
    if "const" in schema:
        return _literal(schema["const"])
    if "anyOf" in schema:
        return _one_of([_value(option) for option in schema["anyOf"]])
    kind = schema.get("type")
    if isinstance(kind, list):
        return _one_of([_value({**schema, "type": one}) for one in kind])
    if kind in SCALARS:
        return str(kind)
    if kind == "array":
        return _array(schema)
    if kind == "object":
        return _object(schema)
    raise Unsupported(f"json_schema: type {kind!r} is not supported")


def _object(schema: Mapping[str, Any]) -> str:
    properties: Mapping[str, Any] = schema.get("properties", {})
    if optional := sorted(set(properties) - set(schema.get("required", ()))):
        raise Unsupported(f"json_schema: '{optional[0]}' must be required")
    members = [f'{_literal(name)} space ":" space {_value(value)}' for name, value in properties.items()]
    return f'"{{" space {_joined(members)} space "}}"' if members else '"{" space "}"'


def _array(schema: Mapping[str, Any]) -> str:
    if "items" not in schema:
        raise Unsupported("json_schema: an array must say what its items are")
    item = f"({_value(schema['items'])})"
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    if most == 0:
        return '"[" space "]"'
    more = f"{{{max(0, least - 1)},{'' if most is None else most - 1}}}"
    some = f'{item} (space "," space {item}){more}'
    return f'"[" space ({some}) space "]"' if least else f'"[" space ({some})? space "]"'


def _joined(members: list[str]) -> str:
    return ' space "," space '.join(members)


def _one_of(options: list[str]) -> str:
    if not options:
        raise Unsupported("json_schema: nothing to choose from")
    return f"({' | '.join(options)})"


def _literal(value: object) -> str:
    """A JSON value as a quoted terminal: its own text, quoted once more."""
    return json.dumps(json.dumps(value, ensure_ascii=False), ensure_ascii=False)
