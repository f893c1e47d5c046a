"""One changed bit, anywhere in what is kept: named with the way out, never used, and nothing else is lost.

``perf/damage.py`` tries 400 places of each; here it is a few.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from econ import paths, seals
from econ.cli import group
from econ.errors import EconError
from econ.llm.cache import repair, sums
from econ.llm.cache.rows import Answer
from econ.llm.cache.store import Cache
from econ.reporting import results
from perf import damage

PLACES = 12


def run(*words: str) -> Result:
    return CliRunner().invoke(group, words)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    damage.make(tmp_path, problems=4, rows=60)
    return tmp_path


def test_a_flipped_bit_is_noticed_wherever_it_is(project: Path) -> None:
    found = damage.try_files(PLACES, seed=1)
    assert found == dict.fromkeys(damage.CHECKS, PLACES)
    cached = damage.try_cache(PLACES, seed=1)
    assert cached["noticed"] + cached["unused"] == PLACES
    assert cached["served as another"] == cached["NOT NOTICED"] == 0


def test_verify_says_what_is_bad_and_which_command_makes_it_again(project: Path) -> None:
    whole = run("verify")
    assert whole.exit_code == 0, whole.output
    assert "2 metrics, 2 traces" in whole.output
    assert "all whole" in whole.output
    trace, metrics = paths.trace(damage.JOB), paths.metrics(damage.JOB)
    trace.write_bytes(trace.read_bytes().replace(b'"correct":true', b'"correct":fals', 1))
    damage.CHECKPOINT.write_bytes(damage.CHECKPOINT.read_bytes()[:-1])
    said = run("verify")
    assert said.exit_code == 1
    lines = said.output.splitlines()
    job = "econ evaluate --benchmark svamp --method cot --n-agents 3 --seed 0 --params params.yaml"
    assert any(str(trace) in line and job in line for line in lines)
    train = "econ train --benchmark svamp --n-agents 3 --seed 0 --params params.yaml"
    assert any(str(damage.CHECKPOINT) in line and train in line for line in lines)
    assert "2 damaged" in lines[-1]
    metrics.write_text("{}")
    assert "holds no digest" in run("verify").output


def test_metrics_of_another_version_are_one_line(project: Path) -> None:
    path = paths.metrics(damage.JOB)
    whole = seals.opened(path.read_bytes())
    assert results.metrics(damage.JOB) == whole
    for name in results.FORM:
        for other in ({k: v for k, v in whole.items() if k != name}, {**whole, name: []}):
            path.write_bytes(seals.document(other))
            with pytest.raises(
                EconError, match=f"it has no {name} as this one writes it - remake it with: econ"
            ):
                results.metrics(damage.JOB)


@pytest.mark.parametrize(
    "line", [b"{}", b"null", b"{", b'{"calls": 7}', b'{"calls": [], "steps": []}', b"\xff"]
)
def test_a_trace_of_another_version_is_one_line(project: Path, line: bytes) -> None:
    trace = paths.trace(damage.JOB)
    trace.write_bytes(line + b"\n")
    said = run("audit")
    assert said.exit_code == 1
    assert f"{trace} line 1 is no" in str(said.exception)


@pytest.mark.parametrize("text", ["{}", "[]", "null", '{"splits": {}}', "{", ""])
def test_a_manifest_of_problems_that_is_none_is_one_line(project: Path, text: str) -> None:
    path = paths.manifest("svamp")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    for words in (["verify"], ["evaluate", "--benchmark", "svamp", "--method", "cot", "--n-agents", "3"]):
        said = run(*words)
        assert said.exit_code == 1
        assert f"{path} is damaged, or of another version - run: econ download" in (
            said.output + str(said.exception)
        )


@pytest.mark.parametrize("content", [b"", b"{", b"\x08\0\0\0\0\0\0\0{}{}{}{}", b"\xff" * 80])
def test_a_checkpoint_that_is_none_is_one_line(project: Path, content: bytes) -> None:
    from econ.equilibrium import checkpoint

    damage.CHECKPOINT.write_bytes(content)
    with pytest.raises(EconError, match=r"is damaged.* - train it again"):
        checkpoint.read(damage.CHECKPOINT)


ANSWER = Answer("48", "stop", 10, 2, False, "svamp/cot-n3-s0 1", "openai", "m", 0.5, "thought", None, "m-1")
KEY, OTHER, FACT = b"k" * 32, b"o" * 32, b"f" * 32


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two answers and a fact."""
    monkeypatch.chdir(tmp_path)

    async def fill() -> None:
        cache = Cache()
        await cache.put(KEY, ANSWER)
        await cache.put(OTHER, ANSWER)
        cache.put_facts("tokens", [(FACT, b"12")])
        cache.close()

    asyncio.run(fill())
    return Path(".econ/cache/answers.sqlite")


DAMAGE = [  # a column, and what a flipped bit may make of it
    ("finish_reason", "'stoq'"), ("prompt_tokens", "11"), ("usd", "0.25"), ("payer", "'x'"),
    ("estimated", "1"), ("answered_by", "'m-0'"),
    ("why", "'x'"), ("created", "1"), ("text", "x'00'"), ("thinking", "x''"),
    ("model", "x'ff'"), ("finish_reason", "CAST(x'ff' AS TEXT)"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value"), DAMAGE)
def test_a_damaged_answer_is_named_never_served_and_kept_anew(
    cache: Path, column: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(cache)) as db, db:
        db.execute(f"UPDATE answers SET {column} = {value} WHERE key = ?", (KEY,))  # noqa: S608
    assert run("verify").exit_code == 1

    async def use() -> None:
        kept = Cache()
        assert kept.get(KEY) is None
        assert kept.get(KEY) is None
        assert kept.get(OTHER) == ANSWER
        await kept.put(KEY, ANSWER)
        assert kept.get(KEY) == ANSWER
        kept.close()

    asyncio.run(use())
    assert capsys.readouterr().err.count("an answer in the call cache is damaged") == 1
    assert run("verify").exit_code == 0


def test_a_damaged_fact_is_found_anew(cache: Path) -> None:
    with closing(sqlite3.connect(cache)) as db, db:
        db.execute("UPDATE facts SET value = ?", (b"13",))
    kept = Cache()
    assert kept.fact(FACT) is None
    kept.put_facts("tokens", [(FACT, b"12")])
    assert kept.fact(FACT) == b"12"
    kept.close()


def test_rows_of_an_earlier_version_are_read_and_earlier_versions_read_ours(cache: Path) -> None:
    import zstandard

    with closing(sqlite3.connect(cache)) as db, db:
        [blob] = db.execute("SELECT text FROM answers WHERE key = ?", (KEY,)).fetchone()
        assert zstandard.ZstdDecompressor().decompress(blob) == b"48"  # as they do
        bare = sums.packed("48")
        db.execute("UPDATE answers SET text = ? WHERE key = ?", (bare, KEY))
        db.execute("DELETE FROM fact_sums")
        assert len(db.execute("PRAGMA table_info(answers)").fetchall()) == 15  # they insert by place
    kept = Cache()
    assert kept.get(KEY) == ANSWER
    assert kept.fact(FACT) == b"12"
    kept.close()
    said = run("verify")
    assert said.exit_code == 0
    assert "2 rows of the call cache are from before there were checksums" in said.output


def test_a_cache_with_a_dead_page_is_made_anew_from_all_others(project: Path) -> None:
    damage_at = 4096 * 3
    before = len(damage.contents()["answers"])
    content = bytearray(damage.DATABASE.read_bytes())
    content[damage_at : damage_at + 200] = random.Random(0).randbytes(200)
    damage.DATABASE.write_bytes(content)
    assert run("verify").exit_code == 1
    said = run("cache", "repair")
    assert said.exit_code == 0, said.output
    assert (damage.CACHE / "damaged-1.sqlite").exists()
    after = repair.look(damage.CACHE)
    assert not after.ill
    assert before - 20 <= after.whole["answers"] < before + 1
    assert "call cache" not in run("verify").output


def test_an_export_holds_nothing_damaged(cache: Path, tmp_path: Path) -> None:
    assert run("cache", "export", "all.zst").exit_code == 0
    with closing(sqlite3.connect(cache)) as db, db:
        db.execute("UPDATE answers SET usd = 9 WHERE key = ?", (KEY,))
    assert "run: econ cache repair" in str(run("cache", "export", "ill.zst").exception)
    assert not Path("ill.zst").exists()


def test_what_is_sealed_opens_as_it_was_and_nothing_else_does() -> None:
    content = seals.document({"a": [1, {"sha256": "x"}], "b": None})
    assert seals.opened(content) == {"a": [1, {"sha256": "x"}], "b": None}
    for place in range(len(content)):
        for bit in range(8):
            other = bytearray(content)
            other[place] ^= 1 << bit
            with pytest.raises(seals.Damaged):
                seals.opened(bytes(other))


def test_a_fact_is_replaced_together_with_its_checksum(cache: Path) -> None:
    kept = Cache()
    kept.put_facts("tokens", [(FACT, b"14")])
    assert kept.fact(FACT) == b"14"
    kept.close()
