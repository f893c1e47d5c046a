"""Ctrl-C, SIGTERM and SIGHUP end a command in one way: what is paid for is still taken in, then it stops."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from econ.errors import EconError

T = TypeVar("T")
SIGNALS = (signal.SIGTERM, signal.SIGHUP)  # of schedulers that pre-empt, and of a terminal that is closed


class Stopped(EconError):
    """A signal ended the command. ``code`` is what a shell expects of it."""

    def __init__(self, number: int) -> None:
        self.code = 128 + number
        name = signal.Signals(number).name
        super().__init__(f"stopped by {name}", "what was answered is kept, run it again to go on")


def run(main: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run``, where SIGTERM and SIGHUP cancel as Ctrl-C does. One that is ignored (nohup) stays so.

    Raises:
        Stopped: by one of them.
    """
    return asyncio.run(_guarded(main))


async def _guarded(main: Coroutine[Any, Any, T]) -> T:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    got: list[int] = []

    def stop(number: int) -> None:
        if not got and task is not None:
            task.cancel()
        got.append(number)

    caught = [number for number in SIGNALS if signal.getsignal(number) is signal.SIG_DFL]
    for number in caught:
        loop.add_signal_handler(number, stop, number)
    try:
        return await main
    except asyncio.CancelledError:
        if got:
            raise Stopped(got[0]) from None
        raise
    finally:
        for number in caught:
            loop.remove_signal_handler(number)
