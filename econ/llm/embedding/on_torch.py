"""Sentence-transformers models on torch: any model, any device."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from econ.errors import EconError
from econ.llm.embedding.client import PACKAGED, revision

Ids = list[int]


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


class TorchModel:
    """See :class:`econ.llm.embedding.server.Model`."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.workers = (os.cpu_count() or 1) if model.device.type == "cpu" else 1

    def read(self, texts: Sequence[str]) -> list[Ids]:
        return [self._model.preprocess([text])["input_ids"][0].tolist() for text in texts]

    @torch.inference_mode()
    def vectors(self, group: Sequence[Ids]) -> NDArray[np.float32]:
        torch.set_num_threads(1)  # of this thread
        ids = torch.tensor(group, device=self._model.device)
        kinds = torch.zeros_like(ids)
        features = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "token_type_ids": kinds}
        found = self._model(features)["sentence_embedding"]
        vectors: NDArray[np.float32] = torch.nn.functional.normalize(found, dim=-1).float().cpu().numpy()
        return vectors
