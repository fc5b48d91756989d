"""What a VTN has asked for, what was made of it, and what it was told (X5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_update

from contracts.units import utc
from dr_engine.domain.grid_event import AskedPart
from dr_engine.store.tables import grid_events, grid_reports, grid_requests


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """An event of a VTN as it was read last; `content` is its wire form as JSON text."""

    event_id: str
    program: str
    facility_id: str | None
    seen_at: datetime
    modified_at: datetime | None
    content: str
    units: Mapping[str, str]
    note: str = ""
    gone_at: datetime | None = None
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MadeRequest:
    """A DR event that was made of one."""

    request_id: str
    event_id: str
    facility_id: str
    parts: tuple[AskedPart, ...]
    ends_at: datetime
    made_at: datetime
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GridReport:
    """A report: `sent_at` None when the VTN has not taken it (or nobody knows)."""

    event_id: str
    name: str
    report_id: str | None
    due_at: datetime
    tried_at: datetime
    sent_at: datetime | None
    content: str
    note: str = ""


_SEEN = tuple(grid_events.c[name] for name in SeenEvent.__dataclass_fields__)
_REPORT = tuple(grid_reports.c[name] for name in GridReport.__dataclass_fields__)


# Events ---------------------------------------------------------------------------------------------------------------


def put(connection: Connection, event: SeenEvent) -> None:
    """Keep an event as it was read; when it was first seen stays as it is."""
    row = {name: getattr(event, name) for name in SeenEvent.__dataclass_fields__}
    new = {name: value for name, value in row.items() if name not in ("event_id", "seen_at")}
    query = insert_or_update(grid_events).values(row)
    connection.execute(query.on_conflict_do_update(index_elements=["event_id"], set_=new))


def find(connection: Connection, event_id: str) -> SeenEvent | None:
    """An event of the VTN, or None."""
    found = connection.execute(select(*_SEEN).where(grid_events.c.event_id == event_id)).first()
    return None if found is None else SeenEvent(*found)


def standing(connection: Connection) -> list[SeenEvent]:
    """The events that the VTN still has, by id."""
    query = select(*_SEEN).where(grid_events.c.gone_at.is_(None)).order_by(grid_events.c.event_id)
    return [SeenEvent(*row) for row in connection.execute(query)]


def gone(connection: Connection, event_id: str, now: datetime) -> None:
    """The VTN has it no more: that is how it is cancelled."""
    connection.execute(update(grid_events).where(grid_events.c.event_id == event_id).values(gone_at=now))


def note(connection: Connection, event_id: str, text: str) -> None:
    """Keep what is to be said of an event; nothing is written when that is known."""
    row = grid_events.c
    connection.execute(update(grid_events).where(row.event_id == event_id, row.note != text).values(note=text))


def settled(connection: Connection, event_id: str, now: datetime) -> None:
    """A statement was carried out."""
    connection.execute(update(grid_events).where(grid_events.c.event_id == event_id).values(settled_at=now, note="settled"))


# Requests -------------------------------------------------------------------------------------------------------------


def made(connection: Connection, request: MadeRequest) -> None:
    """Keep which DR event was made of which event."""
    row = {name: getattr(request, name) for name in MadeRequest.__dataclass_fields__}
    connection.execute(insert(grid_requests).values(row | {"parts": [_wire(part) for part in request.parts]}))


def withdrawn(connection: Connection, request_id: str, now: datetime) -> None:
    """A DR event stands no more."""
    connection.execute(update(grid_requests).where(grid_requests.c.request_id == request_id).values(withdrawn_at=now))


def requests_of(connection: Connection, event_id: str) -> list[MadeRequest]:
    """All DR events that were made of an event, the oldest first."""
    return _requests(connection, grid_requests.c.event_id == event_id)


def standing_requests(connection: Connection, facility_id: str, now: datetime) -> list[MadeRequest]:
    """The DR events of a facility that were not withdrawn and are not over, the oldest first."""
    row = grid_requests.c
    return _requests(connection, row.facility_id == facility_id, row.withdrawn_at.is_(None), row.ends_at > now)


def event_of(connection: Connection, request_id: str) -> str | None:
    """The VTN's event that a DR event was made of, or None."""
    query = select(grid_requests.c.event_id).where(grid_requests.c.request_id == request_id)
    return connection.execute(query).scalar()


def facilities(connection: Connection, now: datetime) -> set[str]:
    """The facilities of which requests stand that are not over."""
    row = grid_requests.c
    query = select(row.facility_id).where(row.withdrawn_at.is_(None), row.ends_at > now).distinct()
    return set(connection.execute(query).scalars())


def _requests(connection: Connection, *conditions: Any) -> list[MadeRequest]:
    columns = (grid_requests.c[name] for name in MadeRequest.__dataclass_fields__)
    query = select(*columns).where(*conditions).order_by(grid_requests.c.made_at, grid_requests.c.request_id)
    return [
        MadeRequest(**(dict(row) | {"parts": tuple(_part(part) for part in row["parts"])}))
        for row in connection.execute(query).mappings()
    ]


def _wire(part: AskedPart) -> list[Any]:
    return [part.start.isoformat(), part.end.isoformat(), part.power_w, part.is_relative]


def _part(wire: Sequence[Any]) -> AskedPart:
    start, end, power_w, is_relative = wire
    return AskedPart(utc(datetime.fromisoformat(start)), utc(datetime.fromisoformat(end)), power_w, is_relative)


# Reports --------------------------------------------------------------------------------------------------------------


def keep_report(connection: Connection, report: GridReport) -> None:
    """Keep a report as it stands now."""
    row = {name: getattr(report, name) for name in GridReport.__dataclass_fields__}
    query = insert_or_update(grid_reports).values(row)
    new = {name: value for name, value in row.items() if name not in ("event_id", "name")}
    connection.execute(query.on_conflict_do_update(index_elements=["event_id", "name"], set_=new))


def reports_of(connection: Connection, event_id: str) -> list[GridReport]:
    """The reports about an event, by when they were due."""
    query = select(*_REPORT).where(grid_reports.c.event_id == event_id)
    return [GridReport(*row) for row in connection.execute(query.order_by(grid_reports.c.due_at, grid_reports.c.name))]


def counts(connection: Connection) -> dict[str, int]:
    """How many events stand, and how many reports were taken, refused, or are still to be taken."""
    row = grid_reports.c
    open_events = select(func.count()).select_from(grid_events).where(grid_events.c.gone_at.is_(None))
    taken = select(func.count()).select_from(grid_reports).where(row.sent_at.is_not(None))
    refused = select(func.count()).select_from(grid_reports).where(row.sent_at.is_(None), row.note != "")
    waiting = select(func.count()).select_from(grid_reports).where(or_(row.sent_at.is_(None)), row.note == "")
    numbers = [connection.execute(query).scalar_one() for query in (open_events, taken, refused, waiting)]
    return dict(zip(("events", "reports_sent", "reports_refused", "reports_waiting"), numbers, strict=True))
