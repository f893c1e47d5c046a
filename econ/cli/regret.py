"""econ regret: how regret grows with the horizon, on a bank of real answers."""

from __future__ import annotations

from pathlib import Path

import click

from econ import interrupts
from econ.cli.documents import give, head
from econ.cli.options import benchmark_option, load_for, n_agents_option, params_option
from econ.records import Json


@click.command("regret")
@benchmark_option
@n_agents_option
@click.option("--seeds", type=click.IntRange(min=2), default=10, show_default=True, help="Runs a horizon.")
@click.option(
    "--horizons", default="100,200,400,800,1600,3200", show_default=True, help="Episodes, by commas."
)
@click.option("--out", type=click.Path(path_type=Path), help="File to write; default: below results.")
@params_option
def command(
    benchmark: str, n_agents: int, seeds: int, horizons: str, out: Path | None, params_file: Path
) -> None:
    """Train from the training problems' bank over several horizons; say how regret grows.

    Against the best fixed joint action, exactly, as played and of the policy without exploration, beside
    bandits on the same bank. The slope's interval says whether growth is below linear, or sqrt(T).

    \b
    Example: econ regret --benchmark svamp --n-agents 3
    """
    params = load_for(params_file, benchmark)
    lengths = _lengths(horizons)

    from econ import paths
    from econ.certify.recorded import recorded
    from econ.certify.regret import document

    game = recorded(params, benchmark, n_agents, "train")
    made = interrupts.run(document(game, lengths, range(seeds)))
    give(made, out or paths.regret(benchmark, n_agents), lines(made))


def lines(made: Json) -> list[str]:
    """Regret in words."""
    out = [f"{head(made)}{made['problems']} problems, {len(made['seeds'])} seeds, by {made['recorded']}"]
    for name, one in made["learners"].items():
        slope = f"  T^{one['slope']:.2f} [{_end(one['low'])}, {_end(one['high'])}]" if one["slope"] else ""
        out.append(f"{name:16} {one['mean'][-1]:8.1f} lost by {one['horizons'][-1]}{slope}  {one['verdict']}")
    return out


def _end(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _lengths(text: str) -> list[int]:
    try:
        lengths = [int(part) for part in text.split(",")]
    except ValueError:
        lengths = []
    if len(lengths) < 2 or sorted(set(lengths)) != lengths or lengths[0] < 1:
        raise click.BadParameter(
            f"{text!r} is no rising list of at least two numbers of episodes", param_hint="--horizons"
        )
    return lengths
