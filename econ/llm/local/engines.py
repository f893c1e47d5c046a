"""Which engine serves a model, and the files and settings that it serves it from.

- ``openvino``: int8 weights, one batch for all requests; several times as fast on a recent processor.
- ``llama.cpp``: every architecture, every processor.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import orjson

from econ import paths
from econ.errors import EconError
from econ.files import write_atomic
from econ.llm.local import models
from econ.llm.local.header import Header, read_header
from econ.params.runtime import Local
from econ.records import Json

Engine = Literal["openvino", "llama.cpp"]
ARCHITECTURES = ("llama", "qwen2")  # that OpenVINO reads from GGUF, and whose answers were compared
FORMAT = "openvino-int8"  # of converted weights: a part of the model's identity, so change it with the recipe
PACKAGE = "openvino-genai is not installed (pip install 'econ-bne[openvino]')"

# Threads that work on one small model wait for each other at every step: on 2 cores, two copies of a 135M
# model with a thread each give 1.2 times the tokens per second of CPU that one with two threads gives, and
# twice the tokens per second where other processes want the cores too.
SMALL_MODEL = 300e6  # bytes of the file
MOST_COPIES = 8
SLOTS: dict[Engine, int] = {"openvino": 64, "llama.cpp": 8}  # answers generated together
CONTEXT = 4096  # tokens of a slot of llama.cpp, which takes memory for all of them at once
LONGEST_CONTEXT = 32768  # tokens; OpenVINO takes memory as it is needed


def choose(model: str, wanted: str) -> tuple[Engine, str]:
    """The engine of a model, and why it is not OpenVINO where that was left open.

    Raises:
        EconError: no such model.
    """
    if wanted == "openvino":
        return "openvino", ""
    reason = "" if wanted == "llama.cpp" else obstacle(model)
    return ("llama.cpp", reason) if reason or wanted == "llama.cpp" else ("openvino", "")


def obstacle(model: str) -> str:
    """Why OpenVINO cannot serve a model here; empty: it can."""
    return _machine() or _of_model(model)


def _machine() -> str:
    if find_spec("openvino_genai") is None:
        return PACKAGE
    return "this processor has no AVX2" if no_avx2() else ""


@cache
def no_avx2() -> bool:
    """Elsewhere than on Linux the wheels say themselves what they need."""
    told = Path("/proc/cpuinfo")
    return told.is_file() and platform.machine() == "x86_64" and " avx2 " not in told.read_text()


def _of_model(model: str) -> str:
    if model in models.MODELS:
        return ""  # registered ones are of these architectures
    memo, key = paths.STATE / "openvino.json", models.sha256(model)
    known: dict[str, str] = orjson.loads(memo.read_bytes()) if memo.is_file() else {}
    if key not in known:  # remembered, since answers of a model outlive its file
        known[key] = unreadable(read_header(models.original(model, lambda _: None)))
        write_atomic(memo, [orjson.dumps(known)])
    return known[key]


def unreadable(header: Header) -> str:
    """Why OpenVINO would not read a model, or read it wrongly; empty: it reads it."""
    architecture = header.fields.get("general.architecture")
    if architecture not in ARCHITECTURES:
        return f"its architecture is {architecture}, not one of {', '.join(ARCHITECTURES)}"
    if header.fields.get("tokenizer.ggml.model") != "gpt2":
        return f"its tokenizer is {header.fields.get('tokenizer.ggml.model')}, not gpt2"
    if "rope_freqs.weight" in header.tensors:
        return "its rotary frequencies are scaled"
    if "tokenizer.chat_template" not in header.fields:
        return "it has no chat template"
    return ""


def identity(model: str, engine: Engine) -> str:
    """What a model's answers are cached under: its file, and the form in which the engine holds it."""
    sha256 = models.sha256(model)
    if engine == "openvino":
        return f"{sha256}:{FORMAT}"
    return f"{sha256}:Q4_0" if model in models.MODELS else sha256


def settings(model: str, own: Local, say: models.Say) -> list[Json]:
    """What each server process of a model is started with; files are fetched and converted first.

    Raises:
        EconError: no such model, or it cannot be made ready.
    """
    engine, reason = choose(model, own.engine)
    if reason:
        say(f"{model} runs on llama.cpp: {reason}")
    if engine == "openvino":
        path = converted(model, say)
        known = orjson.loads((path / "model.json").read_bytes())
        context, copies = own.context or min(known["context"], LONGEST_CONTEXT), 1
    else:
        path = models.locate(model, say)
        small = path.stat().st_size < SMALL_MODEL
        context, copies = own.context or CONTEXT, own.copies or (min(cores(), MOST_COPIES) if small else 1)
    shared = {
        "engine": engine,
        "model": model,
        "path": str(path),
        "context": context,
        "slots": own.slots or SLOTS[engine],
        "threads": own.threads or max(1, cores() // copies),
        "idle_seconds": own.idle_seconds,
    }
    return [{**shared, "copy": copy} for copy in range(copies)]


def converted(model: str, say: models.Say) -> Path:
    """The folder of a model stored for OpenVINO; it is made first where it is not there.

    Raises:
        EconError: OpenVINO is not here or cannot read the model, or the disk is too small.
    """
    if why := obstacle(model):
        raise EconError(f"{model} cannot run on OpenVINO: {why}", "set llm.local.engine: auto")
    source = models.original(model, say)
    target = models.folder() / f"{source.stem}-{models.sha256(model)[:12]}.{FORMAT}"
    if target.is_dir():
        return target
    say(f"storing {source.name} for OpenVINO in {target}, once: seconds to minutes, by its size")
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "econ.llm.local.openvino.convert", str(source), str(target)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:  # noqa: S603
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        said = ""
        for line in process.stdout:
            said = line.strip()
            if not said.startswith("{"):
                say(said)
    if process.returncode:
        raise _failed(source.name, said, process.returncode)
    return target


def _failed(name: str, said: str, code: int) -> EconError:
    if said.startswith("{"):
        return EconError(**orjson.loads(said))
    return EconError(f"storing {name} for OpenVINO failed (exit {code})", "set llm.local.engine: llama.cpp")


def cores() -> int:
    return os.cpu_count() or 1
