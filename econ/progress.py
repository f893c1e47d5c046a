"""Progress of a long step: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from econ.llm.base import Client
from econ.terminal import clock, printable

LINE_EVERY = 15.0  # seconds between plain lines


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
        self._started = self._last_line = time.monotonic()
        self._bar = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=self._total, unit=f" {self._unit}", desc=self._label, dynamic_ncols=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        elif kind is None:
            self._line()

    def advance(self, n: int = 1, **shown: float | str) -> None:
        """Count ``n`` more units done; ``shown`` values (a loss, a reward …) stand beside the counts."""
        self._done += n
        self._shown = {
            key: value if isinstance(value, str) else f"{value:.3g}" for key, value in shown.items()
        }
        if self._bar is not None:
            self._bar.set_postfix_str(", ".join(self._facts()), refresh=False)
            self._bar.update(n)
        elif time.monotonic() - self._last_line >= LINE_EVERY:
            self._line()

    def _facts(self) -> list[str]:
        usage = self._client.usage
        facts = [f"{key} {value}" for key, value in self._shown.items()]
        facts.append(f"{usage.made} calls made, {usage.cached} from cache")
        if usage.failed:
            facts.append(f"{usage.failed} failed")
        facts.append(f"{usage.prompt_tokens + usage.completion_tokens:,} tokens paid")
        if usage.usd is not None:
            facts.append(f"${usage.usd:.4f}")
        return facts

    def _line(self) -> None:
        self._last_line = time.monotonic()
        passed = self._last_line - self._started
        # Problems in flight together end together: the first few of them tell nothing of the rest.
        known = self._done >= max(1, self._total / 10)
        left = passed / self._done * (self._total - self._done) if known else None
        times = f"{clock(passed)} passed" + (f", {clock(left)} left" if left else "")
        facts = [f"{self._done}/{self._total} {self._unit}", *self._facts(), times]
        print(printable(f"{self._label}: {', '.join(facts)}"), file=sys.stderr, flush=True)
