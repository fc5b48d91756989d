"""Compensation arrives and becomes the members' benefits (S500-S504).

It is handled once for each message (inbox), once for each revision of its statement (allocations), and each posting once
for its key (ledger): whatever is sent twice is paid once (X3). What does not add up is refused as a whole, and the sender
keeps it.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from contracts.dr import CompensationAllocated, Share
from contracts.ids import MemberId, new_id
from reservation import thanks
from reservation.domain import compensation as rules
from reservation.domain.benefit import terms_of
from reservation.domain.compensation import Allocation, Change
from reservation.domain.facility import Facility
from reservation.domain.grant import Grant
from reservation.domain.ledger import Entry
from reservation.domain.notice import Notice, NoticeKind
from reservation.domain.refusal import Invalid
from reservation.handlers import known
from reservation.store import allocations, grants, ledger, mailboxes, notices
from reservation.wording import language_of
from runtime.clock import Clock


def granting(clock: Clock) -> Callable[[Connection, CompensationAllocated], bool]:
    """`grant` at most once for each message: True when this call did it."""
    return mailboxes.once(lambda connection, event: grant(connection, event, clock.now()), clock)


def grant(connection: Connection, event: CompensationAllocated, now: datetime) -> None:
    """Post the shares to the ledger, as money and as benefits, and tell the members. Raises Unknown, Invalid, Conflict.

    A revision that is not newer than what is kept changes nothing.
    """
    facility = known.facility(connection, event.facility_id)
    old = allocations.latest(connection, event.statement_id)
    terms = old.terms if old else terms_of(facility, grants.policy_of(connection, facility.id))
    new = rules.allocation(event, facility.currency, terms)
    for share in event.shares:
        _check_identity(connection, share, facility)
    rules.check_successor(new, old)
    if old is not None and old.revision >= new.revision:
        return
    for entry in rules.money(new, old, now):
        ledger.post(connection, entry)
    effects: dict[str, _Effect] = defaultdict(_Effect)
    for change in rules.changes(new, old):
        _give(connection, new, change, effects, now)
    for granted in new.granted if new.final else ():
        _release(connection, new, granted.share, effects, now)
    allocations.add(connection, event, new, now)
    notices.add(connection, _notices(connection, facility, new, old, effects, now))


@dataclass(slots=True)
class _Effect:
    """What a revision does to one member: what is added to the benefit, set free, and newly owed (negative: made good)."""

    added: int = 0
    free: int = 0
    owed: int = 0


def _check_identity(connection: Connection, share: Share, facility: Facility) -> None:
    member = known.member(connection, share.member_id)
    booking = known.booking(connection, share.booking_id)
    if (member.id, booking.member_id, booking.facility_id) != (share.member_id, share.member_id, facility.id):
        raise Invalid(f"booking {booking.id} is not a stay of member {share.member_id} at {facility.id}")


def _give(connection: Connection, new: Allocation, change: Change, effects: dict[str, _Effect], now: datetime) -> None:
    one = rules.grant_of(new, change.share, now)
    entry = rules.benefit(new, change, ledger.held(connection, one), now)
    if entry is None:
        return
    grants.keep(connection, one)
    ledger.post(connection, entry)
    effects[one.member_id].added += change.benefit
    effects[one.member_id].owed -= _of_debt(entry, one)
    if change.benefit > 0 and not new.terms.pending_until_final:
        grants.set_expiry(connection, one.id, new.terms.expiry(now))


def _release(connection: Connection, new: Allocation, share: Share, effects: dict[str, _Effect], now: datetime) -> None:
    one = rules.grant_of(new, share, now)
    left = ledger.held(connection, one)
    if entry := rules.release(new, share, left, now):
        ledger.post(connection, entry)
        grants.set_expiry(connection, one.id, new.terms.expiry(now))
        effects[one.member_id].free += sum(line.amount for line in entry.lines if line.account == one.available)
        effects[one.member_id].owed -= _of_debt(entry, one)


def _of_debt(entry: Entry, grant: Grant) -> int:
    return sum(line.amount for line in entry.lines if line.account == grant.debt)


def _notices(
    connection: Connection,
    facility: Facility,
    new: Allocation,
    old: Allocation | None,
    effects: dict[str, _Effect],
    now: datetime,
) -> list[Notice]:
    about = f"statement/{new.statement_id}/{new.revision}"
    texts = {
        member_id: _text(connection, facility, new, old, member_id, effect)
        for member_id, effect in effects.items()
        if effect != _Effect()
    }
    return [Notice(new_id(), MemberId(name), NoticeKind.BENEFIT, now, text, about) for name, text in texts.items()]


def _text(
    connection: Connection, facility: Facility, new: Allocation, old: Allocation | None, member_id: str, effect: _Effect
) -> str:
    before, now = _shares(old, member_id), _shares(new, member_id)
    stay = _day_of_stay(connection, facility, (now or before)[0])
    told = thanks.Told(
        added=effect.added,
        first=not before,
        delivered_wh=sum(share.delivered_wh for share in now),
        free=effect.free,
        pending=new.terms.pending_until_final and not new.final,
        owed=effect.owed,
    )
    language = language_of(facility, known.member(connection, member_id))
    worth = thanks.Worth(new.terms.kind, new.terms.unit, language)
    return thanks.of_statement(facility, stay, worth, told)


def _shares(one: Allocation | None, member_id: str) -> list[Share]:
    return [granted.share for granted in one.granted if granted.share.member_id == member_id] if one else []


def _day_of_stay(connection: Connection, facility: Facility, share: Share) -> date:
    return facility.local(known.booking(connection, share.booking_id).period.start).date()
