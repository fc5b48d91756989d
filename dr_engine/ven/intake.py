"""What a poll brought, carried out in one transaction: events become requests by the engine's own door (S304), events that
are gone or changed withdraw theirs, statements settle them (S400).

An event is known by its id and `modificationDateTime`: the same again changes nothing, an older one is passed over. What of
an event's requests is not as it should be is withdrawn and asked anew from now on; what is as it should be is left alone, so
that a poll that brings nothing new does nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection

from dr_engine import market
from dr_engine.domain.allocation import allocate
from dr_engine.domain.grid_event import AskedPart, GridEvent, Run, requested, runs, segments
from dr_engine.domain.grid_statement import NoStatement, is_statement, told
from dr_engine.settings import DrSettings
from dr_engine.settling import terms_for
from dr_engine.store import events, grid, statements
from dr_engine.store.contributions import worked_out
from dr_engine.store.errors import Refused, Unknown
from dr_engine.store.events import DrEvent
from dr_engine.store.grid import MadeRequest, SeenEvent
from dr_engine.store.statements import Compensation
from dr_engine.telemetry import Telemetry
from dr_engine.ven.settings import VenProgram
from protocols.openadr.objects import Event
from protocols.openadr.power import NoPower, units_of
from protocols.openadr.timeline import NotSchedulable
from protocols.openadr.wire import NotOpenAdr, decode

_LONGEST_ID = 60
"""Of 64, with room for the number of a later request."""


@dataclass(frozen=True, slots=True)
class Polled:
    """What a programme of the VTN holds: its events in wire form, and its units by payload type."""

    program: VenProgram
    units: Mapping[str, str]
    events: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Poll:
    """One whole look at the VTN. `gone` are events that it says it has no more; `targets` are those granted to each
    facility's resource."""

    polled: Sequence[Polled]
    gone: frozenset[str] = frozenset()
    targets: Mapping[str, frozenset[str]] = field(default_factory=dict)


class Intake:
    """Carries out what polls bring."""

    def __init__(self, settings: DrSettings, telemetry: Telemetry) -> None:
        self._settings = settings
        self._programs = settings.programs()
        self._telemetry = telemetry

    def take(self, connection: Connection, poll: Poll | None, now: datetime) -> bool:
        """Take in a poll, or (None) look again at what is known. Whether requests or money changed."""
        if poll is not None:
            for polled in poll.polled:
                for wire in polled.events:
                    self._see(connection, polled, wire, poll.targets, now)
            for event_id in poll.gone:
                grid.gone(connection, event_id, now)
        changed = False
        known = [(seen, decode(Event, orjson.loads(seen.content))) for seen in grid.standing(connection)]
        asking = [(seen, event) for seen, event in known if not is_statement(event)]
        for facility in sorted(
            {seen.facility_id for seen, _ in asking if seen.facility_id} | grid.facilities(connection, now)
        ):
            mine = [self._grid_event(seen, event) for seen, event in asking if seen.facility_id == facility]
            changed |= self._reconcile(connection, facility, [one for one in mine if one is not None], now)
        for seen, event in known:
            if is_statement(event) and seen.settled_at is None:
                changed |= self._settle(connection, seen, event, now)
        return changed

    # Reading ------------------------------------------------------------------------------------------------------------

    def _see(
        self, connection: Connection, polled: Polled, wire: Any, targets: Mapping[str, frozenset[str]], now: datetime
    ) -> None:
        event_id = wire.get("id") if isinstance(wire, dict) else None
        if not isinstance(event_id, str) or not 0 < len(event_id) <= 128:
            return
        known = grid.find(connection, event_id)
        try:
            event = decode(Event, wire)
        except NotOpenAdr as error:
            if known is not None:
                grid.note(connection, event_id, f"its new content cannot be read: {error}"[:500])
            return
        modified = event.modification_date_time
        if known is not None and known.gone_at is None:
            if known.modified_at is not None and modified is not None and modified < known.modified_at:
                return
            if known.content == _text(wire) and known.program == polled.program.name:
                return
        facility, note = self._facility(polled.program, event, targets)
        seen_at = now if known is None else known.seen_at
        grid.put(
            connection,
            SeenEvent(event_id, polled.program.name, facility, seen_at, modified, _text(wire), polled.units, note),
        )

    def _facility(self, program: VenProgram, event: Event, targets: Mapping[str, frozenset[str]]) -> tuple[str | None, str]:
        """Whose cars are meant: those of the one facility that the event's targets name, else the programme's."""
        named = {facility for facility, granted in targets.items() if granted & set(event.targets or ())}
        if program.facility is not None and (not named or program.facility in named):
            return program.facility, ""
        if len(named) == 1:
            return next(iter(named)), ""
        if named:
            return None, f"its targets name several of our facilities ({', '.join(sorted(named))}); ask each by itself"
        return None, "its targets name none of our resources, and its program has no facility"

    def _grid_event(self, seen: SeenEvent, event: Event) -> GridEvent | None:
        program = self._programs.get(seen.program)
        if program is None:
            return None
        units = dict(seen.units) | units_of(event.payload_descriptors or ())
        return GridEvent(event, seen.seen_at, program.power_rule(), units)

    # Requests -----------------------------------------------------------------------------------------------------------

    def _reconcile(self, connection: Connection, facility: str, asked: Sequence[GridEvent], now: datetime) -> bool:
        sound = [one for one in asked if self._is_sound(connection, one, now)]
        wanted = runs(sound, now)
        left = {(run.event_id, run.after(now)): run for run in wanted}
        changed = False
        for request in grid.standing_requests(connection, facility, now):
            coming = Run(request.event_id, request.parts).after(now)
            if left.pop((request.event_id, coming), None) is not None:
                continue
            _withdraw(connection, request, now)
            changed = True
        for run in left.values():
            changed |= self._ask(connection, facility, run, now)
        return changed

    def _is_sound(self, connection: Connection, one: GridEvent, now: datetime) -> bool:
        try:
            segments([one], now)
        except (NotSchedulable, NoPower, OverflowError) as error:
            grid.note(connection, one.event_id, f"it cannot be carried out: {error}"[:500])
            return False
        return True

    def _ask(self, connection: Connection, facility: str, run: Run, now: datetime) -> bool:
        parts = run.after(now)
        beside = [self.baseline_w(connection, facility, part, now) if part.is_relative else 0.0 for part in parts]
        event = DrEvent(_request_id(connection, run.event_id), facility, _program(connection, run), requested(parts, beside))
        try:
            events.receive(connection, event, now)
        except Refused as error:
            grid.note(connection, run.event_id, f"the engine refuses it: {error}"[:500])
            return False
        grid.made(connection, MadeRequest(event.event_id, run.event_id, facility, run.parts, run.end, now))
        grid.note(connection, run.event_id, "")
        return True

    def baseline_w(self, connection: Connection, facility: str, part: AskedPart, now: datetime) -> float:
        """The mean of what the booked cars would do through the part."""
        blocks = market.blocks(
            connection, facility, part.start, part.end, now, self._telemetry, self._settings.physics(), together=False
        )
        weights = [(min(one.end, part.end) - max(one.start, part.start)).total_seconds() for one in blocks]
        whole = sum(weights)
        return sum(one.baseline_w * weight for one, weight in zip(blocks, weights, strict=True)) / whole if whole else 0.0

    # Money --------------------------------------------------------------------------------------------------------------

    def _settle(self, connection: Connection, seen: SeenEvent, event: Event, now: datetime) -> bool:
        try:
            money = told(event)
            paid = _paid(connection, money.event_id, now)
        except (NoStatement, Refused) as error:
            grid.note(connection, seen.event_id, f"not settled: {error}"[:500])
            return False
        weights = {one.event_id: self._delivered_wh(connection, one) for one in paid}
        shares = allocate(money.total_minor, weights).parts
        first = paid[0].event_id
        shares = {**shares, first: shares[first] + money.total_minor - sum(shares.values())}
        try:
            for number, one in enumerate(paid):
                name = money.statement_id if number == 0 else f"{money.statement_id}/{number + 1}"
                part = Compensation(name, money.revision, one.event_id, shares[one.event_id], money.currency, money.is_final)
                statements.settle(connection, part, terms_for(connection, self._settings, one.event_id), now)
        except Refused as error:
            grid.note(connection, seen.event_id, f"not settled: {error}"[:500])
            return False
        grid.settled(connection, seen.event_id, now)
        return True

    def _delivered_wh(self, connection: Connection, event: DrEvent) -> int:
        terms = terms_for(connection, self._settings, event.event_id)
        return sum(one.delivered_wh for one in worked_out(connection, event, terms).found)


def _withdraw(connection: Connection, request: MadeRequest, now: datetime) -> None:
    events.withdraw(connection, request.request_id, now)
    grid.withdrawn(connection, request.request_id, now)


def _paid(connection: Connection, event_id: str, now: datetime) -> list[DrEvent]:
    """The requests of an event that money can be for. Raises Refused."""
    found = [events.get(connection, one.request_id) for one in grid.requests_of(connection, event_id)]
    stood = [one for one in found if not one.cancelled]
    if not stood:
        raise Unknown(f"nothing was asked of the cars by event {event_id}")
    if any(one.end > now for one in stood):
        raise Refused(f"event {event_id} is not over")
    return stood


def _request_id(connection: Connection, event_id: str) -> str:
    """The event's own id for its first request, a number after it for later ones; a long id is shortened by its hash."""
    base = event_id if len(event_id) <= _LONGEST_ID - 4 else sha256(event_id.encode()).hexdigest()[:32]
    for number in range(len(grid.requests_of(connection, event_id)), 10**6):
        name = base if number == 0 else f"{base}.{number + 1}"
        if events.find(connection, name) is None:
            return name
    raise Unknown(f"event {event_id} has too many requests")


def _program(connection: Connection, run: Run) -> str | None:
    seen = grid.find(connection, run.event_id)
    return None if seen is None else seen.program


def _text(wire: Any) -> str:
    return orjson.dumps(wire, option=orjson.OPT_SORT_KEYS).decode()


def missing(connection: Connection, polled: Iterable[Polled], programs: Iterable[VenProgram]) -> list[str]:
    """Events of these programmes that stood and that a poll did not bring: each is to be asked for, as pages may shift while
    they are read."""
    brought = {one.get("id") for part in polled for one in part.events if isinstance(one, dict)}
    names = {program.name for program in programs}
    return [one.event_id for one in grid.standing(connection) if one.program in names and one.event_id not in brought]
