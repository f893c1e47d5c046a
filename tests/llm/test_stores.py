"""The store of paid answers: what it promises, over both engines, and moved between them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from econ.cli import group
from econ.errors import EconError
from econ.llm.budget import BudgetGuard
from econ.llm.cache import mounts, places
from econ.llm.cache.admin import Ledger
from econ.llm.cache.base import Statements
from econ.llm.cache.rows import Answer, digest
from econ.llm.cache.store import Cache, add_spent
from econ.llm.limits import Slots
from econ.params import Budget, load
from tests.llm.conftest import params_for, request
from tests.llm.fake_server import FakeServer
from tests.llm.test_client import ask
from tests.postgres import Server

REPOSITORY = Path(__file__).parents[2]
ANSWER = Answer("48 \\ 0", "stop", 10, 2, False, "svamp/cot-n3-s0 1", "openai", "m", 0.5, "hm", None, "m-1")
KEY, OTHER = b"k" * 32, b"\0" * 32


def run(*words: str) -> Result:
    return CliRunner().invoke(group, words)


# -- answers, facts, money ----------------------------------------------------------------------------------


async def test_an_answer_its_money_and_its_reservation_are_one(store_url: str | None) -> None:
    with closing(Cache()) as cache:
        guard = BudgetGuard(Budget(calls=3), cache.store)
        held = await guard.reserve(20, 1.0)
        assert cache.get(KEY) is None
        await cache.put(KEY, ANSWER, held)
        assert cache.get(KEY) == ANSWER
        await cache.put(KEY, ANSWER)  # known already: kept as it was, and paid for all the same
        assert cache.store.rows("SELECT COUNT(*) FROM reserved") == [(0,)]
        [spending] = Ledger().spending()
        assert (spending.calls, spending.tokens, spending.usd) == (2, 24, 1.0)
        await guard.reserve(1, 0.0)
        with pytest.raises(EconError, match=r"llm\.budget\.calls is 3, 2 are spent and 1 in flight"):
            await guard.reserve(1, 0.0)
        guard.close()


def test_a_dead_jobs_calls_in_flight_count_as_made(store_url: str | None) -> None:
    code = """
import asyncio, os
from econ.llm.budget import BudgetGuard
from econ.llm.cache.store import Cache
from econ.params import Budget
asyncio.run(BudgetGuard(Budget(calls=9), Cache().store).reserve(7, 0.25))
os.kill(os.getpid(), 9)
"""
    subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, check=False
    )
    with closing(Cache()) as cache:
        guard = BudgetGuard(Budget(calls=9), cache.store)
        assert asyncio.run(eventually(guard))
        [spending] = Ledger().spending()
        assert (spending.calls, spending.tokens, spending.usd) == (1, 7, 0.25)
        guard.close()


async def eventually(guard: BudgetGuard) -> bool:
    """Reserve until the dead are found: a server notices a moment later."""
    for _ in range(50):
        await guard.reserve(0, 0.0)
        if Ledger().spending():
            return True
        await asyncio.sleep(0.1)
    return False


def test_facts_are_replaced_with_their_checksums(store_url: str | None) -> None:
    with closing(Cache()) as cache:
        cache.put_facts("tokens", [(KEY, b"12"), (OTHER, b"")])
        cache.put_facts("tokens", [(KEY, b"13")])
        assert cache.facts([OTHER, b"x" * 32, KEY]) == [b"", None, b"13"]
        cache.store.change("UPDATE facts SET value = ? WHERE key = ?", [(b"14", KEY)])
        assert cache.fact(KEY) is None


def test_what_fails_halfway_leaves_nothing(store_url: str | None) -> None:
    def halfway(db: Statements) -> None:
        add_spent(db, "r", 1, 1, 1.0)
        raise ValueError

    with closing(Cache()) as cache:
        with pytest.raises(ValueError):  # noqa: PT011
            cache.store.write(halfway, wait=True)
        with pytest.raises(ValueError):  # noqa: PT011
            cache.store.turn(lambda: halfway(cache.store))
        assert Ledger().spending() == []


# -- locks and limits ---------------------------------------------------------------------------------------


def test_a_lock_is_one_processs_until_it_dies(store_url: str | None) -> None:
    code = f"""
import sys, time
from econ.llm.cache.store import Cache
cache = Cache()
assert cache.store.lock({KEY!r}) and not cache.store.lock({KEY!r})
print("held", flush=True)
time.sleep(60)
"""
    other = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
    )
    assert other.stdout is not None
    other.stdout.readline()
    with closing(Cache()) as cache:
        assert not cache.store.lock(KEY)
        assert cache.store.lock(OTHER)
        other.send_signal(signal.SIGKILL)
        other.wait()
        deadline = time.monotonic() + 5
        while not cache.store.lock(KEY):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        cache.store.unlock(KEY)
        assert cache.store.lock(KEY)
    other.stdout.close()


async def test_slots_and_rates_are_shared(store_url: str | None) -> None:
    with closing(Cache()) as one, closing(Cache()) as two:
        here, there = one.store.limiter("server", 3), two.store.limiter("server", 3)
        first, second = Slots(here, 3), Slots(there, 3)
        mine = [await first.take(), await first.take()]
        await second.take()
        waiting = asyncio.create_task(second.take())
        await asyncio.sleep(3 * here.poll)
        assert not waiting.done()
        assert here.others_wait()
        assert not there.others_wait()
        first.give(mine[0])
        await asyncio.wait_for(waiting, 5)
        waits = [limiter.shift("requests", 0.5) for limiter in (here, there, here)]
        assert waits == pytest.approx([0, 0.5, 1.0], abs=0.2)
        here.shift("requests", -1.5)
        assert there.shift("requests", 0) < 0.2
        assert one.store.limiter("another", 3).shift("requests", 1) == pytest.approx(0, abs=0.01)
        for slots in (first, second):
            await slots.close()


# -- as a whole ---------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ANSWERS = st.builds(
    Answer, TEXT, st.none() | TEXT, st.integers(0, 2**31), st.integers(0, 2**31), st.booleans(), TEXT, TEXT,
    TEXT, st.none() | st.floats(0, 1e9), TEXT, st.none() | TEXT, st.none() | TEXT,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=st.lists(ANSWERS, min_size=1, max_size=5))
def test_moving_between_engines_keeps_every_byte(
    postgres: Server, tmp_path: Path, answers: list[Answer]
) -> None:
    """Also what no server would say: NUL, backslashes, empty texts, any float."""
    folders = [tmp_path / digest({"n": [repr(answers), n]}).hex() for n in range(2)]
    keys = [digest({"n": number}) for number in range(len(answers))]

    async def fill(cache: Cache) -> None:
        await asyncio.gather(*(cache.put(key, answer) for key, answer in zip(keys, answers, strict=True)))

    with closing(Cache(folders[0])) as cache:
        asyncio.run(fill(cache))
        cache.put_facts("embedding", [(KEY, bytes(range(256)))])
    url, files = postgres.fresh(), [tmp_path / f"{n}.zst" for n in range(3)]
    Ledger(folders[0]).export(files[0])
    for source, target in ((files[0], Ledger(url=url)), (files[1], Ledger(folders[1], create=True))):
        with closing(target):
            assert target.absorb(source) == (len(answers) + 1, 0)
            assert target.absorb(source) == (0, len(answers) + 1)
            target.export(files[files.index(source) + 1])
    assert len({file.read_bytes() for file in files}) == 1
    with closing(Cache(url=url)) as cache:
        assert [cache.get(key) for key in keys] == answers


def test_the_commands_work_on_it(store_url: str | None, tmp_path: Path) -> None:
    asked = [request(n) for n in range(20)]
    with FakeServer() as server:
        params = params_for(server.url, prices={"fake": {"prompt": 1.0, "completion": 1.0}})
        first = asyncio.run(ask(params, *asked))
    shown = run("cache", "info").output
    assert "fake: 20 answers" in shown
    assert "has paid 20 calls" in shown
    assert run("cache", "verify").output == "checked 22 rows: all whole\n"
    assert run("cache", "export", "all.zst").exit_code == 0
    Path("bad.zst").write_bytes(Path("all.zst").read_bytes()[:-40])
    assert "20 rows" in run("cache", "prune", "--model", "fake").output
    assert isinstance(run("cache", "import", "bad.zst").exception, EconError)
    assert "20 new rows, 2 were here already" in run("cache", "import", "all.zst").output
    assert asyncio.run(ask(params, *asked, offline=True)) == first
    with closing(Cache()) as cache:
        cache.store.change("UPDATE answers SET usd = ? WHERE prompt_tokens > ?", [(9.0, 0)])
    assert run("cache", "verify").exit_code == 1
    assert "run: econ cache repair" in str(run("cache", "export", "ill.zst").exception)
    assert "0 answers and 2 facts are whole" in run("cache", "repair").output
    assert run("cache", "verify").exit_code == 0


# -- where it may be ----------------------------------------------------------------------------------------

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/me/disk xfs rw 0 0
//server/share /mnt/a\\040b cifs rw 0 0
scratch /scratch lustre rw 0 0
sshfs#x /remote fuse.sshfs rw 0 0
overlay /overlay fuse.fuse-overlayfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind", "refused"),
    [
        ("/home/me/study/.econ", "nfs4", True), ("/home/me/disk/study", "xfs", False), ("/x", "ext4", False),
        ("/mnt/a b/study", "cifs", True), ("/scratch/x", "lustre", True), ("/remote", "fuse.sshfs", True),
        ("/overlay/x", "fuse.fuse-overlayfs", False),
    ],
)  # fmt: skip
def test_a_network_file_system_is_refused(
    folder: str, kind: str, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mounts"
    file.write_text(MOUNTS)
    assert mounts.kind(Path(folder), file) == kind
    monkeypatch.setattr(mounts, "kind", lambda path: kind)
    if refused:
        with pytest.raises(EconError, match=rf"network file system \({kind}\).*cache\.url"):
            Cache()
        assert not Path(".econ/cache/answers.sqlite").exists()
    else:
        Cache().close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u:5ecret@h/d", "ECON_CACHE_URL: it is no URL of a PostgreSQL database"),
        ("postgresql://u:5e/cret@h/d", "ECON_CACHE_URL: it is no URL"),
        ("postgresql://u:5ecret@h:port/d", "ECON_CACHE_URL: it is no URL"),
        ("postgresql://u#5ecret@h/d", "write / as %2F"),
        ("postgresql://u:5ecret@127.0.0.1:1/d", "postgresql://u@127.0.0.1:1/d cannot be reached"),
        ("postgresql://u@127.0.0.1:1/d?password=5ecret", "postgresql://u@127.0.0.1:1/d cannot be reached"),
        ("postgresql://u:5ecret@127.0.0.1:1/d?5ecret=1", "postgresql://u@127.0.0.1:1/d cannot be"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line_without_its_password(
    url: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECON_CACHE_URL", url)
    fault = run("cache", "info").exception
    assert isinstance(fault, EconError)
    assert said in str(fault)
    assert "5ecret" not in str(fault)


def test_params_may_name_it_and_hold_no_password() -> None:
    params = load(None, ["cache.url=postgresql://econ@db/econ"])
    assert params.cache.url == "postgresql://econ@db/econ"
    assert "cache" not in params.model_dump(mode="json")  # which is what results and digests are made of
    varied = load(None, ["cache.url=postgresql://econ@db/econ", "variants.x.bne.max_iterations_infer=1"])
    assert varied.varied("x").cache.url == params.cache.url
    with pytest.raises(EconError, match="has a password in it, which would be kept") as told:
        load(None, ["cache.url=postgresql://econ:5ecret@db/econ"])
    assert "5ecret" not in str(told.value)
    with pytest.raises(EconError, match="all methods keep their answers in one place"):
        load(None, ["variants.x.cache.url=postgresql://econ@db/econ"])


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "econ.llm.cache.postgres", raising=False)
    with pytest.raises(EconError, match=r"pip install 'econ-bne\[postgres\]'"):
        places.opened(Path(), "postgresql://econ@db/econ")
