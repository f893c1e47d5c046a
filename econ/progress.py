"""Progress of a long step: a bar in a terminal, plain lines elsewhere; and what is waited for meanwhile."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from econ.llm.base import Client
from econ.terminal import clock, printable

LINE_EVERY = 15.0  # seconds between plain lines while units are done
SILENT, AGAIN = 9.0, 60.0  # seconds of silence until it is said what is waited for, and said again


class Pulse:
    """Calls ``beat`` about once a second until it is left, from a thread of its own."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(beat,), daemon=True)

    def _run(self, beat: Callable[[], None]) -> None:
        while not self._ended.wait(1.0):
            beat()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say on stderr that ``what`` is waited for, where that takes long."""
    started = time.monotonic()
    due = started + SILENT

    def beat() -> None:
        nonlocal due
        if (now := time.monotonic()) >= due:
            due = now + AGAIN
            _tell(f"econ: waiting for {what} ({clock(now - started)})")

    with Pulse(beat):
        yield


def _tell(line: str) -> None:
    print(printable(line), file=sys.stderr, flush=True)


class Progress:
    """Shows problems done, calls, tokens, money and time left on stderr.

    Args:
        total: units to do.
        unit: what is counted, in the plural ("problems", "episodes").
        client: whose usage is shown.
        label: what is running, e.g. ``svamp/econ-bne-n3-s0``.
    """

    def __init__(self, total: int, unit: str, client: Client, label: str) -> None:
        self._total, self._unit, self._client, self._label = total, unit, client, label
        self._done = 0
        self._shown: dict[str, str] = {}
        self._started = self._last_line = self._last_unit = time.monotonic()
        self._due = self._started + SILENT  # when silence is broken
        self._bar = None
        self._lock = threading.Lock()
        self._pulse = Pulse(self._beat)

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=self._total, unit=f" {self._unit}", desc=self._label, dynamic_ncols=True)
        self._pulse.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pulse.__exit__()
        if self._bar is not None:
            self._bar.close()
        elif kind is None:
            self._line()

    def advance(self, n: int = 1, **shown: float | str) -> None:
        """Count ``n`` more units done; ``shown`` values (a loss, a reward …) stand beside the counts."""
        with self._lock:
            self._done += n
            self._last_unit = time.monotonic()
            self._shown = {
                key: value if isinstance(value, str) else f"{value:.3g}" for key, value in shown.items()
            }
            if self._bar is not None:
                self._bar.set_postfix_str(", ".join(self._facts()), refresh=False)
                self._bar.update(n)
            elif self._last_unit - self._last_line >= LINE_EVERY:
                self._line()

    def _beat(self) -> None:
        """In a terminal the clock goes on; elsewhere a silence ends. Both say what is waited for."""
        with self._lock:
            now = time.monotonic()
            if self._bar is not None:
                if now - self._last_unit >= SILENT:
                    self._bar.set_postfix_str(", ".join([*self._waits(), *self._facts()]), refresh=False)
                self._bar.refresh()
            elif now >= self._due:
                self._line()
                self._due = now + AGAIN

    def _waits(self) -> list[str]:
        waits = self._client.usage.waiting
        return [f"waiting for {', '.join(f'{what} ({n:,})' for what, n in waits.items())}"] if waits else []

    def _facts(self) -> list[str]:
        usage = self._client.usage
        facts = [f"{key} {value}" for key, value in self._shown.items()]
        facts.append(f"{usage.made} calls made, {usage.cached} from cache")
        if usage.failed:
            facts.append(f"{usage.failed} failed")
        facts.append(f"{usage.tokens.total:,} tokens paid")
        if usage.usd is not None:
            facts.append(f"${usage.usd:.4f}")
        return facts

    def _line(self) -> None:
        self._last_line = time.monotonic()
        self._due = self._last_line + SILENT
        passed = self._last_line - self._started
        # Problems in flight together end together: the first few of them tell nothing of the rest.
        known = self._done >= max(1, self._total / 10)
        left = passed / self._done * (self._total - self._done) if known else None
        times = f"{clock(passed)} passed" + (f", {clock(left)} left" if left else "")
        waits = self._waits() if self._last_line - self._last_unit >= SILENT else []
        facts = [f"{self._done}/{self._total} {self._unit}", *self._facts(), times, *waits]
        _tell(f"{self._label}: {', '.join(facts)}")
