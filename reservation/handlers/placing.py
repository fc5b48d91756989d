"""What a request means, and where there is room for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from contracts.reservation import ChargingWish
from reservation.domain import places, rules
from reservation.domain.booking import Asked, Booking, Place, charging_wish
from reservation.domain.facility import Facility
from reservation.domain.member import Member
from reservation.domain.occupied import Occupied
from reservation.domain.period import Period
from reservation.domain.places import Wanted
from reservation.domain.service import Service
from reservation.handlers import known
from reservation.store import bookings, facilities, members

SEARCHED = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
"""How far from the wish free periods are looked for: further only where too few are nearer."""
CLOCKS_CHANGE = timedelta(hours=2)
"""No stay over nights is longer by that than as many days."""
A_DAY, FEW_DAYS, FURTHEST_STEP = timedelta(days=1), timedelta(days=4), timedelta(days=14)
FEW = 8
"""The first free periods of so few resources are spread over days."""
ENOUGH = 2 * places.OFFERED_EACH_SIDE


@dataclass(frozen=True, slots=True)
class Request:
    """What a guest asks for. `member` is an id, a number or a phone. Without `end` the stay is as long as the service. `key`
    makes repeating it harmless (`digest` tells whether it is the same request)."""

    facility_id: str
    member: str
    start: datetime
    end: datetime | None
    asked: Asked
    service_id: str | None = None
    resource_id: str | None = None
    party: int = 1
    hold: bool = False
    walk_in: bool = False
    key: str | None = None
    digest: bytes | None = None


@dataclass(frozen=True, slots=True)
class Meant:
    """A request with what it names."""

    facility: Facility
    member: Member
    service: Service
    period: Period
    party: int
    resource_id: str | None
    wish: ChargingWish | None

    def wanted(self, connection: Connection, around: Period, now: datetime, but: str | None = None) -> Wanted:
        """What has to be free. The booking `but` is not in its own way."""
        own = bookings.with_car(connection, self.member.id, around, now, but) if self.wish else []
        return Wanted(self.facility, self.service, self.party, self.resource_id, self.wish, own)


def meant(connection: Connection, request: Request, now: datetime) -> Meant:
    """The request with what it names, whether or not there is room. Raises Unknown, Invalid."""
    facility = known.facility(connection, request.facility_id)
    member = known.member(connection, request.member)
    service = rules.service_of(facility, request.service_id)
    period = rules.period_of(service, request.start, request.end)
    rules.check_period(facility, service, period, now, walk_in=request.walk_in)
    rules.check_party(facility, service, request.resource_id, request.party)
    wish = charging_wish(member, request.asked, facility.position)
    return Meant(facility, member, service, period, request.party, request.resource_id, wish)


def meant_again(connection: Connection, booking: Booking) -> Meant:
    """What a booking was, as a request: the same service and car, any resource."""
    facility = known.facility(connection, booking.facility_id)
    member = known.member(connection, booking.member_id)
    service = facility.service(booking.service_id) or Service(booking.service_id, booking.service_id)
    return Meant(facility, member, service, booking.period, booking.party, None, booking.charging)


def place(connection: Connection, it: Meant, now: datetime, but: str | None = None) -> Place:
    """The place for it, which nobody else can take until the transaction ends (S202). Raises NotFree."""
    if it.wish is not None:
        members.lock(connection, it.member.id)
    facilities.lock(connection, it.facility.id)
    wanted = it.wanted(connection, it.period, now, but)
    return places.place(wanted, it.period, bookings.occupied(connection, wanted, it.period, now, but))


def alternatives(connection: Connection, it: Meant, now: datetime, but: str | None = None) -> list[Period]:
    """The nearest free periods of the same length (S208)."""
    found: list[Period] = []
    for far in SEARCHED:
        around = _bookable(it.facility, it.period.widened(far), now)
        if around is None:
            continue
        wanted = it.wanted(connection, around, now, but)
        occupied = bookings.occupied(connection, wanted, around, now, but)
        found = places.nearest(places.free_periods(wanted, it.period.length, occupied, around), it.period)
        if len(found) >= ENOUGH:
            break
    return found


def free(
    connection: Connection,
    wanted: Wanted,
    length: timedelta,
    within: Period,
    now: datetime,
    enough: int,
    but: str | None = None,
) -> Iterator[tuple[Period, Occupied]]:
    """Every free period in `within` by start, with what is taken around it. It looks ahead by days, as far as `enough` of
    them are to be expected, then further. The booking `but` is in nobody's way."""
    window = _bookable(wanted.facility, within, now)
    begun, step, found = (window.start if window else within.end), A_DAY if len(wanted.resources) > FEW else FEW_DAYS, 0
    while window is not None and begun < window.end:
        until = min(begun + step, window.end)
        searched = Period(begun, min(until + length + CLOCKS_CHANGE, window.end))
        occupied = bookings.occupied(connection, wanted, searched, now, but)
        for period in places.free_periods(wanted, length, occupied, searched):
            if period.start < until:
                found += 1
                yield period, occupied
        searched_so_far = until - window.start
        missing = (enough - found) / found * searched_so_far if found else 2 * step
        begun, step = until, min(max(missing, A_DAY), FURTHEST_STEP)


def _bookable(facility: Facility, within: Period, now: datetime) -> Period | None:
    """The part of a period in which stays can be booked now."""
    first = max(within.start, now + timedelta(minutes=facility.rules.lead_min))
    last = min(within.end, now + timedelta(days=facility.rules.furthest_days) + rules.LONGEST_STAY)
    return Period(first, last) if first < last else None
