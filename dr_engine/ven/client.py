"""The VTN's door: tokens, pages, and errors that say whether it helps to ask again.

Every answer is read no further than the largest that is taken. A token is renewed before it ends, and once when it is
refused. How long to wait after a failure is the caller's business; `Unavailable` says what the VTN asked for.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar

import httpx

from dr_engine.ven.metrics import DECLINED, OK, UNAVAILABLE, VenMetrics
from dr_engine.ven.settings import VenSettings
from protocols.openadr.objects import Addressable, OpenAdrObject, Problem, Token, TokenServer
from protocols.openadr.versions import Version
from protocols.openadr.wire import MOST_OCTETS, NotOpenAdr, decode, encode, loads
from runtime.clock import Clock

PAGE: Final = 50
MOST_PAGES: Final = 200
MOST_WAIT_S: Final = 300.0
NOT_THERE: Final = (404, 405)
_EARLY_S: Final = 30.0
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
A = TypeVar("A", bound=Addressable)


class VtnError(Exception):
    """The VTN did not do what was asked; the text says why."""


class Unavailable(VtnError):
    """It may do so later: unreachable, overloaded, failing. `wait_s`: how long it asked us to wait."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class Declined(VtnError):
    """It will not: the request is wrong, or not ours to make."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: its JSON, and the tag under which it can be asked whether it is still the same."""

    status: int
    content: Any
    etag: str | None


class VtnClient:
    """One VTN. Close it with `close`."""

    def __init__(
        self,
        settings: VenSettings,
        clock: Clock,
        metrics: VenMetrics,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._url = str(settings.url).rstrip("/")
        verify = ssl.create_default_context(cafile=settings.ca_file) if settings.url.scheme == "https" else False
        self._http = httpx.AsyncClient(
            timeout=settings.timeout_s,
            verify=verify,
            trust_env=settings.url.host not in _LOOPBACK,
            follow_redirects=False,
            transport=transport,
        )
        self._token: str | None = None
        self._token_ends = 0.0
        self._token_url = None if settings.token_url is None else str(settings.token_url)
        self._etags: dict[str, tuple[str, list[Any]]] = {}
        self.version = settings.version or Version.V3_1
        """In which our objects are written."""
        self.refused = 0
        """How often the VTN did not know a token that was good by its time: it may have begun anew."""
        self.skew_s: float | None = None
        """How far the VTN's clock is ahead of ours, by its last answer."""

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def search(self, path: str, query: Mapping[str, str | list[str]]) -> list[Any]:
        """All objects in wire form, page by page. What is answered as unchanged is as it was."""
        found: list[Any] = []
        for number in range(MOST_PAGES):
            page = await self._page(path, {**query, "skip": str(number * PAGE), "limit": str(PAGE)})
            found += page
            if len(page) < PAGE:
                return found
        raise Declined(f"GET {path}: more than {MOST_PAGES * PAGE} objects", 413)

    async def get(self, kind: type[A], path: str) -> A | None:
        """One object, or None when the VTN has none there (for us)."""
        try:
            return _read(kind, "GET", path, await self._ask("GET", path))
        except Declined as error:
            if error.status in (403, 404):
                return None
            raise

    async def get_json(self, path: str) -> Any:
        """What a path answers."""
        return (await self._ask("GET", path)).content

    async def post(self, path: str, message: OpenAdrObject, kind: type[A]) -> A:
        """Make an object; gives it as the VTN keeps it. Raises NotSendable too."""
        return _read(kind, "POST", path, await self._ask("POST", path, encode(message, self.version)))

    async def put(self, path: str, message: OpenAdrObject, kind: type[A]) -> A:
        """Change an object. Raises NotSendable too."""
        return _read(kind, "PUT", path, await self._ask("PUT", path, encode(message, self.version)))

    async def _page(self, path: str, query: Mapping[str, str | list[str]]) -> list[Any]:
        key = f"{path}?{httpx.QueryParams(query)}"
        known = self._etags.get(key)
        answer = await self._ask("GET", path, None, query, {"If-None-Match": known[0]} if known else {})
        if answer.status == 304 and known:
            return known[1]
        if not isinstance(answer.content, list):
            raise Declined(f"GET {path}: the VTN answered with no list", answer.status)
        if answer.etag:
            self._etags[key] = answer.etag, answer.content
        else:
            self._etags.pop(key, None)
        return answer.content

    async def _ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, str | list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        for attempt in (1, 2):
            bearer = {"Authorization": f"Bearer {await self.bearer()}"}
            status, found, content = await self._send(
                method, f"{self._url}{path}", params=query, json=body, headers={**(headers or {}), **bearer}
            )
            if status == 401 and attempt == 1:
                self._token = None
                self.refused += 1
                continue
            break
        if status == 304:
            return Answer(status, None, found.get("ETag"))
        if status == 429 or status >= 500:
            raise Unavailable(f"{method} {path}: {_reason(status, content)}", _retry_after(found, self._clock.now()))
        if not 200 <= status < 300:
            raise Declined(f"{method} {path}: {_reason(status, content)}", status)
        try:
            return Answer(status, loads(content), found.get("ETag"))
        except NotOpenAdr as error:
            raise Declined(f"{method} {path}: {error}", status) from error

    async def _send(self, method: str, url: str, **more: Any) -> tuple[int, httpx.Headers, bytes]:
        """One exchange. Raises Unavailable, and Declined for an answer that is too large."""
        content = bytearray()
        try:
            async with self._http.stream(method, url, **more) as answer:
                async for chunk in answer.aiter_bytes():
                    content += chunk
                    if len(content) > MOST_OCTETS:
                        raise Declined(f"{method} {url}: the answer is larger than {MOST_OCTETS} octets", 413)
        except (httpx.TransportError, httpx.DecodingError, httpx.InvalidURL) as error:
            raise Unavailable(f"{method} {url}: {error or type(error).__name__}") from error
        self._compare_clocks(answer.headers)
        return answer.status_code, answer.headers, bytes(content)

    def _compare_clocks(self, headers: httpx.Headers) -> None:
        if (told := _http_date(headers.get("Date"))) is not None:
            self.skew_s = (told - self._clock.now()).total_seconds()

    # Tokens -------------------------------------------------------------------------------------------------------------

    async def bearer(self) -> str:
        """A token that is good for now. Raises VtnError."""
        if self._token is None or self._clock.monotonic() >= self._token_ends:
            self._token = await self._counted_token()
        return self._token

    async def _counted_token(self) -> str:
        try:
            token = await self._new_token()
        except VtnError as error:
            self._metrics.tokens.add(UNAVAILABLE if isinstance(error, Unavailable) else DECLINED)
            raise
        self._metrics.tokens.add(OK)
        return token

    async def _new_token(self) -> str:
        settings = self._settings
        secret = settings.client_secret.get_secret_value()
        form = {"grant_type": "client_credentials"}
        by_basic = httpx.BasicAuth(settings.client_id, secret) if settings.token_auth == "basic" else None
        if by_basic is None:
            form |= {"client_id": settings.client_id, "client_secret": secret}
        url = await self._where_tokens_are()
        more: dict[str, Any] = {"data": form} | ({"auth": by_basic} if by_basic else {})
        status, headers, content = await self._send("POST", url, **more)
        if status == 429 or status >= 500:
            raise Unavailable(f"token: {_reason(status, content)}", _retry_after(headers, self._clock.now()))
        try:
            token = decode(Token, loads(content)) if 200 <= status < 300 else None
        except NotOpenAdr as error:
            raise Declined(f"token: {error}", status) from error
        if token is None:
            raise Declined(f"token: {_reason(status, content)}", status)
        life_s = 3600.0 if token.expires_in is None else token.expires_in
        self._token_ends = self._clock.monotonic() + max(life_s - _EARLY_S, life_s / 2)
        return token.access_token

    async def _where_tokens_are(self) -> str:
        if self._token_url is None:
            status, headers, content = await self._send("GET", f"{self._url}/auth/server")
            if status == 429 or status >= 500:
                raise Unavailable(f"token: {_reason(status, content)}", _retry_after(headers, self._clock.now()))
            if status in NOT_THERE:
                return f"{self._url}/auth/token"
            if status != 200:
                raise Declined(f"GET /auth/server: {_reason(status, content)}", status)
            try:
                self._token_url = decode(TokenServer, loads(content)).token_url
            except NotOpenAdr as error:
                raise Declined(f"GET /auth/server: {error}", status) from error
        return self._token_url


def _read(kind: type[A], method: str, path: str, answer: Answer) -> A:
    try:
        return decode(kind, answer.content)
    except NotOpenAdr as error:
        raise Declined(f"{method} {path}: {error}", answer.status) from error


def _reason(status: int, content: bytes) -> str:
    """What the VTN said, at most a line of it."""
    try:
        found = loads(content)
        told = decode(Problem, found)
        words = told.detail or told.title or (found.get("error") if isinstance(found, dict) else None)
    except NotOpenAdr:
        words = content[:100].decode("utf-8", "replace")
    return f"{status} {words}"[:300] if words else str(status)


def _retry_after(headers: httpx.Headers, now: datetime) -> float | None:
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), MOST_WAIT_S)
    at = _http_date(text)
    return None if at is None else min(max(0.0, (at - now).total_seconds()), MOST_WAIT_S)


def _http_date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return None if found is None or found.tzinfo is None else found.astimezone(UTC)
