"""Where everything lives, relative to the project folder (the current directory)."""

from __future__ import annotations

import os
from pathlib import Path

from econ.errors import EconError
from econ.records import Job

BENCHMARKS = Path("data/benchmarks")
PAPER = Path("data/paper")
RECORDS = Path("data/records")  # answers that ship with the project
RESULTS = Path("results")
TABLES = RESULTS / "tables"
FIGURES = RESULTS / "figures"
REPORT = RESULTS / "report"
TRAINING = "state.safetensors"  # in a checkpoint's folder: what training goes on from, until it has ended


def _state() -> Path:
    """``.econ``, or what ECON_STATE names: a folder that copies of the project share, so that nothing is paid
    twice. The copies that `dvc exp run --temp` and `--queue` work in share that of the project itself."""
    if own := os.environ.get("ECON_STATE"):
        return Path(own).expanduser()
    project = os.environ.get("DVC_ROOT")
    if project and Path(project, ".dvc", "tmp").resolve() in Path.cwd().resolve().parents:
        return Path(project, ".econ")
    return Path(".econ")


STATE = _state()  # call cache, activity log, local servers: outside every pipeline output
_PACKAGE = Path(__file__).parent
_ALONG = _PACKAGE / "project"  # of an installed package; setup.py puts it there


def project() -> Path:
    """Where workflow, params, records and the paper's numbers are that came with this package: a clone's
    folder, or what an installed package brings along."""
    return _ALONG if _ALONG.is_dir() else _PACKAGE.parent


def brought(path: Path) -> Path:
    """A file that comes with the project: the one in this folder, else the one that came along."""
    return path if path.exists() else project() / path


def private() -> None:
    """Make sure that :data:`STATE` is there and is its owner's alone."""
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    if STATE.stat().st_mode & 0o077 and STATE.stat().st_uid == os.getuid():
        STATE.chmod(0o700)


def home() -> Path:
    """The user's cache folder: models and the machine's limits. ECON_HOME overrides it."""
    if own := os.environ.get("ECON_HOME"):
        return Path(own)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "econ"
    except RuntimeError:  # neither HOME nor an entry for this user
        raise EconError("this user has no home folder", "name one for models in ECON_HOME") from None


def problems(benchmark: str, split: str) -> Path:
    return BENCHMARKS / benchmark / f"{split}.jsonl"


def manifest(benchmark: str) -> Path:
    return BENCHMARKS / benchmark / "manifest.json"


def checkpoint(benchmark: str, n_agents: int, seed: int, variant: str | None = None) -> Path:
    """``variant``: one that learns on its own; None: the params as they are."""
    own = f"+{variant}" if variant else ""
    return RESULTS / "checkpoints" / benchmark / f"n{n_agents}-s{seed}{own}"


def trace(job: Job) -> Path:
    return RESULTS / "traces" / job.benchmark / f"{job.name}.jsonl"


def metrics(job: Job) -> Path:
    return RESULTS / "metrics" / job.benchmark / f"{job.name}.json"


def bank(benchmark: str, split: str, model: str, style: str = "plain") -> Path:
    """The recorded answers of one executor model. ``model`` as in params: a path's last part counts."""
    return RESULTS / "bank" / benchmark / f"{split}--{model_label(model)}--{style}.parquet"


def bank_check(benchmark: str, split: str, model: str) -> Path:
    """How a bank's predictions stand to fresh answers; a figure of the same name beside it."""
    return RESULTS / "bank" / benchmark / f"check--{split}--{model_label(model)}.json"


def equilibrium(benchmark: str, n_agents: int, seed: int) -> Path:
    """The certificate of a job's policy."""
    return RESULTS / "equilibrium" / benchmark / f"n{n_agents}-s{seed}.json"


def control(benchmark: str, n_agents: int, policy: str) -> Path:
    """The certificate of a policy that no job trained."""
    return RESULTS / "equilibrium" / benchmark / f"n{n_agents}-{policy}.json"


def regret(benchmark: str, n_agents: int) -> Path:
    return RESULTS / "regret" / benchmark / f"n{n_agents}.json"


def recorded_calls(benchmark: str, model: str) -> Path:
    """The recorded calls of all that is not an executor."""
    return RESULTS / "bank" / benchmark / f"calls--{model_label(model)}.parquet"


def recorded_commitments(benchmark: str, model: str) -> Path:
    """What a coordinator's model commits to, by tuple of answers."""
    return RESULTS / "bank" / benchmark / f"commitments--{model_label(model)}.parquet"


def shipped(path: Path, model: str) -> Path:
    """Where the project brings along what a run would have recorded at ``path``."""
    return brought(own_record(path, model))


def own_record(path: Path, model: str) -> Path:
    """Where ``econ bank ship`` packs what a run recorded at ``path``."""
    return RECORDS / model_label(model) / path.parent.name / path.name


def model_label(model: str) -> str:
    """A model's name as part of a file name: ``a/b.gguf`` is b, ``owner/name`` is owner--name."""
    if model.endswith(".gguf"):
        return Path(model).stem
    return model.replace("/", "--")
