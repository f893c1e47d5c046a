"""A model file's Q4_1 weights stored again as Q4_0, for which llama.cpp has the fast kernels on a CPU.

Measured with SmolLM2-135M-Instruct on 2 cores: prompts are read 1.9 times as fast, answers are written
1.6 times as fast. It costs precision: the weights change by 9 % of their root mean square, about what 4-bit
storage costs in the first place. All other tensors, the output's among them, are copied as they are.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def to_q4_0(source: Path, target: Path) -> None:
    """Write ``target`` from ``source`` in one step. Metadata and tensor order are kept."""
    from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, dequantize, quantize

    reader = GGUFReader(source)
    handle, scratch = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(handle)
    try:
        writer = GGUFWriter(scratch, reader.fields["general.architecture"].contents())
        for name, field in reader.fields.items():
            if not name.startswith("GGUF.") and name != "general.architecture":
                inner = field.types[-1] if len(field.types) > 1 else None
                writer.add_key_value(name, field.contents(), field.types[0], inner)
        for tensor in reader.tensors:
            kind, data = tensor.tensor_type, tensor.data
            if kind == GGMLQuantizationType.Q4_1:
                kind = GGMLQuantizationType.Q4_0
                data = quantize(dequantize(data, GGMLQuantizationType.Q4_1), kind)
            writer.add_tensor(tensor.name, data, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        os.replace(scratch, target)
    except BaseException:
        os.unlink(scratch)
        raise
