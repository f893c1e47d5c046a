"""Cache commands, estimate, timing and doctor, through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from econ.cli import group
from econ.errors import EconError
from econ.llm import activity, current_job, open_client
from econ.llm.cache.admin import Ledger
from econ.params import Params
from tests.llm.conftest import params_for, request
from tests.llm.fake_server import FakeServer
from tests.llm.test_client import ask


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, arguments)


@pytest.fixture
async def params() -> Params:
    """A cache with 20 answers of a server that has left."""
    with FakeServer() as server:
        params = params_for(server.url, prices={"fake": {"prompt": 1.0, "completion": 1.0}})
        current_job.set("svamp/cot-n3-s0")
        async with open_client(params) as client:
            for number in range(20):
                await client.complete(request(number))
            await client.count_tokens("fake", "some text")
    return params


async def test_an_export_moves_everything(
    params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await ask(params, *(request(n) for n in range(20)), offline=True)
    export = tmp_path / "answers.jsonl.zst"
    assert run("cache", "export", str(export)).exit_code == 0
    again = tmp_path / "again.jsonl.zst"
    run("cache", "export", str(again))
    assert export.read_bytes() == again.read_bytes()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    shown = run("cache", "import", str(export))
    assert shown.exit_code == 0, shown.output
    assert "22 new" in shown.output  # 20 answers, the dialect, the model that answered
    assert "0 new" in run("cache", "import", str(export)).output
    assert await ask(params, *(request(n) for n in range(20)), offline=True) == first


def test_a_damaged_export_changes_nothing(params: Params, tmp_path: Path) -> None:
    export = tmp_path / "answers.jsonl.zst"
    run("cache", "export", str(export))
    export.write_bytes(export.read_bytes()[:-40])
    run("cache", "prune", "--model", "fake")
    with pytest.raises(EconError, match="no export of a call cache, or damaged"):
        Ledger().absorb(export)
    assert Ledger().holdings() == []


def test_info_counts_and_prune_needs_a_choice(params: Params) -> None:
    shown = run("cache", "info").output
    assert "fake: 20 answers" in shown
    assert "has paid 20 calls" in shown
    assert isinstance(run("cache", "prune").exception, EconError)
    assert "0 rows" in run("cache", "prune", "--older-than", "1").output
    assert "20 rows" in run("cache", "prune", "--model", "fake").output


def test_what_a_job_has_paid_is_known(params: Params) -> None:
    [holding] = Ledger().paid_by("svamp/cot-n3-s0")
    assert (holding.model, holding.answers) == ("fake", 20)
    assert Ledger().paid_by("svamp/cot-n3-s") == []


def test_timing_shows_the_share_of_the_model(params: Params) -> None:
    timing = activity.read()
    assert timing.calls == 20
    assert 0 < timing.busy <= timing.wall
    assert "share" in run("timing").output
    assert isinstance(run("timing", "--since", "tomorrow").exception, EconError)


def test_intervals_merge() -> None:
    assert activity.merge([(3, 4), (0, 1), (0.5, 2), (2.1, 2.5)], gap=0.2) == [(0, 2.5), (3, 4)]


def test_doctor_names_what_is_missing_and_how_to_mend_it(project: Path) -> None:
    with FakeServer() as server:
        llm = params_for(server.url).model_dump(mode="json")["llm"]
        (project / "params.yaml").write_text(yaml.safe_dump({"llm": llm, "data": {"source": "shipped"}}))
        shown = run("doctor").output
    assert "ok    probe: each action dimension that is learned changes the answers" in shown
    assert "ok    model fake: answers; context 8192" in shown
    llm["backend"] = "together"
    (project / "params.yaml").write_text(yaml.safe_dump({"llm": llm, "data": {"source": "shipped"}}))
    failed = run("doctor")
    assert "FAIL  key TOGETHER_API_KEY: not set -> export TOGETHER_API_KEY=…" in failed.output
    assert isinstance(failed.exception, EconError)
