"""A local server of a kind that starts at once: what it serves does not matter to its life and death."""

from __future__ import annotations

import os
from typing import Any

from econ.llm.local import serve


def start(settings: dict[str, Any]) -> tuple[str, object]:
    if settings.get("broken"):
        raise SystemExit("model file is damaged")
    return f"http://127.0.0.1/{os.getpid()}", object()


if __name__ == "__main__":
    serve.main({"fake": start})
