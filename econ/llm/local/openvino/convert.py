"""A GGUF model stored for OpenVINO: each weight matrix as int8 with one scale per output channel.

    python -m econ.llm.local.openvino.convert model.gguf TARGET

OpenVINO reads the weights in a few of GGUF's many forms only, so all are written as F16 first, in a scratch
folder beside the target. The target is there as a whole or not at all; a conversion that was killed leaves a
scratch folder, which the next one removes. One process at a time works on a target, and it is this one that
holds the lock: where it is killed, the kernel gives it back.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import orjson
from filelock import FileLock

from econ.errors import EconError
from econ.records import Json

# Tokens that end an answer, whichever of them a file names as its end (llama.cpp's list).
ENDS = frozenset({
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<end_of_turn>", "<|endoftext|>", "<|eom_id|>",
    "<|end_of_text|>", "<EOT>", "_<EOT>", "</s>",
})  # fmt: skip
CONTROL = 3  # a token's type in GGUF
SCRATCH_BYTES = 4.2  # a parameter: F16 twice, while OpenVINO reads one file and writes the other
SMALLEST = 64  # rows or columns from which a weight matrix is stored as int8


def convert(source: Path, target: Path) -> None:
    """Make ``target`` from ``source``, unless it is there.

    Raises:
        EconError: too little disk, or OpenVINO cannot read the model.
    """
    with FileLock(target.with_suffix(".lock")):
        if target.is_dir():
            return
        for left in target.parent.glob(f".{target.name}.*"):
            shutil.rmtree(left)
        scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
        try:
            _fill(source, scratch)
            os.replace(scratch / "int8", target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _fill(source: Path, scratch: Path) -> None:
    from gguf import GGUFReader

    reader = GGUFReader(source)
    _check_space(reader, source, scratch)
    folder = scratch / "int8"
    folder.mkdir()
    (folder / "model.json").write_bytes(orjson.dumps(facts(reader)))
    _say("writing its weights as F16 (1 of 3)")
    _write_f16(reader, scratch / "f16.gguf")
    _say("building OpenVINO's graph (2 of 3)")
    _build_graph(scratch / "f16.gguf")
    (scratch / "f16.gguf").unlink()
    _say("storing the weights as int8 (3 of 3)")
    _quantise(scratch / "openvino_model.xml", folder / "openvino_model.xml")
    for part in scratch.glob("openvino_*tokenizer*"):
        part.rename(folder / part.name)


def _say(line: str) -> None:
    print(line, flush=True)


def _check_space(reader: Any, source: Path, scratch: Path) -> None:
    needed = SCRATCH_BYTES * sum(int(tensor.n_elements) for tensor in reader.tensors)
    free = shutil.disk_usage(scratch).free
    if free < needed:
        raise EconError(
            f"storing {source.name} for OpenVINO takes {needed / 1e9:.1f} GB of disk for a while, and "
            f"{scratch.parent} has {free / 1e9:.1f} GB free",
            "free some, name another folder with ECON_MODELS, or set llm.local.engine: llama.cpp",
        )


def facts(reader: Any) -> Json:
    """What the server must know of the model beside its weights."""

    def field(name: str, otherwise: Any = None) -> Any:
        return reader.fields[name].contents() if name in reader.fields else otherwise

    architecture = field("general.architecture")
    words, types = field("tokenizer.ggml.tokens"), field("tokenizer.ggml.token_type")
    end, starts = field("tokenizer.ggml.eos_token_id"), field("tokenizer.ggml.add_bos_token")
    if field("tokenizer.chat_template") is None or end is None:
        raise EconError("the model file has no chat template, or no end token",
                        "set llm.local.engine: llama.cpp")  # fmt: skip
    control = [i for i, kind in enumerate(types) if kind == CONTROL]
    return {
        "architecture": architecture,
        "context": field(f"{architecture}.context_length"),
        "first_token": field("tokenizer.ggml.bos_token_id") if starts else None,
        "end_token": end,
        "end_tokens": sorted({end, *(i for i in control if words[i] in ENDS)}),
    }


def _write_f16(reader: Any, target: Path) -> None:
    import numpy as np
    from gguf import GGMLQuantizationType as Kind
    from gguf import GGUFWriter, dequantize

    writer = GGUFWriter(target, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name != "general.architecture":
            value = 1 if name == "general.file_type" else field.contents()
            inner = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(name, value, field.types[0], inner)
    for tensor in reader.tensors:
        plain = tensor.tensor_type in (Kind.F32, Kind.F16)
        kind = tensor.tensor_type if plain else Kind.F16
        data = tensor.data if plain else dequantize(tensor.data, tensor.tensor_type).astype(np.float16)
        writer.add_tensor(tensor.name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _build_graph(file: Path) -> None:
    """OpenVINO's model beside ``file``, in a process of its own: its memory goes with it."""
    code = "import sys, openvino_genai as g; g.LLMPipeline(sys.argv[1], 'CPU', enable_save_ov_model=True)"
    command = [sys.executable, "-c", code, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode or not file.with_name("openvino_model.xml").is_file():
        lines = (done.stderr or done.stdout).strip().splitlines()
        said = lines[-1][:200] if lines else f"it ended with {done.returncode}"
        raise EconError(f"OpenVINO cannot read the model: {said}", "set llm.local.engine: llama.cpp")


def _quantise(source: Path, target: Path) -> None:
    """Every weight matrix as int8 with one scale per row, which is an output channel."""
    import numpy as np
    import openvino as ov
    from openvino import opset13 as op

    model = ov.Core().read_model(source)
    for node in model.get_ordered_ops():
        shape = list(node.get_output_shape(0)) if node.get_type_name() == "Constant" else []
        if len(shape) != 2 or min(shape) < SMALLEST or node.get_element_type() != ov.Type.f16:
            continue
        weights = node.get_data().astype(np.float32)
        scale = np.maximum(np.abs(weights).max(1, keepdims=True) / 127, 1e-8)
        small = op.constant(np.rint(weights / scale).astype(np.int8))
        new = op.multiply(op.convert(small, ov.Type.f16), op.constant(scale.astype(np.float16)))
        for user in node.output(0).get_target_inputs():
            user.replace_source_output(new.output(0))
    ov.save_model(model, target, compress_to_fp16=False)


def main() -> None:
    try:
        convert(Path(sys.argv[1]), Path(sys.argv[2]))
    except EconError as fault:
        print(orjson.dumps({"problem": fault.problem, "way_out": fault.way_out}).decode(), flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
