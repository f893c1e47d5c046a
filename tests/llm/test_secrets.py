"""No key in anything that a failing run leaves behind or says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
import zstandard

from tests.llm.conftest import params_for
from tests.llm.fake_server import Body, FakeServer

REPOSITORY = Path(__file__).parents[2]
KEYS = {"OPENAI_API_KEY": "sk-openai-5ecret", "TOGETHER_API_KEY": "sk-together-5ecret"}


@pytest.mark.parametrize("backend", ["openai", "together"])
def test_a_failing_run_leaves_no_key_anywhere(backend: str, project: Path) -> None:
    refused = False

    def faults(body: Body, attempt: int) -> str | None:
        return "401" if refused else ("500" if attempt == 0 else None)

    said = b""
    with FakeServer(faults=faults) as server:
        settings = params_for(server.url, backend=backend).model_dump(mode="json")["llm"]
        document = {"llm": settings, "benchmarks": ["svamp"], "data": {"source": "shipped"}}
        (project / "params.yaml").write_text(yaml.safe_dump(document))
        said += econ("download")
        said += econ("debate", "--benchmark", "svamp", "--method", "cot", "--n-agents", "3")
        said += econ("cache", "export", "answers.jsonl.zst")
        said += econ("debate", "--benchmark", "svamp", "--method", "direct", "--n-agents", "3", crash=True)
        refused = True
        said += econ("debate", "--benchmark", "svamp", "--method", "debate", "--n-agents", "3")
    assert server.log[0].authorization == f"Bearer {KEYS[backend.upper() + '_API_KEY']}"
    assert b"Traceback" not in said  # it goes to a file, which is among those that are looked through
    assert any(b"Traceback" in path.read_bytes() for path in project.rglob("*.log"))
    assert f"check {backend.upper()}_API_KEY".encode() in said
    files = [path for path in project.rglob("*") if path.is_file()]
    assert any(path.suffix == ".sqlite" for path in files)
    assert any(path.parent.name == "svamp" and path.suffix == ".jsonl" for path in files)
    plain = zstandard.ZstdDecompressor().stream_reader((project / "answers.jsonl.zst").read_bytes()).read()
    for content in (said, plain, *(path.read_bytes() for path in files)):
        assert b"5ecret" not in content


CRASH = """
import econ.llm.backends.openai, econ.llm.backends.together, sys
econ.llm.backends.openai.read_reply = econ.llm.backends.together.read_reply = None
from econ.cli import main
main()
"""  # a fault that nobody foresaw, in the midst of a call


def econ(*arguments: str, crash: bool = False) -> bytes:
    done = subprocess.run(
        [sys.executable, *(["-c", CRASH] if crash else ["-m", "econ"]), *arguments],
        capture_output=True, check=False, env={**os.environ, **KEYS, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    return done.stdout + done.stderr
