"""A user's own files by kind: read exactly in every form, and what is wrong with them said."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from econ.benchmarks import download, load
from econ.benchmarks.files import rows_of
from econ.benchmarks.store import SPLITS
from econ.errors import EconError
from econ.params import Params

BIG = 12345678901234567891234567890
ROWS = [
    {"question": "What is a?", "answer": BIG},
    {"question": "What is b?", "answer": 9007199254740993},
    {"question": "What is é?", "answer": 0.5},
    {"question": "What is d?", "answer": 7},
]


def jsonl() -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()


def columns() -> bytes:
    return json.dumps({name: [row[name] for row in ROWS] for name in ROWS[0]}).encode()


def table() -> bytes:
    return "".join(["question,answer\r\n", *(f"{r['question']},{r['answer']}\r\n" for r in ROWS)]).encode()


def parquet() -> bytes:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    texts = {"question": [r["question"] for r in ROWS], "answer": [str(r["answer"]) for r in ROWS]}
    pq.write_table(pa.table(texts), buffer)
    return buffer.getvalue()


FORMS: dict[str, Callable[[], bytes]] = {
    "own.jsonl": jsonl,
    "own.json": lambda: json.dumps(ROWS).encode(),
    "columns.json": columns,
    "lines.json": jsonl,
    "own.csv": table,
    "own.parquet": parquet,
}


def params(file: str, **own: Any) -> Params:
    return Params.model_validate(
        {"benchmarks": ["own"], "data": {"custom": {"own": {"kind": "number", "test": file, **own}}}}
    )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def golds(file: str, **own: Any) -> dict[str, str | None]:
    p = params(file, **own)
    download("own", p)
    return {problem.prompt: problem.gold for split in SPLITS for problem in load("own", split, p)}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("how", ["plain", "gz", "BOM"])
def test_every_form_is_read_and_no_digit_is_lost(form: str, how: str) -> None:
    content = FORMS[form]()
    if how == "BOM":
        content = content if form.endswith("parquet") else b"\xef\xbb\xbf" + content
    name = f"{form}.gz" if how == "gz" else form
    Path(name).write_bytes(gzip.compress(content) if how == "gz" else content)
    assert golds(name) == {
        "What is a?": str(BIG), "What is b?": "9007199254740993", "What is é?": "0.5", "What is d?": "7",
    }  # fmt: skip


def test_decimals_that_a_float_cannot_hold_stay_as_written() -> None:
    [row] = rows_of(Path("x.jsonl"), b'{"answer": 12345678901234567.25, "other": 0.25}')
    assert row == {"answer": "12345678901234567.25", "other": 0.25}


ILL = {  # kind: file, content, what is said
    "empty": ("own.jsonl", b"", "own.jsonl holds no rows"),
    "blank lines": ("own.jsonl", b"\n\n", "own.jsonl holds no rows"),
    "empty array": ("own.json", b"[]", "own.json holds no rows"),
    "no JSON": ("own.json", b"{", "own.json is not JSON"),
    "a list of numbers": ("own.json", b"[1]", "neither an array of JSON objects"),
    "unequal columns": ("own.json", b'{"a": [1], "b": []}', "different lengths"),
    "a cell too many": ("own.csv", b"question,answer\nx,1,2\n", "row 1 has another number of cells"),
    "no Parquet": ("own.parquet", b"PAR1", "is not Parquet"),
    "no gzip": ("own.jsonl.gz", b"{}", "cannot be unpacked"),
    "cut gzip": ("own.csv.gz", gzip.compress(b"question,answer\nx,1\n")[:-4], "cannot be unpacked"),
    "nested deep": ("own.json", b"[" * 100_000, "is not JSON: nested too deep"),
    "columns nested deep": ("own.json", b'{"a":' * 50_000, "is not JSON: nested too deep"),
    "UTF-16": ("own.jsonl", '{"question": "x", "answer": 1}'.encode("utf-16"), "is in UTF-16 - save it"),
    "UTF-16 within gzip": ("own.csv.gz", gzip.compress("question,answer".encode("utf-16")), "is in UTF-16"),
    "Latin-1": ("own.csv", b"question,answer\ncaf\xe9,1\n", "is not CSV in UTF-8"),
    "tabs": ("own.tsv", b"question\tanswer\nx\t1\n", "rows are .jsonl, .json, .csv or .parquet"),
    "a workbook": ("own.xlsx", b"PK", "rows are .jsonl, .json, .csv or .parquet"),
    "a column twice": ("own.csv", b"question,question,answer\nx,y,1\n", "two columns 'question'"),
    "semicolons": ("own.csv", b"question;answer\nx;1\n", "row 1 has no field 'question'"),
    "an open quote": ("own.csv", b'question,answer\n"x,1\n', "is not CSV in UTF-8"),
    "a trailing comma": ("own.json", b'[{"question": "x", "answer": 1},]', "is not JSON"),
    "null among rows": ("own.json", b'[{"question": "x"}, null]', "neither an array of JSON objects"),
    "null alone": ("own.jsonl", b"null", "line 1 is not a JSON object"),
    "infinity": ("own.jsonl", b'{"question": "x", "answer": Infinity}', "line 1 is not JSON"),
    "half a surrogate pair": ("own.jsonl", b'{"question": "\\ud800", "answer": 1}', "line 1 is not JSON"),
    "a gold of 500 digits": ("own.jsonl", b'{"question": "x", "answer": %s}' % (b"9" * 500), "no readable"),
    "true as a number": ("own.jsonl", b'{"question": "x", "answer": true}', "no readable number answer"),
    "an empty question": ("own.jsonl", b'{"question": " ", "answer": 1}', "field 'question' is empty"),
    "a list as a question": ("own.jsonl", b'{"question": [], "answer": 1}', "field 'question' is empty"),
    "a bad line": ("own.jsonl", b'{"question": "x", "answer": 1}\n{\n', "line 2 is not JSON"),
    "no field": ("own.jsonl", b'{"question": "x"}', "row 1 has no field 'answer'"),
}


@pytest.mark.parametrize("kind", ILL)
def test_what_is_wrong_with_a_file_is_one_line(kind: str) -> None:
    file, content, told = ILL[kind]
    Path(file).write_bytes(content)
    with pytest.raises(EconError) as fault:
        download("own", params(file))
    assert told in str(fault.value)


def test_bad_rows_are_left_out_named_and_counted_where_params_say_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("own.jsonl").write_bytes(jsonl() + b'{\n{"question": "z"}\n{"question": "y", "answer": "none"}\n')
    assert len(golds("own.jsonl", skip_bad=True)) == 4
    said = capsys.readouterr().err
    assert "3 bad rows are left out: own.jsonl line 5 is not JSON" in said
    with pytest.raises(EconError, match="line 5"):
        download("own", params("own.jsonl"))


def test_repeats_and_conflicting_golds_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("x?", 1), ("x?", 1), ("X? ", 2), ("y?", 3)]
    Path("own.jsonl").write_text("".join(json.dumps({"question": q, "answer": a}) + "\n" for q, a in rows))
    download("own", params("own.jsonl"))
    said = capsys.readouterr().err
    assert "2 of 4 questions were there before" in said
    assert "1 questions have several golds: rows 1, 3" in said


def test_a_question_may_be_a_number() -> None:
    Path("own.jsonl").write_text('{"question": 12, "answer": 12}\n{"question": 13.5, "answer": 1}\n')
    p = params("own.jsonl", train="own.jsonl")
    download("own", p)
    assert {problem.prompt for problem in load("own", "test", p)} == {"12", "13.5"}
