"""Every test here has a project folder and a user cache folder of its own."""

from __future__ import annotations

import asyncio
import base64
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from econ.llm.embedding import client as embedding
from econ.params import Params
from econ.records import Request, Sampling
from tests.postgres import Server, binaries, serving


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECON_HOME", str(tmp_path / "home"))
    for name in ("OPENAI_API_KEY", "TOGETHER_API_KEY", "TOGETHER_BASE_URL", "ECON_RUN", "ECON_CACHE_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def params_for(url: str, **llm: Any) -> Params:
    settings = {
        "backend": "openai", "base_url": url, "coordinator": "fake", "executors": ["fake"],
        "timeout_seconds": 20, "patience_seconds": 3, **llm,
    }  # fmt: skip
    return Params.model_validate({"llm": settings})


def request(number: int = 0, **changes: Any) -> Request:
    values: dict[str, Any] = {
        "role": "executor", "agent": number % 3, "round": 0, "model": "fake",
        "messages": ({"role": "user", "content": f"question {number}"},),
        "sampling": Sampling(0.7, 0.9, 1.1, 32), "seed": number, **changes,
    }  # fmt: skip
    return Request(**values)


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Params]:
    def make(root: str) -> Params:
        monkeypatch.setenv("TOGETHER_API_KEY", "sk-together-test")
        return params_for(root, backend="together")

    return make


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between tries are cut, not their number."""

    async def briefly(tries: int, after: float | None, cap: float = 0) -> None:
        await asyncio.sleep(0.01)

    monkeypatch.setattr("econ.llm.client.backoff", briefly)


@pytest.fixture
def vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """No embedding server is needed: a text's vector is made of its length."""

    async def ask(self: object, texts: list[str]) -> dict[str, list[str]]:
        rows = [array("f", [1.0, len(text) / 1000, 0.0, 0.0]) for text in texts]
        return {"vectors": [base64.b64encode(row.tobytes()).decode() for row in rows]}

    monkeypatch.setattr(embedding.Embedder, "_ask", ask)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A private server; skipped with a word where its programs are not installed."""
    if binaries() is None:
        pytest.skip("no PostgreSQL server is installed here (Debian: apt install postgresql)")
    with serving() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """Each engine in turn: where the call cache is, as ECON_CACHE_URL says; None: embedded."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres").fresh()
    monkeypatch.setenv("ECON_CACHE_URL", url)
    return url
