"""What the documentation says of the code is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
# A path of the repository between backticks, or the target of a link to a file.
PATHS = re.compile(r"`((?:econ|tests|data|docs|perf|params|workflow)/[\w./-]*[\w/])`")
LINKS = re.compile(r"\]\((?!https?:|#)([^)#]+)")
NAMES = re.compile(r"`(?:([A-Z]\w+)\.)?(\w+)` in `(econ/[\w/]+\.py)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = {path for path in PATHS.findall(text) if "{" not in path}
    missing = [path for path in named if not (ROOT / path).exists() and not path.startswith("data/bench")]
    missing += [link for link in LINKS.findall(text) if not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_that_a_page_places_in_a_file_are_there(page: Path) -> None:
    for owner, name, path in NAMES.findall(page.read_text(encoding="utf-8")):
        code = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"(def|class) {name}\b|^\s*{name}\b.*=", code, re.MULTILINE), (name, path)
        assert not owner or re.search(rf"class {owner}\b", code), (owner, path)
