"""Weights stored again: embeddings and output stay as they are, the others change by little."""

from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, dequantize, quantize

from econ.llm.local.requantise import to_q4_0


@pytest.mark.parametrize("kind", ["Q4_1", "Q5_0", "Q8_0"])
def test_weights_change_by_little_and_the_outputs_not_at_all(tmp_path: Path, kind: str) -> None:
    stored = GGMLQuantizationType[kind]
    weights = np.random.default_rng(0).normal(size=(64, 256)).astype(np.float32)
    norm = np.ones(256, dtype=np.float32)
    writer = GGUFWriter(str(tmp_path / "a.gguf"), "llama")
    writer.add_string("general.name", "small")
    writer.add_array("tokenizer.ggml.tokens", ["a", "b"])
    for name, how in (("w", stored), ("output.weight", GGMLQuantizationType.Q8_0)):
        writer.add_tensor(name, quantize(weights, how), raw_dtype=how)
    writer.add_tensor("norm", norm)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    to_q4_0(tmp_path / "a.gguf", tmp_path / "b.gguf")

    before, after = (GGUFReader(tmp_path / name) for name in ("a.gguf", "b.gguf"))
    assert after.fields["general.name"].contents() == "small"
    assert after.fields["tokenizer.ggml.tokens"].contents() == ["a", "b"]
    assert [t.name for t in after.tensors] == ["w", "output.weight", "norm"]
    w, out, kept = after.tensors
    assert w.tensor_type == GGMLQuantizationType.Q4_0
    change = dequantize(w.data, w.tensor_type) - dequantize(before.tensors[0].data, stored)
    assert np.sqrt((change**2).mean()) < 0.12 * np.sqrt((weights**2).mean())
    np.testing.assert_array_equal(out.data, before.tensors[1].data)
    np.testing.assert_array_equal(kept.data, norm)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.gguf", "b.gguf"]
