"""Embeddings: each text computed once, kept to the bit, at hand offline."""

from __future__ import annotations

import base64
from array import array
from pathlib import Path

import pytest

from econ.errors import EconError
from econ.llm import embedding, open_client
from econ.params import Params
from tests.llm.conftest import params_for

URL = "http://127.0.0.1:9/v1"


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that reached the embedding server; a text's vector is (its length, a third)."""
    seen: list[str] = []

    async def ask(self: object, texts: list[str]) -> dict[str, list[str]]:
        seen.extend(texts)
        return {"vectors": [base64.b64encode(array("f", [len(t), 1 / 3]).tobytes()).decode() for t in texts]}

    monkeypatch.setattr(embedding.Embedder, "_ask", ask)
    return seen


async def test_each_text_is_computed_once_and_kept_exactly(computed: list[str]) -> None:
    params = params_for(URL, dialect="vllm")
    async with open_client(params) as client:
        first = await client.embed(["a", "bb", "a"])
        assert await client.embed(["bb"]) == first[1:2]
    assert computed == ["a", "bb"]
    async with open_client(params, offline=True) as client:
        assert await client.embed(["a", "bb", "a"]) == first
        with pytest.raises(EconError, match="the cache lacks the embedding of 1 texts"):
            await client.embed(["new"])
    assert first[0] == array("f", [1, 1 / 3]).tolist()


async def test_another_model_has_other_vectors(computed: list[str], tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(b"weights")
    for model in ("all-MiniLM-L6-v2", str(tmp_path / "model")):
        params = Params.model_validate(
            {"llm": params_for(URL, dialect="vllm").llm, "embedding": {"model": model}}
        )
        async with open_client(params) as client:
            await client.embed(["a"])
    assert computed == ["a", "a"]


def test_an_unknown_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(EconError, match="unknown embedding model 'BAAI/bge'"):
        embedding.identity("BAAI/bge")
    (tmp_path / "empty").mkdir()
    with pytest.raises(EconError, match=r"holds no \.safetensors"):
        embedding.identity(str(tmp_path / "empty"))
