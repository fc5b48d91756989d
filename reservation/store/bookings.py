"""Bookings. Whether a period is free is asked in the transaction that books it, so that nobody comes in between (S202)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    union_all,
    update,
)

from contracts.ids import BookingId
from contracts.reservation import ChargingWish
from reservation.domain.booking import MADE, OCCUPYING, Booking, BookingState
from reservation.domain.free import Span
from reservation.domain.occupied import Occupied, Stay
from reservation.domain.period import Period
from reservation.domain.places import Wanted
from reservation.domain.promise import Promise
from reservation.domain.rules import LONGEST_STAY
from reservation.store import changes
from reservation.store.tables import bookings

AROUND = timedelta(days=1)
"""No resource and no bay is kept for longer than that before or after a stay."""
_MINUTE = timedelta(minutes=1)
_SAME = (
    "id",
    "facility_id",
    "member_id",
    "service_id",
    "party",
    "resource_id",
    "bay_id",
    "state",
    "code",
    "late",
    "revision",
)
_INSTANTS = ("made_at", "expires_at", "cancelled_at", "came_at", "left_at")
LONG = timedelta(days=1)
"""What is kept for longer is marked as such: so a search need not look at every stay that began in the last month."""
_REACHES = {False: LONG, True: AROUND + LONGEST_STAY + AROUND}
"""How long before a period what is kept then may have begun, whether or not it is long."""
_FEW = 100
"""So few resources are named to the database."""


def add(
    connection: Connection, booking: Booking, request_key: str | None = None, request_digest: bytes | None = None
) -> None:
    """Keep a new booking, with the key and digest of the request that asked for it."""
    row = {**_columns(booking), "request_key": request_key, "request_digest": request_digest}
    connection.execute(insert(bookings).values(row))
    changes.tell(connection)


def put(connection: Connection, booking: Booking) -> None:
    """Keep a known booking as it now is."""
    connection.execute(update(bookings).where(bookings.c.id == booking.id).values(_columns(booking)))
    changes.tell(connection)


def set_state(connection: Connection, booking_id: str, state: BookingState) -> None:
    """Only the state of a booking is another now."""
    connection.execute(update(bookings).where(bookings.c.id == booking_id).values(state=state))


def find(connection: Connection, booking_id: str) -> Booking | None:
    """The booking, or None."""
    row = connection.execute(select(bookings).where(bookings.c.id == booking_id)).one_or_none()
    return None if row is None else _booking(row)


def made_by_request(connection: Connection, request_key: str) -> tuple[Booking, bytes] | None:
    """The booking that a request with this key made and the request's digest, or None."""
    row = connection.execute(select(bookings).where(bookings.c.request_key == request_key)).one_or_none()
    return None if row is None else (_booking(row), row.request_digest)


def listed(
    connection: Connection,
    *,
    facility_id: str | None = None,
    member_id: str | None = None,
    series_id: str | None = None,
    starting_before: datetime | None = None,
    ending_after: datetime | None = None,
    states: Sequence[BookingState] = (),
) -> list[Booking]:
    """The bookings that meet every condition given, by start."""
    row = bookings.c
    conditions: list[ColumnElement[bool]] = []
    if facility_id is not None:
        conditions.append(row.facility_id == facility_id)
    if member_id is not None:
        conditions.append(row.member_id == member_id)
    if series_id is not None:
        conditions.append(row.series_id == series_id)
    if starting_before is not None:
        conditions.append(row.starts_at < starting_before)
    if ending_after is not None:  # no stay is longer: an index finds those few that may last until then
        conditions += [row.ends_at > ending_after, row.starts_at > ending_after - LONGEST_STAY - AROUND]
    if states:
        conditions.append(row.state.in_(states))
    query = select(bookings).where(*conditions).order_by(row.starts_at, row.made_at, row.id)
    return [_booking(found) for found in connection.execute(query)]


def occupied(
    connection: Connection,
    wanted: Wanted,
    period: Period,
    now: datetime,
    but: str | None = None,
    states: Sequence[BookingState] = OCCUPYING,
) -> Occupied:
    """What is kept at the facility in that period, and as long around it as the service wants to keep it, for any booking in
    those states but the one named: of the resources that would do, and of bays where a car comes."""
    rooms: dict[str, list[Stay]] = {}
    some = [one.id for one in wanted.resources]
    few = len(some) <= min(_FEW, len(wanted.facility.resources) // 2)
    kept = wanted.kept(period)
    around = {"facility": wanted.facility.id, "but": but or "", "now": now, "first": kept.start, "last": kept.end}
    reaches = {f"from_{long}": kept.start - reach for long, reach in _REACHES.items()}
    query = _kept_resources(tuple(states), few)
    for resource_id, *stay in connection.execute(query, {**around, **reaches, **({"some": some} if few else {})}):
        rooms.setdefault(resource_id, []).append(tuple(stay))
    bays: dict[str, list[Span]] = {}
    if wanted.wish is not None:
        kept = wanted.bay_kept(period)
        around |= {"first": kept.start - AROUND, "last": kept.end + AROUND, "from": kept.start - AROUND - LONGEST_STAY}
        for bay_id, start, end, before_min, after_min in connection.execute(_kept_bays(tuple(states)), around):
            bays.setdefault(bay_id, []).append((start - before_min * _MINUTE, end + after_min * _MINUTE))
    return Occupied(rooms, bays)


@lru_cache(32)
def _kept_resources(states: Sequence[BookingState], of_some: bool) -> CompoundSelect[Any]:
    """Read from an index alone, but for held ones, which are few and may have expired."""
    row = bookings.c
    conditions = [row.facility_id == bindparam("facility"), row.kept_from < _at("last"), row.kept_until > _at("first")]
    if of_some:
        conditions.append(row.resource_id.in_(bindparam("some", expanding=True)))
    firm = row.state.in_([state for state in states if state is not BookingState.HELD])
    held = [and_(row.state == BookingState.HELD, row.expires_at > _at("now"))] if BookingState.HELD in states else []
    return union_all(
        *(
            select(row.resource_id, row.kept_from, row.kept_until, row.party).where(
                row.long.is_(long), of_state, row.kept_from > _at(f"from_{long}"), row.id != bindparam("but"), *conditions
            )
            for of_state in (firm, *held)
            for long in _REACHES
        )
    )


@lru_cache(32)
def _kept_bays(states: Sequence[BookingState]) -> Select[Any]:
    row = bookings.c
    return select(row.bay_id, row.starts_at, row.ends_at, row.plug_before_min, row.plug_after_min).where(
        row.facility_id == bindparam("facility"),
        row.bay_id.is_not(None),
        row.starts_at < _at("last"),
        row.starts_at > _at("from"),
        row.ends_at > _at("first"),
        row.state.in_(states),
        or_(row.expires_at.is_(None), row.expires_at > _at("now")),
        row.id != bindparam("but"),
    )


def _at(name: str) -> BindParameter[Any]:
    return bindparam(name, type_=bookings.c.starts_at.type)


def standing(connection: Connection, facility_id: str, now: datetime) -> list[Booking]:
    """The facility's stays that are under way or still to come."""
    return listed(connection, facility_id=facility_id, ending_after=now, states=OCCUPYING)


def with_car(connection: Connection, member_id: str, period: Period, now: datetime, but: str | None = None) -> list[Period]:
    """The member's standing stays by car, at any facility, that overlap the period, but for the one named."""
    row = bookings.c
    query = select(row.starts_at, row.ends_at).where(
        row.member_id == member_id,
        row.bay_id.is_not(None),
        row.starts_at < period.end,
        row.ends_at > period.start,
        *_occupying(now),
    )
    if but is not None:
        query = query.where(row.id != but)
    return [Period(*found) for found in connection.execute(query)]


def due(connection: Connection, facility_id: str, state: BookingState, starting_before: datetime) -> list[Booking]:
    """The facility's bookings in that state that have begun by then, by start."""
    return listed(connection, facility_id=facility_id, starting_before=starting_before, states=[state])


def facilities_with(connection: Connection, state: BookingState, ended_by: datetime) -> list[str]:
    """The facilities that have bookings in that state whose period has ended by then."""
    query = select(bookings.c.facility_id).where(bookings.c.state == state, bookings.c.ends_at <= ended_by)
    return list(connection.execute(query.distinct().order_by(bookings.c.facility_id)).scalars())


def expired(connection: Connection, now: datetime) -> list[Booking]:
    """Held bookings whose time is over."""
    query = select(bookings).where(bookings.c.state == BookingState.HELD, bookings.c.expires_at <= now)
    return [_booking(found) for found in connection.execute(query.order_by(bookings.c.expires_at))]


def first_to_expire(connection: Connection) -> datetime | None:
    """When the next held booking expires."""
    query = select(func.min(bookings.c.expires_at)).where(bookings.c.state == BookingState.HELD)
    found: datetime | None = connection.execute(query).scalar_one()
    return found


def first_of(
    connection: Connection, state: BookingState, facility_id: str | None = None
) -> tuple[datetime, datetime] | None:
    """The earliest start and the earliest end of bookings in that state, at a facility or at any; None without any."""
    query = select(func.min(bookings.c.starts_at), func.min(bookings.c.ends_at)).where(bookings.c.state == state)
    if facility_id is not None:
        query = query.where(bookings.c.facility_id == facility_id)
    start, end = connection.execute(query).one()
    return None if start is None else (start, end)


def count_by_state(connection: Connection) -> dict[BookingState, int]:
    """How many bookings there are in each state."""
    query = select(bookings.c.state, func.count()).group_by(bookings.c.state)
    counted = {BookingState(state): number for state, number in connection.execute(query)}
    return {state: counted.get(state, 0) for state in BookingState}


def count_made(connection: Connection) -> int:
    """How many bookings were made and not given up."""
    return sum(number for state, number in count_by_state(connection).items() if state in MADE)


def _occupying(now: datetime, states: Sequence[BookingState] = OCCUPYING) -> Iterable[ColumnElement[bool]]:
    row = bookings.c
    return row.state.in_(states), or_(row.expires_at.is_(None), row.expires_at > now)


def _columns(booking: Booking) -> dict[str, Any]:
    period, kept, bay_kept = booking.period, booking.kept, booking.bay_kept or booking.period
    return {
        **{name: getattr(booking, name) for name in (*_SAME, *_INSTANTS, "series_id")},
        "starts_at": period.start,
        "ends_at": period.end,
        "before_min": (period.start - kept.start) // _MINUTE,
        "after_min": (kept.end - period.end) // _MINUTE,
        "plug_before_min": (period.start - bay_kept.start) // _MINUTE,
        "plug_after_min": (bay_kept.end - period.end) // _MINUTE,
        "kept_from": kept.start,
        "kept_until": kept.end,
        "long": kept.length > LONG,
        "charging": msgspec.to_builtins(booking.charging),
        "promise": msgspec.to_builtins(booking.promise),
    }


def _booking(row: Row[Any]) -> Booking:
    start, end = row.starts_at, row.ends_at
    bay_kept = Period(start - row.plug_before_min * _MINUTE, end + row.plug_after_min * _MINUTE)
    return Booking(
        id=BookingId(row.id),
        facility_id=row.facility_id,
        member_id=row.member_id,
        service_id=row.service_id,
        period=Period(start, end),
        party=row.party,
        resource_id=row.resource_id,
        kept=Period(start - row.before_min * _MINUTE, end + row.after_min * _MINUTE),
        made_at=row.made_at,
        bay_id=row.bay_id,
        bay_kept=bay_kept if row.bay_id else None,
        charging=row.charging and msgspec.convert(row.charging, ChargingWish),
        promise=row.promise and msgspec.convert(row.promise, Promise),
        state=BookingState(row.state),
        code=row.code,
        expires_at=row.expires_at,
        cancelled_at=row.cancelled_at,
        late=row.late,
        came_at=row.came_at,
        left_at=row.left_at,
        series_id=row.series_id,
        revision=row.revision,
    )
