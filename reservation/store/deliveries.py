"""What of the inbox is still to be sent on, where members are reached, and what became of it."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from contracts.ids import MemberId
from reservation.domain.delivery import Contact, DeliveryState, Due, Outcome
from reservation.domain.notice import NoticeKind
from reservation.store.tables import member_contacts, members, notices

WOKEN = "notices"
"""Listeners of this name wake when there is something to send."""
EMAIL, SMS = "email", "sms"
"""The channels of the e-mail address and the phone number that every member may have."""
_OF_STAYS = (NoticeKind.BOOKED, NoticeKind.CHANGED)
_IS_WAITING = notices.c.state == DeliveryState.WAITING


def due(connection: Connection, now: datetime, limit: int) -> list[Due]:
    """What is to be sent now, the longest due first."""
    query = select(notices).where(_IS_WAITING, notices.c.next_at <= now).order_by(notices.c.next_at, notices.c.position)
    return [
        Due(
            row.id,
            MemberId(row.member_id),
            row.subject,
            row.text,
            row.attempts,
            row.expires_at,
            row.reference if row.kind in _OF_STAYS else None,
        )
        for row in connection.execute(query.limit(limit))
    ]


def next_due(connection: Connection) -> datetime | None:
    """When the next one is to be sent, or None when nothing waits."""
    found: datetime | None = connection.execute(select(func.min(notices.c.next_at)).where(_IS_WAITING)).scalar_one()
    return found


def mark(connection: Connection, ended: Iterable[tuple[str, Outcome]], now: datetime) -> None:
    """Keep what became of each."""
    for notice_id, outcome in ended:
        values = {
            "state": outcome.state,
            "attempts": outcome.attempts,
            "channel": outcome.channel,
            "next_at": outcome.next_at,
            "error": outcome.error,
            "sent_at": now if outcome.state is DeliveryState.SENT else None,
        }
        connection.execute(update(notices).where(notices.c.id == notice_id, _IS_WAITING).values(values))


def contacts_of(connection: Connection, member_id: str) -> list[Contact]:
    """Where a member is reached, the member's first wish first, then e-mail, then phone."""
    wishes = select(member_contacts).where(member_contacts.c.member_id == member_id).order_by(member_contacts.c.position)
    found = [Contact(row.channel, row.address) for row in connection.execute(wishes)]
    member = connection.execute(select(members.c.email, members.c.phone).where(members.c.id == member_id)).one_or_none()
    if member is not None:
        found += [Contact(name, address) for name, address in ((EMAIL, member.email), (SMS, member.phone)) if address]
    return found


def replace_contacts(connection: Connection, member_id: str, contacts: Iterable[Contact]) -> None:
    """Keep where a member wants to be told, the first wish first."""
    connection.execute(delete(member_contacts).where(member_contacts.c.member_id == member_id))
    for position, contact in enumerate(contacts):
        row = {"member_id": member_id, "channel": contact.channel, "address": contact.address, "position": position}
        connection.execute(insert(member_contacts).values(row))


def reachable(connection: Connection, channels: Iterable[str]) -> set[str]:
    """The ids of the members who can be reached over one of these channels."""
    names = set(channels)
    found = set(
        connection.execute(select(member_contacts.c.member_id).where(member_contacts.c.channel.in_(names))).scalars()
    )
    of_member = [column.is_not(None) for name, column in ((EMAIL, members.c.email), (SMS, members.c.phone)) if name in names]
    if of_member:
        found |= set(connection.execute(select(members.c.id).where(or_(*of_member))).scalars())
    return found


def states(connection: Connection, reference: str) -> dict[str, int]:
    """How many notices about one thing are in which state."""
    query = (
        select(notices.c.state, func.count().label("number"))
        .where(notices.c.reference == reference)
        .group_by(notices.c.state)
    )
    return {row.state: row.number for row in connection.execute(query)}
