"""The VTN's HTTP door: /programs /events /reports /subscriptions /vens /resources, /auth and /notifiers; in 3.0.1 resources
are below their ven, and there is neither /auth/server nor /notifiers.

Bodies are read by `protocols.openadr`, so that what is wrong comes back as a problem with its place.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from protocols.openadr.objects import Addressable, Resource
from protocols.openadr.versions import Version, typed_targets
from protocols.openadr.wire import MOST_OCTETS, NotOpenAdr, decode, encode, loads
from simulators.vtn.access import Access, AuthError, Grant
from simulators.vtn.kinds import KINDS, Kind
from simulators.vtn.mqtt import topics_below
from simulators.vtn.objects import FILTERS, Objects
from simulators.vtn.problem import Refusal, json, problem

BASES: Final = {version: f"/openadr3/{version}" for version in Version}
MOST_AT_ONCE: Final = 50
_RETRY_AFTER: Final = {"Retry-After": "2"}
Next = Callable[[Request], Awaitable[Response]]


class Trouble:
    """What a VTN that has a bad day answers to `share` of all requests: 429 or 503, by chance."""

    def __init__(self, share: float = 0.0, seed: int = 1) -> None:
        self.share = share
        self._random = Random(seed)

    def strikes(self) -> int | None:
        """The status that is answered instead, or None."""
        return self._random.choice((429, 503)) if self._random.random() < self.share else None


@dataclass(frozen=True, slots=True)
class Speech:
    """The version in which bodies are read and answers written."""

    version: Version

    async def read(self, kind: Kind, request: Request) -> Addressable:
        """The object in a request. Raises NotOpenAdr."""
        wire = loads(await _body(request))
        return decode(kind.type, typed_targets(wire) if self.version is Version.V3_0_1 else wire)

    def written(self, one: Addressable, status: int = 200) -> Response:
        """An answer with the object."""
        return json(encode(one, self.version), status)

    def named(self, request: Request) -> list[str]:
        """The targets that a search names."""
        query = request.query_params
        if self.version is Version.V3_1:
            return query.getlist("targets")
        kind = query.get("targetType")
        return [f"{kind}:{value}" for value in query.getlist("targetValues")] if kind else []


def application(
    access: Access,
    objects: Objects,
    trouble: Trouble,
    broker: str | None = None,
    version: Version = Version.V3_1,
) -> FastAPI:
    """The VTN as an application; its API is below `BASES[version]`. `broker` is the address of the one that is told of
    changes (3.1 alone)."""
    app = FastAPI(title=f"OpenADR {version} VTN", version=version, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(NotOpenAdr, _not_openadr)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(Exception, _failed)

    @app.middleware("http")
    async def _troubled(request: Request, go_on: Next) -> Response:
        status = trouble.strikes()
        return await go_on(request) if status is None else problem(status, "the VTN has a bad day", _RETRY_AFTER)

    base, speech = BASES[version], Speech(version)
    _add_token(app, base, access)
    if version is Version.V3_1:
        _add_token_server(app, base)
        _add_notifiers(app, base, access, objects, broker)
    for kind in KINDS.values():
        below_ven = kind.type is Resource and version is Version.V3_0_1
        _add_objects(
            app, f"{base}/vens/{{ven_id}}/resources" if below_ven else f"{base}/{kind.path}", kind, access, objects, speech
        )
    return app


def _add_token_server(app: FastAPI, base: str) -> None:
    @app.get(f"{base}/auth/server")
    async def server(request: Request) -> Response:
        return json({"tokenURL": f"{str(request.base_url).rstrip('/')}{base}/auth/token"})


def _add_token(app: FastAPI, base: str, access: Access) -> None:
    @app.post(f"{base}/auth/token")
    async def token(request: Request) -> Response:
        form = (await _body(request)).decode("utf-8", "replace")
        unstored = {"Cache-Control": "no-store"}
        try:
            return json(access.token(request.headers.get("Authorization"), form), headers=unstored)
        except AuthError as error:
            asked = {"WWW-Authenticate": "Basic"} if error.status == 401 else {}
            told = {"error": error.error, "error_description": str(error)}
            return json(told, error.status, unstored | asked)
        except ValueError as error:
            return json({"error": "invalid_request", "error_description": str(error)}, 400, unstored)


def _add_notifiers(app: FastAPI, base: str, access: Access, objects: Objects, broker: str | None) -> None:
    @app.get(f"{base}/notifiers")
    async def notifiers(request: Request) -> Response:
        access.grant(request.headers.get("Authorization"))
        if broker is None:
            return json({"WEBHOOK": True})
        binding = {"URIS": [broker], "serialization": "JSON", "authentication": {"method": "ANONYMOUS"}}
        return json({"WEBHOOK": True, "MQTT": binding})

    where = f"{base}/notifiers/mqtt/topics"
    if broker is None:
        return

    @app.get(where + "/{path}")
    async def of_all(request: Request, path: str) -> Response:
        grant = access.grant(request.headers.get("Authorization"))
        if path not in KINDS:
            raise Refusal(404, f"there are no topics of {path}")
        if path != "programs" and not grant.is_bl:
            raise Refusal(403, "only business logic hears of all of them")
        return json(topics_below(path))

    @app.get(where + "/{path}/{object_id}/events")
    async def of_events(request: Request, path: str, object_id: str) -> Response:
        grant = access.grant(request.headers.get("Authorization"))
        if path not in ("programs", "vens"):
            raise Refusal(404, f"there are no topics of the events of {path}")
        objects.get(KINDS[path], object_id, grant)
        return json(topics_below(f"{path}/{object_id}/events"))

    @app.get(where + "/programs/{object_id}")
    async def of_program(request: Request, object_id: str) -> Response:
        objects.get(KINDS["programs"], object_id, access.grant(request.headers.get("Authorization")))
        return json(topics_below(f"programs/{object_id}"))


def _add_objects(app: FastAPI, where: str, kind: Kind, access: Access, objects: Objects, speech: Speech) -> None:
    """Where a path names a ven, its resources alone are there."""

    def granted(request: Request) -> Grant:
        grant = access.grant(request.headers.get("Authorization"))
        if ven_id := request.path_params.get("ven_id"):
            objects.get(KINDS["vens"], ven_id, grant)
        return grant

    def there(request: Request, object_id: str, grant: Grant) -> Addressable:
        found = objects.get(kind, object_id, grant)
        if getattr(found, "ven_id", None) != request.path_params.get("ven_id", getattr(found, "ven_id", None)):
            raise Refusal(404, f"there is no resource {object_id} of that ven")
        return found

    async def given(request: Request) -> Any:
        found = await speech.read(kind, request)
        ven_id = request.path_params.get("ven_id")
        return found if ven_id is None else msgspec.structs.replace(found, ven_id=ven_id)

    @app.get(where)
    async def search(request: Request) -> Response:
        grant = granted(request)
        query = {name: value for name, value in request.query_params.items() if name in FILTERS[kind.path]}
        if ven_id := request.path_params.get("ven_id"):
            query["venID"] = ven_id
        if query.get("active", "true") not in ("true", "false"):
            raise Refusal(400, "active is true or false")
        skip, limit = _number(request, "skip", 0, None), _number(request, "limit", MOST_AT_ONCE, MOST_AT_ONCE)
        found = objects.search(kind, grant, query, speech.named(request))[skip : skip + limit]
        for one in found:
            objects.told("READ", one)
        return _unless_known(request, json([encode(one, speech.version) for one in found]))

    @app.post(where)
    async def create(request: Request) -> Response:
        grant = granted(request)
        return speech.written(objects.create(kind, await given(request), grant), 201)

    @app.get(where + "/{object_id}")
    async def read(request: Request, object_id: str) -> Response:
        found = there(request, object_id, granted(request))
        objects.told("READ", found)
        return speech.written(found)

    @app.put(where + "/{object_id}")
    async def update(request: Request, object_id: str) -> Response:
        grant = granted(request)
        there(request, object_id, grant)
        return speech.written(objects.update(kind, object_id, await given(request), grant))

    @app.delete(where + "/{object_id}")
    async def delete(request: Request, object_id: str) -> Response:
        grant = granted(request)
        there(request, object_id, grant)
        return speech.written(objects.delete(kind, object_id, grant))


def _unless_known(request: Request, answer: Response) -> Response:
    """The answer with its tag, or 304 when that is what the client has."""
    tag = f'"{sha256(answer.body).hexdigest()[:32]}"'
    if tag in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers={"ETag": tag})
    answer.headers["ETag"] = tag
    return answer


def _number(request: Request, name: str, default: int, most: int | None) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10) or (most is not None and int(text) > most):
        raise Refusal(400, f"{name} is a whole number from 0" + (f" to {most}" if most is not None else ""))
    return int(text)


async def _body(request: Request) -> bytes:
    """The body, read no further than the largest that is taken. Raises Refusal (413)."""
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > MOST_OCTETS:
            raise Refusal(413, f"a body has at most {MOST_OCTETS} octets")
    return bytes(found)


async def _refused(_: Request, error: Any) -> Response:
    return problem(error.status, str(error), error.headers)


async def _not_openadr(_: Request, error: Any) -> Response:
    return problem(400, str(error))


async def _no_route(_: Request, error: Any) -> Response:
    return problem(error.status_code, str(error.detail))


async def _failed(_: Request, __: Any) -> Response:
    return problem(500, "the VTN failed, which is not your fault")
