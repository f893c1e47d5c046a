"""Rows of a local file: JSONL, a JSON array or JSON columns, CSV, Parquet, each also gzipped or with a BOM.

No digit is lost: long integers, decimals that a float cannot hold and all CSV cells stay as they are
written. (Readers that guess a column's type turn 12345678901234567 beside 0.5 into a rounded float.)
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from econ.errors import EconError
from econ.files import json_line
from econ.records import Json

_OTHERS = {".tsv", ".xls", ".xlsx", ".ods", ".zip", ".zst", ".xz", ".bz2", ".arrow", ".pkl", ".yaml", ".yml"}
_LONGEST_CELL = 10**8  # characters of CSV
_LONG = re.compile(rb"\d[\d.]{15}")  # a float may lose digits of these alone


def rows_of(path: Path, content: bytes, bad: list[str] | None = None) -> list[Json]:
    """The rows of a file's ``content``, read by the ending of its name.

    Args:
        bad: takes in a line for each bad line of a JSONL file, which is then left out; None: it is an error.

    Raises:
        EconError: file, line and fault are named.
    """
    name = path.name.casefold()
    content = unpacked(path, content)
    name = name.removesuffix(".gz")
    if Path(name).suffix in _OTHERS:
        raise EconError(f"{path} cannot be read", "rows are .jsonl, .json, .csv or .parquet, each also .gz")
    readers: dict[str, Callable[[Path, bytes], list[Any]]] = {
        ".parquet": _parquet, ".csv": _csv, ".json": _json
    }  # fmt: skip
    reader = readers.get(Path(name).suffix)
    return reader(path, content) if reader else _lines(path, content, bad)


def unpacked(path: Path, content: bytes) -> bytes:
    """A file's content, without gzip where its name says so, and without a byte order mark.

    Raises:
        EconError: it cannot be unpacked, or is no UTF-8 by its mark.
    """
    if path.name.casefold().endswith(".gz"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as fault:
            raise EconError(f"{path} cannot be unpacked: {fault}") from None
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise EconError(f"{path} is in UTF-16", "save it in UTF-8")
    return content.removeprefix(b"\xef\xbb\xbf")


def _lines(path: Path, content: bytes, bad: list[str] | None) -> list[Json]:
    rows = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append(exact_line(line.strip(), path, number))
        except EconError as fault:
            if bad is None:
                raise
            bad.append(str(fault))
    return rows


def exact_line(line: bytes, path: Path, number: int) -> Json:
    """The object on a line of JSONL, no digit lost.

    Raises:
        EconError: it is none; file and line are named.
    """
    if not _LONG.search(line):
        return json_line(line, path, number)
    try:
        row = _loads(line)
    except ValueError as fault:
        raise EconError(f"{path} line {number} is not JSON: {fault}") from None
    if not isinstance(row, dict):
        raise EconError(f"{path} line {number} is not a JSON object")
    return row


def _loads(content: bytes) -> Any:
    try:
        return json.loads(content.decode(), parse_float=_decimal, parse_int=_whole)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _whole(text: str) -> int | str:
    """A number of 64 bits, or the text of a longer one."""
    return int(text) if len(text) < 19 else text


def _decimal(text: str) -> float | str:
    """A float, where it says what is written; else the text."""
    value = float(text)
    return value if Decimal(repr(value)) == Decimal(text) else text


def _json(path: Path, content: bytes) -> list[Any]:
    """An array of objects, or an object with a list for each column."""
    try:
        found = _loads(content)
    except ValueError as fault:
        first = content.lstrip()[:1]
        if first == b"{" and b"\n" in content.strip():  # one object a line, under this ending
            return _lines(path, content, None)
        raise EconError(f"{path} is not JSON: {fault}") from None
    if isinstance(found, dict) and found and all(isinstance(column, list) for column in found.values()):
        lengths = {len(column) for column in found.values()}
        if len(lengths) > 1:
            raise EconError(f"{path}: its columns have different lengths")
        return [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
    if isinstance(found, dict):
        return [found]
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise EconError(f"{path} is neither an array of JSON objects nor an object of columns")
    return found


def _csv(path: Path, content: bytes) -> list[Any]:
    try:
        csv.field_size_limit(_LONGEST_CELL)
        reader = csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True)
        reader.fieldnames = names = [name.strip() for name in reader.fieldnames or ()]
        rows = list(reader)
    except (csv.Error, UnicodeDecodeError) as fault:
        raise EconError(f"{path} is not CSV in UTF-8: {fault}") from None
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise EconError(f"{path} has two columns '{twice}'", "rename one")
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise EconError(f"{path} row {number} has another number of cells than its first line")
    return rows


def _parquet(path: Path, content: bytes) -> list[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows: list[Any] = pq.read_table(io.BytesIO(content)).to_pylist()
    except (pa.ArrowException, OSError, ValueError) as fault:
        raise EconError(f"{path} is not Parquet: {' '.join(str(fault).split())}") from None
    return rows
