"""LLM calls: one async client for all backends. Public face: :func:`open_client`."""
