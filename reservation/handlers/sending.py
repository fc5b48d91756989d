"""Bookings are sent on to the engine and the central system by the facility's rule: at once, or gathered for so many minutes
or so many bookings (S206). What is gathered is kept in a table of its own, in order, and goes on before its stay begins."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from contracts import codec
from contracts.message import Event
from contracts.reservation import BookingCancelled, BookingChanged, BookingMade, StayEnded, StayOutcome
from reservation.domain.booking import Booking
from reservation.domain.facility import Facility
from reservation.domain.member import Member
from reservation.store import gathered, mailboxes

SOON = timedelta(hours=1)
"""Bookings of stays that begin so soon, or sooner than a gathering takes, wait for no others."""


def made(connection: Connection, facility: Facility, member: Member, booking: Booking, now: datetime) -> None:
    """A stay is booked."""
    _send(connection, facility, booking, _stay(BookingMade, facility, member, booking, now), now)


def changed(connection: Connection, facility: Facility, member: Member, booking: Booking, now: datetime) -> None:
    """A stay is booked otherwise than before."""
    _send(connection, facility, booking, _stay(BookingChanged, facility, member, booking, now), now)


def cancelled(connection: Connection, facility: Facility, booking: Booking, now: datetime) -> None:
    """A stay will not happen."""
    event = BookingCancelled(at=now, booking_id=booking.id, facility_id=booking.facility_id)
    _send(connection, facility, booking, event, now)


def ended(connection: Connection, facility: Facility, booking: Booking, outcome: StayOutcome, now: datetime) -> None:
    """A stay is over, or nobody came."""
    event = StayEnded(
        at=now,
        booking_id=booking.id,
        facility_id=booking.facility_id,
        member_id=booking.member_id,
        start=booking.period.start,
        end=booking.period.end,
        made_at=booking.made_at,
        outcome=outcome,
        came_at=booking.came_at,
        left_at=booking.left_at,
    )
    _send(connection, facility, booking, event, now)


def flush_due(connection: Connection, facility: Facility, now: datetime) -> int:
    """Send on what was gathered at the facility if its time has come. How many events went."""
    oldest, first_start = gathered.oldest(connection, facility.id), gathered.first_start(connection, facility.id)
    if oldest is None or first_start is None:
        return 0
    return _flush(connection, facility) if _due(facility, oldest, first_start) <= now else 0


def next_due(connection: Connection, facility: Facility) -> datetime | None:
    """When what was gathered at the facility is to go on at the latest; None when there is nothing."""
    oldest, first_start = gathered.oldest(connection, facility.id), gathered.first_start(connection, facility.id)
    return None if oldest is None or first_start is None else _due(facility, oldest, first_start)


def _due(facility: Facility, oldest: datetime, first_start: datetime) -> datetime:
    rules = facility.rules
    waited = timedelta(minutes=rules.send_every_min)
    before_the_stay = first_start - max(waited, SOON)
    if not (rules.send_every_min or rules.send_every_bookings):
        return oldest
    return min(oldest + waited, before_the_stay) if rules.send_every_min else before_the_stay


def _send(connection: Connection, facility: Facility, booking: Booking, event: Event, now: datetime) -> None:
    rules = facility.rules
    if not (rules.send_every_min or rules.send_every_bookings) and not gathered.count(connection, facility.id):
        mailboxes.announce(connection, event)
        return
    gathered.add(connection, facility.id, booking.period.start, now, codec.encode(event))
    enough = 0 < rules.send_every_bookings <= gathered.count(connection, facility.id)
    if enough or booking.period.start <= now + max(timedelta(minutes=rules.send_every_min), SOON):
        _flush(connection, facility)


def _flush(connection: Connection, facility: Facility) -> int:
    events = [codec.decode(body) for body in gathered.take(connection, facility.id)]
    mailboxes.announce(connection, *(event for event in events if isinstance(event, Event)))
    return len(events)


def _stay(
    kind: type[BookingMade] | type[BookingChanged], facility: Facility, member: Member, booking: Booking, now: datetime
) -> Event:
    bay = facility.bay(booking.bay_id)
    return kind(
        at=now,
        booking_id=booking.id,
        facility_id=booking.facility_id,
        member_id=booking.member_id,
        start=booking.period.start,
        end=booking.period.end,
        tokens=member.tokens,
        station_id=bay.station_id if bay else None,
        evse_id=bay.evse_id if bay else None,
        charging=booking.charging,
        reserve_bay=facility.reserve_bays and bay is not None,
    )
