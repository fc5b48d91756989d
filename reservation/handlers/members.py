"""A member joins or changes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from reservation.domain.booking import OCCUPYING
from reservation.domain.car_model import ModelOf
from reservation.domain.consent import Told
from reservation.domain.member import Member, Preferences
from reservation.domain.refusal import Conflict, Invalid, Reason
from reservation.handlers import consents, known, tokens
from reservation.store import bookings, car_models, members


def add(
    connection: Connection, made: Callable[[ModelOf], Member], now: datetime, told: Told | None = None
) -> tuple[Member, bool]:
    """The member as `made` and kept, and whether it is new: the very same content again changes nothing. Raises Invalid,
    Conflict.

    Each token is announced (TokenAssigned), so that the central system authorises it. What the member agrees to is recorded,
    with what is `told` about it.
    """
    member = _made(connection, made)
    there = members.find(connection, member.number)
    if there is not None and there == replace(member, id=there.id):
        return there, False
    _check_names(connection, member, None)
    _check_tokens(connection, member)
    members.add(connection, member)
    tokens.announce(connection, member, None, now)
    consents.record(connection, member, consents.NOTHING, told or Told(), now)
    return member, True


def change(
    connection: Connection,
    identity: str,
    applied: Callable[[Member, ModelOf], Member],
    now: datetime,
    told: Told | None = None,
) -> Member:
    """Keep the member as `applied` makes it, announcing tokens that are new or gone. Other preferences, or what is `told`
    about consent, are recorded. Raises Unknown, Invalid, Conflict."""
    old = known.member(connection, identity)
    new = _made(connection, lambda model_of: applied(old, model_of))
    _check_names(connection, new, old)
    _check_tokens(connection, new)
    members.replace(connection, new)
    tokens.announce(connection, new, old, now)
    if told is not None or new.preferences != old.preferences:
        consents.record(connection, new, old.preferences, told or Told(), now)
    return new


def erase(connection: Connection, identity: str, now: datetime) -> Member:
    """Forget the person: name, ways to reach them, car, tokens, plates, and all that they were told. Past stays, receipts
    and the ledger stay under an id that names nobody, since the money of others is reckoned with them.

    Raises Unknown, and Conflict for a member with a stay that is to come or under way.
    """
    old = known.member(connection, identity)
    if open_stays := bookings.listed(connection, member_id=old.id, states=OCCUPYING, ending_after=now):
        told = f"member {old.number} has {len(open_stays)} stays to come: cancel them first"
        raise Conflict(told, Reason.STAYS_TO_COME, count=len(open_stays))
    nobody = Member(id=old.id, number=f"erased-{old.id[:40]}", name="erased", preferences=Preferences())
    members.replace(connection, nobody)
    members.forget(connection, old.id)
    tokens.announce(connection, nobody, old, now)
    consents.end(connection, old.id, now)
    return nobody


def _made(connection: Connection, made: Callable[[ModelOf], Member]) -> Member:
    try:
        return made(lambda model_id: car_models.find(connection, model_id))
    except ValueError as error:
        raise Invalid(str(error)) from error


def _check_names(connection: Connection, member: Member, old: Member | None) -> None:
    for name in filter(None, (member.id, member.number, member.phone)):
        other = members.find(connection, name)
        if other is not None and (old is None or other.id != old.id):
            raise Conflict(f"{name!r} names member {other.number} already", Reason.NAME_TAKEN)


def _check_tokens(connection: Connection, member: Member) -> None:
    for token in member.tokens:
        if members.owner_of(connection, token) not in (None, member.id):
            raise Conflict(f"token {token.value} ({token.type}) belongs to another member", Reason.TOKEN_TAKEN)
