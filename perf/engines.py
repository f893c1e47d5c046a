"""The embedded engines side by side: tokens of prompts and answers a second, through the whole client path.

    python perf/engines.py smollm2-135m-instruct /models/qwen2.5-coder-1.5b.gguf [--in-flight 8 32 64]

The same requests go through the client to llama.cpp, with the slots it has by default, and to OpenVINO's
server, and last to OpenVINO's bare pipeline in a process without HTTP, client or cache. Two rounds of answers
an engine: the thinning tail is in the figures. Seconds are the clock's and, in brackets, the processor's in
the process of the engine: on a machine with other work only these compare. Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from econ.llm import open_client
from econ.llm.local import engines, models
from econ.llm.local.lease import FOLDER
from econ.llm.local.openvino.engine import Asked, Engine
from econ.llm.local.openvino.pipeline import OpenVinoPipeline
from econ.params import Params
from econ.params.runtime import Local
from econ.records import Request, Sampling

REPOSITORY = Path(__file__).parents[1]
QUESTION = (
    "Solve the problem step by step and end with 'Final answer: NUMBER'.\n\nA shop sells {0} boxes of {1} "
    "pencils in a week, and in the next {2} boxes fewer, each with 3 pencils more. How many pencils is that?"
)
WARM = -1  # the number of a request that is not measured


def question(number: int) -> str:
    return QUESTION.format(40 + number, 12 + number % 7, 5 + number % 11)


def processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def told(name: str, calls: list[tuple[int, int]], wall: float, cpu: float) -> float:
    """Print one row; generated tokens per processor second."""
    prompt, made = (sum(column) for column in zip(*calls, strict=True))
    print(f"{name:36} {len(calls):4} answers, prompts {prompt:6} and answers {made:6} tokens; "
          f"{made / wall:7.1f} generated/s [{made / cpu:7.1f} a processor second, all tokens "
          f"{(prompt + made) / cpu:7.1f}]", flush=True)  # fmt: skip
    return made / cpu


async def through_the_client(model: str, engine: str, in_flight: int, tokens: int, rounds: int) -> float:
    local = {"engine": engine, "idle_seconds": 2, "copies": None if engine == "openvino" else 1}
    llm = {"coordinator": model, "executors": [model], "max_in_flight": in_flight, "local": local}
    async with open_client(Params.model_validate({"llm": llm})) as client:

        async def ask(number: int) -> tuple[int, int]:
            message = {"role": "user", "content": question(number)}
            sampling = Sampling(0.7, 0.9, 1.1, tokens)
            call = await client.complete(
                Request("perf", 0, 0, model, (message,), sampling, number + 1, number)
            )
            assert call.error is None, call.error
            return call.prompt_tokens, call.completion_tokens

        await ask(WARM)
        [state] = FOLDER.glob("llm-*/state.json")
        process = json.loads(state.read_bytes())["pid"]
        wall, cpu = time.perf_counter(), processor_seconds(process)
        calls = await asyncio.gather(*(ask(number) for number in range(rounds * in_flight)))
        wall, cpu = time.perf_counter() - wall, processor_seconds(process) - cpu
        return told(f"{Path(model).stem[:20]} {engine} {in_flight}", calls, wall, cpu)


def bare(model: str, in_flight: int, tokens: int, rounds: int) -> float:
    folder = engines.converted(model, print)
    pipeline = OpenVinoPipeline(folder, engines.SLOTS["openvino"], engines.cores())
    engine = Engine(pipeline, in_flight, print)

    def asked(number: int) -> Asked:
        ids = pipeline.prompt([{"role": "user", "content": question(number)}])
        return Asked(ids, 0.7, 0.9, 0, 0.0, 1.1, number + 1, tokens)

    engine.submit(asked(WARM)).result()
    requests = [asked(number) for number in range(rounds * in_flight)]
    wall, cpu = time.perf_counter(), time.process_time()
    answers = [future.result() for future in [engine.submit(request) for request in requests]]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    calls = [(len(request.ids), answer.tokens) for request, answer in zip(requests, answers, strict=True)]
    return told(f"{Path(model).stem[:20]} bare pipeline {in_flight}", calls, wall, cpu)


def one(what: str, model: str, in_flight: int, tokens: int, rounds: int) -> None:
    """Measure one row in this process, and say its figure last."""
    if what == "bare":
        print(bare(model, in_flight, tokens, rounds), flush=True)
        os._exit(0)
    print(asyncio.run(through_the_client(model, what, in_flight, tokens, rounds)))


def measured(what: str, model: str, in_flight: int, tokens: int, rounds: int) -> float:
    """In a process and a project folder of its own, with a server of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "ECON_HOME": folder, "PYTHONPATH": str(REPOSITORY)}
        command = [sys.executable, __file__, "--one", what, model, "--in-flight", str(in_flight),
                   "--tokens", str(tokens), "--rounds", str(rounds)]  # fmt: skip
        done = subprocess.run(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
    *rows, figure = done.stdout.strip().splitlines()
    print("\n".join(rows), flush=True)
    time.sleep(4)  # its server ends
    return float(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--in-flight", nargs="+", type=int, default=[8, 32, 64])
    parser.add_argument("--tokens", type=int, default=128, help="most of an answer")
    parser.add_argument("--rounds", type=int, default=2, help="of answers, each as many as are in flight")
    parser.add_argument("--one", choices=["openvino", "llama.cpp", "bare"], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    os.environ["ECON_MODELS"] = str(models.folder())  # wherever the rows have their home
    if chosen.one:
        one(chosen.one, chosen.models[0], chosen.in_flight[0], chosen.tokens, chosen.rounds)
        return
    for model in chosen.models:
        engines.settings(model, Local(engine="llama.cpp"), print)
        engines.settings(model, Local(engine="openvino"), print)
        for in_flight in chosen.in_flight:
            rows = {what: measured(what, model, in_flight, chosen.tokens, chosen.rounds)
                    for what in ("llama.cpp", "openvino", "bare")}  # fmt: skip
            print(f"  openvino is {rows['openvino'] / rows['llama.cpp']:.2f} x llama.cpp and "
                  f"{rows['openvino'] / rows['bare']:.2f} x the bare pipeline, per processor second; "
                  f"load {os.getloadavg()[0]:.1f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
