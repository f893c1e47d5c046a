"""A GGUF model of random weights and a vocabulary of bytes: small enough to convert in a test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType

WIDTH, HIDDEN, LAYERS, HEADS = 64, 128, 2, 2
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def words() -> list[str]:
    """GPT-2's characters for the 256 bytes, two pairs, and the tokens with a meaning of their own."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    letters = {byte: chr(byte) for byte in plain} | {byte: chr(256 + n) for n, byte in enumerate(others)}
    return [letters[byte] for byte in range(256)] + ["th", "he", "<|im_start|>", "<|im_end|>"]


def write(path: Path, architecture: str = "llama", template: str | None = TEMPLATE) -> Path:
    draw = np.random.default_rng(0)
    vocabulary = words()
    writer = GGUFWriter(path, architecture)
    writer.add_context_length(256)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(1)
    writer.add_vocab_size(len(vocabulary))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(vocabulary)
    writer.add_token_types([TokenType.NORMAL] * 258 + [TokenType.CONTROL] * 2)
    writer.add_token_merges(["t h", "h e"])
    writer.add_bos_token_id(258)
    writer.add_eos_token_id(259)
    writer.add_pad_token_id(259)
    writer.add_add_bos_token(False)
    if template is not None:
        writer.add_chat_template(template)

    def matrix(name: str, rows: int, columns: int) -> None:
        writer.add_tensor(name, draw.normal(0, 0.2, (rows, columns)).astype(np.float16))

    def norm(name: str) -> None:
        writer.add_tensor(name, np.ones(WIDTH, np.float32))

    matrix("token_embd.weight", len(vocabulary), WIDTH)
    norm("output_norm.weight")
    for layer in (f"blk.{n}" for n in range(LAYERS)):
        norm(f"{layer}.attn_norm.weight")
        norm(f"{layer}.ffn_norm.weight")
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            matrix(f"{layer}.{part}.weight", WIDTH, WIDTH)
        matrix(f"{layer}.ffn_gate.weight", HIDDEN, WIDTH)
        matrix(f"{layer}.ffn_up.weight", HIDDEN, WIDTH)
        matrix(f"{layer}.ffn_down.weight", WIDTH, HIDDEN)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
