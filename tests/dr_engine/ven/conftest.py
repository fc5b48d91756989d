"""An engine that listens to a real VTN on this machine, and what business logic does there."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from dr_engine.settings import DrSettings
from dr_engine.ven.settings import VenProgram, VenResource, VenSettings
from protocols.openadr.versions import Version
from protocols.openadr.wire import decode, encode
from runtime.activity import Activity
from runtime.clock import SimulatedClock
from runtime.log import Log
from runtime.service import Host
from simulators.vtn import server
from simulators.vtn.access import SCOPES, Client, Grant, Role
from simulators.vtn.kinds import KINDS
from simulators.vtn.objects import Objects
from simulators.vtn.server import Vtn
from tests.conftest import OpenDatabase
from tests.dr_engine.bench import FACILITY, Bench, FakeCsms, engine, running_world
from tests.openadr_tap import tapped

BL = Client("bl", "bl-secret", Role.BL)
VEN = Client("ven", "ven-secret", Role.VEN)
GRANT = Grant(BL, SCOPES[Role.BL], float("inf"))
DESCRIPTOR = {"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": "DISPATCH_SETPOINT", "units": "KW"}
ASKS = [{"payloadType": "DELTA_USAGE", "aggregate": True}, {"payloadType": "DELTA_USAGE"}]


def wire_time(when: datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")


class Grid:
    """The VTN, up or down, and its business logic."""

    def __init__(self, clock: SimulatedClock, activity: Activity, log: Log) -> None:
        self._clock = clock
        self._activity = activity
        self._log = log
        self._stack = AsyncExitStack()
        self.objects = Objects(clock)
        self.port = 0
        self.vtn: Vtn | None = None
        self.token_s = 3600.0
        self.broker: str | None = None
        self.version = Version.V3_1

    async def up(self) -> Vtn:
        """Serve, where it served before; no token of then is known."""
        running = server.running(
            (BL, VEN),
            clock=self._clock,
            activity=self._activity,
            log=self._log,
            port=self.port,
            objects=self.objects,
            token_s=self.token_s,
            broker=self.broker,
            version=self.version,
        )
        self.vtn = await self._stack.enter_async_context(running)
        self.port = int(self.vtn.url.split(":")[2].split("/")[0])
        return self.vtn

    async def down(self) -> None:
        """Nobody answers any more."""
        await self._stack.aclose()
        self._stack = AsyncExitStack()
        self.vtn = None

    def create(self, path: str, **fields: Any) -> Any:
        kind = KINDS[path]
        return encode(self.objects.create(kind, decode(kind.type, fields), GRANT))

    def update(self, path: str, object_id: str, **fields: Any) -> Any:
        kind = KINDS[path]
        return encode(self.objects.update(kind, object_id, decode(kind.type, fields), GRANT))

    def delete(self, path: str, object_id: str) -> None:
        self.objects.delete(KINDS[path], object_id, GRANT)

    def all(self, path: str) -> list[Any]:
        return [encode(one) for one in self.objects.search(KINDS[path], GRANT, {}, [])]

    def program(self, name: str = "flex", **fields: Any) -> str:
        return str(self.create("programs", programName=name, **fields)["id"])

    def event_body(self, program: str, parts: list[tuple[datetime, datetime, float]], **fields: Any) -> dict[str, Any]:
        intervals = [
            {
                "id": number,
                "intervalPeriod": {"start": wire_time(start), "duration": f"PT{int((end - start).total_seconds())}S"},
                "payloads": [{"type": fields.get("kind", "DISPATCH_SETPOINT"), "values": [power_kw]}],
            }
            for number, (start, end, power_kw) in enumerate(parts)
        ]
        more = {name: value for name, value in fields.items() if name != "kind"}
        return {"programID": program, "payloadDescriptors": [DESCRIPTOR], "intervals": intervals} | more

    def ask(self, program: str, *parts: tuple[datetime, datetime, float], **fields: Any) -> Any:
        return self.create("events", **self.event_body(program, list(parts), **fields))


def settings_of(url: str, **more: Any) -> DrSettings:
    ven = {
        "url": url,
        "client_id": VEN.client_id,
        "client_secret": VEN.secret,
        "name": "store-042",
        "programs": (VenProgram(name="flex", facility=FACILITY),),
        "resources": (VenResource(name="hall-cars", facility=FACILITY),),
        "poll_s": 20.0,
    }
    return DrSettings(ven=VenSettings.model_validate(ven | more), certified_days=100)


@dataclass
class Listening:
    """An engine beside the VTN."""

    bench: Bench
    grid: Grid

    async def status(self) -> Any:
        return (await self.bench.http.get("/api/dr/ven")).raise_for_status().json()

    async def shown(self, event_id: str) -> Any:
        return (await self.bench.http.get(f"/api/dr/ven/events/{event_id}")).raise_for_status().json()

    async def requests(self) -> list[Any]:
        found: list[Any] = (await self.bench.http.get("/api/dr/events")).json()
        return found


@pytest.fixture(autouse=True)
def over_the_wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """All that we send to the VTN in these tests obeys the specification's schemas."""
    with tapped(monkeypatch) as sent:
        yield sent


@pytest.fixture
async def grid(clock: SimulatedClock, activity: Activity, log: Log) -> AsyncIterator[Grid]:
    found = Grid(clock, activity, log)
    await found.up()
    yield found
    await found.down()


@pytest.fixture
async def listening(host: Host, clock: SimulatedClock, open_database: OpenDatabase, grid: Grid) -> AsyncIterator[Listening]:
    assert grid.vtn is not None
    csms, database = FakeCsms(host), await open_database("dr")
    async with engine(host, clock, database, csms, settings_of(grid.vtn.url)) as bench:
        yield Listening(bench, grid)


@pytest.fixture
async def moving(listening: Listening) -> AsyncIterator[Listening]:
    """As `listening`, with cars that move second by second."""
    async with running_world(listening.bench.csms):
        yield listening


def statement(program: str, event_id: str, total_minor: int, revision: int = 0, **more: Any) -> dict[str, Any]:
    """The money for an event, as business logic states it."""
    values = {
        "X_STATEMENT": "st-1",
        "X_STATEMENT_EVENT": event_id,
        "X_STATEMENT_TOTAL": total_minor,
        "X_STATEMENT_REVISION": revision,
    } | more
    return {
        "programID": program,
        "eventName": "statement",
        "payloadDescriptors": [{"payloadType": "X_STATEMENT_TOTAL", "currency": "JPY"}],
        "intervalPeriod": {"start": "2026-06-03T00:00:00Z", "duration": "PT1M"},
        "intervals": [{"id": 0, "payloads": [{"type": name, "values": [value]} for name, value in values.items()]}],
    }
