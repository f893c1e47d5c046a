"""What ships is small, plays as what was recorded, and says what it is."""

import hashlib
import os
from pathlib import Path

import orjson
import pytest

from econ import paths
from econ.bank import calls, ship, store
from econ.bank.build import Builder
from econ.benchmarks.store import SPLITS, download, load
from econ.errors import EconError
from econ.llm import open_client
from econ.methods.registry import baseline
from econ.params import Params
from econ.playing import play
from econ.progress import Progress
from econ.records import Job, Problem, Trace
from tests.bank.test_build import PROBLEMS, answer, build, params_for
from tests.bank.test_client import evaluate, played_from_bank
from tests.llm.fake_server import FakeServer

NAMES = [problem.id for problem in PROBLEMS]
BANK, CALLS = paths.bank("svamp", "test", "fake"), paths.recorded_calls("svamp", "fake")
METHODS = ("cot", "self-consistency", "debate", "best-of-n")


async def methods_played(params: Params) -> list[Trace]:
    traces: list[Trace] = []
    async with open_client(params) as client:
        for method in METHODS:
            player = baseline(method, params, "svamp")
            traces += await play(player, PROBLEMS, client, params, Job("svamp", method, 3, 0))
    return traces


async def test_a_packed_record_plays_every_method_as_it_was_played_live(vectors: None) -> None:
    with FakeServer(answer) as server:
        params = params_for(server, samples=4)
        await build(params, embed=True)
        live = await methods_played(params)
    packed = ship.pack(BANK, paths.own_record(BANK, "fake"), NAMES, params)
    assert not packed.embeddings
    number, card = ship.pack_calls(paths.own_record(CALLS, "fake"), packed.card, live)
    assert number == len({calls.key(call) for trace in live for call in trace.calls})
    assert card.jobs == ("best-of-n-n3-s0", "cot-n3-s0", "debate-n3-s0", "self-consistency-n3-s0")
    BANK.unlink()
    own = played_from_bank(params)
    replayed = await methods_played(own)
    assert [t.answer for t in replayed] == [t.answer for t in live]
    assert all(t.recorded and not t.simulated for t in replayed)
    tokens = [[(c.role, c.text, c.prompt_tokens, c.completion_tokens) for c in t.calls] for t in replayed]
    assert tokens == [[(c.role, c.text, c.prompt_tokens, c.completion_tokens) for c in t.calls] for t in live]
    assert await evaluate(own)  # vectors are computed where they are needed


@pytest.mark.usefixtures("vectors")
async def test_a_build_goes_on_from_what_ships(project: Path) -> None:
    with FakeServer(answer) as server:
        params = params_for(server)
        await build(params)
        ship.pack(BANK, paths.own_record(BANK, "fake"), NAMES, params)
        rows = store.read(BANK).rows
        BANK.unlink()
        before = len(server.log)
        await build(params_for(server, samples=3))
        assert len(server.log) == before + 18
    BANK.unlink()
    own = played_from_bank(params)
    builder = Builder("svamp", "test", "fake", PROBLEMS, own)
    async with open_client(own) as client:
        with Progress(len(builder.wanted), "answers", client, "bank") as progress:
            await builder.build(client, progress)
    bank = store.read(BANK)
    assert bank.rows == rows
    assert set(bank.embeddings) == {row.text for row in rows}


async def test_more_problems_join_what_ships_and_another_model_does_not() -> None:
    target = paths.own_record(BANK, "fake")
    more = [*PROBLEMS, Problem("p9", "svamp", "What is 9 plus 1?", "10")]
    with FakeServer(answer) as server:
        params = params_for(server)
        await build(params, more)
        ship.pack(BANK, target, ["p0", "p9"], params)
        packed = ship.pack(BANK, target, ["p1", "p0"], params)
        assert [entry.id for entry in packed.card.entries] == ["p9", "p0", "p1"]
        assert len(packed.rows) == 36
        BANK.unlink()
        target.rename(target.with_suffix(".kept"))
        await build(params_for(server, llm={"provider": "other"}))
        target.with_suffix(".kept").rename(target)
        with pytest.raises(EconError, match=r"bank of another identity: openai:http"):
            ship.pack(BANK, target, ["p0"], params)


async def test_the_card_names_every_file(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer(answer) as server:
        params = params_for(server)
        await build(params)
    target = paths.own_record(BANK, "fake")
    ship.pack(BANK, target, NAMES, params)
    ship.index("fake", {"model": "Apache-2.0"})
    card = ship.index("fake", {"svamp": "MIT"})
    assert card["licences"] == {"model": "Apache-2.0", "svamp": "MIT"}
    [(name, about)] = card["files"].items()
    assert name == "svamp/test--fake--plain.parquet"
    assert about["sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    assert (about["answers"], about["problems"]) == (36, 3)
    assert orjson.loads((paths.RECORDS / "fake" / "card.json").read_bytes())["files"].keys() == {name}
    (target.parent / "large").write_bytes(os.urandom(1000))
    monkeypatch.setattr(ship, "MOST", 500)
    with pytest.raises(EconError, match=r"all records together have .* MB, more than 0"):
        ship.index("fake", {})


ROOT = Path(__file__).parents[2]
RECORDS = sorted((ROOT / paths.RECORDS).glob("*/*/*--plain.parquet"))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: "/".join(path.parts[-3:]))
def test_what_ships_was_recorded_with_the_prompts_of_today(path: Path) -> None:
    """A changed prompt orphans the record: take the change back, or record anew (hours)."""
    bank = store.read(path)
    params = Params.model_validate(
        {"data": {"source": "shipped", "test_problems": None, "train_problems": None}}
    )
    download(bank.card.benchmark, params)
    problems = [p for split in SPLITS for p in load(bank.card.benchmark, split, params)]
    own = [p for p in problems if p.id in {entry.id for entry in bank.card.entries}]
    assert not ship.parted(bank, own), "these problems are asked in other words than the record's"


@pytest.mark.skipif(not RECORDS, reason="nothing ships yet")
def test_every_file_that_ships_is_the_one_on_its_card() -> None:
    for card in (ROOT / paths.RECORDS).glob("*/card.json"):
        for name, about in orjson.loads(card.read_bytes())["files"].items():
            content = (card.parent / name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == about["sha256"], name
    files = [path for path in (ROOT / paths.RECORDS).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= ship.MOST


async def test_another_prompt_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer(answer) as server:
        await build(params_for(server))
    bank = store.read(BANK)
    assert ship.parted(bank, PROBLEMS) == []
    assert ship.parted(bank, [Problem("p1", "svamp", "What is 1 plus 1, please?", "2")]) == ["p1"]
    monkeypatch.setattr("econ.prompts.words", lambda tokens, most=None: 3)
    assert ship.parted(bank, PROBLEMS) == NAMES
