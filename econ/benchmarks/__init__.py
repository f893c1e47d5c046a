"""The benchmarks: found, normalised to problems, checked by hash, sampled.

Sources are the hub at pinned revisions, a mirror folder with the same files, the problems that this
project ships, or a user's own question/answer set (``data.custom``).
"""

from econ.benchmarks.registry import Benchmark, Source, names, spec, title
from econ.benchmarks.store import download, load, manifest

__all__ = ["Benchmark", "Source", "download", "load", "manifest", "names", "spec", "title"]
