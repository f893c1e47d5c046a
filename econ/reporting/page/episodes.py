"""Every episode of every job, packed for the page's browser: compressed, read only when it is looked at.

A job is one block: texts once each, problems' prompts left out of them, calls in the order of events.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from econ import benchmarks
from econ.errors import EconError
from econ.files import sweep, write_atomic
from econ.params import Params
from econ.records import Json
from econ.reporting import results
from econ.reporting.gather import jobs

EMBEDDED = 20_000_000  # bytes of all blocks on the page itself; above it they are files beside it
PROMPT = "\x01"  # stands for the problem's prompt in a text
FOLDER = "episodes"
_DECIDES = {"moderator": 2, "selector": 3, "aggregator": 3, "judge": 4}


@dataclass(frozen=True, slots=True)
class Packed:
    """What the page is given. ``index`` names jobs and their episodes; ``blocks`` maps names to base64 gzip.

    ``beside``: the blocks are files, ``episodes/{name}.js``, and not on the page.
    """

    index: str
    blocks: dict[str, str]
    beside: bool


def pack(params: Params, folder: Path) -> Packed:
    """All episodes of the params' jobs; blocks too large for the page are written below ``folder``."""
    blocks, index = {}, []
    questions = {name: _problems(name, params) for name in params.benchmarks}
    for name, known in questions.items():
        blocks[f"problems-{name}"] = _block(known)
    for number, job in enumerate(jobs(params)):
        traces = list(results.rows(job, results.metrics(job)))
        block = f"job-{number}"
        blocks[block] = _block(_job(traces, questions[job.benchmark]))
        index.append(
            {
                "benchmark": job.benchmark, "method": job.method, "n": job.n_agents, "seed": job.seed,
                "block": block, "episodes": [_entry(trace) for trace in traces],
            }
        )  # fmt: skip
    beside = sum(map(len, blocks.values())) > EMBEDDED
    sweep(folder / FOLDER, "*.js")
    for old in (folder / FOLDER).glob("*.js"):
        old.unlink()
    if beside:
        for name, block in blocks.items():
            text = f'econBlock("{name}", "{block}");\n'
            write_atomic(folder / FOLDER / f"{name}.js", [text.encode()])
    return Packed(orjson.dumps(index).decode().replace("<", "\\u003c"), {} if beside else blocks, beside)


def _problems(benchmark: str, params: Params) -> dict[str, str]:
    """Prompts by problem id; none where the problems are not here any more (results alone were copied)."""
    try:
        return {problem.id: problem.prompt for problem in benchmarks.load(benchmark, "test", params)}
    except EconError:
        return {}


def _block(content: Any) -> str:
    return base64.b64encode(gzip.compress(orjson.dumps(content), 9, mtime=0)).decode()


def _entry(trace: Json) -> list[Any]:
    """[problem id, verdict, answer, cut]: what the list of episodes filters by."""
    verdict = "invalid" if trace["invalid"] else "right" if trace["correct"] else "wrong"
    cut = any(call["finish_reason"] == "length" for call in trace["calls"])
    answer = trace["answer"]
    return [trace["problem_id"], verdict, answer if answer is None else answer[:80], cut]


def _job(traces: Sequence[Json], prompts: dict[str, str]) -> Json:
    texts: dict[str, int] = {}
    episodes = {}
    for trace in traces:
        prompt = prompts.get(trace["problem_id"], "")
        kept = {key: value for key, value in trace.items() if key not in ("calls", "problem_id", "text")}
        kept["calls"] = [_call(call, prompt, texts) for call in in_order(trace["calls"])]
        episodes[trace["problem_id"]] = kept
    return {"texts": [*texts], "episodes": episodes}


def _call(call: Json, prompt: str, texts: dict[str, int]) -> Json:
    def text(value: str) -> int:
        value = value.replace(prompt, PROMPT) if prompt else value
        return texts.setdefault(value, len(texts))

    kept = {
        key: call[key]
        for key in ("role", "agent", "round", "sample", "model", "prompt_tokens", "completion_tokens")
    }
    kept["sampling"] = list(call["sampling"].values())
    kept["messages"] = [[message["role"], text(message["content"])] for message in call["messages"]]
    kept["text"] = text(call["text"])
    if call.get("thinking"):
        kept["thinking"] = text(call["thinking"])
    for key in ("error", "finish_reason"):
        if call[key] not in (None, "stop"):
            kept[key] = call[key]
    if _commits(call):
        kept["commits"] = True
    return kept


def in_order(calls: Sequence[Json]) -> Iterator[Json]:
    """Calls in the order of events: strategy, a round's answers, what is decided upon them, next round."""
    yield from sorted(calls, key=lambda call: (call["round"], _stage(call)))


def _stage(call: Json) -> int:
    if call["role"] == "coordinator":
        if not _commits(call):
            return 0  # the strategy
        return 3 if call["agent"] == 0 else 2  # the central one reads the local ones
    return _DECIDES.get(call["role"], 1)


def _commits(call: Json) -> bool:
    """A commitment is asked for by its key; a strategy is not."""
    return call["role"] == "coordinator" and "final_answer" in call["messages"][-1]["content"]
