"""Variants: a method played with a few params changed, beside itself (ablations)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

VariantName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Changes = dict[str, Any]  # part of a params file

# A variant is compared with its method: by the same jobs, on the same problems, at the same servers.
_LISTS = {"benchmarks", "n_agents", "seeds", "methods", "variants"}
_PARTS = {
    "data": {"train_problems"},
    "llm": {"coordinator", "executors", "structured", "max_tokens"},
}


def check(name: str, changes: Changes) -> None:
    """Make sure that a variant changes how something is played, and nothing else.

    Raises:
        ValueError: naming the key.
    """
    for key, value in changes.items():
        if key in _LISTS:
            raise ValueError(f"'variants.{name}.{key}': a variant cannot change which jobs there are")
        if key == "cache":
            raise ValueError(f"'variants.{name}.cache': all methods keep their answers in one place")
        unknown = min(set(value) - _PARTS[key], default=None) if key in _PARTS else None
        if unknown is not None:
            raise ValueError(
                f"'variants.{name}.{key}.{unknown}': a variant can change of {key} only "
                f"{', '.join(sorted(_PARTS[key]))}"
            )


def merged(whole: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``whole`` with ``changes`` put in: mappings key by key, anything else in one piece."""
    result = dict(whole)
    for key, value in changes.items():
        old = result.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            value = merged(old, value)
        result[key] = value
    return result
