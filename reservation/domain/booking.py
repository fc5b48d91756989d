"""Bookings and the rules by which one is accepted or refused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain

from contracts.ids import BookingId, FacilityId, MemberId
from contracts.reservation import ChargingWish
from reservation.domain import free
from reservation.domain.facility import Bay, Facility, Resource
from reservation.domain.member import Member, refuse_bad_soc
from reservation.domain.period import Period
from reservation.domain.promise import Promise
from reservation.domain.refusal import Conflict, Invalid, NotFree

LONGEST_STAY = timedelta(days=31)
SEARCHED = timedelta(days=7)
"""How far from the wish free periods are looked for."""
OFFERED_EACH_SIDE = 2
FURTHEST_AHEAD = timedelta(days=366)
"""How long before its start a stay can be booked."""


class BookingState(StrEnum):
    """BOOKED until the member or the facility cancels it."""

    BOOKED = "booked"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Booking:
    """A stay. `bay_id`, `charging` and `promise` are None for a guest who does not come by EV."""

    id: BookingId
    facility_id: FacilityId
    member_id: MemberId
    period: Period
    resource_id: str
    made_at: datetime
    bay_id: str | None = None
    charging: ChargingWish | None = None
    promise: Promise | None = None
    state: BookingState = BookingState.BOOKED
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the guest says of the car with the request (S200); None: as the member's preferences have it."""

    by_car: bool | None = None
    dr: bool | None = None
    discharge: bool | None = None
    soc_pct: int | None = None
    distance_km: float | None = None
    wanted_soc_pct: int | None = None
    floor_soc_pct: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """What a stay occupies."""

    resource: Resource
    bay: Bay | None


def charging_wish(member: Member, asked: Asked) -> ChargingWish | None:
    """The wish of a guest who comes by EV, else None. Raises Invalid when it cannot be meant.

    Who takes no part in DR is not discharged either, whatever the preferences say (X1).
    """
    if asked.by_car is False or (asked.by_car is None and member.car is None):
        return None
    if member.car is None:
        raise Invalid(f"member {member.number} has no car; give the member one, or book with by_car false")
    prefers = member.preferences
    wanted = prefers.wanted_soc_pct if asked.wanted_soc_pct is None else asked.wanted_soc_pct
    floor = prefers.floor_soc_pct if asked.floor_soc_pct is None else asked.floor_soc_pct
    try:
        refuse_bad_soc(floor, wanted)
    except ValueError as error:
        raise Invalid(str(error)) from error
    dr = prefers.dr if asked.dr is None else asked.dr
    discharge = prefers.discharge if asked.discharge is None else asked.discharge
    return ChargingWish(
        car=member.car,
        dr=dr,
        discharge=dr and discharge,
        wanted_soc_pct=wanted,
        floor_soc_pct=floor,
        soc_pct=asked.soc_pct,
        distance_km=asked.distance_km or 0.0,
    )


def check_period(period: Period, facility: Facility, now: datetime) -> None:
    """Raises Invalid for a stay in the past, too far ahead, too long, or outside the facility's hours."""
    if period.start < now:
        raise Invalid(f"the stay would start in the past; it is {now:%F %H:%M} UTC")
    if period.start > now + FURTHEST_AHEAD:
        raise Invalid(f"stays can be booked {FURTHEST_AHEAD.days} days ahead")
    if period.length > LONGEST_STAY:
        raise Invalid(f"a stay is at most {LONGEST_STAY.days} days long")
    if not any(opening.holds(period) for opening in facility.openings(period)):
        raise Invalid(f"the stay is outside the hours of {facility.name}: {facility.hours_told}{_closed(facility, period)}")


def _closed(facility: Facility, period: Period) -> str:
    """What is unlike the week on the day on which the stay would begin."""
    day = facility.local(period.start).date()
    closure = facility.hours.closure(day)
    if closure is None:
        return ""
    times = " and ".join(map(str, closure.hours))
    because = f" ({closure.reason})" if closure.reason else ""
    return f"; on {day} {times or 'closed'}{because}"


def check_resource(facility: Facility, resource_id: str | None) -> None:
    """Raises Invalid for a resource that the facility does not have."""
    if resource_id is not None and resource_id not in {resource.id for resource in facility.resources}:
        raise Invalid(f"facility {facility.id} has no resource {resource_id!r}")


def place(facility: Facility, period: Period, resource_id: str | None, *, by_car: bool, taken: Sequence[Booking]) -> Place:
    """The first free resource (or the one asked for) and, for a car, the first free bay (S202). Raises NotFree.

    `taken` are the facility's bookings; those that do not overlap the period do not matter.
    """
    there = [booking for booking in taken if booking.period.overlaps(period)]
    busy, parked = {booking.resource_id for booking in there}, {booking.bay_id for booking in there}
    resource = next((one for one in _resources(facility, resource_id) if one.id not in busy), None)
    if resource is None:
        what = "every resource is" if resource_id is None else f"{resource_id} is"
        raise NotFree(f"{what} booked in that period")
    bay = next((one for one in facility.bays if one.id not in parked), None) if by_car else None
    if by_car and bay is None:
        raise NotFree("every bay is booked in that period" if facility.bays else "the facility has no bays")
    return Place(resource, bay)


def check_own_car(own: Iterable[Period], period: Period) -> None:
    """Raises NotFree when the member's car is to stand in another bay at that time: a car is in one place."""
    if any(stay.overlaps(period) for stay in own):
        raise NotFree("the member has another stay with the car in that period")


def alternatives(
    facility: Facility,
    period: Period,
    resource_id: str | None,
    *,
    by_car: bool,
    taken: Sequence[Booking],
    own: Sequence[Period],
    now: datetime,
) -> list[Period]:
    """The nearest free periods of the same length, up to two on either side, in order (S208).

    `own` are the member's other stays with the car, wherever they are.
    """
    searched, length = period.widened(SEARCHED), period.length
    spans = _open_starts(facility, searched, length, now)
    of_resources = [
        [booking.period for booking in taken if booking.resource_id == resource.id]
        for resource in _resources(facility, resource_id)
    ]
    spans = free.intersection(spans, _any_of(of_resources, searched, length))
    if by_car:
        of_bays = [[booking.period for booking in taken if booking.bay_id == bay.id] for bay in facility.bays]
        spans = free.intersection(spans, _any_of(of_bays, searched, length))
        spans = free.intersection(spans, _any_of([list(own)], searched, length))
    found = chain(_earlier(spans, period.start, length), _later(spans, period.start, length))
    return [Period(start, start + length) for start in sorted(set(found))]


def check_cancellable(booking: Booking, now: datetime) -> None:
    """Raises Conflict for a stay that is cancelled already or has begun."""
    if booking.state is BookingState.CANCELLED:
        raise Conflict(f"booking {booking.id} is cancelled already")
    if booking.period.start <= now:
        raise Conflict(f"booking {booking.id} has begun and cannot be cancelled any more")


def _resources(facility: Facility, resource_id: str | None) -> list[Resource]:
    return [resource for resource in facility.resources if resource_id in (None, resource.id)]


def _any_of(taken: list[list[Period]], within: Period, length: timedelta) -> list[free.Span]:
    return free.union(chain.from_iterable(free.starts(periods, within, length) for periods in taken))


def _open_starts(facility: Facility, searched: Period, length: timedelta, now: datetime) -> list[free.Span]:
    first = _next_quarter(now)
    last = now + FURTHEST_AHEAD
    openings = (free.starts([], opening, length) for opening in facility.openings(searched))
    spans = free.union(chain.from_iterable(openings))
    return free.intersection(spans, [(first, last)])


def _next_quarter(now: datetime) -> datetime:
    begun = timedelta(minutes=now.minute % 15, seconds=now.second, microseconds=now.microsecond)
    return now - begun + timedelta(minutes=15) if begun else now


def _earlier(spans: list[free.Span], start: datetime, length: timedelta) -> list[datetime]:
    found: list[datetime] = []
    while len(found) < OFFERED_EACH_SIDE and (one := free.latest_before(spans, start)) is not None:
        found.append(one)
        start = one - length
    return found


def _later(spans: list[free.Span], start: datetime, length: timedelta) -> list[datetime]:
    found: list[datetime] = []
    while len(found) < OFFERED_EACH_SIDE and (one := free.earliest_after(spans, start)) is not None:
        found.append(one)
        start = one + length
    return found
