"""What time does to bookings: held ones expire, guests who do not come are given up, stays end, and what waits goes on."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection

from reservation.domain import rules
from reservation.domain.booking import BookingState, Deed, moved
from reservation.domain.facility import Facility
from reservation.handlers import arrivals, known, sending, waiting
from reservation.store import bookings, facilities, gathered
from reservation.store import waiting as waiting_store


def look(connection: Connection, now: datetime) -> None:
    """See to all facilities once. What was seen to already is left alone: it may be done at any time, as often as wanted."""
    _expire(connection, now)
    for facility_id in facilities.giving_up(connection):
        _give_up(connection, facility_id, now)
    for facility_id in bookings.facilities_with(connection, BookingState.CHECKED_IN, ended_by=now):
        _end(connection, known.facility(connection, facility_id), now)
    waiting_store.over(connection, now)
    for facility_id in waiting_store.facilities(connection):
        waiting.tell(connection, known.facility(connection, facility_id), now)
    for facility_id in gathered.facilities(connection):
        sending.flush_due(connection, known.facility(connection, facility_id), now)


def next_due(connection: Connection, looked_at: datetime) -> datetime | None:
    """When `look`, which was last done at that instant, has something to do; None: not before something changes."""
    return min(filter(None, _dues(connection, looked_at)), default=None)


def _dues(connection: Connection, looked_at: datetime) -> Iterator[datetime | None]:
    yield bookings.first_to_expire(connection)
    if stays := bookings.first_of(connection, BookingState.CHECKED_IN):
        yield stays[1]
    for facility_id in facilities.giving_up(connection):
        if awaited := bookings.first_of(connection, BookingState.BOOKED, facility_id):
            yield rules.given_up_by(known.facility(connection, facility_id), *awaited)
    yield waiting_store.first_over(connection)
    for facility_id in waiting_store.facilities(connection):
        patience = timedelta(minutes=known.facility(connection, facility_id).rules.waiting_min)
        told_at = waiting_store.told_since(connection, facility_id, looked_at - patience)
        yield told_at and told_at + patience
    for facility_id in gathered.facilities(connection):
        yield sending.next_due(connection, known.facility(connection, facility_id))


def _expire(connection: Connection, now: datetime) -> None:
    for held in bookings.expired(connection, now):
        bookings.set_state(connection, held.id, moved(held, Deed.EXPIRE))


def _give_up(connection: Connection, facility_id: str, now: datetime) -> None:
    begun = bookings.due(connection, facility_id, BookingState.BOOKED, starting_before=now)
    if not begun:
        return
    facility = known.facility(connection, facility_id)
    for booking in begun:
        by = rules.not_there_by(facility, booking)
        if by is not None and by <= now:
            arrivals.give_up(connection, facility, booking, now)


def _end(connection: Connection, facility: Facility, now: datetime) -> None:
    """Who was not checked out has stayed to the end."""
    for booking in bookings.due(connection, facility.id, BookingState.CHECKED_IN, starting_before=now):
        if booking.period.end <= now:
            arrivals.leave(connection, facility, booking, booking.period.end, now)
