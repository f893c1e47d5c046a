"""Raw rows from the hub, from a mirror folder, from the shipped problems or from a user's own files."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from econ.benchmarks.files import rows_of
from econ.benchmarks.registry import Benchmark, Source
from econ.errors import EconError
from econ.params import Params
from econ.records import Json

if TYPE_CHECKING:
    from collections.abc import Iterable

SHIPPED = Path(__file__).parent / "shipped"
REACH_SECONDS = 3.0  # how long to wait for the hub's first answer before the shipped problems are taken

Kind = Literal["hub", "mirror", "shipped", "files"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows come from: the hub, or a folder (mirror, shipped problems, the user's own files)."""

    kind: Kind
    folder: Path = Path()

    def rows(self, source: Source, bad: list[str] | None = None) -> Raw:
        """All rows; ``bad`` takes in the lines that are none (None: such a line is an error)."""
        raw = _hub_rows(source) if self.kind == "hub" else _file_rows(self.folder / source.file, bad)
        if not raw.rows and not bad:
            raise EconError(f"{raw.name} holds no rows")
        return raw

    def companion(self, source: Source, suffix: str) -> Raw | None:
        """A file beside the split's own (TravelPlanner's ``train_ref_info.jsonl``), where there is one."""
        if self.kind == "hub":
            return _hub_file(source, f"{source.split}{suffix}.jsonl")
        path = self.folder / source.file
        beside = path.with_name(f"{path.stem}{suffix}.jsonl")
        return _file_rows(beside) if beside.is_file() else None


@dataclass(frozen=True, slots=True)
class Raw:
    """Rows of one split as the source gives them. ``name`` is the file or hub set, for messages."""

    name: str
    rows: list[Json]
    revision: str | None
    sha256: str | None


def choose(benchmark: Benchmark, params: Params, warn: Callable[[str], None] | None = None) -> Origin:
    """Where this benchmark is to come from (``data.source``).

    Raises:
        EconError: the source that params insist on is not there.
    """
    warn = warn or (lambda line: print(line, file=sys.stderr))
    if benchmark.custom:
        return Origin("hub") if benchmark.test.hub else Origin("files")
    wanted = params.data.source
    mirror = params.data.mirror or os.environ.get("ECON_DATA_MIRROR")
    if wanted == "mirror" or (wanted == "auto" and mirror):
        return _mirror(mirror)
    if wanted == "shipped":
        return Origin("shipped", SHIPPED)
    if hub_reachable():
        return Origin("hub")
    if wanted == "hub":
        raise EconError(
            "the model hub cannot be reached", "name a folder with data.mirror or ECON_DATA_MIRROR"
        )
    warn(
        f"econ: warning: no mirror is named and the hub cannot be reached: {benchmark.name} uses the "
        "problems shipped with this project, NOT the real benchmark (data.mirror names a folder with it)"
    )
    return Origin("shipped", SHIPPED)


def _mirror(folder: str | Path | None) -> Origin:
    if not folder:
        raise EconError("data.source is mirror but no folder is named", "set data.mirror or ECON_DATA_MIRROR")
    if not Path(folder).is_dir():
        raise EconError(
            f"the mirror folder {folder} does not exist", "correct data.mirror or ECON_DATA_MIRROR"
        )
    return Origin("mirror", Path(folder))


def hub_reachable() -> bool:
    """Does the hub answer within a few seconds? One connection, no retries; HF_HUB_OFFLINE says no."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "TRUE", "YES", "ON"}:
        return False
    end_point = urlsplit(os.environ.get("HF_ENDPOINT", "https://huggingface.co"))
    port = end_point.port or (80 if end_point.scheme == "http" else 443)
    try:
        with socket.create_connection((end_point.hostname or "", port), timeout=REACH_SECONDS):
            return True
    except OSError:
        return False


def _file_rows(path: Path, bad: list[str] | None = None) -> Raw:
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise EconError(f"{path} cannot be read: {fault.strerror or fault}") from None
    rows = rows_of(path, content, bad)
    return Raw(str(path), rows, None, hashlib.sha256(content).hexdigest())


def _hub_rows(source: Source) -> Raw:
    import datasets

    hub = source.hub or ""
    datasets.disable_progress_bars()
    rows: list[Json] = []
    with _hub_faults(hub):
        revision = source.revision or _newest(hub)
        for config in source.configs:
            rows += list(datasets.load_dataset(hub, config, split=source.split, revision=revision))
    return Raw(f"{hub}@{revision[:10]} {source.split}", rows, revision, None)


def _hub_file(source: Source, name: str) -> Raw:
    from huggingface_hub import hf_hub_download

    with _hub_faults(source.hub or ""):
        path = hf_hub_download(source.hub or "", name, repo_type="dataset", revision=source.revision)
    raw = _file_rows(Path(path))
    return Raw(f"{source.hub}/{name}", raw.rows, source.revision, raw.sha256)


def _newest(hub: str) -> str:
    from huggingface_hub import HfApi

    sha: str | None = HfApi().dataset_info(hub).sha
    if sha is None:
        raise EconError(f"{hub} has no commit", "name a revision in data.custom")
    return sha


class _hub_faults:
    """Turns whatever the hub's libraries raise into one line."""

    def __init__(self, hub: str) -> None:
        self.hub = hub

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, fault: BaseException | None, trace: Any) -> None:
        if isinstance(fault, Exception) and not isinstance(fault, EconError):
            first = (str(fault).splitlines() or [type(fault).__name__])[0]
            raise EconError(
                f"{self.hub} cannot be loaded from the hub: {first}", "check its name, or set data.mirror"
            ) from fault


def digest(parts: Iterable[str]) -> str:
    """A short content address: 12 hex digits of the SHA-256 of the parts."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12]
