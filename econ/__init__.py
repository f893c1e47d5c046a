"""ECON: executor LLMs coordinated by beliefs and driven to a Bayesian Nash equilibrium (Yi et al., ICML 2025)."""

__version__ = "0.1.0"
