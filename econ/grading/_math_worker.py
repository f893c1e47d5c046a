"""Runs as a script: compares pairs of LaTeX expressions with math-verify, one JSON line in, one out."""

from __future__ import annotations

import json
import logging
import resource
import signal
import sys
from typing import Any

MEMORY_BYTES = 4 << 30


class OutOfTime(BaseException):
    """Not an Exception: the libraries below catch those and go on."""


def main(cpu_seconds: float) -> None:
    from math_verify import LatexExtractionConfig, parse, verify

    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGVTALRM, _out_of_time)
    config = [LatexExtractionConfig()]  # no plain-expression parser: that one goes through Python's own

    def read(latex: str) -> Any:
        return parse(f"${latex}$", config, parsing_timeout=None)

    def same(a: str, b: str) -> bool:
        first, second = read(a), read(b)
        return bool(first and second and verify(first, second, timeout_seconds=None))

    _answer("ready")
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_VIRTUAL, cpu_seconds)
        try:
            verdict = same(*json.loads(line))
        except (OutOfTime, MemoryError, RecursionError):
            verdict = False
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        _answer(verdict)


def _answer(value: object) -> None:
    print(json.dumps(value), flush=True)


def _out_of_time(signum: int, frame: object) -> None:
    raise OutOfTime


if __name__ == "__main__":
    main(float(sys.argv[1]))
