"""Checksums of the cache's rows: an answer or fact with a changed bit is never served.

An answer's checksum is over its key and all columns. It stands behind the compressed text, as a frame that
decompressors skip: so the table is as ever, earlier versions read these rows, and rows of theirs are read
here, if their text is whole. A fact's checksum stands in a table of its own.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from typing import Any

import orjson
import zstandard

_FRAME = (0x184D2A50).to_bytes(4, "little") + (16).to_bytes(4, "little")  # RFC 8878, 3.1.2: skippable
LENGTH = len(_FRAME) + 16


class _Zstd(threading.local):
    """Both contexts, of each thread its own."""

    def __init__(self) -> None:
        self.pack = zstandard.ZstdCompressor(level=3).compress
        self.unpack = zstandard.ZstdDecompressor().decompress


_zstd = _Zstd()


class Damaged(ValueError):
    """A row's bytes are not those that were written."""


def packed(text: str) -> bytes:
    return _zstd.pack(text.encode()) if text else b""


def unpacked(blob: bytes | None) -> str:
    """The text; raises :class:`Damaged`."""
    if not blob:
        return ""
    try:
        return _zstd.unpack(blob, allow_extra_data=False).decode()
    except (zstandard.ZstdError, UnicodeDecodeError) as fault:
        raise Damaged(str(fault)) from None


def sealed(text: str, others: Sequence[Any]) -> bytes:
    """The column ``text`` of a row whose other columns, key first, are ``others``."""
    blob = _zstd.pack(text.encode())
    return blob + _FRAME + _sum(blob, others)


def opened(blob: bytes, others: Sequence[Any]) -> str:
    """The text of a row, if the row is whole; of an earlier version's, if the text is."""
    if blob[-LENGTH:-16] == _FRAME:
        text, known = blob[:-LENGTH], blob[-16:]
        if known != _sum(text, others):
            raise Damaged("its checksum is another")
        return unpacked(text)
    return unpacked(blob)


def has_sum(blob: bytes | None) -> bool:
    return blob is not None and blob[-LENGTH:-16] == _FRAME


def of_fact(key: bytes, kind: str, value: bytes) -> bytes:
    return _sum(value, (key, kind))


def _sum(blob: bytes, others: Sequence[Any]) -> bytes:
    state = hashlib.blake2b(orjson.dumps(others, default=bytes.hex), digest_size=16)
    state.update(blob)
    return state.digest()
