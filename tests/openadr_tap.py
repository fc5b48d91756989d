"""Every body that comes to our VTN, as it came over the wire, held to the specification's schemas."""

from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest
from fastapi import Request

from protocols.openadr.versions import Version
from simulators.vtn import api
from tests.openadr_schema import faults


@contextmanager
def tapped(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """Gives (method, path) of each; fails at the end if one of them was at fault."""
    wrong: list[str] = []
    sent: list[tuple[str, str]] = []
    read = api._body

    async def body(request: Request) -> bytes:
        content = await read(request)
        path = request.url.path
        if not path.endswith("/auth/token"):
            version = next(one for one in Version if path.startswith(api.BASES[one]))
            sent.append((request.method, path.removeprefix(api.BASES[version])))
            wrong.extend(f"{request.method} {path}: {fault}" for fault in faults(version, path, orjson.loads(content)))
        return content

    monkeypatch.setattr(api, "_body", body)
    yield sent
    assert wrong == []
