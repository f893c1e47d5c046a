"""The URL of a database: taken apart, and shown to people without its password."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

LIKE = "one looks like postgresql://USER@HOST:5432/DATABASE"


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Address:
    """A PostgreSQL database.

    Raises:
        ValueError: it is no such URL. None of it is repeated, since a part may be a password.
    """

    url: str
    shown: str  # without password and options
    secrets: tuple[str, ...]

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            known, port = parts.scheme in ("postgresql", "postgres"), parts.port
        except ValueError:
            known, port = False, None
        if not known:
            raise ValueError(f"it is no URL of a PostgreSQL database; {LIKE}")
        if "@" in f"{parts.path}{parts.query}{parts.fragment}":
            raise ValueError(
                "its password has a character that a URL keeps for itself: write / as %2F, # as %23"
            )
        options = parse_qs(parts.query)
        given = [parts.password or "", *options.get("password", []), *options.get("sslpassword", [])]
        secrets = {form for secret in given if secret for form in (secret, unquote(secret))}
        user = f"{parts.username}@" if parts.username else ""
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        object.__setattr__(self, "url", url)
        object.__setattr__(
            self, "shown", f"postgresql://{user}{host}{f':{port}' if port else ''}{parts.path}"
        )
        object.__setattr__(self, "secrets", tuple(sorted(secrets, key=len, reverse=True)))

    def hidden(self, text: str) -> str:
        """A text of others without what is secret."""
        for secret in (self.url, *self.secrets):
            text = text.replace(secret, self.shown if secret == self.url else "***")
        return text


def database_url(url: str) -> str:
    """Of the params, which are kept with results: no password is in it.

    Raises:
        ValueError: what is wrong with it.
    """
    if Address(url).secrets:
        raise ValueError(
            "has a password in it, which would be kept: give the URL in ECON_CACHE_URL, or the password "
            "alone in PGPASSWORD or ~/.pgpass"
        )
    return url
