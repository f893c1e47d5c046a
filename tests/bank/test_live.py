"""A few problems answered now, beside their recorded answers."""

from dataclasses import replace
from pathlib import Path

import pytest

from econ.cli.live import EMBEDDED, command, told
from econ.errors import EconError
from econ.params import Params
from econ.records import Trace
from tests.bank.test_client import evaluate, params  # noqa: F401
from tests.llm.conftest import project, vectors  # noqa: F401


def by(model: str, traces: list[Trace]) -> list[Trace]:
    return [replace(t, calls=tuple(replace(call, model=model) for call in t.calls)) for t in traces]


async def test_both_answers_stand_side_by_side(params: Params) -> None:  # noqa: F811
    old = by("big", await evaluate(params))
    new = [replace(trace, answer="\x1b[2J7", correct=False) for trace in by("small", old)]
    lines = list(told("svamp", old, new))
    assert "RECORDED big" in lines[1]
    assert "LIVE small" in lines[1]
    assert len(lines) == 2 + len(old) + 2
    assert r"\x1b[2J7 (wrong" in lines[2]
    assert "\x1b" not in "".join(lines)
    right = sum(trace.correct for trace in old)
    assert f"{right} of {len(old)} [" in lines[-2]
    assert f"0 of {len(old)} [0, " in lines[-2]
    assert "Two models" in lines[-1]
    assert "Two models" not in "".join(told("svamp", old, old))


def test_params_that_play_nothing_from_records_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(f"benchmarks: [svamp]\nllm: {{coordinator: {EMBEDDED}, executors: [{EMBEDDED}]}}\n")
    with pytest.raises(EconError, match="plays nothing from records"):
        command.main(["--params", str(file)], standalone_mode=False)
