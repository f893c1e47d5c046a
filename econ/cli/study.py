"""econ study: what the simulated team, whose best actions are known, says of the learner."""

from __future__ import annotations

from pathlib import Path

import click

from econ import interrupts
from econ.cli.options import F


@click.group("study")
def command() -> None:
    """Studies on the SIMULATED team: they say that the learner learns, and nothing of language models.

    \b
    Example: econ study learning --seeds 10
             snakemake --cores all studies
    """


def _options(study: F) -> F:
    """--n-agents, --first-seed, --seeds, --out."""
    for option in (
        click.option("--out", type=click.Path(path_type=Path), help="Write the tables here, too (Markdown)."),
        click.option("--seeds", type=click.IntRange(min=1), default=5, show_default=True, help="How many."),
        click.option("--first-seed", type=int, default=0, show_default=True, help="The others follow it."),
        click.option(
            "--n-agents", type=click.IntRange(min=1), default=3, show_default=True, help="Executors."
        ),
    ):
        study = option(study)
    return study


@command.command("learning")
@click.option("--episodes", type=click.IntRange(min=1), default=600, show_default=True, help="Of training.")
@_options
def learning(episodes: int, n_agents: int, first_seed: int, seeds: int, out: Path | None) -> None:
    """Does training improve the policy? Trained, untrained, frozen actor, shuffled rewards."""
    from econ.studies.learning import study

    told = _Told(out)
    interrupts.run(study(n_agents, episodes, range(first_seed, first_seed + seeds), told.say))
    told.write()


@command.command("refinement")
@click.option(
    "--policies",
    type=click.IntRange(min=1),
    multiple=True,
    default=(600, 150),
    show_default=True,
    help="Episodes of training of a policy; may be repeated, in full first.",
)
@_options
def refinement(
    policies: tuple[int, ...], n_agents: int, first_seed: int, seeds: int, out: Path | None
) -> None:
    """Does refinement help? Both rules, in full and half-trained, at the policy and off it."""
    from econ.studies.refinement import study

    told = _Told(out)
    interrupts.run(study(n_agents, policies, range(first_seed, first_seed + seeds), told.say))
    told.write()


class _Told:
    """What was said, shown as it is said and written at the end."""

    def __init__(self, out: Path | None) -> None:
        self.out, self.lines = out, list[str]()

    def say(self, line: str) -> None:
        click.echo(line)
        self.lines.append(line)

    def write(self) -> None:
        from econ.files import write_atomic

        if self.out is not None:
            write_atomic(self.out, ["\n".join([*self.lines, ""]).encode()])
