"""Which kind of file system holds a folder: the embedded database is not safe on one of the network.

Its processes share memory and locks through the file, which another machine does not see: two nodes that
write would damage it without a word.
"""

from __future__ import annotations

import re
from pathlib import Path

from econ.errors import EconError

_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|lustre|gpfs|beegfs\w*|ceph|panfs|orangefs|pvfs2|afs|glusterfs|fuse\..+|fuse"
)
# What runs in user space and yet on this machine: containers without root, encrypted and joined folders.
_LOCAL = {"fuse.fuse-overlayfs", "fuse.gocryptfs", "fuse.encfs", "fuse.cryfs", "fuse.mergerfs", "fuse.ext2fs"}
_OCTAL = re.compile(r"\\([0-7]{3})")


def kind(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """The type of the file system that holds ``folder``; empty where this machine does not say."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    folder, found, depth = folder.resolve(), "", -1
    for line in lines:
        words = line.split(" ")
        if len(words) < 3:
            continue
        place = Path(_OCTAL.sub(lambda octal: chr(int(octal[1], 8)), words[1]))
        if folder.is_relative_to(place) and len(place.parts) >= depth:  # of two at one place the later counts
            found, depth = words[2], len(place.parts)
    return found


def refuse_network(folder: Path) -> None:
    """Raises :class:`~econ.errors.EconError` where ``folder`` is on a file system of the network."""
    name = kind(folder)
    if _NETWORK.fullmatch(name) and name not in _LOCAL:
        raise EconError(
            f"the call cache {folder} is on a network file system ({name}), where SQLite is not safe",
            "for jobs on many machines name a PostgreSQL database in cache.url or ECON_CACHE_URL; for one "
            "machine name a folder on its own disk in ECON_STATE",
        )
