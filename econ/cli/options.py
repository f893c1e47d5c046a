"""The options that select a job, the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from econ.errors import EconError
from econ.params import Params
from econ.params import load as load_params

F = TypeVar("F", bound=Callable[..., Any])

_DEFAULT = Path("params.yaml")
_params_option = click.option(
    "--params",
    "params_file",
    type=click.Path(path_type=Path),
    default=_DEFAULT,
    show_default=True,
    help="Params file.",
)


def _remember(context: click.Context, _: click.Parameter, changes: tuple[str, ...]) -> None:
    context.meta[_CHANGES] = changes


_CHANGES = "econ.changes"
set_option = click.option(
    "--set",
    multiple=True,
    metavar="KEY=VALUE",
    expose_value=False,
    callback=_remember,
    help="Put a value into the params, such as train.episodes=20; may be repeated.",
)


def params_option(command: F) -> F:
    """--params, and --set, which :func:`load` puts in."""
    return _params_option(set_option(command))


def load(params_file: Path | None) -> Params:
    """The params that the command line says."""
    context = click.get_current_context(silent=True)
    return load_params(params_file, context.meta.get(_CHANGES, ()) if context else ())


def cache_url(params_file: Path) -> str | None:
    """The params' database of answers; the default file need not be there."""
    default = params_file == Path("params.yaml") and not params_file.exists()
    return load(None if default else params_file).cache.url


def load_or_demo(params_file: Path) -> Params:
    """As :func:`load`; where no file is named and none is here, the demo's that came along."""
    if params_file == _DEFAULT and not params_file.exists():
        from econ import paths

        click.echo("econ: no params.yaml is here: the demo's is taken (econ init FOLDER makes one)", err=True)
        params_file = paths.project() / _DEFAULT
    return load(params_file)


benchmark_option = click.option("--benchmark", required=True, help="Benchmark, as named in the params.")
n_agents_option = click.option("--n-agents", type=click.IntRange(1, 64), required=True, help="Executors.")
seed_option = click.option(
    "--seed", type=click.IntRange(-(2**63), 2**63 - 1), default=0, show_default=True, help="Seed of the run."
)
offline_option = click.option("--offline", is_flag=True, help="Insist on the cache: no connection is made.")


def job_options(command: F) -> F:
    """--benchmark, --n-agents, --seed, --params, --offline."""
    for option in (offline_option, params_option, seed_option, n_agents_option, benchmark_option):
        command = option(command)
    return command


def load_for(params_file: Path, benchmark: str) -> Params:
    """The params, once it is known that they have this benchmark."""
    params = load(params_file)
    known_benchmark(params, benchmark)
    return params


def known_benchmark(params: Params, benchmark: str) -> None:
    from econ.benchmarks import names

    known = names(params)
    if benchmark not in known:
        raise EconError(f"unknown benchmark '{benchmark}'", f"known: {', '.join(known)}")
