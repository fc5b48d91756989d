"""Who came to a facility, and how often (S104)."""

from datetime import date, datetime

from sqlalchemy import Connection, select

from reservation.domain.facility import Facility
from reservation.store.receipts import paid_days_since
from reservation.store.tables import bookings

ABSENT = ("held", "expired", "cancelled", "no_show")
"""States of bookings whose guest did not come."""


def visits_since(connection: Connection, facility: Facility, since: datetime, now: datetime) -> dict[str, int]:
    """On how many days each member was at a facility since then: paid at its register, or had a stay that has begun."""
    row = bookings.c
    query = select(row.member_id, row.starts_at).where(
        row.facility_id == facility.id, row.starts_at >= since, row.starts_at <= now, row.state.not_in(ABSENT)
    )
    found: dict[str, set[date]] = {name: set(days) for name, days in paid_days_since(connection, facility.id, since).items()}
    for member, starts_at in connection.execute(query):
        found.setdefault(member, set()).add(facility.local(starts_at).date())
    return {member: len(days) for member, days in found.items()}
