"""Banks as Parquet files: one per (benchmark, split, model, style), whole or not there.

The schema's metadata hold the card, the SHA-256 of the rows, and the SHA-256 of both; vectors, which can be
made again from the texts, are covered by Parquet's own page checksums.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from econ.bank.schema import VERSION, Bank, Card, Row
from econ.errors import EconError
from econ.files import write_atomic
from econ.records import Json

_CARD, _ROWS, _WHOLE = b"econ.bank", b"econ.bank.rows", b"econ.bank.sha256"
_NAMES = {"group": "class"}  # attribute -> column


def columns(card: Card) -> Json:
    """What is the same in every row, as columns, so that a file can be read on its own."""
    return {"split": card.split, "model": card.model, "style": card.style}


def write(path: Path, bank: Bank, *, level: int = 3) -> None:
    """Write a bank in one step; rows in the order of problems, cells and samples."""
    import pyarrow.parquet as pq

    order = {entry.id: place for place, entry in enumerate(bank.card.entries)}
    rows = sorted(bank.rows, key=lambda row: (order[row.problem_id], row.cell, row.sample))
    card, content = bank.card.to_json(), rows_digest(rows)
    whole = hashlib.sha256(card + content.encode()).hexdigest()
    table = _table(rows, bank).replace_schema_metadata({_CARD: card, _ROWS: content, _WHOLE: whole})
    buffer = BytesIO()
    pq.write_table(
        table, buffer, compression="zstd", compression_level=level, write_page_checksum=True,
        use_dictionary=["problem_id", "split", "model", "style", "strategy_id", "answer"],
    )  # fmt: skip
    write_atomic(path, [buffer.getvalue()])


def read(path: Path) -> Bank:
    """The bank of a file.

    Raises:
        EconError: it is not there, is no bank, is damaged, or was written by a later version.
    """
    import pyarrow.parquet as pq

    if not path.is_file():
        raise EconError(f"there is no bank at {path}", "econ bank build makes it")
    with _readable(path):
        table = pq.read_table(path, page_checksum_verification=True)
        own, content = _card(path, table.schema.metadata)
        rows = _rows(table)
        if rows_digest(rows) != content:
            raise ValueError("its rows have another SHA-256")
        return Bank(own, rows, _vectors(table))


def card(path: Path) -> Card:
    """A bank's card alone, at once.

    Raises:
        EconError: as :func:`read`; the rows are not looked at.
    """
    import pyarrow.parquet as pq

    with _readable(path):
        return _card(path, pq.read_schema(path).metadata)[0]


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Whatever reading a damaged file brings about is one fault."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, LookupError, ValueError, TypeError) as fault:
        reason = " ".join(str(fault).split())
        raise EconError(
            f"{path} is no bank, or damaged ({reason})",
            "move it away; econ bank build makes it again from the answers that are kept",
        ) from None


def _card(path: Path, metadata: Mapping[bytes, bytes] | None) -> tuple[Card, str]:
    """The card, and the SHA-256 of the rows."""
    about, content, whole = ((metadata or {})[name] for name in (_CARD, _ROWS, _WHOLE))
    if hashlib.sha256(about + content).hexdigest() != whole.decode():
        raise ValueError("its card has another SHA-256")
    if (version := orjson.loads(about)["version"]) > VERSION:
        raise EconError(f"{path} has version {version} of the format", "update this package")
    return Card.from_json(about), content.decode()


def rows_digest(rows: Sequence[Row]) -> str:
    """SHA-256 over all rows, vectors left out."""
    state = hashlib.sha256()
    for row in rows:
        state.update(orjson.dumps(row) + b"\n")
    return state.hexdigest()


def _table(rows: Sequence[Row], bank: Bank) -> Any:
    import pyarrow as pa

    table = {
        _NAMES.get(name, name): pa.array([getattr(row, name) for row in rows], _type(name))
        for name in Row.__slots__
    }
    for name, value in columns(bank.card).items():
        table[name] = pa.array([value] * len(rows), pa.string())
    found = [bank.embeddings.get(row.text) for row in rows]
    size = next((len(vector) // 2 for vector in found if vector), 1)
    halves = [None if vector is None else np.frombuffer(vector, np.float16) for vector in found]
    table["embedding"] = pa.array(halves, pa.list_(pa.float16(), size))
    return pa.table(table)


def _type(name: str) -> Any:
    import pyarrow as pa

    if name in ("problem_id", "strategy_id", "text", "answer"):
        return pa.string()
    if name in ("temperature", "second", "reward"):
        return pa.float64()
    if name in ("truncated", "correct", "invalid"):
        return pa.bool_()
    return pa.int64() if name == "seed" else pa.int32()


def _rows(table: Any) -> list[Row]:
    values = [table.column(_NAMES.get(name, name)).to_pylist() for name in Row.__slots__]
    return [Row(*row) for row in zip(*values, strict=True)]


def _vectors(table: Any) -> dict[str, bytes]:
    """By text, where there are any."""
    import pyarrow as pa

    vectors, texts = table.column("embedding"), table.column("text").to_pylist()
    if vectors.null_count == len(texts):
        return {}
    if not pa.types.is_fixed_size_list(vectors.type):
        raise ValueError("its vectors are of another form")
    size = vectors.type.list_size
    whole = vectors.combine_chunks()
    flat = np.asarray(whole.flatten().to_numpy(zero_copy_only=False), dtype=np.float16).reshape(-1, size)
    there = np.flatnonzero(np.asarray(whole.is_valid()))
    return {texts[place]: vector.tobytes() for place, vector in zip(there.tolist(), flat, strict=True)}
