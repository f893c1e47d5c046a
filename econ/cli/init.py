"""econ init: a folder to work in, outside a clone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import click

from econ import __version__
from econ.errors import EconError

WHOLE = (
    "params.yaml",
    "params",
    "profiles",
    "workflow/profiles",
    "workflow/plots",
    ".dvcignore",
)  # as they came along
SNAKEFILE = """# The pipeline: one job per benchmark x method x agent count x seed of params.yaml.
#
#   snakemake --cores all                                      everything, with params.yaml
#   snakemake --cores all --config params=params/paper.yaml    with another params file
#   snakemake --cores all evaluate_gsm8k                       all answers on one benchmark
from econ import paths


include: str(paths.project() / "workflow" / "Snakefile")


# Snakemake takes no default target from an included file.
rule everything:
    default_target: True
    localrule: True
    input:
        rules.all.input,
    message:
        "Everything is there"
"""
REQUIREMENTS = f"""# The code's version: after an upgrade say so here, and DVC runs again what could change.
econ-bne=={__version__}
"""
IGNORED = """__pycache__/
.venv/
.econ/
.snakemake/
/data/benchmarks/
/results/
"""
DVC = """# One stage per benchmark, or one for all, a Snakemake target each: DVC keeps and shares its files.
# It reads params.yaml; requirements.txt stands for the code.
"""
README = """# {name}

Made by `econ init` of econ-bne {version}. Everything that can be chosen stands in `params.yaml`; as it is, it
is the demo: an embedded small model, a few problems of each benchmark.

```sh
econ doctor                 # is everything here that a run needs?
econ estimate               # calls, tokens and money, before spending
snakemake --cores all       # every answer, table and figure; goes on where it was stopped
```

Then `econ results` shows what came out, and `econ view` the page, while it is made too. `econ solve "Tom has
3 apples and buys 4. How many now?"` shows one problem as it happens. Answers that were paid for are kept in
`.econ/`: nothing is paid for twice.

| file | what |
|---|---|
| `params.yaml` | benchmarks, methods, models, limits, training |
| `params/` | other settings, the paper's too: `snakemake --cores all --config params=params/paper.yaml` |
| `Snakefile` | the pipeline, as it came with the package; `snakemake -n` shows what would run |
| `profiles/`, `workflow/profiles/` | defaults, and clusters: `snakemake --profile workflow/profiles/slurm` |
| `dvc.yaml` | the same through DVC: `git init && dvc init` (or `dvc init --no-scm`), then `dvc repro` |
| `requirements.txt` | the version of the code |

A method or grader of your own is a file beside `params.yaml`, named in it as `module:Class`.
"""


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Make a FOLDER to work in: params, Snakefile, dvc.yaml, profiles and a README. Nothing is overwritten.

    \b
    Example: econ init my-study
    """
    from econ import paths

    home = paths.project()
    texts = {
        "Snakefile": SNAKEFILE,
        "dvc.yaml": "\n".join(stages((home / "dvc.yaml").read_text(encoding="utf-8"))) + "\n",
        "requirements.txt": REQUIREMENTS,
        ".gitignore": IGNORED,
        "README.md": README.format(name=folder.resolve().name, version=__version__),
    }
    there = [name for name in (*texts, *WHOLE) if (folder / name).exists()]
    if there:
        way_out = "name another folder: nothing is overwritten"
        raise EconError(f"{folder / there[0]} is there already", way_out)
    for name in WHOLE:
        _copy(home / name, folder / name)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    click.echo(f"{folder} is ready; next: cd {folder} && econ doctor")


def stages(graph: str) -> Iterator[str]:
    """The lines of a clone's dvc.yaml for a folder without the code: the version stands for it."""
    yield from DVC.splitlines()
    told = False
    for line in graph[graph.index("stages:") :].splitlines():
        code = line.strip().startswith("- econ/")
        if code and not told:
            yield "      - requirements.txt"
        if not code:
            yield line
        told = code


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
