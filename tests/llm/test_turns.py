"""The embedded server reads a long beginning once: prompts that share it take turns, others do not wait."""

import asyncio
from typing import Any

import pytest

from econ.llm.cache.store import Cache
from econ.llm.local.backend import LONG_PROMPT, Local
from econ.params import LLM


class Server:
    """Counts how many requests are with it at once: in all, per beginning, per copy."""

    def __init__(self) -> None:
        self.now: dict[str, int] = {}
        self.most: dict[str, int] = {}

    async def ask(self, method: str, url: str, body: dict[str, Any]) -> bytes:
        start = body["messages"][0]["content"][:4]
        copy = url.split("/")[0]
        for name in (start, copy, "all"):
            self.now[name] = self.now.get(name, 0) + 1
            self.most[name] = max(self.most.get(name, 0), self.now[name])
        await asyncio.sleep(0.01)
        for name in (start, copy, "all"):
            self.now[name] -= 1
        return (
            b'{"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}],'
            b' "usage": {"prompt_tokens": 1, "completion_tokens": 1}}'
        )


@pytest.mark.parametrize(("length", "together"), [(LONG_PROMPT, 1), (LONG_PROMPT // 2, 3)])
async def test_long_prompts_with_one_beginning_take_turns(
    monkeypatch: pytest.MonkeyPatch, length: int, together: int
) -> None:
    local, server = Local(LLM(local={"engine": "llama.cpp"}), Cache(), offline=False), Server()
    monkeypatch.setattr(local, "_http", server)
    monkeypatch.setitem(local._urls, "m", ["one"])
    prompts = [f"{name}{'.' * length} agent {i}" for name in ("aaaa", "bbbb") for i in range(3)]
    bodies = [{"model": "m", "messages": [{"role": "user", "content": prompt}]} for prompt in prompts]
    await asyncio.gather(*(local.send(body) for body in bodies))
    assert server.most == {"aaaa": together, "bbbb": together, "one": 2 * together, "all": 2 * together}


async def test_prompts_with_one_beginning_fill_every_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    local, server = (
        Local(LLM(local={"engine": "llama.cpp", "slots": 4, "copies": 2}), Cache(), offline=False),
        Server(),
    )  # type: ignore[arg-type]
    monkeypatch.setattr(local, "_http", server)
    monkeypatch.setitem(local._urls, "m", ["one", "two"])
    shots = {"role": "user", "content": "aaaa: an exemplar"}
    bodies = [{"model": "m", "messages": [shots, {"role": "user", "content": str(i)}]} for i in range(8)]
    await local.send(bodies[0])
    assert len(server.most) == 3  # one copy is enough for one call
    await asyncio.gather(*(local.send(body) for body in bodies))
    assert server.most == {"aaaa": 8, "one": 4, "two": 4, "all": 8}
