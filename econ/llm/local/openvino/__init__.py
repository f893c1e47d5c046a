"""The fast engine: a GGUF model stored as int8 for OpenVINO GenAI, one batch for all requests."""
