"""A local server: ``python -m econ.llm.local.serve SETTINGS`` (JSON). Loopback only, any free port."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from econ.files import write_atomic
from econ.llm.cache.locks import FileLock
from econ.records import Json

LOOPBACK = "127.0.0.1"


Start = Callable[[Json], tuple[str, Any]]  # settings -> address, and what must be kept alive


def main(kinds: Mapping[str, Start]) -> None:
    """Serve what the settings ask for until its users have left."""
    settings: Json = orjson.loads(sys.argv[1])
    folder = Path(settings["folder"])
    alive = FileLock(folder / "alive")
    if not alive.take(wait=False):
        return  # another server serves this already
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the jobs; we end when they have
    url, server = kinds[settings["kind"]](settings)
    signal.signal(signal.SIGTERM, lambda *_: _end(folder, server))
    write_atomic(folder / "state.json", [orjson.dumps({"url": url, "pid": os.getpid()})])
    wait_for_users_to_leave(folder, settings["idle_seconds"])
    os._exit(0)  # native threads hold no state worth an orderly end, which can take minutes


def _end(folder: Path, server: Any) -> None:
    """Told to end: no new users find the server; answers that are being made are finished where it can."""
    (folder / "state.json").unlink(missing_ok=True)
    if hasattr(server, "drain"):
        server.drain()
    os._exit(0)


def wait_for_users_to_leave(folder: Path, idle_seconds: float) -> None:
    """Returns once nobody has held the lease for ``idle_seconds``; it is then ours, so none can join.

    Only the looks that found nobody count, not the clock: a process that got no turn for minutes has not
    looked, and must not take the short gap between two jobs for a long one.
    """
    lease = FileLock(folder / "lease")
    pause = min(1.0, idle_seconds / 4)
    idle = 0.0
    while True:
        time.sleep(pause)
        if not lease.take(wait=False):
            idle = 0.0
            continue
        idle += pause
        if idle >= idle_seconds:
            (folder / "state.json").unlink(missing_ok=True)
            return
        lease.drop()


def serve_llm(settings: Json) -> tuple[str, Any]:
    """An OpenAI-compatible API, inside this process, by the engine that the settings name."""
    if settings["engine"] == "openvino":
        from econ.llm.local.openvino.api import start_server

        return start_server(LOOPBACK, settings)
    return _serve_llama_cpp(settings)


def _serve_llama_cpp(settings: Json) -> tuple[str, Any]:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    params.model_alias = settings["model"]
    params.n_ctx = settings["context"] * settings["slots"]
    params.n_parallel = settings["slots"]
    params.kv_unified = False  # in one pool every token would be compared with every slot's
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["threads"]
    params.n_threads_http = 2 * settings["slots"] + 4  # a thread per connection; waiting ones cost nothing
    params.hostnames = [LOOPBACK]
    params.port = 0
    server = xllamacpp.Server(params)
    return server.listening_address, server


def lower_priority(niceness: int = 10) -> None:
    """Let this thread and those it starts stand back behind the model's; a second time changes nothing.

    The model needs the cores more: its threads wait for each other, and lose far more than their share of a
    core that is busy. To be called once the model's server runs, which would inherit it.
    """
    os.nice(max(0, niceness - os.nice(0)))


if __name__ == "__main__":
    main({"llm": serve_llm})
