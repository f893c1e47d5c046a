"""Embeddings: each text computed once, kept to the bit, at hand offline."""

from __future__ import annotations

import asyncio
import base64
import math
from array import array
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from econ.errors import EconError
from econ.llm import open_client
from econ.llm.embedding import client as embedding
from econ.llm.embedding import on_openvino
from econ.llm.embedding.on_torch import TorchModel, load
from econ.llm.embedding.server import Encoder
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
        with pytest.raises(EconError, match="the cache lacks 1 embedding by "):
            await client.embed(["new"])
    assert first[0] == array("f", [1, 1 / 3])


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


async def test_texts_asked_for_together_travel_together(computed: list[str]) -> None:
    async with open_client(params_for(URL, dialect="vllm")) as client:
        texts = [[f"text {n % 150}", f"text {n % 150 + 1}"] for n in range(300)]
        found = await asyncio.gather(*(client.embed(pair) for pair in texts))
    assert sorted(computed) == sorted(f"text {n}" for n in range(151))
    assert [row[0][0] for row in found] == [len(first) for first, _ in texts]


async def test_a_failing_server_fails_those_who_wait_and_no_one_later(
    computed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    works = embedding.Embedder._ask

    async def fails(self: object, texts: list[str]) -> dict[str, list[str]]:
        raise EconError("the embedding server failed")

    async with open_client(params_for(URL, dialect="vllm")) as client:
        monkeypatch.setattr(embedding.Embedder, "_ask", fails)
        waiting = [client.embed(["a", str(n)]) for n in range(3)]
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [EconError] * 3
        monkeypatch.setattr(embedding.Embedder, "_ask", works)
        assert await client.embed(["a"])


async def test_a_vector_that_is_not_finite_is_named_and_not_kept(
    computed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    works = embedding.Embedder._ask

    async def ill(self: object, texts: list[str]) -> dict[str, list[str]]:
        return {"vectors": [base64.b64encode(array("f", [1, math.nan]).tobytes()).decode() for _ in texts]}

    async with open_client(params_for(URL, dialect="vllm")) as client:
        monkeypatch.setattr(embedding.Embedder, "_ask", ill)
        with pytest.raises(EconError, match=r"embedding\.model .* holds nan for the text 'a'"):
            await client.embed(["a"])
        monkeypatch.setattr(embedding.Embedder, "_ask", works)
        assert await client.embed(["a"]) == [array("f", [1, 1 / 3])]


TEXTS = ["Final answer: 7", "Final answer: 8", "Two and three make five.", "word " * 400, ""]


def test_torch_s_vector_is_the_model_s_own_to_the_bit_whatever_stands_beside_it() -> None:
    model = load("all-MiniLM-L6-v2")
    own = [model.encode([text], normalize_embeddings=True)[0].tobytes() for text in TEXTS]
    encoder = Encoder(TorchModel(model))
    assert encoder.encode(TEXTS) == own
    assert encoder.encode(TEXTS[1:2]) == own[1:2]


@pytest.mark.skipif(find_spec("openvino") is None, reason="an extra")
def test_openvino_s_vectors_are_the_model_s_and_depend_on_nothing_beside_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ECON_MODELS", str(tmp_path))
    (left := tmp_path / f".{on_openvino.prepared('all-MiniLM-L6-v2').name}.killed").mkdir()
    folder = on_openvino.prepared("all-MiniLM-L6-v2")
    assert left.is_dir()  # nothing was to be done
    encoder = Encoder(on_openvino.OpenVinoModel(folder))
    found = encoder.encode(TEXTS)
    own = load("all-MiniLM-L6-v2").encode(TEXTS, normalize_embeddings=True)
    for vector, expected in zip(found, own, strict=True):
        assert float(np.frombuffer(vector, np.float32) @ expected) > 1 - 1e-3
    assert encoder.encode(TEXTS[1:2]) == found[1:2]


def test_an_unknown_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(EconError, match="unknown embedding model 'BAAI/bge'"):
        embedding.identity("BAAI/bge")
    (tmp_path / "empty").mkdir()
    with pytest.raises(EconError, match=r"holds no \.safetensors"):
        embedding.identity(str(tmp_path / "empty"))
