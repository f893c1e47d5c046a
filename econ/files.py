"""Writing files so that a reader, or a kill, never meets half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import orjson

from econ.errors import EconError
from econ.records import Json, Trace


def write_atomic(path: Path, chunks: Iterable[bytes]) -> None:
    """Write ``chunks`` to ``path`` in one step: the old content or the new, never a part.

    Raises:
        OSError: the disk is full or the folder cannot be written; the old content is intact.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.writelines(chunks)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def sweep(folder: Path, pattern: str) -> None:
    """Remove what killed writes of files like ``pattern`` left in ``folder``; nobody else may be writing."""
    for part in folder.glob(f".{pattern}.*"):
        part.unlink()


def json_line(line: bytes, path: Path, number: int) -> Json:
    """The object on one line of a JSONL file.

    Raises:
        EconError: it is none; file and line are named.
    """
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as fault:
        raise EconError(f"{path} line {number} is not JSON: {fault.msg} at column {fault.colno}") from None
    if not isinstance(row, dict):
        raise EconError(f"{path} line {number} is not a JSON object")
    return row


def trace_line(line: bytes, path: Path, number: int) -> Trace:
    """The trace on one line of a JSONL file.

    Raises:
        EconError: it is none of this version; file and line are named.
    """
    try:
        return Trace.from_json(json_line(line, path, number))
    except (LookupError, TypeError, ValueError, AttributeError) as fault:
        told = f"{path} line {number} is no trace of this version ({type(fault).__name__} {fault})"
        raise EconError(told, "play the job again") from None
