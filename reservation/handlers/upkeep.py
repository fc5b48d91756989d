"""What time does to bookings: held ones expire, guests who do not come are given up, stays end, and what waits goes on."""

from datetime import datetime

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
