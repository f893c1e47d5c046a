"""The beginning of a GGUF file: what the model is, without its words and weights.

The ``gguf`` package reads every word of the vocabulary into an array of its own, which takes half a minute
for 150,000 words on a busy machine; a look at each start must not.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from econ.errors import EconError

# GGUF's value types, the numbers as struct reads them: github.com/ggml-org/ggml, docs/gguf.md
SCALARS = dict(zip((*range(8), 10, 11, 12), (f"<{c}" for c in "BbHhIif?Qqd"), strict=True))
STRING, ARRAY = 8, 9
LONGEST = 2**26  # bytes of a string: more is a damaged file


@dataclass(frozen=True, slots=True)
class Header:
    """``fields`` holds numbers and strings, not arrays."""

    fields: dict[str, Any]
    tensors: frozenset[str]


def read_header(path: Path) -> Header:
    """
    Raises:
        EconError: the file is not GGUF, or damaged.
    """
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise EconError(f"model file {path} is not a GGUF file", "fetch it again, or name another")
        try:
            _version, tensors, count = struct.unpack("<IQQ", file.read(20))
            fields = {}
            for _ in range(count):
                name = _string(file)
                value = _value(file, *struct.unpack("<I", file.read(4)))
                if value is not None:
                    fields[name] = value
            return Header(fields, frozenset(_tensor(file) for _ in range(tensors)))
        except (struct.error, UnicodeDecodeError, KeyError, ValueError):
            raise EconError(f"model file {path} is damaged", "fetch it again, or name another") from None


def _string(file: BinaryIO) -> str:
    return file.read(_length(file)).decode()


def _length(file: BinaryIO) -> int:
    (length,) = struct.unpack("<Q", file.read(8))
    if length > LONGEST:
        raise ValueError
    return int(length)


def _value(file: BinaryIO, kind: int) -> Any:
    """A number or a string; None for an array, which is passed over."""
    if kind == STRING:
        return _string(file)
    if kind != ARRAY:
        return struct.unpack(SCALARS[kind], file.read(struct.calcsize(SCALARS[kind])))[0]
    inner, count = struct.unpack("<IQ", file.read(12))
    if inner in SCALARS:
        file.seek(count * struct.calcsize(SCALARS[inner]), 1)
    elif inner == STRING:
        for _ in range(count):
            file.seek(_length(file), 1)
    else:
        raise ValueError
    return None


def _tensor(file: BinaryIO) -> str:
    name = _string(file)
    (dimensions,) = struct.unpack("<I", file.read(4))
    file.read(8 * dimensions + 12)  # their sizes, the type, the place
    return name
