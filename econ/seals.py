"""Digests that a file carries of itself: one changed bit anywhere in it is noticed before it is used."""

from __future__ import annotations

import hashlib
from pathlib import Path

import orjson

from econ.errors import EconError
from econ.records import Json

KEY = "sha256"
BLANK = b"0" * 64  # where a digest will stand
_MARK = b'{\n  "sha256": "'


class Damaged(ValueError):
    """What is wrong with a file's content."""


def seal(content: bytes, mark: bytes) -> bytes:
    """Put the SHA-256 of ``content`` over the 64 zeros that follow the first ``mark`` in it."""
    at = content.index(mark + BLANK) + len(mark)
    return content[:at] + hashlib.sha256(content).hexdigest().encode() + content[at + 64 :]


def check(content: bytes, mark: bytes) -> None:
    """Raises :class:`Damaged` where a content is not as it was sealed."""
    place = content.find(mark)
    if place < 0:
        raise Damaged("it holds no digest")
    at = place + len(mark)
    state = hashlib.sha256(content[:at])
    state.update(BLANK)
    state.update(content[at + 64 :])
    if content[at : at + 64] != state.hexdigest().encode():
        raise Damaged("its digest is another")


def document(values: Json) -> bytes:
    """A JSON file for people, its digest in front."""
    sealed = {KEY: BLANK.decode(), **{name: value for name, value in values.items() if name != KEY}}
    return seal(orjson.dumps(sealed, option=orjson.OPT_INDENT_2) + b"\n", _MARK)


def opened(content: bytes) -> Json:
    """What :func:`document` was given.

    Raises:
        Damaged: the content is another, or never had a digest.
    """
    check(content, _MARK)
    values: Json = orjson.loads(content)
    del values[KEY]
    return values


def read(path: Path, way_out: str) -> Json:
    """What a sealed JSON file holds.

    Raises:
        EconError: it is not there or is damaged; ``way_out`` says how to have it again.
    """
    try:
        return opened(path.read_bytes())
    except FileNotFoundError:
        raise EconError(f"{path} does not exist", way_out) from None
    except (Damaged, orjson.JSONDecodeError) as fault:
        raise EconError(f"{path} is damaged, or of another version: {fault}", way_out) from None


def file_digest(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
