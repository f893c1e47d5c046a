"""The page of all params, made from the schema and the comments in its source.

python -m econ.params.reference > docs/params.md
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from econ.params import Params
from econ.params.base import Section
from econ.params.methods import about
from econ.registry import METHODS

HEAD = """\
# Params

Made by `python -m econ.params.reference > docs/params.md` from the schema; a test holds it to that. A params
file is YAML and gives only what differs from the defaults below, or from the file that `extends` names in it.
It is checked as a whole before anything runs: an unknown key, a wrong type or an impossible value is one line
that names the key. `--set KEY=VALUE` puts one value in: `--set train.episodes=20`.
"""
HUGE = 10**9  # limits of this size only keep typing errors out
_LIMITS = {"minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "exclusiveMaximum": "< {}"}


def page() -> str:
    """Markdown: a part for each section of the params, then one for each method's settings."""
    parts = [HEAD, *_parts("", Params, Params())]
    parts.append("## Settings of the methods\n\nEach below `settings` and the method's name.\n")
    for name in METHODS:
        schema = about(name).settings
        if schema.model_fields:
            parts += _parts(f"settings.{name}", schema, schema())
    return "\n".join(parts)


def _parts(key: str, schema: type[BaseModel], defaults: BaseModel | None) -> Iterator[str]:
    """A section's table, then those of the sections within; ``defaults``: the section where none is given."""
    fields = schema.model_fields
    single = {name: model for name, info in fields.items() if (model := _section(info.annotation))}
    named = {name: model for name, info in fields.items() if (model := _named(info.annotation))}
    rows = [_row(name, schema, key, defaults) for name in fields if name not in single]
    lines = [f"## `{key}`\n" if key else "## At the top\n"]
    own = vars(schema).get("__doc__")
    if own:
        lines.append(" ".join(own.replace("``", "`").split()) + "\n")
    if rows:
        lines += ["| key | values | default | |", "|---|---|---|---|", *rows, ""]
    if rows or own:
        yield "\n".join(lines)
    for name, model in single.items():
        yield from _parts(f"{key}.{name}".lstrip("."), model, getattr(defaults, name, None))
    for name, model in named.items():
        yield from _parts(f"{key}.{name}.NAME".lstrip("."), model, None)


def _section(annotation: Any) -> type[Section] | None:
    """The section that a key holds, if it holds one."""
    return annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None


def _named(annotation: Any) -> type[Section] | None:
    """The section that each name below a key holds."""
    return _section(get_args(annotation)[1]) if get_origin(annotation) is dict else None


def _row(name: str, schema: type[BaseModel], key: str, defaults: BaseModel | None) -> str:
    whole = f"{key}.{name}".lstrip(".")
    shown = _values(schema.model_json_schema()["properties"][name])
    told = next((found[name] for base in schema.__mro__ if name in (found := _comments(base))), "")
    cells = (f"`{whole}`", shown, _default(schema.model_fields[name], name, defaults), told)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _values(shown: dict[str, Any]) -> str:
    """A JSON schema in words."""
    if "anyOf" in shown:
        return " or ".join(dict.fromkeys(map(_values, shown["anyOf"])))
    if "enum" in shown or "const" in shown:
        return " | ".join(f"`{value}`" for value in shown.get("enum", [shown.get("const")]))
    if "$ref" in shown:
        return f"a {shown['$ref'].rpartition('/')[2].lower()}"
    kind = shown.get("type", "any")
    if kind == "array":
        items = shown.get("items") or shown.get("prefixItems", [{}])[0]
        return f"list of {_values(items)}"
    if kind == "object":
        values = shown.get("additionalProperties")
        return f"mapping to {_values(values)}" if isinstance(values, dict) and values else "mapping"
    limits = [
        text.format(f"{shown[word]:,}") for word, text in _LIMITS.items() if abs(shown.get(word, HUGE)) < HUGE
    ]
    return ", ".join([{"null": "null", "boolean": "true or false"}.get(kind, kind), *limits])


def _default(info: FieldInfo, name: str, defaults: BaseModel | None) -> str:
    value = getattr(defaults, name, info.get_default(call_default_factory=True))
    if value is PydanticUndefined:
        return "needed"
    return f"`{json.dumps(value, default=str, ensure_ascii=False)}`"


@cache
def _comments(schema: type) -> dict[str, str]:
    """What stands beside or above each field in the source."""
    if schema in (BaseModel, object):
        return {}
    text = textwrap.dedent(inspect.getsource(schema))
    lines = text.splitlines()
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            within = lines[node.lineno - 1 : node.end_lineno]
            beside = [_comment(line) for line in within if "# " in line]
            above: list[str] = []
            for line in reversed(lines[: node.lineno - 1]):
                if not line.strip().startswith("# "):
                    break
                above.insert(0, _comment(line))
            found[node.target.id] = " ".join([*above, *beside]).replace("``", "`")
    return found


def _comment(line: str) -> str:
    return re.sub(r"^.*?# ", "", line).strip()


if __name__ == "__main__":
    print(page(), end="")
