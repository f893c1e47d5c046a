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

MEMORY_BYTES = 4 << 30
TOLERANCE = 1e-6  # relative; math-verify's own is absolute and takes 2^-98 for 2^-99
POINTS = (0.7390851, 1.3247179, 0.5671432, 1.9021605, 0.9159655, 1.6449340)  # values without a pattern


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
    """Two expressions that differ at a point are unequal, without any algebra; else math-verify decides."""
    from math_verify import verify

    first, second = read(a), read(b)
    if not first or not second or _differ(first[0], second[0]):
        return False
    return bool(verify(list(first), list(second), timeout_seconds=None))


@lru_cache(maxsize=4096)
def read(latex: str) -> tuple[Any, ...]:
    from math_verify import LatexExtractionConfig, parse

    # Only the LaTeX parser: the one for plain expressions goes through Python's own.
    return tuple(parse(f"${latex}$", [LatexExtractionConfig()], parsing_timeout=None))


def _differ(a: Any, b: Any) -> bool:
    """Have two expressions (or two pairs, or two intervals) plainly different values at a point?"""
    from sympy import Expr, Interval, Tuple

    if isinstance(a, Tuple) and isinstance(b, Tuple) and len(a) == len(b):
        return any(_differ(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, Interval) and isinstance(b, Interval):
        return _differ(a.start, b.start) or _differ(a.end, b.end)
    if not isinstance(a, Expr) or not isinstance(b, Expr):
        return False
    symbols = sorted(a.free_symbols | b.free_symbols, key=str)
    point = dict(zip(symbols, POINTS, strict=False))
    try:
        x, y = complex(a.evalf(subs=point)), complex(b.evalf(subs=point))
        return abs(x - y) > TOLERANCE * max(abs(x), abs(y))
    except (TypeError, ValueError, ArithmeticError, AttributeError):
        return False  # no number: infinite, a matrix, more symbols than points


def _answer(value: object) -> None:
    print(json.dumps(value), flush=True)


def _out_of_time(signum: int, frame: object) -> None:
    raise OutOfTime


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):  # whoever asked is gone
        main(float(sys.argv[1]))
