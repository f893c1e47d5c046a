"""ECON: executor LLMs coordinated by beliefs, driven to a Bayesian Nash equilibrium (Yi et al., 2025)."""

__version__ = "0.1.0"
