"""A private PostgreSQL server for tests: the machine's own binaries, in a folder that is gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SETTINGS = "-c listen_addresses='' -c fsync={fsync} -c max_connections=60 -c shared_buffers=32MB"
USER = "econ"


def binaries() -> Path | None:
    """The folder of the newest server's programs; Debian keeps them off the PATH."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    found = str(places[-1]) if places else shutil.which("initdb")
    return Path(found).parent if found else None


def account() -> str | None:
    """Whom the server runs as where root, whom it refuses, runs the tests; None: whoever runs them."""
    if os.getuid():
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@dataclass(frozen=True)
class Server:
    """``root`` is the URL's beginning; each database has a name of its own."""

    folder: Path
    programs: Path

    def url(self, database: str, password: str = "") -> str:
        secret = f":{password}" if password else ""
        return f"postgresql://{USER}{secret}@/{database}?host={self.folder}"

    def fresh(self) -> str:
        """The URL of a new, empty database."""
        import psycopg

        name = f"t{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as db:
            db.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name)

    def run(self, *words: str) -> None:
        subprocess.run(
            [str(self.programs / words[0]), *words[1:]], check=True, user=account(), cwd=self.folder,
            stdout=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip

    def start(self, *, durable: bool = False) -> None:
        options = SETTINGS.format(fsync="on" if durable else "off") + f" -k {self.folder}"
        self.run("pg_ctl", "-w", "-s", "-D", "data", "-l", "log", "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        self.run("pg_ctl", "-w", "-s", "-D", "data", "-m", how, "stop")


@contextmanager
def serving(*, durable: bool = False) -> Iterator[Server]:
    """A server that runs until the end of the block; ``durable``: it waits for its disk, as real ones do."""
    programs = binaries()
    assert programs is not None
    with tempfile.TemporaryDirectory(prefix="econ-pg-", dir="/tmp") as name:  # a socket: its path is short
        folder = Path(name)
        if (owner := account()) is not None:
            shutil.chown(folder, owner)
        server = Server(folder, programs)
        server.run(
            "initdb", "--no-sync", "-A", "trust", "-U", USER, "-E", "UTF8", "--locale", "C.UTF-8", "data"
        )
        server.start(durable=durable)
        try:
            yield server
        finally:
            server.stop("immediate")
