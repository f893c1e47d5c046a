"""How a server is reached and what it is sent: checked before anything runs."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from econ.params.base import Section, Share

# What a request says by other params; extra_body cannot say it again.
OWN_FIELDS = (
    "model", "messages", "temperature", "top_p", "repetition_penalty", "repeat_penalty", "max_tokens",
    "max_completion_tokens", "seed", "response_format", "stream", "n",
)  # fmt: skip
_SECRET = re.compile(r"(?i)authorization|key|token|secret|cookie|password")


def base_url(url: str) -> str:
    """An address that requests can be sent to.

    Raises:
        ValueError: what is wrong with it. A password is not repeated.
    """
    if re.search(r"[\s\x00-\x1f]", url):
        raise ValueError(f"'{' '.join(url.split())}' has a blank in it")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as fault:
        raise ValueError(f"'{url}' is not a URL ({fault}); one looks like http://127.0.0.1:8000/v1") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("has a user or password in it, which would be kept: keys come from the environment")
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError(f"'{url}' is not a URL of a server: one looks like http://127.0.0.1:8000/v1")
    for end in ("/chat/completions", "/completions", "/models"):
        if parts.path.rstrip("/").endswith(end):
            raise ValueError(f"'{url}' ends in {end}: give what stands before it")
    return url


def _extra_body(extra: dict[str, Any]) -> dict[str, Any]:
    own = [name for name in OWN_FIELDS if name in extra]
    if own:
        raise ValueError(f"{own[0]} has params of its own; extra_body is for what else the server takes")
    return extra


def _fields(fields: dict[str, str | None]) -> dict[str, str | None]:
    for name in ("model", "messages"):
        if name in fields:
            raise ValueError(f"{name} cannot be renamed or left out")
    return fields


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or re.search(r"[\r\n\0]", value):
            raise ValueError(f"{name!r} cannot be sent as a header")
        if _SECRET.search(name) and not value.startswith("$"):
            raise ValueError(f"{name}: keys come from the environment alone: write $NAME, a variable's name")
    return headers


class FailedShare(Section):
    """The calls that may get no answer before a job is incomplete, as a share of its calls."""

    train: Share = 0.0
    answers: Share = 0.02


def _share(value: Any) -> Any:
    return {"answers": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


BaseUrl = Annotated[str, AfterValidator(base_url)]
ExtraBody = Annotated[dict[str, Any], AfterValidator(_extra_body), Field(max_length=100)]
Fields = Annotated[dict[str, str | None], AfterValidator(_fields), Field(max_length=100)]
Headers = Annotated[dict[str, str], AfterValidator(_headers), Field(max_length=100)]
Failing = Annotated[FailedShare, BeforeValidator(_share)]
