"""Requests over HTTP: proxies as the environment has them, bodies bounded, no secret in what comes back.

The transport decides the overhead: plain aiohttp with an unbounded pool costs a tenth of an SDK's CPU per
call, so it carries everything, Together's SDK too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import urlsplit, urlunsplit

import orjson

from econ.errors import EconError
from econ.llm.faults import Fault, http_fault
from econ.llm.replies import decoded
from econ.records import Json

if TYPE_CHECKING:
    import aiohttp

    from econ.params import LLM

MOST_BYTES = 64 * 2**20  # of one answer, unpacked
SHORTEST_SECRET = 6


class Address(NamedTuple):
    """A base URL and the query that goes with every request (``?api-version=…``)."""

    base: str
    query: str

    @classmethod
    def of(cls, url: str) -> Self:
        parts = urlsplit(url)
        return cls(urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", "")), parts.query)

    def of_path(self, path: str) -> str:
        return f"{self.base}{path}?{self.query}" if self.query else f"{self.base}{path}"


class Received(NamedTuple):
    status: int
    payload: bytes
    retry_after: str | None


def connection(llm: LLM, key: str | None, *, offline: bool) -> Http:
    """A session with the params' headers; those written ``$NAME`` stand in the environment.

    Raises:
        EconError: the environment lacks one.
    """
    headers, secrets = {}, [key or ""]
    for name, value in llm.headers.items():
        if value.startswith("$"):
            if value[1:] not in os.environ and not offline:
                raise EconError(
                    f"llm.headers takes {name} from {value[1:]}, which the environment lacks",
                    f"export {value[1:]}=… and run again",
                )
            value = os.environ.get(value[1:], "")
            secrets.append(value)
        headers[name] = value
    return Http(llm.timeout_seconds, key, headers, secrets)


class Http:
    """POST and GET over one aiohttp session, made at first use.

    Args:
        key: sent as a bearer token.
        secrets: taken out of whatever a server says.
    """

    def __init__(
        self,
        timeout: float,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        secrets: Sequence[str] = (),
    ) -> None:
        self._timeout = timeout
        self._headers = {"Content-Type": "application/json", **(headers or {})}
        if key:
            self._headers.setdefault("Authorization", f"Bearer {key}")
        self._secrets = [secret.encode() for secret in secrets if len(secret) >= SHORTEST_SECRET]
        self._session: aiohttp.ClientSession | None = None
        self._proxies: dict[str, str | None] = {}

    def _open(self) -> aiohttp.ClientSession:
        import aiohttp

        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
            timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=min(30.0, self._timeout)),
            headers=self._headers,
        )

    async def exchange(
        self, method: str, url: str, data: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Received:
        """What the server answers, whatever its status.

        Raises:
            Fault: it gives no whole answer.
        """
        import aiohttp

        if self._session is None:
            self._session = self._open()
        proxy = self._proxy(url)
        try:
            async with self._session.request(
                method, url, data=data, headers=headers, proxy=proxy
            ) as response:
                payload = await _bounded(response)
                return Received(response.status, self._redacted(payload), response.headers.get("Retry-After"))
        except aiohttp.ClientConnectorDNSError:
            raise Fault("unknown host", gone=True) from None
        except (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch) as fault:
            raise _no_trust(url, fault) from None
        except aiohttp.ClientConnectorError:
            through = f" by the proxy of {_variable(url)}" if proxy else ""
            raise Fault(f"connection refused{through}", gone=True) from None
        except TimeoutError:
            raise Fault("timeout") from None
        except aiohttp.InvalidURL:
            way_out = "correct llm.base_url: one like http://127.0.0.1:8000/v1"
            raise EconError(f"'{url}' is not a URL", way_out) from None
        except aiohttp.ClientHttpProxyError as fault:
            way_out = f"correct {_variable(url)}, or name the host in NO_PROXY"
            raise Fault(f"proxy answers http {fault.status}", retry=False, ends=way_out) from None
        except (aiohttp.ClientError, OSError):
            raise Fault("connection dropped") from None

    def _proxy(self, url: str) -> str | None:
        """The proxy that HTTP(S)_PROXY name for a URL. Loopback is always direct."""
        place = url.split("/", 3)[2]
        if place not in self._proxies:
            self._proxies[place] = _proxy_of(url)
        return self._proxies[place]

    def _redacted(self, payload: bytes) -> bytes:
        """A server that echoes our key tells it to nobody."""
        for secret in self._secrets:
            if secret in payload:
                payload = payload.replace(secret, b"***")
        return payload

    async def ask(self, method: str, url: str, body: Json | None = None) -> bytes:
        """The body of a 200 answer.

        Raises:
            Fault: anything else.
        """
        got = await self.exchange(method, url, None if body is None else orjson.dumps(body))
        if got.status != 200:
            raise http_fault(got.status, got.payload, got.retry_after)
        return got.payload

    async def json(self, method: str, url: str, body: Json | None = None) -> Any:
        return decoded(await self.ask(method, url, body))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """The whole body, unless it is longer than any answer can be."""
    length = response.content_length
    if length is not None and length <= MOST_BYTES and "Content-Encoding" not in response.headers:
        return await response.read()
    parts, total = [], 0
    async for part in response.content.iter_any():
        total += len(part)
        if total > MOST_BYTES:
            response.close()
            raise Fault("answer of more than 64 MB")
        parts.append(part)
    return b"".join(parts)


def _no_trust(url: str, fault: Exception) -> Fault:
    reason = getattr(fault, "certificate_error", None) or getattr(fault, "os_error", None) or fault
    said = " ".join(str(reason).split())[:200]
    return Fault(
        "no secure connection", retry=False, detail=said,
        ends="does it speak https at that port (else http://)? SSL_CERT_FILE names certificates of your own",
    )  # fmt: skip


def _proxy_of(url: str) -> str | None:
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    host = parts.hostname or ""
    if _loopback(host) or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    found = getproxies()
    return found.get(parts.scheme) or found.get("all")


def _loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _variable(url: str) -> str:
    return f"{urlsplit(url).scheme.upper()}_PROXY"
