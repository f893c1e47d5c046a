"""Reading a params file, and those that it extends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from econ.errors import EconError
from econ.params.variants import merged


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


def _mapping(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EconError(f"params file {path} does not exist", "name one with --params FILE") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise EconError(f"params file {path} cannot be read: {fault}") from None
    except yaml.YAMLError as fault:
        where = " ".join(str(fault).split())
        raise EconError(f"params file {path} is not valid YAML: {where}") from None
    if raw is not None and not isinstance(raw, dict):
        raise EconError(f"params file {path} must be a mapping of keys to values")
    return raw or {}
