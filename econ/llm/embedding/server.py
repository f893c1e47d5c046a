"""The embedding server's side: texts in batches on all cores, by OpenVINO or by torch."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Protocol

import numpy as np
import orjson
from numpy.typing import NDArray

from econ.llm.local.serve import LOOPBACK, lower_priority, main
from econ.records import Json

BATCH = 16  # texts
Ids = list[int]  # a text's tokens


class Model(Protocol):
    """What computes. ``workers``: how many threads may ask for vectors at once."""

    workers: int

    def read(self, texts: Sequence[str]) -> list[Ids]: ...

    def vectors(self, group: Sequence[Ids]) -> NDArray[np.float32]:
        """Unit-norm vectors [texts, d] of texts of one length."""
        ...


def load(name: str, engine: str) -> Model:
    """The model on an engine; auto: OpenVINO, or torch where that is not here or computes something else."""
    from econ.llm.embedding import on_openvino

    if engine == "openvino" or (engine == "auto" and on_openvino.available()):
        try:
            return on_openvino.OpenVinoModel(on_openvino.prepared(name))
        except (RuntimeError, ValueError, AttributeError) as fault:
            if engine == "openvino":
                raise
            print(f"{name} runs on torch: {fault}", flush=True)
    from econ.llm.embedding import on_torch

    return on_torch.TorchModel(on_torch.load(name))


class Encoder:
    """A text's vector is the same to the bit whatever other texts it is asked for with.

    Padding would break that, so only texts of one length share a batch; and they do so only where a trial at
    the start shows that sharing changes no bit, which depends on the machine's matrix kernels. Each batch
    takes one core: threads that wait for each other lose far more on a machine with other work.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._reading = Lock()  # the tokenizer is not for several threads
        self._pool = ThreadPoolExecutor(model.workers, "encoder")
        self.batch = BATCH if self._shares_without_a_trace() else 1

    def encode(self, texts: list[str]) -> list[bytes]:
        """Unit-norm vectors, float32."""
        with self._reading:
            read = self._model.read(texts)
        lengths: dict[int, list[int]] = {}
        for place, ids in enumerate(read):
            lengths.setdefault(len(ids), []).append(place)
        size = self.batch
        groups = [places[i : i + size] for places in lengths.values() for i in range(0, len(places), size)]
        vectors: list[bytes] = [b""] * len(texts)
        results = self._pool.map(lambda group: self._model.vectors([read[place] for place in group]), groups)
        for group, found in zip(groups, results, strict=True):
            for place, vector in zip(group, found, strict=True):
                vectors[place] = vector.tobytes()
        return vectors

    def _shares_without_a_trace(self) -> bool:
        words = ("one", "two", "three", "four", "five", "six", "seven", "eight")
        for length in (3, 40):
            read = self._model.read([" ".join([word] * length) for word in words])
            alone = np.concatenate([self._model.vectors([ids]) for ids in read])
            if not np.array_equal(self._model.vectors(read), alone):
                return False
        return True


def start_server(settings: Json) -> tuple[str, ThreadingHTTPServer]:
    """POST {"texts": [...]} returns {"vectors": [...]}, unit-norm float32 in base64."""
    lower_priority()
    encoder = Encoder(load(settings["model"], settings["engine"]))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            texts = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))["texts"]
            vectors = [base64.b64encode(vector).decode() for vector in encoder.encode(texts)]
            body = orjson.dumps({"vectors": vectors})
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Texts of users stay out of the log."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return f"http://{LOOPBACK}:{server.server_address[1]}", server


if __name__ == "__main__":
    main({"embedding": start_server})
