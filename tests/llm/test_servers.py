"""Local servers: one for all jobs, alive while it has users, replaced when it was killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from econ.errors import EconError
from econ.llm.cache.locks import FileLock
from econ.llm.local import models
from econ.llm.local.lease import Lease, Spec
from econ.llm.local.serve import wait_for_users_to_leave

REPOSITORY = str(Path(__file__).parents[2])


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(REPOSITORY)


@pytest.fixture
def spec() -> Iterator[Spec]:
    spec = Spec("fake", {"idle_seconds": 0.4}, "tests.llm.fake_daemon")
    yield spec
    wait_for_end(spec)


def wait_for_end(spec: Spec) -> None:
    deadline = time.monotonic() + 20
    while (spec.folder / "state.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not (spec.folder / "state.json").exists()


def process(url: str) -> int:
    return int(url.rsplit("/", 1)[1])


def test_racing_users_share_one_server_that_ends_after_them(spec: Spec) -> None:
    leases = [Lease(spec) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        urls = list(pool.map(lambda lease: lease.url(), leases))
    assert len(set(urls)) == 1
    for lease in leases[1:]:
        lease.close()
    time.sleep(1.0)
    assert leases[0].url() == urls[0]  # one user is enough
    leases[0].close()
    wait_for_end(spec)


def test_a_server_that_is_about_to_end_is_waited_for(spec: Spec) -> None:
    ending = FileLock(spec.folder / "alive")
    ending.take()  # it has said goodbye (no state) but is not gone
    lease = Lease(spec)
    with ThreadPoolExecutor(1) as pool:
        url = pool.submit(lease.url)
        time.sleep(0.3)
        assert not url.done()
        ending.close()
        assert process(url.result(timeout=20))
    lease.close()


def test_time_in_which_a_server_could_not_look_is_no_idle_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its users come and go; that it got no turn for an hour in between does not make it leave."""
    clock, looks = [0.0], [0]
    user = FileLock(tmp_path / "lease")

    def sleep(_: float) -> None:
        clock[0] += 3600
        looks[0] += 1
        if looks[0] % 3 == 1 and looks[0] < 20:
            user.take(shared=True)
        else:
            user.drop()

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    wait_for_users_to_leave(tmp_path, 4.0)
    assert looks[0] == 19 + 4  # four looks in a row, a second each, that found nobody


def test_a_killed_server_is_replaced(spec: Spec) -> None:
    lease = Lease(spec)
    first = lease.url()
    os.kill(process(first), signal.SIGKILL)
    os.waitpid(process(first), 0)
    second = lease.url()
    assert second != first
    lease.close()


def test_a_stale_or_broken_state_file_blocks_nobody(spec: Spec) -> None:
    spec.folder.mkdir(parents=True)
    for content in (b'{"url": "http://127.0.0.1/1", "pid": 1}', b"{"):
        (spec.folder / "state.json").write_bytes(content)
        lease = Lease(spec)
        assert process(lease.url()) > 1
        lease.close()
        wait_for_end(spec)


def test_a_server_that_cannot_start_says_why() -> None:
    lease = Lease(Spec("fake", {"idle_seconds": 1, "broken": True}, "tests.llm.fake_daemon"))
    with pytest.raises(EconError, match="model file is damaged"):
        lease.url()
    lease.close()


def test_a_damaged_model_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ECON_MODELS", str(tmp_path))
    (tmp_path / models.MODELS["smollm2-135m-instruct"].file).write_bytes(b"GGUF but not all of it")
    with pytest.raises(EconError, match=r"SmolLM2.* is damaged .* delete it"):
        models.locate("smollm2-135m-instruct", print)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("smollm3", "unknown local model 'smollm3'"),
        ("a.gguf", "does not exist"),
        ("b.gguf", "not a GGUF file"),
    ],
)
def test_a_model_that_is_no_model_is_named(model: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "b.gguf").write_bytes(b"text")
    with pytest.raises(EconError, match=told):
        models.locate(model, print)
