"""What became of bookings that have passed: the engine learns from what it sees itself, or from a list of the past."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, or_, select

from dr_engine.domain.availability import Outcome
from dr_engine.domain.board import Verdict
from dr_engine.store.tables import bookings, outcomes, participations, sessions

SETTLES = timedelta(minutes=30)
"""A booking is looked at so long after its end; what a station tells late is taken in for a day."""
LATE = timedelta(days=1)
NOTICE = timedelta(hours=24)
"""A booking that is cancelled so shortly before its start had been counted on: it is one that did not come."""
OUT = {Verdict.NOT_FOLLOWING.value, Verdict.TRIAL.value}
MOVED = {Verdict.FOLLOWING.value, Verdict.LIMITED.value}
_FIELDS = tuple(Outcome.__dataclass_fields__)


def collect(connection: Connection, now: datetime) -> int:
    """Keep what became of the EV bookings that have passed. How many were looked at."""
    row, done = bookings.c, select(outcomes.c.booking_id)
    query = select(bookings).where(
        row.comes_by_ev, row.end <= now - SETTLES, or_(row.end > now - LATE, row.booking_id.not_in(done))
    )
    found = [one for one in connection.execute(query) if one.cancelled_at is None or one.cancelled_at > one.start - NOTICE]
    for booking in found:
        seen = _seen(connection, booking.booking_id)
        lead_s = None if booking.made_at is None else max(0.0, (booking.start - booking.made_at).total_seconds())
        outcome = Outcome(
            booking.facility_id,
            booking.member_id,
            booking.start,
            booking.end,
            lead_s,
            *seen,
            _followed(connection, booking.booking_id),
        )
        put(connection, booking.booking_id, outcome)
    return len(found)


def _seen(connection: Connection, booking_id: str) -> tuple[bool, datetime | None, datetime | None]:
    """Whether the car was plugged in, when first, and when it was unplugged for good (None: it still stands there)."""
    row = sessions.c
    columns = (func.min(row.started_at), func.max(row.ended_at), func.max(row.running))
    plugged_in_at, ended_at, running = connection.execute(select(*columns).where(row.booking_id == booking_id)).one()
    return plugged_in_at is not None, plugged_in_at, None if running else ended_at


def _followed(connection: Connection, booking_id: str) -> bool | None:
    """Whether the car did what its events told it, as they left it; None: no event had it move."""
    query = select(participations.c.verdict).where(participations.c.booking_id == booking_id)
    verdicts = {row.verdict for row in connection.execute(query)}
    if verdicts & OUT:
        return False
    return True if verdicts & MOVED else None


def put(connection: Connection, booking_id: str, outcome: Outcome) -> None:
    """Keep an outcome, in place of what was kept of that booking before."""
    connection.execute(delete(outcomes).where(outcomes.c.booking_id == booking_id))
    row = {name: getattr(outcome, name) for name in _FIELDS}
    connection.execute(insert(outcomes).values(row | {"booking_id": booking_id}))


def put_all(connection: Connection, found: Iterable[tuple[str, Outcome]]) -> None:
    """Keep the outcomes of bookings, by their ids."""
    for booking_id, outcome in found:
        put(connection, booking_id, outcome)


def of_facility(connection: Connection, facility_id: str) -> Sequence[Outcome]:
    """All outcomes of a facility, by start."""
    columns = [outcomes.c[name] for name in _FIELDS]
    query = select(*columns).where(outcomes.c.facility_id == facility_id).order_by(outcomes.c.start, outcomes.c.booking_id)
    return [Outcome(*found) for found in connection.execute(query)]
