"""Every test here has a project folder of its own."""

from tests.llm.conftest import project, quick, vectors

__all__ = ["project", "quick", "vectors"]
