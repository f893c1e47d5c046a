"""What is said of a long step without a terminal: how far it is, and what it waits for when nothing moves."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from econ import progress
from econ.llm.base import Counts
from econ.progress import Progress, waiting
from tests.scripted import ScriptedClient


def waits() -> ScriptedClient:
    """Its calls wait for something."""
    client = ScriptedClient(lambda request: "")
    client.usage = replace(client.usage, waiting={"answers of http://x": 3})
    return client


def test_a_silence_ends_with_what_is_waited_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SILENT", 0.0)
    said = ""
    with Progress(40, "problems", waits(), "svamp/cot"):
        until = time.monotonic() + 10
        while not said and time.monotonic() < until:
            time.sleep(0.05)
            said = capsys.readouterr().err
    assert said.startswith("svamp/cot: 0/40 problems, 0 calls made")
    assert said.rstrip().endswith("waiting for answers of http://x (3)")


def test_a_step_before_the_first_unit_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with waiting("something quick"):
        pass
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "SILENT", 0.0)
    with waiting("the model"):
        time.sleep(1.2)
    assert "econ: waiting for the model (0:0" in capsys.readouterr().err


def test_who_waits_is_counted_until_it_goes_on() -> None:
    counts = Counts()
    with counts.waits("a turn"), counts.waits("a turn"), counts.waits("llm.limits"):
        assert counts.usage(priced=False).waiting == {"a turn": 2, "llm.limits": 1}
    assert counts.usage(priced=False).waiting == {}
