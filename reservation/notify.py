"""What a member is told. Plain text, English, the facility's own time."""

from datetime import date

from reservation.domain.booking import Booking, Place
from reservation.domain.facility import Facility
from reservation.domain.period import Period
from reservation.domain.promise import Promise


def booked(facility: Facility, booking: Booking, place: Place) -> str:
    """The booking is complete (M3): when, where, and what the car can have at departure (X1)."""
    bay = f", parking bay {place.bay.id}" if place.bay else ""
    stay = f"Your stay at {facility.name} is booked: {when(facility, booking.period)}, {place.resource.name}{bay}."
    return " ".join(filter(None, [stay, _of_dr(booking), _of_promise(booking.promise)]))


def cancelled(facility: Facility, booking: Booking) -> str:
    """The stay will not happen."""
    return f"Your stay at {facility.name} is cancelled: {when(facility, booking.period)}."


def when(facility: Facility, period: Period) -> str:
    """A period for people, as the facility's clocks show it."""
    start, end = facility.local(period.start), facility.local(period.end)
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{_day(end.date())}, {end:%H:%M}"
    return f"{start:%A} {_day(start.date())}, {start:%H:%M} to {until}"


def _of_dr(booking: Booking) -> str:
    return "Your car helps the grid while it is parked." if booking.charging and booking.charging.dr else ""


def _of_promise(promise: Promise | None) -> str:
    if promise is None:
        return ""
    return f"It leaves with at least {promise.wanted_soc_pct} %." if promise.kept else promise.reason


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
