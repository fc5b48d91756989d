"""What a poll brought, carried out in one transaction: events become requests by the engine's own door (S304), events that
are gone or changed withdraw theirs, statements settle them (S400).

An event is known by its id and `modificationDateTime`: the same again changes nothing, an older one is passed over. What of
an event's requests is not as it should be is withdrawn and asked anew from now on; what is as it should be is left alone, so
that a poll that brings nothing new does nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection

from dr_engine import market
from dr_engine.domain.allocation import allocate
from dr_engine.domain.capacity import Block
from dr_engine.domain.grid_event import AskedPart, GridEvent, Run, asked_between, over_at, requested, runs, segments
from dr_engine.domain.grid_share import Room, shared_w
from dr_engine.domain.grid_statement import NoStatement, is_statement, states_money, told
from dr_engine.domain.settlement import RequestInterval
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
        self._granted: Mapping[str, frozenset[str]] | None = None
        """The targets of the last poll; None: each event is to be read, as nothing is known of them."""

    def take(self, connection: Connection, poll: Poll | None, now: datetime) -> bool:
        """Take in a poll, or (None) look again at what is known. Whether requests or money changed."""
        if poll is not None:
            self._read(connection, poll, now)
        coming = grid.coming(connection, now)
        known = [(seen, decode(Event, orjson.loads(seen.content))) for seen in coming]
        changed = self._reconcile(connection, [(seen, event) for seen, event in known if not is_statement(event)], now)
        for seen, event in known:
            if states_money(event) and seen.settled_at is None:
                changed |= self._settle(connection, seen, event, now)
        return changed

    # Reading ------------------------------------------------------------------------------------------------------------

    def _read(self, connection: Connection, poll: Poll, now: datetime) -> None:
        standing = {one.event_id: one for one in grid.standing(connection)}
        as_before, self._granted = self._granted == poll.targets, poll.targets
        for polled in poll.polled:
            for wire in polled.events:
                known = standing.get(_id_of(wire) or "")
                if not (as_before and known and (known.content, known.program) == (_text(wire), polled.program.name)):
                    self._see(connection, polled, wire, poll.targets, now)
        forgotten = {one.event_id for one in standing.values() if one.program not in self._programs}
        for event_id in poll.gone | forgotten:
            grid.gone(connection, event_id, now)

    def _see(
        self, connection: Connection, polled: Polled, wire: Any, targets: Mapping[str, frozenset[str]], now: datetime
    ) -> None:
        event_id = _id_of(wire)
        if event_id is None:
            return
        known = grid.find(connection, event_id)
        try:
            event = decode(Event, wire)
        except NotOpenAdr as error:
            if known is not None:
                grid.note(connection, event_id, f"its new content cannot be read: {error}"[:500])
            return
        modified = event.modification_date_time
        facilities = _facilities(polled.program, event, targets)
        is_older = known is not None and known.gone_at is None and _is_before(modified, known.modified_at)
        if is_older:
            return
        seen_at = now if known is None else known.seen_at
        ends = over_at(event, seen_at)
        found = SeenEvent(
            event_id,
            polled.program.name,
            facilities,
            seen_at,
            modified,
            _text(wire),
            polled.units,
            over_at=ends,
            states_money=states_money(event),
            asks_reports=bool(event.report_descriptors) and not is_statement(event) and (ends is None or ends > seen_at),
        )
        if known is None or known.gone_at is not None or not _is_as_known(found, known):
            grid.put(connection, found)

    def _grid_event(self, seen: SeenEvent, event: Event) -> GridEvent | None:
        program = self._programs.get(seen.program)
        if program is None:
            return None
        units = dict(seen.units) | units_of(event.payload_descriptors or ())
        return GridEvent(event, seen.seen_at, program.power_rule(), units)

    # Requests -----------------------------------------------------------------------------------------------------------

    def _reconcile(self, connection: Connection, asking: Sequence[tuple[SeenEvent, Event]], now: datetime) -> bool:
        """First what is asked no more goes, everywhere; then what is new is asked, so that facilities that share a power do
        not count on what is about to go."""
        sharing = _Sharing({seen.event_id: self._shared_by(seen) for seen, _ in asking})
        changed = False
        for facility in sorted({one for seen, _ in asking for one in seen.facilities} | grid.facilities(connection, now)):
            mine = [self._grid_event(seen, event) for seen, event in asking if facility in seen.facilities]
            sound = [one for one in mine if one is not None and self._is_sound(connection, one, now)]
            left = {(run.event_id, run.after(now)): run for run in runs(sound, now)}
            for request in grid.standing_requests(connection, facility, now):
                coming = Run(request.event_id, request.parts).after(now)
                is_shared_as_now = request.shared_by == sharing.facilities.get(request.event_id)
                if not is_shared_as_now or left.pop((request.event_id, coming), None) is None:
                    _withdraw(connection, request, now)
                    changed = True
            sharing.left[facility] = list(left.values())
        return self._ask_all(connection, sharing, now) or changed

    def _shared_by(self, seen: SeenEvent) -> tuple[str, ...]:
        """The facilities that share an event's powers; none where each is asked by itself."""
        program = self._programs.get(seen.program)
        is_shared = len(seen.facilities) > 1 and program is not None and program.several == "together"
        return seen.facilities if is_shared else ()

    def _ask_all(self, connection: Connection, sharing: "_Sharing", now: datetime) -> bool:
        refusals: dict[str, list[str]] = {}
        changed = False
        for facility, left in sharing.left.items():
            while left:
                told = refusals.setdefault(left[0].event_id, [])
                try:
                    changed |= self._ask(connection, facility, left[0], sharing, now)
                except Refused as error:
                    told.append(f"the engine refuses it at {facility}: {error}")
                left.pop(0)
        for event_id, told in refusals.items():
            grid.note(connection, event_id, "; ".join(told)[:500])
        return changed

    def _is_sound(self, connection: Connection, one: GridEvent, now: datetime) -> bool:
        try:
            segments([one], now)
        except (NotSchedulable, NoPower, OverflowError) as error:
            grid.note(connection, one.event_id, f"it cannot be carried out: {error}"[:500])
            return False
        return True

    def _ask(self, connection: Connection, facility: str, run: Run, sharing: "_Sharing", now: datetime) -> bool:
        """Make a request of a run. False when the others do all of it. Raises Refused."""
        parts = run.after(now)
        if shared_by := sharing.facilities[run.event_id]:
            asked = self._part_of(connection, facility, run, sharing, now)
            if asked is None:
                return False
        else:
            beside = [self.baseline_w(connection, facility, part, now) if part.is_relative else 0.0 for part in parts]
            asked = requested(parts, beside)
        event = DrEvent(_request_id(connection, run.event_id), facility, _program(connection, run), asked)
        events.receive(connection, event, now)
        made = MadeRequest(event.event_id, run.event_id, facility, run.parts, run.end, now, shared_by=shared_by)
        grid.made(connection, made)
        return True

    def _part_of(
        self, connection: Connection, facility: str, run: Run, sharing: "_Sharing", now: datetime
    ) -> tuple[RequestInterval, ...] | None:
        """What a facility is asked for of a power that is asked of several together: its part of what is not yet asked of
        the others. None when that is what its cars do anyway."""
        everybody = sharing.facilities[run.event_id]
        asked = {one: grid.standing_intervals(connection, one, now) for one in everybody}
        mine: list[AskedPart] = []
        is_change = False
        parts = run.after(now)
        for part in parts:
            rooms = {one: self._room(connection, one, parts, part, sharing, now) for one in everybody}
            open_to = sharing.still_to_ask(run.event_id, part)
            total_w = part.power_w + (sum(room.baseline_w for room in rooms.values()) if part.is_relative else 0.0)
            asked_w = sum(
                asked_between(asked[one], part, room.baseline_w) for one, room in rooms.items() if one not in open_to
            )
            share_w = shared_w(total_w - asked_w, {one: rooms[one] for one in open_to})[facility]
            is_change |= abs(share_w - rooms[facility].baseline_w) >= 1
            mine.append(replace(part, is_relative=False, power_w=share_w))
        return requested(mine, [0.0] * len(mine)) if is_change else None

    def _room(
        self,
        connection: Connection,
        facility: str,
        parts: Sequence[AskedPart],
        part: AskedPart,
        sharing: "_Sharing",
        now: datetime,
    ) -> Room:
        """What a facility can do in one of the parts, if all of them are asked of it."""
        key = facility, parts[0].start, parts[-1].end
        if key not in sharing.blocks:
            physics = self._settings.physics()
            sharing.blocks[key] = market.blocks(connection, *key, now, self._telemetry, physics, together=True, clipped=True)
        return Room(*(_mean(sharing.blocks[key], part, power_w) for power_w in (_baseline_w, _least_w, _most_w)))

    def baseline_w(self, connection: Connection, facility: str, part: AskedPart, now: datetime) -> float:
        """The mean of what the booked cars would do through the part."""
        physics, period = self._settings.physics(), (part.start, part.end)
        blocks = market.blocks(connection, facility, *period, now, self._telemetry, physics, together=False, clipped=True)
        return _mean(blocks, part, _baseline_w)

    # Money --------------------------------------------------------------------------------------------------------------

    def _settle(self, connection: Connection, seen: SeenEvent, event: Event, now: datetime) -> bool:
        try:
            money = told(event)
            paid = _paid(connection, money.event_id, now)
        except (NoStatement, Refused) as error:
            grid.note(connection, seen.event_id, f"not settled: {error}"[:500])
            return False
        weights = {one.event_id: self._delivered_wh(connection, one) for one in paid}
        held, given = _shares(money.capacity_minor, weights), _shares(money.total_minor - money.capacity_minor, weights)
        try:
            for number, one in enumerate(paid):
                name = money.statement_id if number == 0 else f"{money.statement_id}/{number + 1}"
                capacity, total = held[one.event_id], held[one.event_id] + given[one.event_id]
                part = Compensation(
                    name, money.revision, one.event_id, total, money.currency, money.is_final, capacity_minor=capacity
                )
                statements.settle(connection, part, terms_for(connection, self._settings, one.event_id), now)
        except Refused as error:
            grid.note(connection, seen.event_id, f"not settled: {error}"[:500])
            return False
        grid.settled(connection, seen.event_id, now)
        return True

    def _delivered_wh(self, connection: Connection, event: DrEvent) -> int:
        terms = terms_for(connection, self._settings, event.event_id)
        return sum(one.delivered_wh for one in worked_out(connection, event, terms).found)


@dataclass(slots=True)
class _Sharing:
    """Which events' powers are shared by which facilities, and what is still to be asked, by facility."""

    facilities: Mapping[str, tuple[str, ...]]
    left: dict[str, list[Run]] = field(default_factory=dict)
    blocks: dict[tuple[str, datetime, datetime], list[Block]] = field(default_factory=dict)
    """What facilities can do in a period, as far as it was reckoned."""

    def still_to_ask(self, event_id: str, part: AskedPart) -> list[str]:
        """The facilities that are still to be asked for the event while a part lasts."""
        return [
            facility
            for facility, left in self.left.items()
            if any(run.event_id == event_id and run.start < part.end and run.end > part.start for run in left)
        ]


def _is_before(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one < other


def _is_as_known(found: SeenEvent, known: SeenEvent) -> bool:
    """Whether an event is what is kept of it, whatever has become of it."""
    became = {name: getattr(known, name) for name in ("note", "gone_at", "settled_at", "reported_until")}
    return replace(found, units=known.units, **became) == known


def _facilities(program: VenProgram, event: Event, targets: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """Whose cars are meant: those that the event's targets name, else the programme's, else all of ours."""
    named = {facility for facility, granted in targets.items() if granted & set(event.targets or ())}
    return tuple(sorted(named or ({program.facility} if program.facility is not None else set(targets))))


def _mean(blocks: Sequence[Block], part: AskedPart, power_w: Callable[[Block], int]) -> float:
    """The mean of a power over the blocks that a part touches, by how long it does; 0 where there are none."""
    weights = [max(0.0, (min(one.end, part.end) - max(one.start, part.start)).total_seconds()) for one in blocks]
    whole = sum(weights)
    return sum(power_w(one) * weight for one, weight in zip(blocks, weights, strict=True)) / whole if whole else 0.0


def _baseline_w(block: Block) -> int:
    return block.baseline_w


def _least_w(block: Block) -> int:
    return block.min_power_w


def _most_w(block: Block) -> int:
    return block.max_power_w


def _withdraw(connection: Connection, request: MadeRequest, now: datetime) -> None:
    events.withdraw(connection, request.request_id, now)
    grid.withdrawn(connection, request.request_id, now)


def _shares(minor: int, weights: Mapping[str, int]) -> dict[str, int]:
    """An amount shared over requests by what each delivered; all of it to the first where none delivered anything."""
    shares = allocate(minor, weights)
    first = next(iter(weights))
    return {**shares.parts, first: shares.parts[first] + shares.undistributed}


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


def _id_of(wire: Any) -> str | None:
    """The id of an event in wire form, if it is one that an event can have."""
    event_id = wire.get("id") if isinstance(wire, dict) else None
    return event_id if isinstance(event_id, str) and 0 < len(event_id) <= 128 else None


def _text(wire: Any) -> str:
    return orjson.dumps(wire, option=orjson.OPT_SORT_KEYS).decode()


def missing(connection: Connection, polled: Iterable[Polled], programs: Iterable[VenProgram]) -> list[str]:
    """Events of these programmes that stood and that a poll did not bring: each is to be asked for, as pages may shift while
    they are read."""
    brought = {event_id for part in polled for one in part.events if (event_id := _id_of(one)) is not None}
    names = {program.name for program in programs}
    known = grid.standing_ids(connection)
    return [event_id for event_id, program in known if program in names and event_id not in brought]
