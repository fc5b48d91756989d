"""The waiting list: joined, left, and told in its order when something becomes free."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from contracts.ids import new_id
from reservation import wording
from reservation.domain import places, rules
from reservation.domain.booking import Asked, Booking, charging_wish
from reservation.domain.facility import Facility
from reservation.domain.notice import Notice, NoticeKind
from reservation.domain.occupied import Taken, span
from reservation.domain.period import Period
from reservation.domain.places import Wanted
from reservation.domain.refusal import Conflict, Invalid, NotFree, Reason, Unknown
from reservation.domain.waiting import Waiting, WaitingState
from reservation.handlers import known, placing
from reservation.store import bookings, notices, waiting

LONGEST = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody waits for: a stay of so many minutes (None: as long as the service is) within a period."""

    facility_id: str
    member: str
    start: datetime
    end: datetime
    minutes: int | None
    asked: Asked
    service_id: str | None = None
    resource_id: str | None = None
    party: int = 1


def join(connection: Connection, wish: Wish, now: datetime) -> Waiting:
    """The wish, kept. Raises Unknown, Invalid; and Conflict when something is free, for then it can be booked."""
    facility, member = known.facility(connection, wish.facility_id), known.member(connection, wish.member)
    service = rules.service_of(facility, wish.service_id)
    rules.check_party(facility, service, wish.resource_id, wish.party)
    charging_wish(member, wish.asked, facility.position)
    try:
        within = Period(wish.start, wish.end)
    except ValueError as error:
        raise Invalid(str(error)) from error
    if within.length > LONGEST or within.end <= now:
        raise Invalid(f"one waits for a period to come, within {LONGEST.days} days at most", Reason.NOTHING_TO_WAIT_FOR)
    length_min = wish.minutes or rules.only_length(service) or int(within.length.total_seconds() // 60)
    new = Waiting(
        id=new_id(),
        facility_id=facility.id,
        member_id=member.id,
        service_id=service.id,
        within=within,
        length_min=length_min,
        party=wish.party,
        made_at=now,
        wished_resource_id=wish.resource_id,
        asked=wish.asked,
    )
    if found := _first_free(connection, facility, new, [], now):
        period = found[0]
        told = f"{period.start:%F %H:%M} to {period.end:%H:%M} UTC is free: book it"
        raise Conflict(told, Reason.FREE_ALREADY, start=period.start)
    if not any(places.starts(facility, service, new.length, within)):
        raise Invalid("no stay of that length begins and ends within the period", Reason.NOTHING_TO_WAIT_FOR)
    waiting.add(connection, new)
    return new


def leave(connection: Connection, wish_id: str) -> Waiting:
    """The wish, withdrawn. Raises Unknown, Conflict."""
    old = waiting.find(connection, wish_id)
    if old is None:
        raise Unknown(f"nobody waits under {wish_id!r}")
    if old.state not in waiting.OPEN:
        raise Conflict(f"{wish_id} is {old.state} already", Reason.NOT_POSSIBLE, state=old.state.value)
    gone = replace(old, state=WaitingState.WITHDRAWN)
    waiting.put(connection, gone)
    return gone


def served(connection: Connection, booking: Booking) -> None:
    """The member has what they waited for."""
    for wish in waiting.listed(connection, member_id=booking.member_id, states=waiting.OPEN):
        if wish.facility_id == booking.facility_id and wish.within.overlaps(booking.period):
            waiting.put(connection, replace(wish, state=WaitingState.SERVED))


def tell(connection: Connection, facility: Facility, now: datetime) -> int:
    """Tell those who wait what is free for them, first come first; what somebody was told of lately is not told to the next.
    How many were told."""
    wishes = waiting.listed(connection, facility_id=facility.id, states=waiting.OPEN)
    promised = [_taken(facility, one) for one in wishes if one.comes_first(now, facility.rules.waiting_min)]
    told = 0
    for wish in wishes:
        if wish.state is not WaitingState.WAITING or wish.within.end <= now:
            continue
        found = _first_free(connection, facility, wish, promised, now)
        if found is None:
            continue
        period, resource_id, bay_id = found
        state = WaitingState.TOLD
        known_now = replace(wish, state=state, told_at=now, told_period=period, resource_id=resource_id, bay_id=bay_id)
        waiting.put(connection, known_now)
        promised.append(_taken(facility, known_now))
        member = known.member(connection, wish.member_id)
        text = wording.free(facility, period, wish.service_id, member)
        notices.add(connection, [Notice(new_id(), wish.member_id, NoticeKind.FREE, now, text, wish.id)])
        told += 1
    return told


def _first_free(
    connection: Connection, facility: Facility, wish: Waiting, promised: list[Taken], now: datetime
) -> tuple[Period, str, str | None] | None:
    member, service = known.member(connection, wish.member_id), facility.service(wish.service_id)
    if service is None:
        return None
    car = charging_wish(member, wish.asked, facility.position)
    own = bookings.with_car(connection, member.id, wish.within, now) if car else []
    wanted = Wanted(facility, service, wish.party, wish.wished_resource_id, car, own)
    for period, occupied in placing.free(connection, wanted, wish.length, wish.within, now, enough=1):
        try:
            place = places.place(wanted, period, occupied.and_also(promised))
        except NotFree:
            continue
        return period, place.resource.id, place.bay.id if place.bay else None
    return None


def _taken(facility: Facility, wish: Waiting) -> Taken:
    """What is kept for somebody who was told."""
    assert wish.told_period is not None
    assert wish.resource_id is not None
    service = facility.service(wish.service_id)
    start, end = span(wish.told_period)
    kept = (start - service.before, end + service.after) if service else (start, end)
    bay_kept = (start - facility.rules.plug_before, end + facility.rules.plug_after)
    return Taken(wish.resource_id, kept, wish.party, wish.bay_id, bay_kept if wish.bay_id else None)
