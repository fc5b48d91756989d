"""The services' HTTP API as the pages use it: the same routes, in this process, with the operator's token."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from runtime.http import Asgi

TIMEOUT_S = 30.0


class Refusal(Exception):
    """The API refused. `faults` are the fields that it named, `reason` and `facts` why, `alternatives` the free periods that
    it offers (RFC 3339)."""

    def __init__(self, status: int, content: Any) -> None:
        body = content if isinstance(content, dict) else {}
        detail = body.get("detail")
        named = detail if isinstance(detail, list) else []
        self.status = status
        self.faults = {str(part) for fault in named for part in fault.get("loc", ())[1:]}
        self.detail = "; ".join(str(fault.get("msg")) for fault in named) if named else str(detail or "")
        self.reason = str(body.get("reason") or "")
        self.facts: dict[str, Any] = body.get("facts") or {}
        self.alternatives: list[dict[str, str]] = body.get("alternatives") or []
        self.is_not_free = status == 409 and "alternatives" in body
        super().__init__(self.detail)


class Door:
    """The API behind `app`. Every method gives the answer's JSON, and raises Refusal when there is none."""

    def __init__(self, app: Asgi, token: str) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, *path: str, **query: Any) -> Any:
        """GET /api/<path>; what is None is left out of the query. `from_` is sent as `from`."""
        given = {name.rstrip("_"): value for name, value in query.items() if value is not None}
        return (await self._send("GET", path, params=given)).json()

    async def text(self, *path: str, **query: Any) -> str:
        """GET /api/<path> as text."""
        return (await self._send("GET", path, params=query)).text

    async def post(self, *path: str, body: Any = None, key: str | None = None, **query: Any) -> Any:
        """POST /api/<path>, under an idempotency key if one is given."""
        return _content(
            await self._send("POST", path, json=body, params=query, headers={"Idempotency-Key": key} if key else {})
        )

    async def patch(self, *path: str, body: Any) -> Any:
        """PATCH /api/<path>."""
        return _content(await self._send("PATCH", path, json=body))

    async def put(self, *path: str, body: Any) -> Any:
        """PUT /api/<path>."""
        return _content(await self._send("PUT", path, json=body))

    async def delete(self, *path: str, **query: Any) -> Any:
        """DELETE /api/<path>."""
        return _content(await self._send("DELETE", path, params=query))

    async def _send(
        self, method: str, path: tuple[str, ...], headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        address = "/api/" + "/".join(quote(part, safe="") for part in path)
        async with httpx.AsyncClient(transport=self._transport, base_url="http://within", timeout=TIMEOUT_S) as client:
            answer = await client.request(method, address, headers={**self._headers, **(headers or {})}, **more)
        if answer.is_success:
            return answer
        raise Refusal(answer.status_code, _content(answer))


def _content(answer: httpx.Response) -> Any:
    return answer.json() if answer.headers.get("content-type", "").startswith("application/json") else None
