"""Columns that several tables show."""

from __future__ import annotations

from econ.reporting.catalogue import Column

JOB = {
    "benchmark": Column("Benchmark"),
    "method": Column("Method"),
    "n_agents": Column("N", "count"),
}
N = {"n": Column("n", "count")}
ACCURACY = {"accuracy": Column("Accuracy", "percent", "accuracy_low", "accuracy_high")}
DIFFERENCE = {"difference": Column("Points", "points", "difference_low", "difference_high")}
NO_WORSE = {"no_worse": Column("No worse")}
POWER = {"least": Column("Least", "percent"), "detectable": Column("Detectable", "percent")}
PAPER_MODELS = {
    "paper_mixtral_8x7b": Column("8x7B*", "percent"),
    "paper_mixtral_8x22b": Column("8x22B*", "percent"),
    "paper_llama_70b": Column("70B*", "percent"),
    "paper_llama_405b": Column("405B*", "percent"),
}
PAPER_TOKENS = {
    "paper_mixtral_8x7b": Column("8x7B*", "tokens"),
    "paper_mixtral_8x22b": Column("8x22B*", "tokens"),
    "paper_llama_70b": Column("70B*", "tokens"),
}
STARRED = (
    "* = as the paper reports it, with models of its own (Mixtral 8x7B and 8x22B, LLaMA3.1 70B and 405B)"
)
