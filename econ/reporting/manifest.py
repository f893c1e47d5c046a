"""What the tables were made from, by digest: figures and page take what is whole and belongs together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from econ import paths, seals
from econ.errors import EconError
from econ.files import write_atomic
from econ.params import Params
from econ.records import Json
from econ.reporting import measured, results
from econ.reporting.catalogue import table_files
from econ.reporting.gather import Result

PATH = paths.TABLES / "manifest.json"
REMAKE = "make the tables again with: econ aggregate"


def write(found: Iterable[Result], params: Params) -> None:
    """Take down the digests of the tables as they are, and of the files that they were made from."""
    documents = [*measured.certificates(params), *measured.regrets(params)]
    made_from = {str(path): seals.file_digest(path) for path in documents}
    for result in found:
        made_from[str(paths.metrics(result.job))] = seals.file_digest(paths.metrics(result.job))
        made_from[str(paths.trace(result.job))] = result.metrics[results.TRACES]
    tables = {name: seals.file_digest(Path(name)) for name in table_files(params) if name != str(PATH)}
    write_atomic(PATH, [seals.document({"tables": tables, "made_from": made_from})])


def table(path: Path) -> bytes:
    """The content of a table's file.

    Raises:
        EconError: it is not there, damaged, or made from results that have changed since.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise EconError(f"{path} does not exist", "make the tables first with: econ aggregate") from None
    made = read()
    if hashlib.sha256(content).hexdigest() != made["tables"].get(str(path)):
        raise EconError(f"{path} is damaged or from another run: {PATH} holds another digest", REMAKE)
    stale = next((name for name, digest in made["made_from"].items() if _changed(name, digest)), None)
    if stale is not None:
        raise EconError(f"{stale} has changed since {path} was made from it", REMAKE)
    return content


def read() -> Json:
    """Digests of the tables, and of what they were made from.

    Raises:
        EconError: it is not there, or damaged.
    """
    made = seals.read(PATH, REMAKE)
    if not all(isinstance(made.get(name), dict) for name in ("tables", "made_from")):
        raise EconError(f"{PATH} is of another version", REMAKE)
    return made


def _changed(name: str, digest: str) -> bool:
    """Of a file that is still here; metrics alone, which hold the traces' digest."""
    path = Path(name)
    return path.suffix == ".json" and path.is_file() and seals.file_digest(path) != digest
