"""How commands that measure from a bank write what they found, and tell it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from econ.records import Json


def give(made: Json, path: Path, lines: Iterable[str]) -> None:
    """Write a document whole, its digest in front; say it in words, and where it is."""
    from econ import seals
    from econ.files import write_atomic

    write_atomic(path, [seals.document(made)])
    for line in lines:
        click.echo(line)
    click.echo(str(path))


def head(made: Json) -> str:
    """What a document is of: SIMULATED or not, benchmark, split, agents."""
    mark = "SIMULATED " if made["simulated"] else ""
    return f"{mark}RECORDED: {made['benchmark']} ({made['split']}), {made['n_agents']} agents, "
