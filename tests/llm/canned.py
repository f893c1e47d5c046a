"""Answers as servers are known to give them, each after a public report: by name, for the fake server."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]


def error(message: str, **more: Any) -> Body:
    return {"error": {"message": message, **more}}


def says(message: Body, **more: Any) -> Body:
    return {"choices": [{"index": 0, "finish_reason": "stop", "message": message, **more}], "model": "fake"}


PAGE = b"<!DOCTYPE html><html><head><title>Welcome to nginx!</title></head><body>hi</body></html>"
# Answers as servers are known to give them, by the name of the fault: status, body, headers.
CANNED: dict[str, tuple[int, Body | bytes, dict[str, str]]] = {
    "credit": (402, error("Insufficient credits. Add more."), {}),
    "quota": (
        429,
        error("You exceeded your current quota.", code="insufficient_quota"),
        {"Retry-After": "1"},
    ),
    "no model": (404, error("The model `fake` does not exist", code="model_not_found"), {}),
    "no model 400": (400, error("Invalid model name passed in model=fake"), {}),
    "no path": (404, {"detail": "Not Found"}, {}),
    "no method": (405, {"detail": "Method Not Allowed"}, {}),
    "went away": (410, error("This model was retired"), {}),
    "key": (401, error("Incorrect API key provided: sk-very-secret"), {}),
    "no rights": (403, error("You have no access to this model"), {}),
    "page": (200, PAGE, {}),
    "page 502": (502, PAGE, {}),
    "loading": (503, error("Loading model"), {}),
    "hour": (429, error("Too many requests"), {"Retry-After": "3600"}),
    "day": (503, error("Maintenance"), {"Retry-After": "86400"}),
    "for ever": (429, error("Too many requests"), {"Retry-After": "inf"}),
    "strange wait": (429, error("Too many requests"), {"Retry-After": "nan"}),
    "max_tokens": (
        400,
        error(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead."
        ),
        {},
    ),
    "seed": (400, error("Unrecognized request argument supplied: seed"), {}),
    "top_p": (400, error("`temperature` and `top_p` cannot both be specified for this model."), {}),
    "temperature": (400, error("Unsupported value: 'temperature' does not support 0.7 with this model."), {}),
    "penalty": (
        422,
        {"detail": [{"loc": ["body", "repetition_penalty"], "msg": "Extra inputs are not permitted"}]},
        {},
    ),
    "schema": (400, error("This response_format type is unavailable now"), {}),
    "schema 500": (500, error("grammar compilation failed"), {}),
    "overflow 400": (
        400,
        error("This model's maximum context length is 8192 tokens. However, you requested 9000"),
        {},
    ),
    "overflow 413": (413, b"Payload Too Large", {}),
    "overflow 422": (
        422,
        error("Input validation error: `inputs` must have less than 1024 tokens. Given: 2000"),
        {},
    ),
    "overflow 500": (500, error("the request exceeds the available context size"), {}),
    "overflow words": (400, error("Input tokens exceed the configured limit of 4096 tokens"), {}),
    "overflow prompt": (400, error("prompt is too long: 210000 tokens > 200000 maximum"), {}),
    "filter": (
        400,
        error("The response was filtered due to the content management policy", code="content_filter"),
        {},
    ),
    "moderated": (403, error("Your input was flagged by moderation"), {}),
    "refusal": (200, says({"content": None, "refusal": "I cannot help."}), {}),
    "filtered": (200, says({"content": ""}, finish_reason="content_filter"), {}),
    "error in 200": (200, error("Provider returned error", code=502), {}),
    "credit in 200": (200, error("Insufficient credits", code=402), {}),
    "error in choice": (200, {"choices": [{"error": {"message": "overloaded", "code": 503}}]}, {}),
    "finish dict": (200, says({"content": "7"}, finish_reason={"type": "stop"}), {}),
    "surrogate": (200, b'{"choices": [{"message": {"content": "7 \\ud800"}}]}', {}),
    "bad utf-8": (200, b'{"choices": [{"message": {"content": "7 \xff"}}]}', {}),
    "bom": (200, b'\xef\xbb\xbf{"choices": [{"message": {"content": "7"}}]}', {}),
    "nan": (200, b'{"choices": [{"message": {"content": "7"}, "logprobs": NaN}]}', {}),
    "echoes the key": (500, error("bad header: Bearer sk-very-secret \x1b[2J"), {}),
    "control characters": (400, error("no \x1b[2J\x07 way\nat all"), {}),
}
