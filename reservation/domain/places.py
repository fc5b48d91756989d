"""Where a stay fits: resources, bays, the time that is kept around it, and when it could begin instead (S202, S208)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import chain
from zoneinfo import ZoneInfo

from contracts.reservation import Car, ChargingWish
from reservation.domain import free
from reservation.domain.booking import Booking, Place
from reservation.domain.facility import Bay, Facility, Resource
from reservation.domain.hours import ONE_DAY, at
from reservation.domain.occupied import Occupied, span
from reservation.domain.period import Period
from reservation.domain.refusal import NotFree, Reason
from reservation.domain.service import MINUTES_A_DAY, Service

OFFERED_EACH_SIDE = 2
OFFERED_EVERY_MIN = 15
"""How far apart free periods are offered where stays may begin at any time."""


@dataclass(frozen=True)
class Wanted:
    """What has to be free. `wish` is None for a guest who does not come by EV; `own` are the stays with the same car,
    wherever they are: a car is in one place."""

    facility: Facility
    service: Service
    party: int = 1
    resource_id: str | None = None
    wish: ChargingWish | None = None
    own: Sequence[Period] = ()

    @cached_property
    def resources(self) -> list[Resource]:
        """Those that would do, the smallest first."""
        fitting = [
            one
            for one in self.facility.resources
            if self.resource_id in (None, one.id) and one.serves(self.service.id) and one.capacity >= self.party
        ]
        return sorted(fitting, key=lambda one: one.capacity)

    @cached_property
    def bays(self) -> list[Bay]:
        """Those that would do, those first that give and take as the guest lets the car do."""
        if self.wish is None:
            return []
        gives = self.wish.discharge and self.wish.car.max_discharge_w > 0
        car = self.wish.car
        fitting = [bay for bay in self.facility.bays if fits(bay, car)]
        return sorted(fitting, key=lambda bay: (bay.max_discharge_w > 0) != gives)

    def kept(self, period: Period) -> Period:
        """For how long a resource is kept for a stay."""
        return Period(period.start - self.service.before, period.end + self.service.after)

    def bay_kept(self, period: Period) -> Period:
        """For how long a bay is kept for a stay."""
        rules = self.facility.rules
        return Period(period.start - rules.plug_before, period.end + rules.plug_after)


def fits(bay: Bay, car: Car) -> bool:
    """Whether the car can be plugged in there; who names no plugs has all."""
    return not bay.plugs or not car.plugs or bool(set(bay.plugs) & set(car.plugs))


def place(wanted: Wanted, period: Period, occupied: Occupied) -> Place:
    """The first resource that is free and, for a car, the first bay. Raises NotFree."""
    if any(stay.overlaps(period) for stay in wanted.own):
        raise NotFree("the member has another stay with the car in that period", Reason.OWN_STAY)
    kept, bay_kept = wanted.kept(period), wanted.bay_kept(period)
    resource = next((one for one in wanted.resources if occupied.has_room(one, wanted.party, kept)), None)
    if resource is None:
        what = "every resource is" if wanted.resource_id is None else f"{wanted.resource_id} is"
        raise NotFree(f"{what} booked in that period", Reason.TAKEN)
    if wanted.wish is None:
        return Place(resource, None)
    bay = next((one for one in wanted.bays if occupied.is_free(one, bay_kept)), None)
    if bay is None:
        raise NotFree(_no_bay(wanted), Reason.NO_BAY if wanted.bays else Reason.NO_FITTING_BAY)
    return Place(resource, bay)


def place_of(facility: Facility, booking: Booking) -> Place:
    """What a booking occupies, though the facility may have it no longer."""
    resource = facility.resource(booking.resource_id) or Resource(booking.resource_id, booking.resource_id)
    return Place(resource, facility.bay(booking.bay_id))


def free_places(wanted: Wanted, period: Period, occupied: Occupied) -> tuple[list[Resource], list[Bay]]:
    """Every resource, and every bay for the guest's car, that is free then."""
    kept, bay_kept = wanted.kept(period), wanted.bay_kept(period)
    resources = [one for one in wanted.resources if occupied.has_room(one, wanted.party, kept)]
    return resources, [one for one in wanted.bays if occupied.is_free(one, bay_kept)]


def free_periods(wanted: Wanted, length: timedelta, occupied: Occupied, within: Period) -> Iterator[Period]:
    """Every period that could be booked and lies in `within`, by start, at the times at which the service begins. For stays
    over nights the length is that of as many nights."""
    facility, service = wanted.facility, wanted.service
    if service.nights is not None:
        spans: dict[timedelta, list[free.Span]] = {}
        for period in starts(facility, service, length, within):  # clocks that change make a night longer or shorter
            if period.length not in spans:
                spans[period.length] = possible_starts(wanted, period.length, occupied, within)
            if free.holds(spans[period.length], period.start):
                yield period
        return
    for first, last in possible_starts(wanted, length, occupied, within):
        for start in _ticks(facility.zone, service.every_min or OFFERED_EVERY_MIN, first, last):
            yield Period(start, start + length)


def possible_starts(wanted: Wanted, length: timedelta, occupied: Occupied, within: Period) -> list[free.Span]:
    """When a stay of that length could begin, whatever the clock shows: doors open, a resource, a bay and the car free."""
    service, rules = wanted.service, wanted.facility.rules
    openings = (free.starts([], opening, length) for opening in wanted.facility.openings(within))
    spans = free.union(chain.from_iterable(openings))
    rooms = (occupied.full(one, wanted.party) for one in wanted.resources)
    spans = free.intersection(spans, _any_of(rooms, within, length, service.before, service.after))
    if wanted.wish is not None:
        parked = (occupied.parked(bay) for bay in wanted.bays)
        spans = free.intersection(spans, _any_of(parked, within, length, rules.plug_before, rules.plug_after))
        spans = free.intersection(spans, free.starts(map(span, wanted.own), within, length))
    return spans


def nearest(periods: Iterable[Period], wish: Period) -> list[Period]:
    """Of free periods those nearest to the wish, two on either side, none overlapping another, in order (S208)."""
    earlier, later = list[Period](), list[Period]()
    known = sorted(periods)
    for one in reversed(known):
        if one.start <= wish.start and len(earlier) < OFFERED_EACH_SIDE and (not earlier or one.end <= earlier[-1].start):
            earlier.append(one)
    for one in known:
        if one.start >= wish.start and len(later) < OFFERED_EACH_SIDE and (not later or one.start >= later[-1].end):
            later.append(one)
    return sorted({*earlier, *later})


def starts(facility: Facility, service: Service, length: timedelta, within: Period) -> Iterator[Period]:
    """Every period in `within` that begins when the service begins, by the facility's clocks, whether or not it is free."""
    if service.nights is None:
        for start in _ticks(facility.zone, service.every_min or OFFERED_EVERY_MIN, within.start, within.end - length):
            yield Period(start, start + length)
        return
    day, last = facility.local(within.start).date(), facility.local(within.end).date()
    while day <= last:
        until = day + ONE_DAY * max(1, round(length / ONE_DAY))
        period = Period(at(day, service.nights.check_in, facility.zone), at(until, service.nights.check_out, facility.zone))
        if within.holds(period):
            yield period
        day += ONE_DAY


def _ticks(zone: ZoneInfo, every_min: int, first: datetime, last: datetime) -> Iterator[datetime]:
    """The instants, both ends included, at which clocks of the zone show a multiple of so many minutes from midnight."""
    day, every = first.astimezone(zone).date(), timedelta(minutes=every_min)
    while (midnight := _midnight(day, zone)) <= last:
        day += ONE_DAY
        if _midnight(day, zone) - midnight != ONE_DAY:
            yield from (tick for tick in _of_odd_day(day - ONE_DAY, every_min, zone) if first <= tick <= last)
            continue
        tick, end = midnight + max(0, -((midnight - first) // every)) * every, midnight + ONE_DAY
        while tick <= last and tick < end:
            yield tick
            tick += every


def _of_odd_day(day: date, every_min: int, zone: ZoneInfo) -> Iterator[datetime]:
    """A day on which clocks are set: they skip some times, and show others twice, of which the first is meant."""
    seen: datetime | None = None
    for minute in range(0, MINUTES_A_DAY, every_min):
        tick = at(day, time(minute // 60, minute % 60), zone)
        if seen is None or tick > seen:
            yield tick
            seen = tick


@lru_cache(4_096)
def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return at(day, time(), zone)


def _any_of(
    taken: Iterable[list[free.Span]], within: Period, length: timedelta, before: timedelta, after: timedelta
) -> list[free.Span]:
    """When one of several is free, from so long before the stay until so long after it."""
    around, whole = Period(within.start - before, within.end + after), before + length + after
    spans = chain.from_iterable(free.starts(one, around, whole) for one in taken)
    return free.union((first + before, last + before) for first, last in spans)


def _no_bay(wanted: Wanted) -> str:
    if not wanted.facility.bays:
        return "the facility has no bays"
    return "every bay is booked in that period" if wanted.bays else "no bay fits the car"
