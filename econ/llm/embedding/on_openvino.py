"""An embedding model's graph on OpenVINO: about twice torch's speed, where the processor has bf16.

The graph is made from the sentence-transformers model once and kept; from then on neither torch nor
sentence-transformers is needed, whose imports take longer than the rest of the server's start.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from threading import local
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from econ.llm.embedding.client import identity
from econ.llm.local import engines, models

Ids = list[int]  # a text's tokens
CLOSE = 1e-3  # cosine distance to the original's vectors from which the graph is not used
TRIAL = ("Final answer: 7", "Two and three make five, since three and two do.", "word " * 200)


def available() -> bool:
    """Whether OpenVINO is here, and of use."""
    return find_spec("openvino") is not None and not engines.no_avx2()


def prepared(model: str) -> Path:
    """The folder of a model's graph, made first where it is not there.

    Raises:
        ValueError: the graph's vectors are not the model's.
    """
    name = hashlib.sha256(identity(model).encode()).hexdigest()[:12]
    target = models.folder() / f"embedding-{Path(model).name}-{name}.openvino"
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_suffix(".lock")):
        if not target.is_dir():
            for left in target.parent.glob(f".{target.name}.*"):
                shutil.rmtree(left)
            scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
            try:
                _convert(model, scratch)
                os.replace(scratch, target)
            except BaseException:
                shutil.rmtree(scratch)
                raise
    return target


def _convert(name: str, folder: Path) -> None:
    import openvino as ov
    import torch

    from econ.llm.embedding.on_torch import load

    model = load(name)

    class Whole(torch.nn.Module):
        """Tokens to unit-norm vectors, all of the model's own steps in between."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            kinds = torch.zeros_like(input_ids)
            features = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": kinds}
            return torch.nn.functional.normalize(self.model(features)["sentence_embedding"], dim=-1)

    ids = torch.tensor([_read(model, TRIAL[0])])
    any_size = [(field, [-1, -1], ov.Type.i64) for field in ("input_ids", "attention_mask")]
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the trace: what it may have missed is looked for below
        graph = ov.convert_model(Whole().eval(), example_input=(ids, torch.ones_like(ids)), input=any_size)
    ov.save_model(graph, folder / "openvino_model.xml", compress_to_fp16=False)
    tokenizer = model.tokenizer.backend_tokenizer
    tokenizer.enable_truncation(model.max_seq_length)
    tokenizer.no_padding()
    tokenizer.save(str(folder / "tokenizer.json"))
    _check(model, OpenVinoModel(folder))


def _read(model: Any, text: str) -> Ids:
    ids: Ids = model.preprocess([text])["input_ids"][0].tolist()
    return ids


def _check(model: Any, graph: OpenVinoModel) -> None:
    for text in TRIAL:
        [ids] = graph.read([text])
        [own] = model.encode([text], normalize_embeddings=True)
        if ids != _read(model, text) or 1 - float(graph.vectors([ids])[0] @ own) > CLOSE:
            raise ValueError(f"OpenVINO's vectors of '{text[:40]}' are not the model's")


class OpenVinoModel:
    """See :class:`econ.llm.embedding.server.Model`."""

    def __init__(self, folder: Path) -> None:
        import openvino as ov
        from tokenizers import Tokenizer

        self.workers = engines.cores()
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        streams = {"INFERENCE_NUM_THREADS": self.workers, "NUM_STREAMS": self.workers}  # a core each
        self._graph = ov.Core().compile_model(folder / "openvino_model.xml", "CPU", streams)
        self._own = local()

    def read(self, texts: Sequence[str]) -> list[Ids]:
        return [list(found.ids) for found in self._tokenizer.encode_batch(list(texts))]

    def vectors(self, group: Sequence[Ids]) -> NDArray[np.float32]:
        if not hasattr(self._own, "request"):
            self._own.request = self._graph.create_infer_request()
        ids = np.array(group, dtype=np.int64)
        found = self._own.request.infer({"input_ids": ids, "attention_mask": np.ones_like(ids)})
        return np.array(found[0], dtype=np.float32)
