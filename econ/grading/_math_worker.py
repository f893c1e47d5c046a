"""Runs as a script: compares pairs of LaTeX expressions with math-verify, one JSON line in, one out."""

from __future__ import annotations

import contextlib
import json
import logging
import resource
import signal
import sys
from functools import lru_cache
from typing import Any

from econ.grading._values import alike

MEMORY_BYTES = 4 << 30


class OutOfTime(BaseException):
    """Not an Exception: the libraries below catch those and go on."""


def main(cpu_seconds: float) -> None:
    import math_verify  # noqa: F401 - loaded before memory is limited and the first comparison is timed

    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGVTALRM, _out_of_time)
    _answer("ready")
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_VIRTUAL, cpu_seconds)
        try:
            verdict = same(*json.loads(line))
        except (
            OutOfTime,
            Exception,
        ):  # sympy raises all kinds on odd input: what cannot be compared is not equal
            verdict = False
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        _answer(verdict)


def same(a: str, b: str) -> bool:
    """Two expressions with values are compared by these (:func:`econ.grading._values.alike`); all others by
    math-verify."""
    from math_verify import verify

    first, second = read(a), read(b)
    if not first or not second:
        return False
    verdict = alike(first[0], second[0])
    return bool(verify(list(first), list(second), timeout_seconds=None)) if verdict is None else verdict


@lru_cache(maxsize=4096)
def read(latex: str) -> tuple[Any, ...]:
    from math_verify import LatexExtractionConfig, parse

    # Only the LaTeX parser: the one for plain expressions goes through Python's own.
    return tuple(parse(f"${latex}$", [LatexExtractionConfig()], parsing_timeout=None))


def _answer(value: object) -> None:
    print(json.dumps(value), flush=True)


def _out_of_time(signum: int, frame: object) -> None:
    raise OutOfTime


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):  # whoever asked is gone
        main(float(sys.argv[1]))
