"""Members and their tokens."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from contracts.csms import Token
from contracts.ids import MemberId
from contracts.reservation import Car
from reservation.domain.member import Member, Preferences, phone_number
from reservation.domain.message import Language
from reservation.store.tables import bookings, member_contacts, member_tokens, members, notices, offer_recipients, waiting


def add(connection: Connection, member: Member) -> None:
    """Keep a new member."""
    connection.execute(insert(members).values(id=member.id, **_columns(member)))
    _add_tokens(connection, member)


def replace(connection: Connection, member: Member) -> None:
    """Keep the member as it now is."""
    connection.execute(update(members).where(members.c.id == member.id).values(_columns(member)))
    connection.execute(delete(member_tokens).where(member_tokens.c.member_id == member.id))
    _add_tokens(connection, member)


def forget(connection: Connection, member_id: str) -> None:
    """Take away what stands about a member beside the member itself: addresses, what was told, wishes, the cars of stays."""
    for table in (member_contacts, offer_recipients, notices, waiting):
        connection.execute(delete(table).where(table.c.member_id == member_id))
    connection.execute(update(bookings).where(bookings.c.member_id == member_id).values(charging=None, promise=None))


def lock(connection: Connection, member_id: str) -> None:
    """Until the transaction ends nobody else books for the member: a car is in one place (see `facilities.lock`)."""
    connection.execute(select(members.c.id).where(members.c.id == member_id).with_for_update())


def find(connection: Connection, identity: str) -> Member | None:
    """The member by id, number or phone (S200), or None."""
    named = [members.c.id == identity, members.c.number == identity]
    if phone := phone_number(identity):
        named.append(members.c.phone == phone)
    rows = connection.execute(select(members).where(or_(*named))).all()
    nearest = min(rows, key=lambda row: (row.id != identity, row.number != identity), default=None)
    return None if nearest is None else _members(connection, [nearest])[0]


def listed(connection: Connection) -> list[Member]:
    """All members, by number."""
    return _members(connection, connection.execute(select(members).order_by(members.c.number)).all())


def owner_of(connection: Connection, token: Token) -> MemberId | None:
    """The member whose token it is, or None."""
    query = select(member_tokens.c.member_id).where(member_tokens.c.value == token.value, member_tokens.c.type == token.type)
    return connection.execute(query).scalar_one_or_none()


def numbers(connection: Connection, member_ids: Iterable[str]) -> dict[str, str]:
    """The numbers of the members with these ids."""
    query = select(members.c.id, members.c.number).where(members.c.id.in_(set(member_ids)))
    return {row.id: row.number for row in connection.execute(query)}


def _columns(member: Member) -> dict[str, Any]:
    return {
        "number": member.number,
        "name": member.name,
        "phone": member.phone,
        "email": member.email,
        "car": msgspec.to_builtins(member.car),
        "car_name": member.car_name,
        "car_model_id": member.car_model_id,
        "preferences": msgspec.to_builtins(member.preferences),
        "language": member.language,
        "plates": list(member.plates),
    }


def _add_tokens(connection: Connection, member: Member) -> None:
    for position, token in enumerate(member.tokens):
        row = {"value": token.value, "type": token.type, "member_id": member.id, "position": position}
        connection.execute(insert(member_tokens).values(row))


def _members(connection: Connection, rows: Iterable[Row[Any]]) -> list[Member]:
    rows = list(rows)
    tokens = _tokens(connection, rows[0].id if len(rows) == 1 else None)
    return [
        Member(
            id=row.id,
            number=row.number,
            name=row.name,
            phone=row.phone,
            email=row.email,
            tokens=tuple(tokens[row.id]),
            car=row.car and msgspec.convert(row.car, Car),
            preferences=msgspec.convert(row.preferences, Preferences),
            language=Language(row.language) if row.language else None,
            plates=tuple(row.plates),
            car_name=row.car_name,
            car_model_id=row.car_model_id,
        )
        for row in rows
    ]


def _tokens(connection: Connection, member_id: str | None) -> defaultdict[str, list[Token]]:
    query = select(member_tokens).order_by(member_tokens.c.member_id, member_tokens.c.position)
    if member_id is not None:
        query = query.where(member_tokens.c.member_id == member_id)
    found: defaultdict[str, list[Token]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.member_id].append(Token(value=row.value, type=row.type))
    return found
