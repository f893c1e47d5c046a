"""The embedding server's side: sentence-transformers models, their texts in batches on all cores."""

from __future__ import annotations

import base64
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import orjson
import torch
from torch import Tensor

from econ.errors import EconError
from econ.llm.embedding.client import PACKAGED, revision
from econ.llm.local.serve import LOOPBACK, lower_priority, main
from econ.records import Json

BATCH = 16  # texts
Features = dict[str, Any]  # a text's tokens, as the model reads them: tensors [1, length]


def load(model: str) -> Any:
    """The sentence-transformers model, from package, folder, or hub at its pinned revision."""
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


class Encoder:
    """A text's vector is the same to the bit whatever other texts it is asked for with.

    Padding would break that, so only texts of one length share a batch; and they do so only where a trial at
    the start shows that sharing changes no bit, which depends on the machine's matrix kernels. Each batch
    takes one core: threads that wait for each other lose far more on a machine with other work.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._reading = Lock()  # the tokenizer is not for several threads
        workers = (os.cpu_count() or 1) if model.device.type == "cpu" else 1
        self._pool = ThreadPoolExecutor(workers, "encoder", partial(torch.set_num_threads, 1))
        self.batch = BATCH if self._shares_without_a_trace() else 1

    def encode(self, texts: list[str]) -> list[bytes]:
        """Unit-norm vectors, float32."""
        with self._reading:
            read = [self._model.preprocess([text]) for text in texts]
        lengths: dict[int, list[int]] = {}
        for place, features in enumerate(read):
            lengths.setdefault(features["input_ids"].shape[1], []).append(place)
        size = self.batch
        groups = [places[i : i + size] for places in lengths.values() for i in range(0, len(places), size)]
        vectors: list[bytes] = [b""] * len(texts)
        results = self._pool.map(lambda group: self._vectors([read[place] for place in group]), groups)
        for group, found in zip(groups, results, strict=True):
            for place, vector in zip(group, found, strict=True):
                vectors[place] = vector.numpy().tobytes()
        return vectors

    @torch.inference_mode()
    def _vectors(self, group: list[Features]) -> Tensor:
        tensors = [name for name, value in group[0].items() if isinstance(value, Tensor)]
        together = {name: torch.cat([f[name] for f in group]).to(self._model.device) for name in tensors}
        found: Tensor = self._model({**group[0], **together})["sentence_embedding"]
        return torch.nn.functional.normalize(found, dim=-1).float().cpu()

    def _shares_without_a_trace(self) -> bool:
        words = ("one", "two", "three", "four", "five", "six", "seven", "eight")
        for length in (3, 40):
            read = [self._model.preprocess([" ".join([word] * length)]) for word in words]
            alone = torch.cat([self._vectors([features]) for features in read])
            if not torch.equal(self._vectors(read), alone):
                return False
        return True


def start_server(settings: Json) -> tuple[str, ThreadingHTTPServer]:
    """POST {"texts": [...]} returns {"vectors": [...]}, unit-norm float32 in base64."""
    lower_priority()
    encoder = Encoder(load(settings["model"]))

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
