"""Compensation arrives and becomes the members' points (S500-S504).

It is handled once for each message (inbox), once for each revision of its statement (allocations), and each posting once
for its key (ledger): whatever is sent twice is paid once (X3). What does not add up is refused as a whole, and the sender
keeps it.
"""

from collections.abc import Callable
from datetime import date, datetime

from sqlalchemy import Connection

from contracts.dr import CompensationAllocated, Share
from contracts.ids import MemberId, new_id
from reservation import notify
from reservation.domain.compensation import Allocation, allocation, check_successor, differences, entries
from reservation.domain.facility import Facility
from reservation.domain.notice import Notice, NoticeKind
from reservation.domain.refusal import Invalid
from reservation.handlers import known
from reservation.store import allocations, ledger, mailboxes, notices
from runtime.clock import Clock


def granting(clock: Clock) -> Callable[[Connection, CompensationAllocated], bool]:
    """`grant` at most once for each message: True when this call did it."""
    return mailboxes.once(lambda connection, event: grant(connection, event, clock.now()), clock)


def grant(connection: Connection, event: CompensationAllocated, now: datetime) -> None:
    """Post the shares to the ledger, as money and as points, and tell the members. Raises Unknown, Invalid, Conflict.

    A revision that is not newer than what is kept changes nothing.
    """
    facility = known.facility(connection, event.facility_id)
    new = allocation(event, facility)
    for share in event.shares:
        _check_identity(connection, share, facility)
    old = allocations.latest(connection, event.statement_id)
    check_successor(new, old)
    if old is not None and old.revision >= new.revision:
        return
    for entry in entries(new, old, now):
        ledger.post(connection, entry)
    allocations.add(connection, event, new, now)
    notices.add(connection, _notices(connection, facility, new, old, now))


def _check_identity(connection: Connection, share: Share, facility: Facility) -> None:
    member = known.member(connection, share.member_id)
    booking = known.booking(connection, share.booking_id)
    if (member.id, booking.member_id, booking.facility_id) != (share.member_id, share.member_id, facility.id):
        raise Invalid(f"booking {booking.id} is not a stay of member {share.member_id} at {facility.id}")


def _notices(
    connection: Connection, facility: Facility, new: Allocation, old: Allocation | None, now: datetime
) -> list[Notice]:
    points: dict[MemberId, int] = {}
    for (_, member_id), (_, change) in differences(new, old).items():
        points[MemberId(member_id)] = points.get(MemberId(member_id), 0) + change
    about = f"statement/{new.statement_id}/{new.revision}"
    return [
        Notice(new_id(), member_id, NoticeKind.POINTS, now, _text(connection, facility, new, old, member_id, change), about)
        for member_id, change in points.items()
        if change
    ]


def _text(
    connection: Connection, facility: Facility, new: Allocation, old: Allocation | None, member_id: str, points: int
) -> str:
    before = _shares(old, member_id)
    now = _shares(new, member_id)
    stay = _day_of_stay(connection, facility, (now or before)[0])
    if before:
        return notify.corrected(facility, stay, points)
    return notify.thanks(facility, stay, sum(share.delivered_wh for share in now), points)


def _shares(one: Allocation | None, member_id: str) -> list[Share]:
    return [granted.share for granted in one.granted if granted.share.member_id == member_id] if one else []


def _day_of_stay(connection: Connection, facility: Facility, share: Share) -> date:
    return facility.local(known.booking(connection, share.booking_id).period.start).date()
