"""What of the params can change a result.

Lists of jobs, limits and prices cannot; where the rows come from is the manifest's to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from econ.params.methods import learns

if TYPE_CHECKING:
    from econ.params import Params

_ECON_SECTIONS = ("embedding", "action", "network", "reward", "train", "bne", "team")
_DATA = {"test_problems", "sample_seed", "reference_tokens", "scorer"}
_LLM = {"backend", "provider", "coordinator", "executors", "structured", "max_tokens"}


def setting(params: Params, method: str) -> dict[str, Any]:
    """The part of the params that can change ``method``'s answers."""
    params, trained = params.of(method), learns(method)
    sections = _ECON_SECTIONS if trained else ()
    own = {"simulated": {"simulated"}, "bank": {"bank"}}.get(params.llm.backend, set())
    kept = params.model_dump(mode="json", include={*sections, *own})
    kept["settings"] = params.settings_of(method).model_dump(mode="json")
    kept["data"] = params.data.model_dump(
        mode="json", include=_DATA | ({"train_problems"} if trained else set())
    )
    kept["llm"] = params.llm.model_dump(mode="json", include=_LLM)
    if params.llm.backend == "local":
        kept["llm"]["local"] = {"engine": params.llm.local.engine}
    kept.get("embedding", {}).pop("engine", None)  # all compute the same vectors
    for name in ("checkpoint_interval", "keep_state"):  # what a kill costs, and what is left at the end
        kept.get("train", {}).pop(name, None)
    return kept


def training(params: Params) -> dict[str, Any]:
    """All that can change what is learned: ECON's setting, less what only test problems are played with."""
    kept = setting(params, "econ-bne")
    del kept["settings"], kept["data"]["test_problems"], kept["bne"]["max_iterations_infer"]
    return kept
