"""By which rules of a facility a booking is taken, changed and given up: time, lengths, latest moments."""

from datetime import datetime, timedelta

from reservation.domain.booking import Booking, BookingState, Deed, moved
from reservation.domain.facility import Facility, LateCancel
from reservation.domain.hours import at
from reservation.domain.period import Period
from reservation.domain.refusal import Conflict, Invalid, Reason
from reservation.domain.service import Service

LONGEST_STAY = timedelta(days=31)
SINCE = timedelta(minutes=5)
"""A walk-in is taken down so long after it has begun."""
STAYED = timedelta(minutes=5)
"""Who leaves so shortly before the end has stayed."""


def service_of(facility: Facility, service_id: str | None) -> Service:
    """The service that is asked for; the only one where none is named. Raises Invalid."""
    if service_id is None and len(facility.services) == 1:
        return facility.services[0]
    found = facility.service(service_id) if service_id is not None else None
    if found is None:
        offered = ", ".join(one.id for one in facility.services)
        what = f"no service {service_id!r}" if service_id is not None else "say for which service"
        raise Invalid(f"facility {facility.id}: {what}; it offers {offered}")
    return found


def only_length(service: Service) -> int | None:
    """The service's length in minutes, where it has one and no other."""
    return service.minutes[0] if len(service.minutes) == 1 else None


def period_of(service: Service, start: datetime, end: datetime | None) -> Period:
    """The period that is asked for; without an end it is as long as the service. Raises Invalid."""
    if end is None:
        if (minutes := only_length(service)) is None:
            told = f" ({' or '.join(map(str, service.minutes))} min)" if service.minutes else ""
            raise Invalid(f"say when the stay ends: {service.name} has no one length{told}", Reason.LENGTH)
        end = start + timedelta(minutes=minutes)
    try:
        return Period(start, end)
    except ValueError as error:
        raise Invalid(str(error), Reason.LENGTH) from error


def check_period(facility: Facility, service: Service, period: Period, now: datetime, *, walk_in: bool = False) -> None:
    """Raises Invalid for a stay in the past, sooner or later than is booked here, outside the facility's hours, or of a
    length or a start that the service does not have. A `walk_in` begins now, at any minute."""
    check_lead(facility, period, now, walk_in=walk_in)
    check_open(facility, period)
    check_service(facility, service, period, walk_in=walk_in)


def check_open(facility: Facility, period: Period) -> None:
    """Raises Invalid for a stay that is too long for any facility, or outside the hours of this one."""
    if period.length > LONGEST_STAY:
        raise Invalid(f"a stay is at most {LONGEST_STAY.days} days long", Reason.LENGTH)
    if not any(opening.holds(period) for opening in facility.openings(period)):
        told = f"the stay is outside the hours of {facility.name}: {facility.hours_told}{_closed(facility, period)}"
        raise Invalid(told, Reason.OUTSIDE_HOURS)


def check_lead(facility: Facility, period: Period, now: datetime, *, walk_in: bool) -> None:
    """Raises Invalid for a start that is too soon or too far ahead."""
    rules = facility.rules
    if walk_in and not rules.walk_in:
        raise Invalid(f"{facility.name} takes no guests without a booking", Reason.NO_WALK_IN)
    if period.start < now - (SINCE if walk_in else timedelta()):
        raise Invalid(f"the stay would start in the past; it is {now:%F %H:%M} UTC", Reason.PAST)
    if not walk_in and period.start < now + timedelta(minutes=rules.lead_min):
        told = f"stays are booked {rules.lead_min} minutes ahead at the latest"
        raise Invalid(told, Reason.TOO_SOON, minutes=rules.lead_min)
    if period.start > now + timedelta(days=rules.furthest_days):
        told = f"stays can be booked {rules.furthest_days} days ahead"
        raise Invalid(told, Reason.TOO_FAR, days=rules.furthest_days)


def check_service(facility: Facility, service: Service, period: Period, *, walk_in: bool = False) -> None:
    """Raises Invalid for a length or a start that the service does not have."""
    if service.nights is not None:
        _check_nights(facility, service, period)
        return
    if service.minutes and period.length not in {timedelta(minutes=one) for one in service.minutes}:
        raise Invalid(f"{service.name} takes {' or '.join(map(str, service.minutes))} minutes", Reason.LENGTH)
    if service.every_min and not walk_in and not on_the_clock(facility, service.every_min, period.start):
        told = f"{service.name} begins every {service.every_min} minutes, counted from midnight"
        raise Invalid(told, Reason.START, minutes=service.every_min)


def on_the_clock(facility: Facility, every_min: int, when: datetime) -> bool:
    """Whether the facility's clocks show a multiple of so many minutes."""
    shown = facility.local(when)
    return not (shown.second or shown.microsecond or (60 * shown.hour + shown.minute) % every_min)


def check_party(facility: Facility, service: Service, resource_id: str | None, party: int) -> None:
    """Raises Invalid for a resource that there is not or that does not serve, and a party for which nothing is large
    enough."""
    if resource_id is not None:
        resource = facility.resource(resource_id)
        if resource is None:
            raise Invalid(f"facility {facility.id} has no resource {resource_id!r}")
        if not resource.serves(service.id):
            raise Invalid(f"{resource_id} does not serve {service.name}")
    fitting = [one for one in facility.resources if resource_id in (None, one.id) and one.serves(service.id)]
    largest = max(one.capacity for one in fitting)
    if party > largest:
        told = f"there is no room for {party} persons together; for {largest} at most"
        raise Invalid(told, Reason.PARTY, most=largest)


def cancelled(facility: Facility, booking: Booking, now: datetime, *, by_staff: bool) -> tuple[BookingState, bool]:
    """Where a cancellation leaves the booking, and whether it is a late one. Raises Conflict for one that has begun, is over
    already, or is refused by the facility's rule. The staff is bound by no latest moment."""
    to = moved(booking, Deed.CANCEL)
    if booking.period.start <= now:
        raise Conflict(f"booking {booking.id} has begun and cannot be cancelled any more", Reason.BEGUN)
    late = booking.state is not BookingState.HELD and now > _latest(facility, booking)
    if late and not by_staff and facility.rules.late_cancel is LateCancel.REFUSED:
        latest = _latest(facility, booking)
        told = f"booking {booking.id} could be cancelled until {latest:%F %H:%M} UTC; ask the staff"
        raise Conflict(told, Reason.TOO_LATE, until=latest)
    return to, late


def check_change(
    facility: Facility, service: Service, booking: Booking, period: Period, now: datetime, *, by_staff: bool
) -> None:
    """Raises Conflict for a booking that cannot be changed any more, or not to that period: one that has begun keeps its
    start, and its new end need not suit the service. The staff is bound by no latest moment and no lead time."""
    moved(booking, Deed.CHANGE)
    if booking.period.start <= now and period.start != booking.period.start:
        raise Conflict(f"booking {booking.id} has begun: its end can be changed, not its start", Reason.BEGUN)
    if period.end <= now:
        raise Conflict(f"booking {booking.id} would be over already", Reason.OVER)
    if booking.state is BookingState.BOOKED and not by_staff and now > _latest(facility, booking):
        latest = _latest(facility, booking)
        told = f"booking {booking.id} could be changed until {latest:%F %H:%M} UTC; ask the staff"
        raise Conflict(told, Reason.TOO_LATE, until=latest)
    if booking.period.start <= now:
        check_open(facility, period)
    elif by_staff and period.start >= now:
        check_open(facility, period)
        check_service(facility, service, period)
    else:
        check_period(facility, service, period, now)


def check_arrival(facility: Facility, booking: Booking, now: datetime) -> BookingState:
    """Where checking in now leaves the booking. Raises Conflict for one who is too early or too late, or has been here."""
    to = moved(booking, Deed.CHECK_IN)
    opens = booking.period.start - timedelta(minutes=facility.rules.check_in_min)
    if now < opens:
        told = f"booking {booking.id} begins {booking.period.start:%F %H:%M} UTC; check in from {opens:%F %H:%M} UTC"
        raise Conflict(told, Reason.TOO_EARLY, since=opens)
    if now >= booking.period.end:
        raise Conflict(f"booking {booking.id} ended {booking.period.end:%F %H:%M} UTC", Reason.OVER)
    return to


def not_there_by(facility: Facility, booking: Booking) -> datetime | None:
    """From when on a guest who has not come is a no-show; None: the staff says so."""
    return given_up_by(facility, booking.period.start, booking.period.end)


def given_up_by(facility: Facility, start: datetime, end: datetime) -> datetime | None:
    """As `not_there_by`, for a stay from then until then."""
    minutes = facility.rules.no_show_min
    return None if minutes is None else min(start + timedelta(minutes=minutes), end)


def left_early(booking: Booking, now: datetime) -> bool:
    """Whether somebody who leaves now has not stayed to the end."""
    return now < booking.period.end - STAYED


def _latest(facility: Facility, booking: Booking) -> datetime:
    return booking.period.start - timedelta(minutes=facility.rules.cancel_min)


def _check_nights(facility: Facility, service: Service, period: Period) -> None:
    nights = service.nights
    assert nights is not None
    first, last = facility.local(period.start).date(), facility.local(period.end).date()
    begins, ends = at(first, nights.check_in, facility.zone), at(last, nights.check_out, facility.zone)
    if period != Period(begins, ends) if ends > begins else True:
        told = f"{service.name} is from {nights.check_in:%H:%M} to {nights.check_out:%H:%M} on a later day"
        raise Invalid(told, Reason.NIGHTS, most=nights.longest)
    if not 1 <= (last - first).days <= nights.longest:
        raise Invalid(f"{service.name} is for 1 to {nights.longest} nights", Reason.NIGHTS, most=nights.longest)


def _closed(facility: Facility, period: Period) -> str:
    """What is unlike the week on the day on which the stay would begin."""
    day = facility.local(period.start).date()
    closure = facility.hours.closure(day)
    if closure is None:
        return ""
    times = " and ".join(map(str, closure.hours))
    because = f" ({closure.reason})" if closure.reason else ""
    return f"; on {day} {times or 'closed'}{because}"
