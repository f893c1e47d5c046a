"""Which request must wait until another has read what both begin with.

The engine keeps what it has read, in blocks, and a later prompt with the same beginning takes it from there.
Prompts that arrive together would all read it, though: eight with 4,370 tokens in common cost 67 seconds of
CPU so, and 1 where seven wait for the first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

BLOCK = 32  # tokens: the engine's own on a CPU
REMEMBERED = 65_536  # blocks; whether the engine still has an old one is its affair, and costs time alone


class Prefixes:
    """Blocks by all that stands before them and in them: read, or being read by a request."""

    def __init__(self) -> None:
        self._read: OrderedDict[int, None] = OrderedDict()
        self._reading: dict[int, int] = {}  # block -> request
        self._blocks: dict[int, list[int]] = {}  # request -> blocks that it reads

    def may_read(self, request: int, ids: Sequence[int]) -> bool:
        """Take the blocks of a prompt that nobody has read. False: another reads the first of them."""
        new = [block for block in blocks(ids) if block not in self._read]
        if new and new[0] in self._reading:
            return False
        mine = [block for block in new if block not in self._reading]
        self._blocks[request] = mine
        self._reading.update(dict.fromkeys(mine, request))
        return True

    def has_read(self, request: int) -> None:
        for block in self._blocks.pop(request, ()):
            del self._reading[block]
            self._read[block] = None
        while len(self._read) > REMEMBERED:
            self._read.popitem(last=False)

    def gave_up(self, request: int) -> None:
        """The request ended before its prompt was read."""
        for block in self._blocks.pop(request, ()):
            del self._reading[block]


def blocks(ids: Sequence[int]) -> list[int]:
    """A number for each whole block of a prompt that stands for everything up to its end."""
    found, before = [], 0
    for start in range(0, len(ids) - BLOCK + 1, BLOCK):
        before = hash((before, *ids[start : start + BLOCK]))
        found.append(before)
    return found
