"""A facility's past comes in: bookings that were made elsewhere, by the same rules of hours, services, room and places, with
what became of them. What of it was learned goes on to the engine.

A row without an instant (a weekday and a part of the day is all that some books keep) is put where there was room: in the
first week in which its part of the day still had some.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection

from contracts.ids import BookingId, MemberId, new_id
from contracts.reservation import StayOutcome
from reservation.domain import places, rules
from reservation.domain.booking import MADE, Booking, BookingState
from reservation.domain.facility import Facility
from reservation.domain.member import Member, Preferences
from reservation.domain.period import Period
from reservation.domain.places import Wanted
from reservation.domain.refusal import Invalid, NotFree, Refused
from reservation.handlers import known, sending
from reservation.handlers.free import length_of
from reservation.store import bookings, facilities, members

WEEK = timedelta(days=7)
MOST_WEEKS = 520


class Became(StrEnum):
    """What became of a booking of the past."""

    CAME = "came"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"


STATES = {
    Became.CAME: BookingState.CHECKED_OUT,
    Became.NO_SHOW: BookingState.NO_SHOW,
    Became.CANCELLED: BookingState.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Past:
    """A row of a book: `period`, or `within` in whose first week with room it is put. `key` names the row for ever: it
    comes in once. `member` None: somebody nobody knows."""

    line: int
    key: str
    became: Became
    service_id: str | None = None
    period: Period | None = None
    within: Period | None = None
    minutes: int | None = None
    party: int = 1
    resource_id: str | None = None
    member: str | None = None
    made_at: datetime | None = None
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a row: its booking, or why there is none; `again` if it had come in before."""

    line: int
    booking: Booking | None
    detail: str = ""
    again: bool = False


def bring_in(connection: Connection, facility_id: str, rows: list[Past], now: datetime) -> list[Verdict]:
    """A verdict on each row. Raises Unknown for the facility."""
    facility = known.facility(connection, facility_id)
    facilities.lock(connection, facility.id)
    full: Full = {}
    return [_verdict(connection, facility, row, full, now) for row in rows]


Full = dict[tuple[str, str | None, Period], int]
"""By service, resource and part of the week: the first week in which there may be room yet."""


def _verdict(connection: Connection, facility: Facility, row: Past, full: Full, now: datetime) -> Verdict:
    key = f"past/{facility.id}/{row.key}"
    if made := bookings.made_by_request(connection, key):
        return Verdict(row.line, made[0], again=True)
    try:
        booking = _booking(connection, facility, row, full, now)
    except Refused as refusal:
        return Verdict(row.line, None, str(refusal))
    bookings.add(connection, booking, key)
    if row.became is not Became.CANCELLED:
        outcome = StayOutcome.CAME if row.became is Became.CAME else StayOutcome.NO_SHOW
        sending.ended(connection, facility, booking, outcome, now)
    return Verdict(row.line, booking)


def _booking(connection: Connection, facility: Facility, row: Past, full: Full, now: datetime) -> Booking:
    service = rules.service_of(facility, row.service_id)
    rules.check_party(facility, service, row.resource_id, row.party)
    member = _stranger(connection, facility) if row.member is None else known.member(connection, row.member)
    wanted = Wanted(facility, service, row.party, row.resource_id)
    period = row.period or _first_week(connection, wanted, row, full)
    if period.end > now:
        raise Invalid(f"the stay ends {period.end:%F %H:%M} UTC, which is not past")
    rules.check_open(facility, period)
    rules.check_service(facility, service, period)
    resource_id = wanted.resources[0].id
    if row.became is not Became.CANCELLED:
        occupied = bookings.occupied(connection, wanted, period, now, states=MADE)
        resource_id = places.place(wanted, period, occupied).resource.id
    came = row.became is Became.CAME
    return Booking(
        id=BookingId(new_id()),
        facility_id=facility.id,
        member_id=member.id,
        service_id=service.id,
        period=period,
        resource_id=resource_id,
        kept=wanted.kept(period),
        made_at=min(row.made_at or period.start, period.start),
        party=row.party,
        state=STATES[row.became],
        cancelled_at=(row.cancelled_at or period.start) if row.became is Became.CANCELLED else None,
        came_at=period.start if came else None,
        left_at=period.end if came else None,
    )


def _first_week(connection: Connection, wanted: Wanted, row: Past, full: Full) -> Period:
    """The first free period of that part of the week, in the first week that has one."""
    if row.within is None:
        raise Invalid("say when: start, or a part of the day within which it was")
    facility, service = wanted.facility, wanted.service
    length, key = length_of(service, row.minutes, None), (service.id, row.resource_id, row.within)
    for week in range(full.get(key, 0), MOST_WEEKS):
        within = _later(facility, row.within, week)
        occupied = bookings.occupied(connection, wanted, within, within.start, states=MADE)
        if (found := next(places.free_periods(wanted, length, occupied, within), None)) is not None:
            full[key] = week
            return found
    raise NotFree(f"no week from {row.within.start:%F} on has room for it")


def _later(facility: Facility, period: Period, weeks: int) -> Period:
    start, end = (facility.local(when) + weeks * WEEK for when in (period.start, period.end))
    return Period(start, end)


def _stranger(connection: Connection, facility: Facility) -> Member:
    """Whom bookings are kept for whose guest nobody knows."""
    number = f"past-{facility.id}"[:40]
    found = members.find(connection, number)
    if found is None:
        found = Member(MemberId(new_id()), number, f"Guests of the past of {facility.name}", Preferences())
        members.add(connection, found)
    return found
