"""Snakemake's graph and DVC's are one: targets, outputs, dependencies, params."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from econ.params import Params, load, setting, training
from econ.registry import METHODS
from tests.engines.conftest import ROOT, Project, lay_out

# Sections that change no answer: the lists of jobs, what a bank is to hold, and what is measured on it.
SURROUNDINGS = {"only", "benchmarks", "n_agents", "seeds", "methods", "bank", "cache", "certify", "report"}
VARIANTS = {
    "no-strategy": {"team": {"strategy": "none"}},
    "k5": {"bne": {"max_iterations_infer": 5}},
    "long": {"settings": {"debate": {"rounds": 5}}},
}
PLAYED = [
    "econ-bne", "econ-bne+no-strategy", "econ-baseline", "econ-baseline+no-strategy", "econ-bne+k5",
    "debate", "debate+long",
]  # fmt: skip


class Stage:
    """One DVC stage, matrix and templates resolved."""

    def __init__(self, stage: Any, folder: Path) -> None:
        self.name: str = stage.addressing
        self.target = str(stage.cmd).split()[-1]
        self.cmd = str(stage.cmd)
        self.outs = [Path(out.fs_path).relative_to(folder) for out in stage.outs]
        self.deps = [Path(dep.fs_path).relative_to(folder) for dep in stage.deps if dep.hash_name != "params"]

    def owns(self, file: Path) -> bool:
        return any(file.is_relative_to(out) for out in self.outs)

    def needs(self, other: Stage) -> bool:
        return any(
            dep.is_relative_to(out) or out.is_relative_to(dep) for dep in self.deps for out in other.outs
        )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = lay_out(tmp_path_factory.mktemp("graph"))
    project.params(benchmarks=["svamp"], methods=PLAYED, variants=VARIANTS)
    return project


@pytest.fixture(scope="module")
def stages(project: Project) -> list[Stage]:
    from dvc.repo import Repo

    with Repo(str(project.folder)) as repo:
        return [Stage(stage, project.folder) for stage in repo.index.stages]


@pytest.fixture(scope="module")
def made(project: Project, stages: list[Stage]) -> dict[str, set[Path]]:
    """Snakemake target -> every file that making it from nothing writes."""
    targets = [*(stage.target for stage in stages), "all"]
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(targets, pool.map(lambda target: outputs(project, target), targets), strict=True))


def outputs(project: Project, target: str) -> set[Path]:
    lines = project.run("snakemake", "--summary", target).stdout.splitlines()
    return {Path(line.split("\t")[0]) for line in lines[1:]}


def test_every_dvc_command_is_a_snakemake_target(stages: list[Stage], made: dict[str, set[Path]]) -> None:
    for stage in stages:
        assert stage.cmd == f"snakemake --cores all {stage.target}"
        assert made[stage.target], f"{stage.target} is no target"


def test_every_dvc_out_is_made_by_the_target_of_its_stage(
    stages: list[Stage], made: dict[str, set[Path]]
) -> None:
    for stage in stages:
        for out in stage.outs:
            assert any(file.is_relative_to(out) for file in made[stage.target]), (stage.name, out)


def test_the_two_make_the_same_files(stages: list[Stage], made: dict[str, set[Path]]) -> None:
    assert set().union(*(made[stage.target] for stage in stages)) == made["all"]
    for file in made["all"]:
        assert sum(stage.owns(file) for stage in stages) == 1, file


def test_whatever_a_target_builds_on_is_a_dependency_of_its_stage(
    stages: list[Stage], made: dict[str, set[Path]]
) -> None:
    """Else DVC could run a stage before, or not after, one that it takes files from."""
    for stage in stages:
        upstream = {id(stage)}
        for _ in stages:
            known = [other for other in stages if id(other) in upstream]
            upstream |= {id(other) for other in stages if any(one.needs(other) for one in known)}
        for file in made[stage.target]:
            assert any(id(other) in upstream for other in stages if other.owns(file)), (stage.name, file)


def leaves(tree: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}"


def watched(stage: str) -> list[str]:
    graph = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    return [name for name in graph["stages"][stage]["params"] if isinstance(name, str)]


def covers(names: list[str], key: str) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in names)


def test_dvc_watches_every_param_that_can_change_an_answer() -> None:
    params = Params()
    for method in METHODS:
        for key in leaves(setting(params, method)):
            assert covers(watched("evaluate"), key), (method, key)
    assert "variants" in watched("evaluate")


def test_dvc_watches_every_param_that_can_change_what_is_learned() -> None:
    for key in (*leaves(training(Params())), "variants", "methods"):
        assert covers(watched("train"), key), key


@pytest.mark.parametrize(
    "key", ["bne.max_iterations_infer", "data.test_problems", "llm.max_in_flight", "settings.debate.rounds"]
)
def test_training_takes_no_notice_of_what_it_does_not_read(key: str) -> None:
    assert not covers(watched("train"), key)


def test_every_section_of_the_params_belongs_to_a_setting_or_is_known_to_change_no_answer() -> None:
    params = Params.model_validate({"llm": {"backend": "simulated"}})
    settings = set().union(*(setting(params, method) for method in METHODS))
    assert set(Params.model_fields) - settings <= {*SURROUNDINGS, "variants"}  # of which every part is one


def test_dvc_finds_every_param_it_watches_in_the_params_file() -> None:
    given = yaml.safe_load((ROOT / "params.yaml").read_text())
    graph = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    for stage in graph["stages"]:
        for name in watched(stage) if "params" in graph["stages"][stage] else []:
            value = given
            for key in name.split("."):
                assert key in value, name
                value = value[key]


def test_every_variant_has_a_checkpoint_where_it_learns_and_answers_of_its_own(
    made: dict[str, set[Path]],
) -> None:
    checkpoints = {file.name for file in made["all"] if file.is_relative_to("results/checkpoints")}
    assert checkpoints == {"n3-s0", "n3-s0+no-strategy"}
    answers = {file.stem for file in made["all"] if file.is_relative_to("results/traces")}
    assert answers == {f"{method}-n3-s0" for method in PLAYED}


@pytest.mark.parametrize("file", ["params.yaml", *(f"params/{f.name}" for f in ROOT.glob("params/*.yaml"))])
def test_the_params_files_that_come_along_are_sound(file: str) -> None:
    assert load(ROOT / file).methods


@pytest.mark.parametrize("profile", [*sorted(ROOT.glob("workflow/profiles/*")), ROOT / "profiles/default"])
def test_profiles_hold_nothing_but_options_of_snakemake(profile: Path) -> None:
    from snakemake.cli import get_argument_parser

    known = {name.lstrip("-") for action in get_argument_parser()._actions for name in action.option_strings}
    for key in yaml.safe_load((profile / "config.yaml").read_text()):
        assert key in known or key.startswith(f"{profile.name}-"), key
