"""The HTTP client of the operator's commands: finds the service, speaks to it, and turns refusals into clear words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from gridstay.upkeep.files import TOKEN_FILE, WHERE_FILE

DEFAULT_URL = "http://127.0.0.1:8080"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_TIMEOUT = httpx.Timeout(10, read=660)
"""The service itself waits for a station up to ten minutes."""


class CliError(Exception):
    """What the user is told on standard error; the exit status is 1."""


class Refused(CliError):
    """The service refused. `alternatives` are the free periods it offers instead (start and end, RFC 3339)."""

    def __init__(self, message: str, status: int, alternatives: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.alternatives = alternatives


def reason(error: OSError) -> str:
    """What the system has against it, without its number."""
    return ": ".join(str(part) for part in (error.filename, error.strerror or error) if part)


@dataclass(frozen=True)
class Where:
    """Where the service is and what opens it; what is not given stands in the files of its data directory."""

    url: str | None
    token: str | None
    data: Path

    def address(self) -> str:
        """The service's HTTP address."""
        return (self.url or self._kept(WHERE_FILE) or DEFAULT_URL).rstrip("/")

    def secret(self) -> str:
        """The operator's token. Raises CliError when there is none."""
        token = self.token or self._kept(TOKEN_FILE)
        if not token:
            raise CliError(
                f"no operator token: there is no {self.data / TOKEN_FILE}; give --data, the directory of a service that has "
                "been started, or --token"
            )
        return token

    def _kept(self, name: str) -> str | None:
        path = self.data / name
        try:
            return path.read_text("utf-8").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CliError(f"cannot read {reason(error)}") from error
        except UnicodeDecodeError as error:
            raise CliError(f"cannot read {path}: it is not text") from error


class Client:
    """The service's API. Every method gives the answer's JSON and raises CliError when there is none."""

    def __init__(self, where: Where, transport: httpx.BaseTransport | None = None) -> None:
        self._url = where.address()
        try:
            self._http = httpx.Client(
                base_url=self._url,
                headers={"Authorization": f"Bearer {where.secret()}"},
                timeout=_TIMEOUT,
                transport=transport,
                trust_env=httpx.URL(self._url).host not in _LOOPBACK,
            )
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise CliError(f"cannot speak to {self._url}: {error}") from error

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def get(self, *path: str, query: Mapping[str, Any] | None = None) -> Any:
        """GET /api/<path>; a query's empty values are left out."""
        return self._send("GET", path, params={name: value for name, value in (query or {}).items() if value is not None})

    def text(self, *path: str, query: Mapping[str, Any] | None = None) -> str:
        """GET /api/<path>, whose answer is text and no JSON."""
        answer = self._request("GET", path, params=query or {})
        if answer.is_success:
            return answer.text
        raise refusal(answer.status_code, _content(answer, self._url))

    def post(self, *path: str, body: Any = None, query: Mapping[str, Any] | None = None, key: str | None = None) -> Any:
        """POST /api/<path>; `key` is the request's Idempotency-Key."""
        headers = {"Idempotency-Key": key} if key else {}
        return self._send("POST", path, json=body, params=query or {}, headers=headers)

    def put(self, *path: str, body: Any, query: Mapping[str, Any] | None = None) -> Any:
        """PUT /api/<path>."""
        return self._send("PUT", path, json=body, params=query or {})

    def patch(self, *path: str, body: Any, query: Mapping[str, Any] | None = None) -> Any:
        """PATCH /api/<path>."""
        return self._send("PATCH", path, json=body, params=query or {})

    def delete(self, *path: str, query: Mapping[str, Any] | None = None) -> Any:
        """DELETE /api/<path>."""
        return self._send("DELETE", path, params=query or {})

    def download(self, *path: str) -> bytes:
        """GET /api/<path>, a file."""
        answer = self._request("GET", path)
        if answer.is_success:
            return answer.content
        raise refusal(answer.status_code, _content(answer, self._url))

    def _send(self, method: str, path: tuple[str, ...], **more: Any) -> Any:
        answer = self._request(method, path, **more)
        content = _content(answer, self._url)
        if answer.is_success:
            return content
        raise refusal(answer.status_code, content)

    def _request(self, method: str, path: tuple[str, ...], **more: Any) -> httpx.Response:
        address = "/api/" + "/".join(quote(part, safe="") for part in path)
        try:
            return self._http.request(method, address, **more)
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise CliError(f"{self._url} is not an address of a service: {error}") from error
        except httpx.TimeoutException as error:
            raise CliError(f"the service at {self._url} did not answer in time") from error
        except httpx.TransportError as error:
            raise CliError(
                f"no service answers at {self._url} ({error}); start one with `gridstay serve`, or say where it is with "
                "--url or --data"
            ) from error


def _content(answer: httpx.Response, url: str) -> Any:
    if not answer.content:
        return None
    try:
        return answer.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        if answer.status_code >= 500:
            return {"detail": answer.text.strip()}
        raise CliError(f"what answers at {url} is not a gridstay service (status {answer.status_code}, no JSON)") from error


def refusal(status: int, content: Any) -> Refused:
    """An error answer in words."""
    body = content if isinstance(content, dict) else {}
    detail = _detail(body.get("detail"))
    message = {
        401: "the service does not take this operator token; give --token, or --data, the directory of that service",
        500: f"the service failed; its log says why ({detail})",
        504: f"no answer in time: {detail}",
    }.get(status, detail)
    alternatives = tuple((period["start"], period["end"]) for period in body.get("alternatives", ()))
    return Refused(message, status, alternatives)


def _detail(detail: Any) -> str:
    """The text, or a list of faults as `place: what is wrong`, one after the other."""
    if isinstance(detail, list):
        return "; ".join(_fault(fault) for fault in detail)
    return str(detail) if detail else "the service gave no reason"


def _fault(fault: Any) -> str:
    if not isinstance(fault, dict):
        return str(fault)
    place = ".".join(str(part) for part in fault.get("loc", ()) if part not in ("body", "query", "path"))
    words = str(fault.get("msg", "is wrong")).removeprefix("Value error, ")
    return f"{place}: {words}" if place else words
