"""econ equilibrium: how far a policy is from equilibrium, on a bank of real answers."""

from __future__ import annotations

from pathlib import Path

import click

from econ.cli.documents import give, head
from econ.cli.options import benchmark_option, load_for, n_agents_option, params_option, seed_option
from econ.records import Json, Split


@click.command("equilibrium")
@benchmark_option
@n_agents_option
@seed_option
@click.option(
    "--policy",
    "wanted",
    default="trained",
    show_default=True,
    help="trained, untrained (the middle of the ranges), uniform (the best cell that all agents play alike), "
    "or N actions as JSON: '[[0.7, 1.0], …]'.",
)
@click.option(
    "--split", type=click.Choice(["train", "test"]), default="test", show_default=True, help="Whose bank."
)
@click.option("--checkpoint", type=click.Path(path_type=Path), help="Folder; default: the job's own.")
@click.option(
    "--wider/--constant",
    "informed",
    default=True,
    show_default=True,
    help="Also deviations that read the problem (class D1), not constant ones (D0) alone.",
)
@click.option("--out", type=click.Path(path_type=Path), help="File to write; default: below results.")
@params_option
def command(
    benchmark: str,
    n_agents: int,
    seed: int,
    wanted: str,
    split: Split,
    checkpoint: Path | None,
    informed: bool,
    out: Path | None,
    params_file: Path,
) -> None:
    """Certify a policy: what each agent could gain alone, with a band, and what the team could win.

    No model is asked: all is reckoned from the bank's answers. epsilon bounds the true one from below, as
    agents might deviate in ways that were not tried; 'epsilon <= x' is shown where its upper end is below x.

    \b
    Example: econ equilibrium --benchmark svamp --n-agents 3 --seed 0
             econ equilibrium --benchmark svamp --n-agents 3 --policy '[[0.7, 1], [0.7, 1], [1.3, 1.1]]'
    """
    params = load_for(params_file, benchmark)

    from econ import paths
    from econ.certify.document import certified
    from econ.certify.recorded import recorded

    game = recorded(params, benchmark, n_agents, split)
    folder = checkpoint or paths.checkpoint(benchmark, n_agents, seed)
    made = certified(game, wanted, folder, seed, informed=informed)
    give(made, out or paths.equilibrium(benchmark, n_agents, seed), lines(made))


def lines(made: Json) -> list[str]:
    """A certificate in words."""
    out = [
        f"{head(made)}policy {made['policy']}, coordinator {made['coordinator']}, "
        f"{made['problems']} problems x {made['samples']} samples x {len(made['cells'])} cells "
        f"by {made['recorded']}"
    ]
    for found in (made["payoffs"], made["wider"]):
        out += [f"{name:8} {_certified(one)}" for name, one in found.items()]
    for name, one in made["decision"].items():
        out.append(f"{name}: {one['value']:+.3f} [{one['low']:+.3f}, {one['high']:+.3f}] (accuracy)")
    if made["calibration"] is None and not made["simulated"]:
        out.append("nobody has checked this bank against fresh answers: econ bank check")
    return out


def _certified(one: Json) -> str:
    shown = "no equilibrium" if one["lower"] > 0 else f"at equilibrium to within {one['upper']:.3f}"
    return (
        f"value {one['value']:.3f}  epsilon {one['epsilon']:.3f} [{one['lower']:.3f}, {one['upper']:.3f}] "
        f"over {one['deviations']} (naive {one['naive']:.3f})  NashConv {one['nash_conv']:.3f}  {shown}"
    )
