"""A member's tokens are told to the central system, which authorises them."""

from datetime import datetime

from sqlalchemy import Connection

from contracts.reservation import TokenAssigned, TokenWithdrawn
from reservation.domain.member import Member
from reservation.store import mailboxes


def announce(connection: Connection, new: Member, old: Member | None, now: datetime) -> None:
    """Tell which tokens are new (TokenAssigned) and which are gone (TokenWithdrawn)."""
    had = old.tokens if old else ()
    fresh = [token for token in new.tokens if token not in had]
    gone = [token for token in had if token not in new.tokens]
    mailboxes.announce(
        connection,
        *(TokenWithdrawn(at=now, token=token, member_id=new.id) for token in gone),
        *(TokenAssigned(at=now, token=token, member_id=new.id) for token in fresh),
    )
