"""The engine as an OpenADR 2.0b VEN, by openleadr (the extra `openadr2`): register, poll, opt in or out, telemetry (X5).

An event becomes one of 3.1 and goes the same way as the other VEN's. In 2.0b a VEN says whether it will: it opts in when the
booked cars can hold what is asked, and does nothing of what it has opted out of. openleadr keeps its own time, so that this
VEN runs on the machine's clock alone.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final

from openleadr import OpenADRClient
from sqlalchemy import Connection

from dr_engine import market
from dr_engine.domain.grid_event import GridEvent, requested, runs
from dr_engine.domain.grid_event_2b import NoSignal, as_event, can_be_held, event_id
from dr_engine.domain.settlement import RequestInterval
from dr_engine.fleet import PoolEntry
from dr_engine.settings import DrSettings
from dr_engine.store import grid
from dr_engine.telemetry import Telemetry
from dr_engine.ven.intake import Intake, Poll, Polled
from dr_engine.ven.metrics import VenMetrics
from dr_engine.ven.settings import Ven2bSettings
from dr_engine.ven.status2b import Status2b
from protocols.openadr.objects import Event
from protocols.openadr.power import NoPower, units_of
from protocols.openadr.timeline import NotSchedulable
from protocols.openadr.wire import NotOpenAdr, decode
from runtime.service import Host
from runtime.storage.database import Database

ACTIVITY: Final = "ven 2.0b"
PROGRAM_ID: Final = "openadr-2b"
LOOK_S: Final = 60.0
OPT_IN: Final = "optIn"
OPT_OUT: Final = "optOut"


class Ven2b:
    """`run` for ever as a task. Events are carried out by `intake`."""

    def __init__(
        self,
        settings: DrSettings,
        ven: Ven2bSettings,
        database: Database,
        host: Host,
        telemetry: Telemetry,
        metrics: VenMetrics,
        intake: Intake,
        pool: Callable[[], Sequence[PoolEntry]],
        changed: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._ven = ven
        self._database = database
        self._host = host
        self._telemetry = telemetry
        self._metrics = metrics
        self._intake = intake
        self._pool = pool
        self._changed = changed
        self._log = host.log.bind(part="ven 2.0b")
        self.status = Status2b(host.clock.now())

    async def run(self) -> None:
        """Listen to the VTN for ever; one that cannot be reached is tried again."""
        while True:
            client = self._client()
            try:
                with self._host.activity.busy(ACTIVITY):
                    await client.run()
                self._registered(client)
                while client.registration_id and not self.status.is_lost(self._host.clock.now()):
                    await self._host.clock.sleep(LOOK_S)
                    await self._take(None)
            except (TimeoutError, TypeError, KeyError, OSError) as error:  # what openleadr makes of no answer
                self._failed(f"{type(error).__name__}: {error}")
            finally:
                await self._stop(client)
            await self._host.clock.sleep(LOOK_S)

    def _registered(self, client: Any) -> None:
        self.status.ven_id, self.status.registration_id = client.ven_id, client.registration_id
        if client.registration_id:
            self.status.failure = ""
        else:
            self._failed("it did not register us")

    def _failed(self, reason: str) -> None:
        if reason != self.status.failure:
            self._log.warning("the VTN cannot be registered with", reason=reason)
        self.status.failure, self.status.registration_id = reason[:500], None

    def _client(self) -> Any:
        ven = self._ven
        client = OpenADRClient(
            ven_name=ven.name,
            vtn_url=str(ven.url).rstrip("/"),
            ven_id=ven.ven_id,
            cert=ven.certificate,
            key=ven.key,
            ca_file=ven.ca_file,
            vtn_fingerprint=ven.vtn_fingerprint,
            show_fingerprint=False,
        )
        client.add_handler("on_event", self._on_event)
        client.add_handler("on_update_event", self._on_event)
        client.add_hook("after_parse_xml", self._listed)
        client.add_report(
            callback=self._power_w,
            resource_id=ven.program.facility,
            measurement="REAL_POWER",
            sampling_rate=timedelta(seconds=ven.telemetry_s),
            report_duration=timedelta(hours=1),
        )
        return client

    @staticmethod
    async def _stop(client: Any) -> None:
        if client.client_session is not None:
            await client.stop()

    async def _on_event(self, found: dict[str, Any]) -> str:
        """Opt in to what can be held, and do it."""
        with self._host.activity.busy(ACTIVITY):
            name = event_id(found)
            opt = await self._answer(name, found)
            self.status.opted[name] = opt
            self._metrics.answers.add(opt)
            self._log.info("an event was answered", event_id=name, opt=opt)
            return opt

    async def _answer(self, name: str, found: dict[str, Any]) -> str:
        try:
            wire = as_event(found, PROGRAM_ID)
            event = decode(Event, wire)
            holds = await self._database.read(lambda connection: self._can_hold(connection, event))
        except (NoSignal, NotOpenAdr, NoPower, NotSchedulable, OverflowError) as error:
            self._log.warning("an event cannot be carried out", event_id=name, reason=str(error))
            holds = False
        if not holds:
            await self._take(Poll((), frozenset({name})))
            return OPT_OUT
        await self._take(Poll((Polled(self._ven.program, {}, (wire,)),)))
        return OPT_IN

    def _can_hold(self, connection: Connection, event: Event) -> bool:
        """Whether the booked cars can do what the event asks, from now on."""
        now, facility = self._host.clock.now(), self._ven.program.facility or ""
        units = units_of(event.payload_descriptors or ())
        asked: list[RequestInterval] = []
        for run in runs([GridEvent(event, now, self._ven.program.power_rule(), units)], now):
            parts = run.after(now)
            beside = [self._intake.baseline_w(connection, facility, one, now) if one.is_relative else 0.0 for one in parts]
            asked += requested(parts, beside)
        if not asked:
            return True
        period = asked[0].start, asked[-1].end
        physics = self._settings.physics()
        blocks = market.blocks(connection, facility, *period, now, self._telemetry, physics, together=True, clipped=True)
        return can_be_held(asked, blocks)

    async def _listed(self, message_type: str, payload: dict[str, Any]) -> None:
        """An event that the VTN lists no more is cancelled, as 2.0b has it."""
        self.status.heard_at = self._host.clock.now()
        if message_type != "oadrDistributeEvent":
            return
        listed = {event_id(one) for one in payload.get("events") or ()}
        self.status.opted = {name: opt for name, opt in self.status.opted.items() if name in listed}
        known = await self._database.read(grid.standing_ids)
        gone = {event_id for event_id, program in known if program == self._ven.program.name} - listed
        if gone:
            await self._take(Poll((), frozenset(gone)))

    async def _take(self, poll: Poll | None) -> None:
        if await self._database.write(lambda c: self._intake.take(c, poll, self._host.clock.now())):
            self._changed()

    async def _power_w(self) -> float:
        """What the cars do now, W, + import."""
        facility = self._ven.program.facility
        return float(sum(one.measured_w or 0.0 for one in self._pool() if one.facility_id == facility))
