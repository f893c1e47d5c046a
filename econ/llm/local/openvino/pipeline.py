"""OpenVINO GenAI's continuous batching behind :class:`~econ.llm.local.openvino.engine.Pipeline`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from econ.llm.local.openvino.engine import Answer, Asked, Refused
from econ.records import Json

# A step reads at most so many tokens of prompts: more keeps the answers that are being written waiting.
BATCHED_TOKENS = 512
GREATEST_POOL = 4  # GB


class OpenVinoPipeline:
    """A converted model (:mod:`econ.llm.local.openvino.convert`) and its tokenizer.

    Args:
        folder: of the model.
        in_flight: most requests in one batch.
        threads: of the processor.
    """

    def __init__(self, folder: Path, in_flight: int, threads: int) -> None:
        import openvino_genai as genai

        self._genai = genai
        self.facts: Json = orjson.loads((folder / "model.json").read_bytes())
        scheduler = genai.SchedulerConfig()
        scheduler.max_num_batched_tokens = max(BATCHED_TOKENS, in_flight)
        scheduler.max_num_seqs = in_flight
        scheduler.cache_size = pool_size()
        scheduler.dynamic_split_fuse = True
        scheduler.enable_prefix_caching = True
        properties = {"INFERENCE_NUM_THREADS": threads, "DYNAMIC_QUANTIZATION_GROUP_SIZE": 128}
        self._pipeline = genai.ContinuousBatchingPipeline(str(folder), scheduler, "CPU", properties)
        self._tokenizer = self._pipeline.get_tokenizer()

    def prompt(self, messages: Sequence[Json]) -> list[int]:
        """The tokens of a chat, up to where the answer begins."""
        text = self._tokenizer.apply_chat_template(list(messages), add_generation_prompt=True)
        ids, first = self.tokens(text), self.facts["first_token"]
        return ids if first is None or ids[:1] == [first] else [first, *ids]

    def tokens(self, text: str) -> list[int]:
        found = self._tokenizer.encode(text, add_special_tokens=False).input_ids
        return [int(token) for token in found.data[0]]

    def add(self, number: int, asked: Asked) -> Generation:
        import numpy as np
        import openvino as ov

        ids = ov.Tensor(np.array([asked.ids], dtype=np.int64))
        try:
            handle = self._pipeline.add_request(number, ids, self._config(asked))
        except RuntimeError as fault:
            raise Refused(str(fault).strip().splitlines()[-1]) from None
        return Generation(self._genai, self._tokenizer, handle)

    def step(self) -> None:
        self._pipeline.step()

    def _config(self, asked: Asked) -> Any:
        """Every setting that an answer depends on; the pipeline's own defaults are never asked."""
        config = self._genai.GenerationConfig()
        config.apply_chat_template = False
        config.max_new_tokens = asked.max_tokens
        config.repetition_penalty = asked.repetition_penalty
        config.do_sample = asked.temperature > 0
        if config.do_sample:
            config.temperature = asked.temperature
            config.top_p = asked.top_p
            config.min_p = asked.min_p
            config.rng_seed = asked.seed
            if asked.top_k > 0:
                config.top_k = asked.top_k
        config.stop_strings = set(asked.stop)
        config.eos_token_id = self.facts["end_token"]
        config.stop_token_ids = set(self.facts["end_tokens"])
        if asked.grammar is not None:
            config.structured_output_config = self._genai.StructuredOutputConfig(grammar=asked.grammar)
        return config


class Generation:
    """See :class:`econ.llm.local.openvino.engine.Generation`."""

    def __init__(self, genai: Any, tokenizer: Any, handle: Any) -> None:
        self._status = genai.GenerationStatus
        self._length = genai.GenerationFinishReason.LENGTH
        self._tokenizer = tokenizer
        self._handle = handle

    def begun(self) -> bool:
        return bool(self._handle.can_read()) or self._handle.get_status() != self._status.RUNNING

    def answer(self) -> Answer | None:
        status = self._handle.get_status()
        if status == self._status.RUNNING:
            return None
        if status != self._status.FINISHED:
            raise Refused("the prompt does not fit into the pool that all requests share")
        [output] = self._handle.read_all()
        ids = output.generated_ids
        text = self._tokenizer.decode(ids, skip_special_tokens=True)
        return Answer(text, len(ids), "length" if output.finish_reason == self._length else "stop")

    def cancel(self) -> None:
        self._handle.cancel()


def pool_size() -> int:
    """GB of memory for what is read and written of all requests: a quarter of what is free."""
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    except (ValueError, OSError):
        return 1
    return max(1, min(GREATEST_POOL, int(free / 4)))
