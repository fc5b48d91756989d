"""What a guest could book: looked for in the order of time, with what the car can have at departure (X1), before anything is
booked."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import Connection

from reservation.domain import rules
from reservation.domain.booking import Asked, charging_wish
from reservation.domain.facility import Bay, Resource
from reservation.domain.hours import ONE_DAY
from reservation.domain.period import Period
from reservation.domain.places import Wanted, free_places
from reservation.domain.promise import Promise, promise
from reservation.domain.refusal import Invalid
from reservation.domain.service import Service
from reservation.handlers import known, placing
from reservation.store import bookings

LONGEST_SEARCH = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: at most `limit` periods between two instants. `minutes` is the length, `nights` that of a
    service over nights; neither: as long as the service. Without `member` the guest does not come by car. The booking `but`
    is to be changed, or is held: it is not in its own way."""

    facility_id: str
    start: datetime
    end: datetime
    limit: int
    service_id: str | None = None
    minutes: int | None = None
    nights: int | None = None
    party: int = 1
    resource_id: str | None = None
    member: str | None = None
    but: str | None = None
    asked: Asked = field(default_factory=Asked)


@dataclass(frozen=True, slots=True)
class Free:
    """A period that can be booked, with the resources and bays that are free then, and the promise in the first bay."""

    period: Period
    resources: list[Resource]
    bays: list[Bay]
    promise: Promise | None


def search(connection: Connection, asked: Search, now: datetime) -> list[Free]:
    """The first free periods, by start. Raises Unknown, Invalid."""
    facility = known.facility(connection, asked.facility_id)
    service = rules.service_of(facility, asked.service_id)
    rules.check_party(facility, service, asked.resource_id, asked.party)
    within = _within(asked)
    wish, own = None, list[Period]()
    if asked.member is not None:
        member = known.member(connection, asked.member)
        wish = charging_wish(member, asked.asked, facility.position)
        own = bookings.with_car(connection, member.id, within, now, asked.but) if wish else []
    elif asked.asked.by_car:
        raise Invalid("say which member comes by car")
    wanted = Wanted(facility, service, asked.party, asked.resource_id, wish, own)
    length = length_of(service, asked.minutes, asked.nights)
    found = placing.free(connection, wanted, length, within, now, asked.limit, asked.but)
    free = list[Free]()
    for period, occupied in islice(found, asked.limit):
        resources, bays = free_places(wanted, period, occupied)
        free.append(Free(period, resources, bays, promise(wish, bays[0], period.length) if wish and bays else None))
    return free


def length_of(service: Service, minutes: int | None, nights: int | None) -> timedelta:
    """How long a stay is to be; of a service over nights about so long. Raises Invalid."""
    if service.nights is not None:
        if minutes is not None or not 1 <= (nights or 1) <= service.nights.longest:
            raise Invalid(f"{service.name} is for 1 to {service.nights.longest} nights; say how many with nights")
        return (nights or 1) * ONE_DAY
    length_min = minutes or rules.only_length(service)
    if nights is not None or length_min is None or (service.minutes and length_min not in service.minutes):
        offered = f": {' or '.join(map(str, service.minutes))}" if service.minutes else ""
        raise Invalid(f"say how long the stay is, in minutes{offered}")
    return timedelta(minutes=length_min)


def _within(asked: Search) -> Period:
    try:
        within = Period(asked.start, asked.end)
    except ValueError as error:
        raise Invalid(str(error)) from error
    if within.length > LONGEST_SEARCH:
        raise Invalid(f"free periods are looked for within {LONGEST_SEARCH.days} days")
    return within
