"""Which engine serves a model, and models made ready for it: whole or not at all."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from econ import prompts
from econ.errors import EconError
from econ.llm.local import engines, models
from econ.llm.local.header import read_header
from econ.llm.local.openvino import convert
from econ.llm.local.openvino.engine import Answer, Asked
from econ.llm.local.openvino.grammar import from_schema
from econ.params.runtime import Local
from tests.llm.tiny_model import write

needs_wheel = pytest.mark.skipif(find_spec("openvino_genai") is None, reason="an extra")


@pytest.fixture(autouse=True)
def able(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine where OpenVINO runs, and a folder of models."""
    monkeypatch.setattr(engines, "_machine", lambda: "")
    monkeypatch.setenv("ECON_MODELS", str(tmp_path / "models"))


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write(tmp_path / "tiny.gguf")


@pytest.mark.parametrize(
    ("architecture", "template", "reason"),
    [
        ("llama", "{{ messages }}", ""),
        ("qwen2", "{{ messages }}", ""),
        ("gemma2", "{{ messages }}", "its architecture is gemma2"),
        ("llama", None, "it has no chat template"),
    ],
)
def test_auto_takes_llama_cpp_where_openvino_cannot_read_the_model(
    tmp_path: Path, architecture: str, template: str | None, reason: str
) -> None:
    model = str(write(tmp_path / "model.gguf", architecture, template))
    engine, why = engines.choose(model, "auto")
    assert (engine, why[: len(reason)]) == ("llama.cpp" if reason else "openvino", reason)
    assert engines.choose(model, "llama.cpp") == ("llama.cpp", "")
    if reason:
        with pytest.raises(EconError, match=f"cannot run on OpenVINO: {reason}"):
            engines.settings(model, Local(engine="openvino"), print)
    Path(model).unlink()  # what was found out outlives the file, as the answers do
    assert engines.choose(model, "auto")[0] == engine


@pytest.mark.parametrize("reason", [engines.PACKAGE, "this processor has no AVX2"])
def test_a_machine_without_openvino_is_told_once(
    monkeypatch: pytest.MonkeyPatch, tiny: Path, reason: str
) -> None:
    monkeypatch.setattr(engines, "_machine", lambda: reason)
    said: list[str] = []
    [first, *_] = engines.settings(str(tiny), Local(), said.append)
    assert (first["engine"], said) == ("llama.cpp", [f"{tiny} runs on llama.cpp: {reason}"])


def test_engine_and_weights_are_part_of_a_model_s_identity(tiny: Path) -> None:
    named = [str(tiny), "smollm2-135m-instruct"]
    found = [engines.identity(model, engine) for model in named for engine in engines.SLOTS]
    assert len(set(found)) == 4
    assert found[0] == f"{models.sha256(str(tiny))}:openvino-int8"


def test_a_header_is_read_without_the_vocabulary(tiny: Path, tmp_path: Path) -> None:
    header = read_header(tiny)
    assert header.fields["general.architecture"] == "llama"
    assert header.fields["llama.rope.freq_base"] == 10000.0
    assert "blk.1.ffn_down.weight" in header.tensors
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(tiny.read_bytes()[:200])
    with pytest.raises(EconError, match=r"damaged\.gguf is damaged"):
        read_header(damaged)


class Disk(NamedTuple):
    total: int
    used: int
    free: int


def test_too_little_disk_is_told_and_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, tiny: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(2, 1, 1))
    target = tmp_path / "models" / "tiny.openvino-int8"
    target.parent.mkdir()
    with pytest.raises(EconError, match=r"takes 0\.0 GB of disk .* ECON_MODELS"):
        convert.convert(tiny, target)
    assert [path.name for path in target.parent.iterdir()] == ["tiny.lock"]


def fails(*_: object) -> None:
    raise KeyboardInterrupt


@needs_wheel
def test_a_model_is_converted_once_whole_and_answers(
    monkeypatch: pytest.MonkeyPatch, tiny: Path, tmp_path: Path
) -> None:
    from econ.llm.local.openvino.pipeline import OpenVinoPipeline

    said: list[str] = []
    target = tmp_path / "models" / f"tiny-{models.sha256(str(tiny))[:12]}.openvino-int8"
    killed = target.parent / f".{target.name}.killed"
    (killed / "int8").mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(convert, "_quantise", fails)
        with pytest.raises(KeyboardInterrupt):
            convert.convert(tiny, target)
    assert not target.exists()
    assert not killed.exists()  # what a killed conversion had left
    assert engines.converted(str(tiny), said.append) == target
    assert said[-1].endswith("(3 of 3)")
    assert engines.converted(str(tiny), fails) == target  # a second time nothing is said or done

    pipeline = OpenVinoPipeline(target, 4, 1)
    ids = pipeline.prompt([{"role": "user", "content": "hi"}])
    assert pipeline.facts["end_tokens"] == [259]
    schema = prompts.commitment_schema("number")
    asked = [
        Asked(ids, 0.0, 1.0, 0, 0.0, 1.0, 0, 8),
        Asked(ids, 0.0, 1.0, 0, 0.0, 1.0, 1, 8),
        Asked(ids, 2.0, 1.0, 0, 0.0, 1.0, 1, 8),
        Asked(ids, 1.0, 1.0, 0, 0.0, 1.0, 1, 200, (), from_schema(schema)),
    ]
    greedy, again, warm, fitted = [pipeline.add(number, one) for number, one in enumerate(asked)]
    answers: dict[int, Answer] = {}
    while len(answers) < 4:
        pipeline.step()
        for number, one in enumerate((greedy, again, warm, fitted)):
            if number not in answers and (answer := one.answer()) is not None:
                answers[number] = answer
    assert answers[0] == answers[1] != answers[2]
    assert (answers[0].tokens, answers[0].finish_reason) == (8, "length")
    text = answers[3].text
    assert text.startswith("{")
    assert answers[3].finish_reason == "length" or json.loads(text).keys() == schema["properties"].keys()
