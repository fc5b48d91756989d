"""Bookings. Whether a period is free is asked in the transaction that books it, so that nobody comes in between (S202)."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from contracts.ids import BookingId
from contracts.reservation import ChargingWish
from reservation.domain.booking import Booking, BookingState
from reservation.domain.period import Period
from reservation.domain.promise import Promise
from reservation.store.tables import bookings


def add(connection: Connection, booking: Booking, request_key: str | None, request_digest: bytes | None) -> None:
    """Keep a new booking, with the key and digest of the request that asked for it."""
    row = {
        "id": booking.id,
        "facility_id": booking.facility_id,
        "member_id": booking.member_id,
        "starts_at": booking.period.start,
        "ends_at": booking.period.end,
        "resource_id": booking.resource_id,
        "bay_id": booking.bay_id,
        "charging": msgspec.to_builtins(booking.charging),
        "promise": msgspec.to_builtins(booking.promise),
        "state": booking.state,
        "made_at": booking.made_at,
        "cancelled_at": booking.cancelled_at,
        "request_key": request_key,
        "request_digest": request_digest,
    }
    connection.execute(insert(bookings).values(row))


def cancel(connection: Connection, booking_id: str, now: datetime) -> None:
    """Mark a booking cancelled."""
    values = {"state": BookingState.CANCELLED, "cancelled_at": now}
    connection.execute(update(bookings).where(bookings.c.id == booking_id).values(values))


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
    starting_before: datetime | None = None,
    ending_after: datetime | None = None,
    state: BookingState | None = None,
) -> list[Booking]:
    """The bookings that meet every condition given, by start."""
    conditions: list[ColumnElement[bool]] = []
    if facility_id is not None:
        conditions.append(bookings.c.facility_id == facility_id)
    if starting_before is not None:
        conditions.append(bookings.c.starts_at < starting_before)
    if ending_after is not None:
        conditions.append(bookings.c.ends_at > ending_after)
    if state is not None:
        conditions.append(bookings.c.state == state)
    query = select(bookings).where(*conditions).order_by(bookings.c.starts_at, bookings.c.made_at, bookings.c.id)
    return [_booking(row) for row in connection.execute(query)]


def taken(connection: Connection, facility_id: str, period: Period) -> list[Booking]:
    """The facility's standing bookings that overlap the period."""
    return listed(
        connection,
        facility_id=facility_id,
        starting_before=period.end,
        ending_after=period.start,
        state=BookingState.BOOKED,
    )


def standing(connection: Connection, facility_id: str, now: datetime) -> list[Booking]:
    """The facility's stays that are under way or still to come."""
    return listed(connection, facility_id=facility_id, ending_after=now, state=BookingState.BOOKED)


def with_car(connection: Connection, member_id: str, period: Period) -> list[Period]:
    """The member's standing stays by car, at any facility, that overlap the period."""
    columns = bookings.c
    query = select(columns.starts_at, columns.ends_at).where(
        columns.member_id == member_id,
        columns.state == BookingState.BOOKED,
        columns.bay_id.is_not(None),
        columns.starts_at < period.end,
        columns.ends_at > period.start,
    )
    return [Period(*row) for row in connection.execute(query)]


def count_by_state(connection: Connection) -> dict[BookingState, int]:
    """How many bookings stand and how many are cancelled."""
    query = select(bookings.c.state, func.count()).group_by(bookings.c.state)
    counted = {BookingState(state): number for state, number in connection.execute(query)}
    return {state: counted.get(state, 0) for state in BookingState}


def _booking(row: Row[Any]) -> Booking:
    return Booking(
        id=BookingId(row.id),
        facility_id=row.facility_id,
        member_id=row.member_id,
        period=Period(row.starts_at, row.ends_at),
        resource_id=row.resource_id,
        made_at=row.made_at,
        bay_id=row.bay_id,
        charging=row.charging and msgspec.convert(row.charging, ChargingWish),
        promise=row.promise and msgspec.convert(row.promise, Promise),
        state=BookingState(row.state),
        cancelled_at=row.cancelled_at,
    )
