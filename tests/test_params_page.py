"""docs/params.md is what the schema says now."""

from __future__ import annotations

from pathlib import Path

from econ.params.reference import page

PAGE = Path(__file__).parents[1] / "docs" / "params.md"


def test_the_page_of_params_is_current() -> None:
    whole = page()
    assert PAGE.read_text(encoding="utf-8") == whole, "python -m econ.params.reference > docs/params.md"
    assert "| `train.keep_state` | true or false | `false` | keep that when training has ended" in whole
    assert "| `action.temperature.low` | number | `0.1` |" in whole
    assert "## `data.custom.NAME`" in whole
    assert "Usage Documentation" not in whole
