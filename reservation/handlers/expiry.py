"""Benefits that were not spent in time expire, and their members are told."""

from datetime import datetime

from sqlalchemy import Connection

from contracts.ids import MemberId, new_id
from reservation import thanks
from reservation.domain.grant import Use, expire
from reservation.domain.ledger import Entry
from reservation.domain.notice import Notice, NoticeKind
from reservation.handlers import known
from reservation.store import grants, ledger, notices
from reservation.wording import language_of

BATCH = 200
"""Most benefits that one transaction lets expire."""


def sweep(connection: Connection, now: datetime) -> int:
    """Let benefits expire whose time is over, at most `BATCH`; how many."""
    over = grants.over(connection, now, BATCH)
    for use in over:
        _expire(connection, use, now)
    return len(over)


def _expire(connection: Connection, use: Use, now: datetime) -> None:
    grant = use.grant
    key = f"expired/{grant.id}/{now.isoformat()}"
    ledger.post(connection, Entry(key, now, f"{grant.kind} of {grant.source} expired", grant.unit, expire(use)))
    facility = known.facility(connection, grant.facility_id)
    language = language_of(facility, known.member(connection, grant.member_id))
    worth = thanks.Worth(grant.kind, grant.unit, language)
    text = thanks.expired(facility, worth, use.amount)
    told = Notice(new_id(), MemberId(grant.member_id), NoticeKind.BENEFIT, now, text, f"benefit/{grant.id}")
    notices.add(connection, [told])
