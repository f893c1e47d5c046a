"""Every command and key that a message, a help text or a page of the documentation names is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import click
import pytest
from pydantic import BaseModel

from econ.cli import COMMANDS, group
from econ.params import Params

ROOT = Path(__file__).parents[1]
RULES = [*(ROOT / "workflow").rglob("*.smk"), ROOT / "workflow" / "Snakefile"]
SOURCES = [*(ROOT / "econ").rglob("*.py"), *RULES]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "config" / "README.md"]
TARGETS = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
COMMAND = re.compile(r"(?:`|run: |with: |^\s*|&& |Example: )econ ([a-z][\w-]*)(?: ([a-z]+))?", re.MULTILINE)
MAKE = re.compile(r"(?:`|run: |with: |^|: )make (?!(?:the|them|one|a|it)\b)([a-z]+)\b", re.MULTILINE)


def known(key: str) -> bool:
    """Is this a dotted key of the params?"""
    model: Any = Params
    for name in key.split("."):
        types = [one for one in (model, *get_args(model)) if isinstance(one, type)]
        models = [one for one in types if issubclass(one, BaseModel)]
        if not models:
            return True  # below a mapping, or a value of a setting that is checked elsewhere
        found = [one.model_fields[name].annotation for one in models if name in one.model_fields]
        if not found:
            return False
        model = found[0]
    return True


KEY = re.compile(rf"(?<![\w/.-])((?:{'|'.join(Params.model_fields)})\.[a-z_]+(?:\.[a-z_]+)*)(?![\w(/*-])")


def texts(path: Path) -> Iterator[str]:
    """What a file can say: its string constants, docstrings apart but those of commands."""
    if path.suffix != ".py":
        yield path.read_text(encoding="utf-8")
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("path", [*SOURCES, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_advised_is_there(path: Path) -> None:
    wrong = []
    for text in texts(path):
        for command, word in COMMAND.findall(text):
            if command not in COMMANDS:
                wrong.append(f"econ {command}")
            elif word and isinstance(inner := group.get_command(click.Context(group), command), click.Group):
                wrong += [] if word in inner.commands else [f"econ {command} {word}"]
        wrong += [f"make {target}" for target in MAKE.findall(text) if target not in TARGETS]
        keys = [
            key
            for key in KEY.findall(text)
            if not key.endswith((".html", ".json", ".py", ".csv", ".js", ".zip"))
        ]
        wrong += [key for key in keys if not known(key)]
    assert wrong == []


def test_a_wrong_one_would_be_found() -> None:
    assert COMMAND.findall("run: econ frobnicate") == [("frobnicate", "")]
    assert not known("llm.max_tries")
    assert known("llm.max_tokens.probe")
    assert MAKE.findall("install it again: make install") == ["install"]
