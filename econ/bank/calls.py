"""Recorded calls of any role, by what was asked: Parquet files of keys and answers, no prompts in them.

A key is the digest of model, messages and sampling, seed and sample number included. It knows nothing of
server or dialect, so a record outlives changes of these.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson

from econ import paths
from econ.errors import EconError
from econ.files import write_atomic
from econ.records import Call, Request

VERSION = 1
_CARD, _ROWS, _WHOLE = b"econ.calls", b"econ.calls.rows", b"econ.calls.sha256"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said. ``error`` as in :class:`~econ.records.Call`."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class CallCard:
    """Whose calls these are: of one model, in the jobs that are named."""

    benchmark: str
    model: str
    identity: str
    jobs: tuple[str, ...]
    made: tuple[str, str]
    simulated: bool = False
    context: int | None = None  # the model's window, which decides what a debate leaves out
    version: int = VERSION

    @classmethod
    def from_json(cls, text: bytes) -> CallCard:
        values: dict[str, Any] = orjson.loads(text)
        return cls(**{**values, "jobs": tuple(values["jobs"]), "made": tuple(values["made"])})


Answers = Mapping[bytes, Answer]


def key(call: Request | Call) -> bytes:
    """What a recorded call is found by: 16 bytes."""
    s = call.sampling
    asked = [
        paths.model_label(call.model), [[m["role"], m["content"]] for m in call.messages],
        s.temperature, s.top_p, s.repetition_penalty, s.max_tokens, call.seed, call.sample,
    ]  # fmt: skip
    return hashlib.sha256(orjson.dumps(asked)).digest()[:16]


def of(calls: Iterable[Call]) -> dict[bytes, Answer]:
    """Calls as a record keeps them. Failures other than empty answers are none of the model's."""
    return {
        key(c): Answer(c.text, c.prompt_tokens, c.completion_tokens, c.finish_reason, c.error)
        for c in calls
        if c.error in (None, "empty answer")
    }


def write(path: Path, card: CallCard, answers: Answers, *, level: int = 19) -> None:
    """Write a record in one step, rows in the order of their keys."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = sorted(answers.items())
    about, content = orjson.dumps(card), _digest(rows)
    whole = hashlib.sha256(about + content.encode()).hexdigest()
    columns = {"key": pa.array([name for name, _ in rows], pa.binary(16))}
    for name in Answer.__slots__:
        kind = pa.int32() if name.endswith("_tokens") else pa.string()
        columns[name] = pa.array([getattr(answer, name) for _, answer in rows], kind)
    table = pa.table(columns).replace_schema_metadata({_CARD: about, _ROWS: content, _WHOLE: whole})
    buffer = BytesIO()
    pq.write_table(
        table, buffer, compression="zstd", compression_level=level, use_dictionary=["finish_reason", "error"]
    )
    write_atomic(path, [buffer.getvalue()])


def read(path: Path) -> tuple[CallCard, Answers]:
    """A record's card and answers.

    Raises:
        EconError: the file is no record, is damaged, or was written by a later version.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        about, content, whole = (table.schema.metadata[name] for name in (_CARD, _ROWS, _WHOLE))
        if hashlib.sha256(about + content).hexdigest() != whole.decode():
            raise ValueError("its card has another SHA-256")
        if (version := orjson.loads(about)["version"]) > VERSION:
            raise EconError(f"{path} has version {version} of the format", "update this package")
        values = [table.column(name).to_pylist() for name in ("key", *Answer.__slots__)]
        rows = [(name, Answer(*rest)) for name, *rest in zip(*values, strict=True)]
        if _digest(rows) != content.decode():
            raise ValueError("its rows have another SHA-256")
    except (pa.ArrowException, OSError, LookupError, ValueError, TypeError) as fault:
        reason = " ".join(str(fault).split())
        raise EconError(f"{path} is no record of calls, or damaged ({reason})", "fetch it again") from None
    return CallCard.from_json(about), dict(rows)


def _digest(rows: Sequence[tuple[bytes, Answer]]) -> str:
    state = hashlib.sha256()
    for name, answer in rows:
        state.update(name + orjson.dumps(answer) + b"\n")
    return state.hexdigest()
