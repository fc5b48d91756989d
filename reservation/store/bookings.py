"""Bookings. Whether a period is free is asked in the transaction that books it, so that nobody comes in between (S202)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, func, insert, or_, select, update

from contracts.ids import BookingId
from contracts.reservation import ChargingWish
from reservation.domain.booking import MADE, OCCUPYING, Booking, BookingState
from reservation.domain.period import Period
from reservation.domain.places import Taken
from reservation.domain.promise import Promise
from reservation.domain.rules import LONGEST_STAY
from reservation.store.tables import bookings

AROUND = timedelta(days=1)
"""No resource and no bay is kept for longer than that before or after a stay."""
_MINUTE = timedelta(minutes=1)
_SAME = (
    "id",
    "facility_id",
    "member_id",
    "service_id",
    "party",
    "resource_id",
    "bay_id",
    "state",
    "code",
    "late",
    "revision",
)
_INSTANTS = ("made_at", "expires_at", "cancelled_at", "came_at", "left_at")
_TAKEN = tuple(
    bookings.c[name]
    for name in (
        *("resource_id", "starts_at", "ends_at", "before_min", "after_min", "party"),
        *("bay_id", "plug_before_min", "plug_after_min"),
    )
)


def add(
    connection: Connection, booking: Booking, request_key: str | None = None, request_digest: bytes | None = None
) -> None:
    """Keep a new booking, with the key and digest of the request that asked for it."""
    row = {**_columns(booking), "request_key": request_key, "request_digest": request_digest}
    connection.execute(insert(bookings).values(row))


def put(connection: Connection, booking: Booking) -> None:
    """Keep a known booking as it now is."""
    connection.execute(update(bookings).where(bookings.c.id == booking.id).values(_columns(booking)))


def set_state(connection: Connection, booking_id: str, state: BookingState) -> None:
    """Only the state of a booking is another now."""
    connection.execute(update(bookings).where(bookings.c.id == booking_id).values(state=state))


def find(connection: Connection, booking_id: str) -> Booking | None:
    """The booking, or None."""
    row = connection.execute(select(bookings).where(bookings.c.id == booking_id)).one_or_none()
    return None if row is None else _booking(row)


def made_by_request(connection: Connection, request_key: str) -> tuple[Booking, bytes] | None:
    """The booking that a request with this key made and the request's digest, or None."""
    row = connection.execute(select(bookings).where(bookings.c.request_key == request_key)).one_or_none()
    return None if row is None else (_booking(row), row.request_digest)


def listed(
    connection: Connection,
    *,
    facility_id: str | None = None,
    member_id: str | None = None,
    series_id: str | None = None,
    starting_before: datetime | None = None,
    ending_after: datetime | None = None,
    states: Sequence[BookingState] = (),
) -> list[Booking]:
    """The bookings that meet every condition given, by start."""
    row = bookings.c
    conditions: list[ColumnElement[bool]] = []
    if facility_id is not None:
        conditions.append(row.facility_id == facility_id)
    if member_id is not None:
        conditions.append(row.member_id == member_id)
    if series_id is not None:
        conditions.append(row.series_id == series_id)
    if starting_before is not None:
        conditions.append(row.starts_at < starting_before)
    if ending_after is not None:  # no stay is longer: an index finds those few that may last until then
        conditions += [row.ends_at > ending_after, row.starts_at > ending_after - LONGEST_STAY - AROUND]
    if states:
        conditions.append(row.state.in_(states))
    query = select(bookings).where(*conditions).order_by(row.starts_at, row.made_at, row.id)
    return [_booking(found) for found in connection.execute(query)]


def taken(
    connection: Connection,
    facility_id: str,
    period: Period,
    now: datetime,
    but: str | None = None,
    states: Sequence[BookingState] = OCCUPYING,
    resource_id: str | None = None,
) -> list[Taken]:
    """What is kept at the facility around that period, for any booking in those states but the one named. With
    `resource_id`, of resources no others than that one; of bays all."""
    row = bookings.c
    query = select(*_TAKEN).where(
        row.facility_id == facility_id,
        row.starts_at < period.end + AROUND,
        row.starts_at > period.start - AROUND - LONGEST_STAY - AROUND,
        row.ends_at > period.start - AROUND,
        *_occupying(now, states),
    )
    if but is not None:
        query = query.where(row.id != but)
    if resource_id is not None:
        query = query.where(or_(row.resource_id == resource_id, row.bay_id.is_not(None)))
    return [_taken(*found) for found in connection.execute(query)]


def standing(connection: Connection, facility_id: str, now: datetime) -> list[Booking]:
    """The facility's stays that are under way or still to come."""
    return listed(connection, facility_id=facility_id, ending_after=now, states=OCCUPYING)


def with_car(connection: Connection, member_id: str, period: Period, now: datetime, but: str | None = None) -> list[Period]:
    """The member's standing stays by car, at any facility, that overlap the period, but for the one named."""
    row = bookings.c
    query = select(row.starts_at, row.ends_at).where(
        row.member_id == member_id,
        row.bay_id.is_not(None),
        row.starts_at < period.end,
        row.ends_at > period.start,
        *_occupying(now),
    )
    if but is not None:
        query = query.where(row.id != but)
    return [Period(*found) for found in connection.execute(query)]


def due(connection: Connection, facility_id: str, state: BookingState, starting_before: datetime) -> list[Booking]:
    """The facility's bookings in that state that have begun by then, by start."""
    return listed(connection, facility_id=facility_id, starting_before=starting_before, states=[state])


def facilities_with(connection: Connection, state: BookingState, ended_by: datetime) -> list[str]:
    """The facilities that have bookings in that state whose period has ended by then."""
    query = select(bookings.c.facility_id).where(bookings.c.state == state, bookings.c.ends_at <= ended_by)
    return list(connection.execute(query.distinct().order_by(bookings.c.facility_id)).scalars())


def expired(connection: Connection, now: datetime) -> list[Booking]:
    """Held bookings whose time is over."""
    query = select(bookings).where(bookings.c.state == BookingState.HELD, bookings.c.expires_at <= now)
    return [_booking(found) for found in connection.execute(query.order_by(bookings.c.expires_at))]


def count_by_state(connection: Connection) -> dict[BookingState, int]:
    """How many bookings there are in each state."""
    query = select(bookings.c.state, func.count()).group_by(bookings.c.state)
    counted = {BookingState(state): number for state, number in connection.execute(query)}
    return {state: counted.get(state, 0) for state in BookingState}


def count_made(connection: Connection) -> int:
    """How many bookings were made and not given up."""
    return sum(number for state, number in count_by_state(connection).items() if state in MADE)


def _occupying(now: datetime, states: Sequence[BookingState] = OCCUPYING) -> Iterable[ColumnElement[bool]]:
    row = bookings.c
    return row.state.in_(states), or_(row.expires_at.is_(None), row.expires_at > now)


def _taken(
    resource_id: str,
    start: datetime,
    end: datetime,
    before_min: int,
    after_min: int,
    party: int,
    bay_id: str | None,
    plug_before_min: int,
    plug_after_min: int,
) -> Taken:
    bay_kept = None if bay_id is None else Period(start - plug_before_min * _MINUTE, end + plug_after_min * _MINUTE)
    return Taken(resource_id, Period(start - before_min * _MINUTE, end + after_min * _MINUTE), party, bay_id, bay_kept)


def _columns(booking: Booking) -> dict[str, Any]:
    period, kept, bay_kept = booking.period, booking.kept, booking.bay_kept or booking.period
    return {
        **{name: getattr(booking, name) for name in (*_SAME, *_INSTANTS, "series_id")},
        "starts_at": period.start,
        "ends_at": period.end,
        "before_min": (period.start - kept.start) // _MINUTE,
        "after_min": (kept.end - period.end) // _MINUTE,
        "plug_before_min": (period.start - bay_kept.start) // _MINUTE,
        "plug_after_min": (bay_kept.end - period.end) // _MINUTE,
        "charging": msgspec.to_builtins(booking.charging),
        "promise": msgspec.to_builtins(booking.promise),
    }


def _booking(row: Row[Any]) -> Booking:
    start, end = row.starts_at, row.ends_at
    bay_kept = Period(start - row.plug_before_min * _MINUTE, end + row.plug_after_min * _MINUTE)
    return Booking(
        id=BookingId(row.id),
        facility_id=row.facility_id,
        member_id=row.member_id,
        service_id=row.service_id,
        period=Period(start, end),
        party=row.party,
        resource_id=row.resource_id,
        kept=Period(start - row.before_min * _MINUTE, end + row.after_min * _MINUTE),
        made_at=row.made_at,
        bay_id=row.bay_id,
        bay_kept=bay_kept if row.bay_id else None,
        charging=row.charging and msgspec.convert(row.charging, ChargingWish),
        promise=row.promise and msgspec.convert(row.promise, Promise),
        state=BookingState(row.state),
        code=row.code,
        expires_at=row.expires_at,
        cancelled_at=row.cancelled_at,
        late=row.late,
        came_at=row.came_at,
        left_at=row.left_at,
        series_id=row.series_id,
        revision=row.revision,
    )
