"""Reading a params file, and those that it extends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from econ.errors import EconError
from econ.params.variants import merged

MOST_BYTES = 200_000  # no params file is longer, and YAML takes a second for so many


def read(path: Path, *, below: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The content of a params file, put into that of the file it ``extends`` (a path beside its own).

    Args:
        path: the file.
        below: the files that led here.

    Raises:
        EconError: the file or one that it extends is missing, no YAML, no mapping, or extends itself.
    """
    content = _mapping(path)
    parent = content.pop("extends", None)
    if parent is None:
        return content
    if not isinstance(parent, str):
        raise EconError(f"params file {path}: 'extends' must be the path of another params file")
    above = path.parent / parent
    if above.resolve() in {file.resolve() for file in (*below, path)}:
        raise EconError(f"params file {path} extends itself, by way of {above}")
    return merged(read(above, below=(*below, path)), content)


def changed(content: Mapping[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """The content with single values put in, each given as ``KEY=VALUE``.

    Args:
        content: of a params file.
        changes: a key is dotted (``llm.max_tokens.answer=64``); a value is read as YAML, and a mapping is put
            into the one that is there.

    Raises:
        EconError: one is not of that form.
    """
    whole = dict(content)
    for change in changes:
        key, equals, text = change.partition("=")
        if not (key and equals):
            raise EconError(f"--set '{change}' is not KEY=VALUE", "such as --set train.episodes=20")
        try:
            value = yaml.load(text, _Loader)  # noqa: S506 - a safe one
        except (yaml.YAMLError, RecursionError):
            raise EconError(f"--set {key}: '{text}' is no value in YAML") from None
        for part in reversed(key.strip().split(".")):
            value = {part: value}
        whole = merged(whole, value)
    return whole


class _Loader(yaml.SafeLoader):
    """Refuses a key that is there twice, of which YAML's own would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        first: dict[str, yaml.Mark] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in first and key.value != "<<":
                raise yaml.constructor.ConstructorError(
                    f"the key '{key.value}' of line {first[key.value].line + 1} is there again",
                    key.start_mark,
                )
            if isinstance(key, yaml.ScalarNode):
                first[key.value] = key.start_mark
        return super().construct_mapping(node, deep)


def _mapping(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise EconError(f"params file {path} has more than {MOST_BYTES:,} bytes", "is it another file?")
        raw = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a safe one
    except FileNotFoundError:
        raise EconError(
            f"params file {path} does not exist",
            "name one with --params FILE, or make a folder to work in: econ init FOLDER",
        ) from None
    except (OSError, UnicodeDecodeError) as fault:
        raise EconError(f"params file {path} cannot be read: {fault}") from None
    except yaml.YAMLError as fault:
        where = " ".join(str(fault).split())
        raise EconError(f"params file {path} is not valid YAML: {where}") from None
    except RecursionError:
        raise EconError(f"params file {path} is nested too deep") from None
    if raw is not None and not isinstance(raw, dict):
        raise EconError(f"params file {path} must be a mapping of keys to values")
    return raw or {}
