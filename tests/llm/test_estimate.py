"""The estimate: an upper count before a run, and what the cache holds of it, request by request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from click.testing import CliRunner, Result

from econ.cli import group
from econ.costs.estimate import _econ
from econ.llm.cache.admin import Ledger
from econ.params import Params, load
from econ.records import Problem
from econ.reporting.page.spending import HEADINGS, spending
from econ.reporting.show import NOTHING
from tests.llm.conftest import params_for
from tests.llm.fake_server import FakeServer

pytestmark = pytest.mark.usefixtures("vectors")
METHODS = ["econ-baseline", "econ-bne", "debate", "cot"]


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(group, arguments)
    assert done.exit_code == 0, done.output + str(done.exception)
    return done


def stages(*options: str) -> dict[str, Any]:
    rows = [orjson.loads(line) for line in run("estimate", "--json", *options).output.splitlines()]
    return {row["stage"]: row for row in rows}


def project_for(folder: Path, server: FakeServer, **sections: Any) -> None:
    price = {"fake": {"prompt": 1.0, "completion": 2.0}}
    llm = params_for(server.url, prices=price, dialect="vllm").model_dump(mode="json")["llm"]
    settings = {
        "benchmarks": ["svamp"], "n_agents": [3], "methods": METHODS, "llm": llm,
        "data": {"source": "shipped", "train_problems": 2, "test_problems": 3},
        "train": {"episodes": 2, "update_interval": 2, "early_stopping": {"enabled": False}},
        "bne": {"max_iterations_infer": 3, "max_iterations_train": 1},
        "network": {"entity_dim": 16, "belief_dim": 8, "mlp_hidden": 16, "text_dim": 8},
        **sections,
    }  # fmt: skip
    (folder / "params.yaml").write_text(yaml.safe_dump(settings))
    run("download")


def play(command: str, method: str | None = None) -> None:
    chosen = ["--method", method] if method else []
    run(command, "--benchmark", "svamp", "--n-agents", "3", *chosen)


def test_what_is_held_is_what_a_run_would_not_pay_again(project: Path) -> None:
    with FakeServer() as server:
        project_for(project, server)
        assert {row["held_calls"] for row in stages().values()} == {0}
        play("debate", "cot")
        rows = stages()
        assert (rows["cot"]["held_calls"], rows["cot"]["left_calls"], rows["cot"]["left_usd"]) == (3, 0, 0)
        assert (rows["debate"]["held_calls"], rows["debate"]["left_calls"]) == (0, 3 * 9)
        play("train")
        assert stages()["train"]["left_calls"] == 0
        play("evaluate", "econ-bne")
        rows, asked = stages(), server.served
        assert rows["econ-bne"]["left_calls"] == 0
        assert rows["econ-baseline"]["left_calls"] == 0  # round 0 of the other
        play("evaluate", "econ-baseline")
        assert server.served == asked
        trace = orjson.loads(Path("results/metrics/svamp/econ-bne-n3-s0.json").read_bytes())
        assert rows["econ-bne"]["held_calls"] == trace["calls"] <= rows["econ-bne"]["calls"]
        both = rows["econ-bne"]["held_calls"] + rows["train"]["held_calls"] + rows["cot"]["held_calls"]
        assert rows["in all"]["held_calls"] == both  # econ-baseline's are among econ-bne's


def test_after_a_run_the_estimate_stands_beside_what_it_took(project: Path) -> None:
    with FakeServer() as server:
        project_for(project, server)
        play("train")
        for method in METHODS:
            play("evaluate" if method.startswith("econ") else "debate", method)
    rows = {row[0]: dict(zip(HEADINGS, row, strict=True)) for row in spending(load(Path("params.yaml")))}
    metrics = {m: orjson.loads(Path(f"results/metrics/svamp/{m}-n3-s0.json").read_bytes()) for m in METHODS}
    assert list(rows) == ["train", *METHODS, "in all"]
    assert (rows["cot"]["Calls, at most"], rows["cot"]["Calls"]) == ("3", "3")
    for method, found in metrics.items():
        assert rows[method]["Tokens"] == f"{found['total_tokens']:,}"
        assert rows[method]["USD"] == f"{found['usd']:.4f}"
    taken = sum(found["calls"] for found in metrics.values()) + int(rows["train"]["Calls"])
    assert rows["in all"]["Calls"] == str(taken)
    assert 0 < int(rows["train"]["Calls"]) <= int(rows["train"]["Calls, at most"]) == 2 * (2 + 2 * 4)
    Ledger().prune(model=None, older_than_days=None, everything=True)
    rows = {row[0]: dict(zip(HEADINGS, row, strict=True)) for row in spending(load(Path("params.yaml")))}
    assert rows["train"]["Calls"] == rows["in all"]["Calls"] == NOTHING


def test_a_run_that_stopped_halfway_has_the_rest_left(project: Path) -> None:
    with FakeServer() as server:
        project_for(project, server)
        paid = yaml.safe_load((project / "params.yaml").read_text())
        limited = {**paid, "llm": {**paid["llm"], "budget": {"calls": 20}, "max_in_flight": 1}}
        (project / "params.yaml").write_text(yaml.safe_dump(limited))
        stopped = CliRunner().invoke(
            group, ["debate", "--benchmark", "svamp", "--method", "debate", "--n-agents", "3"]
        )
        assert "budget" in repr(stopped.exception)
        row = stages()["debate"]
        assert row["held_calls"] == sum(holding.answers for holding in Ledger().holdings()) == 20
        assert row["left_calls"] == 27 - 20


def test_another_server_or_model_holds_nothing(project: Path) -> None:
    with FakeServer() as server:
        project_for(project, server)
        play("debate", "cot")
        document = yaml.safe_load((project / "params.yaml").read_text())
        document["llm"]["executors"] = ["another"]
        (project / "params.yaml").write_text(yaml.safe_dump(document))
        row = stages()["cot"]
        assert (row["held_calls"], row["left_calls"]) == (0, 3)


def test_the_upper_count_is_each_methods_own(project: Path) -> None:
    settings = {
        "benchmarks": ["svamp"], "n_agents": [3],
        "methods": [
            "debate", "cot", "self-consistency", "best-of-n", "moa", "tot", "rap", "rstar", "econ-bne",
        ],
        "data": {"source": "shipped", "train_problems": 2, "test_problems": 2}, "train": {"episodes": 4},
        "settings": {"debate": {"rounds": 3}, "self-consistency": {"k": 5}, "moa": {"layers": 3},
        "tot": {"steps": 5, "samples": 3, "beam": 3, "max_calls": 1000, "max_tokens": 1000000},
        "rap": {"max_calls": 30}, "rstar": {"max_calls": 30}},
        "bne": {"max_iterations_infer": 3, "max_iterations_train": 1},
    }  # fmt: skip
    (project / "params.yaml").write_text(yaml.safe_dump(settings))
    assert run("download").exit_code == 0
    rows = {line.split()[0]: line.split() for line in run("estimate").output.splitlines()[1:]}
    assert rows["cot"][2] == "2"
    assert rows["debate"][2] == str(2 * 3 * 3)
    assert rows["self-consistency"][2] == str(2 * 5)
    assert rows["best-of-n"][2] == str(2 * (3 + 1))
    assert rows["moa"][2] == str(2 * (3 * 2 + 1))
    assert rows["tot"][2] == str(2 * 78)
    assert rows["rap"][2] == rows["rstar"][2] == str(2 * 30)  # their bound, though no such play reaches it
    assert rows["econ-bne"][2] == str(2 * (2 + 4 * 4))
    assert rows["train"][2] == str(4 * (2 + 2 * 4))


def test_a_vote_asks_nobody() -> None:
    problem = Problem("p", "svamp", "What is 1 plus 1?", "2")
    llm, vote = Params(), Params.model_validate({"team": {"commitment": "vote"}})
    asked, voted = ({m: t.calls for m, t in _econ(p, 3, 1, problem).items()} for p in (llm, vote))
    assert sum(asked.values()) - sum(voted.values()) == 2
