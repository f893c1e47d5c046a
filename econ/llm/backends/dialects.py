"""How each provider names what we ask for. What a server drops silently is the field's commonest error.

Temperature, top-p and the repetition penalty must be the only sampling controls, so every other control that
a server would apply by default is sent explicitly, at its neutral value:

- llama.cpp has top_k 40 and min_p 0.05 on, looks back 64 tokens only for its ``repeat_penalty``, and applies
  the temperature after top-p. It is told to look at the whole text and to use the order of the others.
- vLLM takes top_k and repetition_penalty from the model's generation_config unless they are sent.
- Together takes ``repetition_penalty`` and ``min_p``; it documents no neutral ``top_k``, so none is sent.
- Official OpenAI has no multiplicative penalty.
- A server that does not say what it is gets the penalty under both names; the probe shows if it takes one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from econ.errors import EconError
from econ.records import Json, Message, Request

LLAMA_LOOK_BACK = 32768  # tokens; the server takes no "all" here, and a window this long is all of it


@dataclass(frozen=True, slots=True)
class Dialect:
    """A provider's field names.

    Args:
        penalty: names of the multiplicative repetition penalty; none: the provider has none.
        max_tokens: name of the cap on the completion.
        fixed: fields sent with every request.
        fields: other names for fields (``llm.fields``); None: the field is left out.
        extra: further fields (``llm.extra_body``).
    """

    name: str
    penalty: tuple[str, ...]
    max_tokens: str = "max_tokens"
    fixed: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, str | None] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def shaped(self, fields: Mapping[str, str | None], extra: Mapping[str, Any]) -> Dialect:
        """The dialect of a server that has other names for some fields, and further ones."""
        return replace(self, fields=fields, extra=extra)

    def cap(self, body: Json) -> int:
        """The cap on the completion that a body states; 0: it states none."""
        return int(body.get(self.fields.get(self.max_tokens) or self.max_tokens, 0))

    def body(self, request: Request) -> Json:
        """The request's JSON body.

        Raises:
            EconError: a repetition penalty is asked of a provider that has none.
        """
        sampling = request.sampling
        body: Json = {
            "model": request.model,
            "messages": list(request.messages),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            self.max_tokens: sampling.max_tokens,
            "seed": request.seed,
            **self.fixed,
        }
        if not self.penalty and sampling.repetition_penalty != 1.0:
            raise _no_penalty(self.name)
        for name in self.penalty:
            body[name] = sampling.repetition_penalty
        if request.schema is not None:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": dict(request.schema)},
            }
        body |= self.extra
        for name, other in self.fields.items():
            if name in body:
                value = body.pop(name)
                if other is not None:
                    body[other] = value
        return body


def folded(messages: Sequence[Message]) -> list[Message]:
    """System messages in front of the first user message, for a model that knows no system role."""
    system = [message["content"] for message in messages if message["role"] == "system"]
    rest = [dict(message) for message in messages if message["role"] != "system"]
    first = next((message for message in rest if message["role"] == "user"), None)
    if first is None:
        return [{"role": "user", "content": "\n\n".join(system)}, *rest]
    first["content"] = "\n\n".join([*system, first["content"]])
    return rest


VLLM = Dialect("vllm", ("repetition_penalty",), fixed={"top_k": -1, "min_p": 0.0})
TOGETHER = Dialect("together", ("repetition_penalty",), fixed={"min_p": 0.0})
OPENAI = Dialect("openai", ())
OFFICIAL_OPENAI = Dialect("openai", (), "max_completion_tokens")
LLAMA_CPP = Dialect(
    "llama.cpp",
    ("repeat_penalty",),
    fixed={
        "top_k": 0,
        "min_p": 0.0,
        "repeat_last_n": LLAMA_LOOK_BACK,
        "samplers": ["penalties", "temperature", "top_p"],
        "cache_prompt": True,
    },
)
UNKNOWN = Dialect("unknown", ("repetition_penalty", "repeat_penalty"))
DIALECTS = {dialect.name: dialect for dialect in (VLLM, LLAMA_CPP, OPENAI, UNKNOWN)}


def _no_penalty(name: str) -> EconError:
    return EconError(
        f"the provider's dialect '{name}' has no repetition penalty",
        "set action.second: top_p, or action.fixed: {repetition_penalty: 1.0}, or llm.dialect to what the "
        "server really speaks (vllm, llama.cpp)",
    )
