"""What servers do without a word, said once each: another model answers, or a prompt is cut."""

from __future__ import annotations

from collections.abc import Sequence

from econ.llm.backends.openai import say
from econ.llm.cache.rows import fact_key, run_name
from econ.llm.cache.store import Cache
from econ.llm.replies import Reply
from econ.records import Message

LONG = 400  # words from which a prompt's count of tokens says something
FEWEST = 0.6  # tokens per word: no tokenizer takes fewer for prose
WIDEST = 8  # characters per token; below this a prompt is not looked at more closely


class Notices:
    """Of one client.

    Args:
        provider: its name in the cache. The model that answered first in a run is a fact there.
    """

    def __init__(self, cache: Cache, provider: str) -> None:
        self._cache, self._provider = cache, provider
        self._answering: dict[str, str] = {}  # by model asked for: who answered first
        self._told: set[tuple[str, ...]] = set()

    def arrived(self, model: str, messages: Sequence[Message], reply: Reply) -> None:
        if reply.answered_by is not None:
            self._identity(model, reply.answered_by)
        if reply.prompt_tokens is not None:
            self._length(model, messages, reply.prompt_tokens)

    def _identity(self, model: str, name: str) -> None:
        if model not in self._answering:
            key = fact_key("answering", self._provider, model, run_name())
            known = self._cache.fact(key)
            if known is None:
                self._cache.put_facts("answering", [(key, name.encode())])
            self._answering[model] = name if known is None else known.decode()
        first = self._answering[model]
        if name != first:
            line = f"'{model}' was answered by '{first}' before and is by '{name}' now"
            self._tell(model, f"{line}: this run has answers of both, and each trace says which", name)

    def _length(self, model: str, messages: Sequence[Message], counted: int) -> None:
        if counted * WIDEST > sum(len(message["content"]) for message in messages):
            return
        words = sum(len(message["content"].split()) for message in messages)
        if words >= LONG and counted < FEWEST * words:
            line = f"the server counts {counted} tokens in a prompt of {words} words to '{model}'"
            self._tell(model, f"{line}: it cuts prompts; raise its context, or have less in a prompt")

    def _tell(self, model: str, line: str, *about: str) -> None:
        if (model, *about) not in self._told:
            self._told.add((model, *about))
            say(line)
