"""The same stay week after week, by the facility's clocks: all of them or none, or those that are free."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from contracts.ids import new_id
from reservation.domain.booking import Booking, BookingState
from reservation.domain.facility import Facility
from reservation.domain.refusal import Invalid, NotFree, Reason, Refused, Unknown
from reservation.handlers import bookings as handlers
from reservation.handlers import known
from reservation.handlers.placing import Request
from reservation.store import bookings

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Left:
    """A stay of a series that was not booked, and why."""

    start: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class Series:
    """What was booked of a series, and what was not."""

    id: str
    booked: list[Booking]
    left: list[Left]


def book(connection: Connection, first: Request, weeks: int, now: datetime, *, all_or_none: bool) -> Series:
    """The series, booked. Raises Unknown, Invalid; and NotFree where one of all is not free, or none at all is."""
    facility = known.facility(connection, first.facility_id)
    requests = [_later(facility, first, number) for number in range(weeks)]
    if first.key and (made := bookings.made_by_request(connection, first.key)):
        return _repeated(connection, requests, *made)
    series_id, booked, left = new_id(), list[Booking](), list[Left]()
    for request in requests:
        keyed = request if not booked else replace(request, key=None, digest=None)
        try:
            booked.append(handlers.book(connection, keyed, now, series_id)[0])
        except (NotFree, Invalid) as refusal:
            if all_or_none:
                told = f"{facility.local(request.start):%F %H:%M}: {refusal}"
                raise refusal.told(told) from refusal
            left.append(Left(request.start, str(refusal)))
    if not booked:
        raise NotFree(f"none of the {weeks} stays is free: {left[0].detail}", Reason.TAKEN)
    return Series(series_id, booked, left)


def cancel(connection: Connection, series_id: str, now: datetime, *, by_staff: bool) -> Series:
    """Cancel what is still to come of a series; what cannot be cancelled any more is left. Raises Unknown."""
    found = bookings.listed(connection, series_id=series_id)
    if not found:
        raise Unknown(f"no series {series_id!r}")
    cancelled, left = list[Booking](), list[Left]()
    for booking in found:
        if booking.state not in (BookingState.BOOKED, BookingState.HELD):
            continue
        try:
            cancelled.append(handlers.cancel(connection, booking.id, now, by_staff=by_staff))
        except Refused as refusal:
            left.append(Left(booking.period.start, str(refusal)))
    return Series(series_id, cancelled, left)


def _later(facility: Facility, first: Request, weeks: int) -> Request:
    """The request so many weeks later, at the same time by the facility's clocks."""
    end = None if first.end is None else _shown_later(facility, first.end, weeks)
    return replace(first, start=_shown_later(facility, first.start, weeks), end=end)


def _shown_later(facility: Facility, when: datetime, weeks: int) -> datetime:
    return facility.local(when) + weeks * WEEK


def _repeated(connection: Connection, requests: list[Request], booking: Booking, digest: bytes | None) -> Series:
    if digest != requests[0].digest or booking.series_id is None:
        raise Invalid(
            f"Idempotency-Key {requests[0].key!r} was used for another request; take a new one", Reason.OTHER_REQUEST
        )
    booked = bookings.listed(connection, series_id=booking.series_id)
    starts = {one.period.start for one in booked}
    left = [Left(one.start, "not booked when it was asked for") for one in requests if one.start not in starts]
    return Series(booking.series_id, booked, left)
