"""A bank is filled once, survives everything, and says what it is a bank of."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from econ import paths
from econ.bank import schema, store
from econ.bank.build import Builder, regrade
from econ.bank.schema import Bank, Cell
from econ.bank.table import summary, table
from econ.errors import EconError
from econ.llm import open_client
from econ.params import Params
from econ.progress import Progress
from econ.records import Problem
from tests.llm.fake_server import Body, FakeServer

PROBLEMS = [Problem(f"p{i}", "svamp", f"What is {i} plus 1?", gold=str(i + 1)) for i in range(3)]


def answer(body: Body) -> str:
    """Right at low temperatures; a strategy where one is asked for."""
    text = body["messages"][0]["content"]
    if "Tell the team" in text:
        return "Add the two numbers."
    number = int(re.findall(r"What is (\d+)", text)[0])
    return f"Final answer: {number + 1 if body['temperature'] < 0.5 else number}.0"


def params_for(server: FakeServer, **changes: Any) -> Params:
    llm = {"backend": "openai", "base_url": server.url, "coordinator": "fake", "executors": ["fake"],
           "timeout_seconds": 20, "patience_seconds": 3}  # fmt: skip
    bank = {"temperature": [0.1, 0.5, 0.9], "second": [1.0, 1.1], "samples": 2}
    return Params.model_validate({"llm": llm | changes.pop("llm", {}), "bank": bank | changes})


async def build(params: Params, problems: Sequence[Problem] = PROBLEMS, *, embed: bool = False) -> Builder:
    builder = Builder("svamp", "test", "fake", problems, params)
    async with open_client(params) as client:
        with Progress(len(builder.wanted), "answers", client, "bank") as progress:
            await builder.build(client, progress, embed=embed)
    return builder


def until(done: Callable[[], bool]) -> None:
    while not done():
        time.sleep(0.01)


def asked(server: FakeServer) -> int:
    return len(server.log)


async def test_a_bank_holds_every_answer_graded_and_grouped() -> None:
    with FakeServer(answer) as server:
        builder = await build(params_for(server))
    bank = store.read(builder.path)
    assert len(bank.rows) == 3 * 6 * 2
    assert {row.cell for row in bank.rows} == {Cell(t, p) for t in (0.1, 0.5, 0.9) for p in (1.0, 1.1)}
    assert all(row.correct == (row.temperature < 0.5) and not row.invalid for row in bank.rows)
    assert {row.group for row in bank.rows} == {0, 1}
    assert len({row.seed for row in bank.rows}) == len(bank.rows)
    assert all(entry.strategy == "Add the two numbers." for entry in bank.card.entries)
    found = table(bank, [Cell(0.1, 1.0), Cell(0.9, 1.1)], 2)
    assert found.correct.tolist() == [[[True, True], [False, False]]] * 3
    assert "right 100.0%" in summary(bank)[2]


async def test_nothing_is_asked_for_twice_and_a_larger_grid_asks_for_the_rest() -> None:
    with FakeServer(answer) as server:
        await build(params_for(server))
        first = asked(server)
        assert first == 3 + 36
        await build(params_for(server))
        assert asked(server) == first
        (paths.STATE / "cache" / "answers.sqlite").unlink()  # the file alone is enough
        await build(params_for(server, samples=3, temperature=[0.1, 0.5, 0.9, 1.1]))
        assert asked(server) == first + 3 * (8 * 3 - 12)


async def test_a_lost_file_comes_back_from_the_call_cache() -> None:
    with FakeServer(answer) as server:
        builder = await build(params_for(server))
        before, rows = asked(server), store.read(builder.path).rows
        builder.path.unlink()
        await build(params_for(server))
        assert asked(server) == before
        assert store.read(builder.path).rows == rows


async def test_what_a_stopped_build_has_is_written_corners_first() -> None:
    with FakeServer(answer, latency=0.02) as server:
        params = params_for(server, llm={"max_in_flight": 2})
        task = asyncio.create_task(build(params))
        await asyncio.to_thread(until, lambda: asked(server) >= 3 + 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        rows = store.read(paths.bank("svamp", "test", "fake")).rows
        assert 10 <= len(rows) < 24
        assert {row.cell for row in rows} <= {Cell(t, p) for t in (0.1, 0.9) for p in (1.0, 1.1)}
        await build(params)
        assert asked(server) == 3 + 36


@pytest.mark.usefixtures("quick")
async def test_answers_that_could_not_be_had_are_left_out_and_asked_for_again() -> None:
    broken = True

    def faults(body: Body, attempt: int) -> str | None:
        strategy = "Tell the team" in body["messages"][0]["content"]
        return "400" if broken and body["temperature"] == 0.9 and not strategy else None

    with FakeServer(answer, faults=faults) as server:
        with pytest.raises(EconError, match=r"12 of 36 answers .* could not be had .*run it again"):
            await build(params_for(server))
        assert len(store.read(paths.bank("svamp", "test", "fake")).rows) == 24
        broken = False
        await build(params_for(server))
        assert len(store.read(paths.bank("svamp", "test", "fake")).rows) == 36


@pytest.mark.usefixtures("vectors")
async def test_vectors_are_kept_in_half_precision() -> None:
    with FakeServer(answer) as server:
        builder = await build(params_for(server), embed=True)
    bank = store.read(builder.path)
    assert set(bank.embeddings) == {row.text for row in bank.rows}
    assert all(len(vector) == 4 * 2 for vector in bank.embeddings.values())


async def test_a_bank_of_another_model_or_other_caps_is_not_gone_on_with() -> None:
    with FakeServer(answer) as server:
        await build(params_for(server))
        with pytest.raises(EconError, match=r"bank of another max tokens: 1024, not 64"):
            await build(params_for(server, llm={"max_tokens": {"answer": 64}}))
        with pytest.raises(EconError, match=r"bank of another identity: .*, not openai:other:fake"):
            await build(params_for(server, llm={"provider": "other"}))


async def test_other_prompts_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer(answer) as server:
        await build(params_for(server))
        changed = [Problem("p0", "svamp", "What is 0 plus 2?", gold="2")]
        with pytest.raises(EconError, match="recorded with another prompt of p0"):
            await build(params_for(server), changed)


def sample_bank(path: Path) -> Bank:
    entry = schema.Entry("p0", "a" * 64, "b" * 64, "none", None)
    card = schema.Card(
        "svamp", "test", "m", "local:m", "m", "local:m", "plain", "repetition_penalty", 48, 0.9,
        {"mode": "none"}, (entry,), False, ("2026-01-01", "2026-01-02"),
    )  # fmt: skip
    rows = [schema.Row("p0", "none", 0.1, 1.0, s, 7, f"text {s} " * 50, 9, 5, False, "1", 0, True, False, 1.0)
            for s in range(20)]  # fmt: skip
    bank = Bank(card, rows, {rows[0].text: b"\x00\x3c" * 4})
    store.write(path, bank)
    return bank


def test_a_bank_survives_the_round_trip(tmp_path: Path) -> None:
    bank = sample_bank(tmp_path / "b.parquet")
    assert store.read(tmp_path / "b.parquet") == bank


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "b.parquet"
    sample_bank(path)
    content = path.read_bytes()
    whole, refused = store.rows_digest(store.read(path).rows), 0
    for place in range(8, len(content) - 8, 97):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        try:
            found = store.read(path)
        except EconError:
            refused += 1
        else:  # a byte that carries nothing
            assert store.rows_digest(found.rows) == whole
    assert refused > 20
    path.write_bytes(b"")
    with pytest.raises(EconError, match="no bank, or damaged"):
        store.read(path)


def test_what_is_lacking_is_named(tmp_path: Path) -> None:
    bank = sample_bank(tmp_path / "b.parquet")
    cell = Cell(0.1, 1.0)
    for cells, samples, names, line in (
        ([Cell(0.7, 1.0)], 1, None, r"lacks cell \(T 0.7, p 1\) - econ bank build --benchmark svamp"),
        ([cell], 21, None, r"has 20 answers to p0 in cell \(T 0.1, p 1\), not 21"),
        ([cell], 1, ["p7"], "lacks problem p7"),
    ):
        with pytest.raises(EconError, match=line):
            table(bank, cells, samples, names)


async def test_regrading_changes_what_graders_say_now() -> None:
    with FakeServer(answer) as server:
        params = params_for(server)
        builder = await build(params)
    assert regrade(builder.path, PROBLEMS, params) == (36, 0)
    other = [Problem(p.id, p.benchmark, p.prompt, gold=str(int(p.gold or 0) - 1)) for p in PROBLEMS]
    assert regrade(builder.path, other, params) == (36, 36)
    assert all(row.correct == (row.temperature >= 0.5) for row in store.read(builder.path).rows)


def test_seeds_never_change() -> None:
    """Answers are paid for under these seeds: another formula would orphan them."""
    assert schema.answer_seed("p0", "plain", Cell(0.1, 1.0), 0) == 181554509
    assert schema.answer_seed("gsm8k-1a2b", "plain", Cell(1.3, 1.1), 7) == 736969117
