"""econ view: loopback alone, files as they are, and a run's state for the bar."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from econ.errors import EconError
from econ.params import Params
from econ.running.run import Begun, Run
from econ.running.view import server
from tests.reporting.synthetic import write_run

JOBS = {"benchmarks": ["svamp"], "n_agents": [3], "methods": ["cot", "debate"]}


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.chdir(tmp_path)
    with server(Params.model_validate(JOBS), 0) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield serving.server_address[1]
        serving.shutdown()
        thread.join()


def get(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Host": f"{host}:{port}"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_it_follows_a_run_from_nothing_to_its_end(port: int, tmp_path: Path) -> None:
    nothing = json.loads(get(port, "/run.json")[1])
    assert (nothing["run"], nothing["rows"], nothing["page"], nothing["jobs"]) == (None, [], None, 2)
    assert b"<iframe" in get(port, "/")[1]
    assert get(port, "/report/index.html")[0] == 404

    run = Run()
    run.plan({"evaluate": 2})
    run.begin(1, Begun("Evaluate <b>cot</b>", "evaluate", "job.log", (), run.started))
    run.keep()
    Path("job.log").write_text("1/40 problems\n")
    told = json.loads(get(port, "/run.json")[1])["run"]
    assert told["alive"]
    assert told["running"][0]["told"] == "1/40 problems"
    assert (told["done"], told["total"], told["calls"]) == (0, 2, 0)

    write_run(tmp_path, 20, **JOBS)
    page = tmp_path / "results/report/index.html"
    page.parent.mkdir(parents=True)
    page.write_text("the page")
    run.end(1)
    run.ended = run.started + 5
    run.keep()
    last = json.loads(get(port, "/run.json")[1])
    assert not last["run"]["alive"]
    assert last["page"] is not None
    assert [row[:3] for row in last["rows"]] == [["svamp", "cot", "3"], ["svamp", "debate", "3"]]
    assert get(port, "/report/index.html") == (200, b"the page")


def test_a_row_is_read_again_when_its_job_is_played_again(port: int, tmp_path: Path) -> None:
    for n in (20, 30):
        write_run(tmp_path, n, **JOBS)
        assert {row[4] for row in json.loads(get(port, "/run.json")[1])["rows"]} == {str(n)}
    (tmp_path / "results/metrics/svamp/cot-n3-s0.json").write_text("{}")
    assert len(json.loads(get(port, "/run.json")[1])["rows"]) == 1


@pytest.mark.parametrize("path", ["/../params.yaml", "/%2e%2e/params.yaml", "/report/../../params.yaml"])
def test_nothing_outside_the_results_is_served(port: int, path: str) -> None:
    Path("params.yaml").write_text("secret: 1")
    Path("results").mkdir()
    status, content = get(port, path)
    assert status == 404
    assert b"secret" not in content


def test_a_name_that_somebody_made_point_here_is_refused(port: int) -> None:
    assert get(port, "/run.json", "evil.example")[0] == 403
    assert get(port, "/run.json", "localhost")[0] == 200


def test_a_port_that_is_taken_is_one_line(port: int) -> None:
    with pytest.raises(EconError, match=f"port {port} of 127.0.0.1: .* - choose another with --port"):
        server(Params(), port)
