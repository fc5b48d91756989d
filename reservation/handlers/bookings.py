"""A stay is held, booked, changed or cancelled: decided, stored, announced and told in one transaction (S200-S208, M3)."""

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from contracts.ids import BookingId, new_id
from contracts.reservation import ChargingWish
from reservation import wording
from reservation.calendar import calendar_file
from reservation.domain import rules
from reservation.domain.booking import Asked, Booking, BookingState, Deed, Place, charging_wish, moved
from reservation.domain.notice import Notice, NoticeKind
from reservation.domain.period import Period
from reservation.domain.places import Wanted, place_of
from reservation.domain.promise import promise
from reservation.domain.refusal import Conflict, Invalid, NotFree, Reason
from reservation.handlers import known, placing, sending, waiting
from reservation.handlers.placing import Meant, Request
from reservation.store import bookings, notices

CODE_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without those that are easily taken for another."""
CODE_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be otherwise of a booking; None: as it was. A new start alone keeps the length, a new service alone takes
    its own; what `asked` leaves out stays as it was asked before."""

    start: datetime | None = None
    end: datetime | None = None
    service_id: str | None = None
    resource_id: str | None = None
    party: int | None = None
    asked: Asked = field(default_factory=Asked)
    by_staff: bool = False


def book(connection: Connection, request: Request, now: datetime, series_id: str | None = None) -> tuple[Booking, bool]:
    """The booking, and whether it is new: a repeated key gives the one before. A walk-in is checked in at once.

    Raises Unknown, Invalid, or NotFree without alternatives, which `alternatives` looks for.
    """
    if request.key and (made := bookings.made_by_request(connection, request.key)):
        return _repeated(request, *made), False
    it = placing.meant(connection, request, now)
    place = placing.place(connection, it, now)
    state = BookingState.HELD if request.hold else BookingState.CHECKED_IN if request.walk_in else BookingState.BOOKED
    new = Booking(
        id=BookingId(new_id()),
        facility_id=it.facility.id,
        member_id=it.member.id,
        service_id=it.service.id,
        period=it.period,
        resource_id=place.resource.id,
        kept=it.period,
        made_at=now,
        state=state,
        code="".join(secrets.choice(CODE_SIGNS) for _ in range(CODE_LENGTH)),
        expires_at=now + timedelta(minutes=it.facility.rules.hold_min) if request.hold else None,
        came_at=now if request.walk_in else None,
        series_id=series_id,
    )
    booking = _placed(new, it, place)
    bookings.add(connection, booking, request.key, request.digest)
    if not request.hold:
        _announce_made(connection, it, booking, place, now)
    return booking, True


def alternatives(connection: Connection, request: Request, now: datetime) -> list[Period]:
    """The nearest free periods for a request that was refused as not free (S208)."""
    return placing.alternatives(connection, placing.meant(connection, request, now), now)


def confirm(connection: Connection, booking_id: str, now: datetime) -> Booking:
    """The held booking, booked. Raises Unknown, or Conflict when it is held no longer."""
    held = known.booking(connection, booking_id)
    state = moved(held, Deed.CONFIRM)
    if held.expires_at is not None and held.expires_at <= now:
        told = f"booking {held.id} was held until {held.expires_at:%F %H:%M} UTC; book again"
        raise Conflict(told, Reason.HOLD_OVER, until=held.expires_at)
    booking = replace(held, state=state, expires_at=None)
    bookings.put(connection, booking)
    it = placing.meant_again(connection, booking)
    _announce_made(connection, it, booking, place_of(it.facility, booking), now)
    return booking


def change(connection: Connection, booking_id: str, asked: Change, now: datetime) -> Booking:
    """The booking at another time, for another party, with another service or other words about the car. It keeps its id and
    its code, if it can its resource, and what it had is free again. Raises Unknown, Invalid, Conflict, or NotFree without
    alternatives, which `alternatives_of_change` looks for."""
    old = known.booking(connection, booking_id)
    it = _changed(connection, old, asked, now)
    place = _place_of_change(connection, old, it, now)
    booking = _placed(replace(old, service_id=it.service.id, period=it.period, revision=old.revision + 1), it, place)
    bookings.put(connection, booking)
    if booking.state is not BookingState.HELD:
        sending.changed(connection, it.facility, it.member, booking, now)
        text = wording.changed(it.facility, booking, place, it.member)
        tell(connection, booking, NoticeKind.CHANGED, text, now)
    waiting.tell(connection, it.facility, now)
    return booking


def alternatives_of_change(connection: Connection, booking_id: str, asked: Change, now: datetime) -> list[Period]:
    """The nearest free periods for a change that was refused as not free (S208)."""
    old = known.booking(connection, booking_id)
    return placing.alternatives(connection, _changed(connection, old, asked, now), now, but=old.id)


def charge_now(connection: Connection, booking_id: str, now: datetime) -> Booking:
    """The driver's override (X1): from now on the stay's car charges as fast as it can, and the grid asks nothing of it.
    Done again it changes nothing. Raises Unknown, Conflict for a stay without a car or one that is over."""
    stay = known.booking(connection, booking_id)
    moved(stay, Deed.CHANGE)
    if stay.charging is None:
        raise Conflict(f"booking {stay.id} has no car", Reason.NO_CAR)
    if now >= stay.period.end:
        raise Conflict(f"booking {stay.id} is over", Reason.OVER)
    return wish_otherwise(connection, stay, msgspec.structs.replace(stay.charging, dr=False, discharge=False), now)


def wish_otherwise(connection: Connection, stay: Booking, wish: ChargingWish, now: datetime) -> Booking:
    """The stay, in its place, with another wish for its car. The engine and the central system are told (BookingChanged)."""
    if wish == stay.charging:
        return stay
    facility = known.facility(connection, stay.facility_id)
    bay = facility.bay(stay.bay_id)
    promised = promise(wish, bay, stay.period.length) if bay else None
    changed = replace(stay, charging=wish, promise=promised, revision=stay.revision + 1)
    bookings.put(connection, changed)
    if stay.state is not BookingState.HELD:
        sending.changed(connection, facility, known.member(connection, stay.member_id), changed, now)
    return changed


def cancel(connection: Connection, booking_id: str, now: datetime, *, by_staff: bool = False) -> Booking:
    """The booking, cancelled. Raises Unknown, or Conflict when it is cancelled already, has begun, or it is too late."""
    old = known.booking(connection, booking_id)
    facility = known.facility(connection, old.facility_id)
    state, late = rules.cancelled(facility, old, now, by_staff=by_staff)
    booking = replace(old, state=state, cancelled_at=now, late=late, revision=old.revision + 1)
    bookings.put(connection, booking)
    if old.state is not BookingState.HELD:
        sending.cancelled(connection, facility, booking, now)
        text = wording.given_up("cancelled", facility, booking, known.member(connection, booking.member_id))
        tell(connection, booking, NoticeKind.CANCELLED, text, now)
    waiting.tell(connection, facility, now)
    return booking


def calendar(connection: Connection, booking_id: str, now: datetime) -> bytes:
    """The booking as a calendar file. Raises Unknown."""
    booking = known.booking(connection, booking_id)
    facility, member = known.facility(connection, booking.facility_id), known.member(connection, booking.member_id)
    return calendar_file(facility, booking, member, now)


def tell(connection: Connection, booking: Booking, kind: NoticeKind, text: str, now: datetime) -> None:
    """Note for the booking's member what has become of it."""
    notices.add(connection, [Notice(new_id(), booking.member_id, kind, now, text, booking.id)])


def _repeated(request: Request, booking: Booking, digest: bytes | None) -> Booking:
    if digest != request.digest:
        raise Invalid(f"Idempotency-Key {request.key!r} was used for another request; take a new one", Reason.OTHER_REQUEST)
    return booking


def _placed(booking: Booking, it: Meant, place: Place) -> Booking:
    wanted = Wanted(it.facility, it.service)
    return replace(
        booking,
        party=it.party,
        resource_id=place.resource.id,
        kept=wanted.kept(it.period),
        bay_id=place.bay.id if place.bay else None,
        bay_kept=wanted.bay_kept(it.period) if place.bay else None,
        charging=it.wish,
        promise=promise(it.wish, place.bay, it.period.length) if it.wish and place.bay else None,
    )


def _announce_made(connection: Connection, it: Meant, booking: Booking, place: Place, now: datetime) -> None:
    sending.made(connection, it.facility, it.member, booking, now)
    tell(connection, booking, NoticeKind.BOOKED, wording.booked(it.facility, booking, place, it.member), now)
    waiting.served(connection, booking)


def _changed(connection: Connection, old: Booking, asked: Change, now: datetime) -> Meant:
    facility, member = known.facility(connection, old.facility_id), known.member(connection, old.member_id)
    service = rules.service_of(facility, asked.service_id or old.service_id)
    start = asked.start or old.period.start
    end = asked.end or (None if asked.service_id else start + old.period.length)
    period = rules.period_of(service, start, end)
    rules.check_change(facility, service, old, period, now, by_staff=asked.by_staff)
    party = asked.party or old.party
    rules.check_party(facility, service, asked.resource_id, party)
    wish = charging_wish(member, _asked_again(old.charging, asked.asked), facility.position)
    return Meant(facility, member, service, period, party, asked.resource_id, wish)


def _asked_again(old: ChargingWish | None, new: Asked) -> Asked:
    """What was asked before, and over it what is asked now."""
    if old is None:
        return replace(new, by_car=bool(new.by_car))
    way_km = None if new.position is not None else old.distance_km
    before = Asked(True, old.dr, old.discharge, old.soc_pct, way_km, old.wanted_soc_pct, old.floor_soc_pct)
    told = {name: value for name in Asked.__dataclass_fields__ if (value := getattr(new, name)) is not None}
    return replace(before, **told)


def _place_of_change(connection: Connection, old: Booking, it: Meant, now: datetime) -> Place:
    if it.resource_id is None and any(
        one.id == old.resource_id for one in Wanted(it.facility, it.service, it.party).resources
    ):
        try:
            return placing.place(connection, replace(it, resource_id=old.resource_id), now, but=old.id)
        except NotFree:
            pass  # another one will do
    return placing.place(connection, it, now, but=old.id)
