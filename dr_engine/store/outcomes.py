"""What became of bookings that have passed: the engine learns from what it sees itself, or from a list of the past."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Select, delete, func, insert, or_, select

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
    """Keep what became of the EV bookings that have passed, where it is other than what was kept. How many were kept."""
    row, done = bookings.c, select(outcomes.c.booking_id)
    passed = select(bookings).where(
        row.comes_by_ev, row.end <= now - SETTLES, or_(row.end > now - LATE, row.booking_id.not_in(done))
    )
    ids = passed.with_only_columns(row.booking_id)
    seen, followed, kept = _seen(connection, ids), _followed(connection, ids), _kept(connection, ids)
    found = {}
    for one in connection.execute(passed):
        if one.cancelled_at is not None and one.cancelled_at <= one.start - NOTICE:
            continue
        lead_s = None if one.made_at is None else max(0.0, (one.start - one.made_at).total_seconds())
        came = seen.get(one.booking_id, (False, None, None))
        outcome = Outcome(one.facility_id, one.member_id, one.start, one.end, lead_s, *came, followed.get(one.booking_id))
        if outcome != kept.get(one.booking_id):
            found[one.booking_id] = outcome
    put_all(connection, found.items())
    return len(found)


def _seen(connection: Connection, ids: Select[str]) -> dict[str, tuple[bool, datetime | None, datetime | None]]:
    """Of each booking with a session: that the car was plugged in, when first, and when it was unplugged for good (None: it
    still stands there)."""
    row = sessions.c
    columns = (row.booking_id, func.min(row.started_at), func.max(row.ended_at), func.max(row.running))
    query = select(*columns).where(row.booking_id.in_(ids)).group_by(row.booking_id)
    return {
        booking_id: (True, plugged_in_at, None if running else ended_at)
        for booking_id, plugged_in_at, ended_at, running in connection.execute(query)
    }


def _followed(connection: Connection, ids: Select[str]) -> dict[str, bool]:
    """Of each booking that an event had move: whether the car did what it was told, as its events left it."""
    row = participations.c
    verdicts = defaultdict[str, set[str]](set)
    for booking_id, verdict in connection.execute(select(row.booking_id, row.verdict).where(row.booking_id.in_(ids))):
        verdicts[booking_id].add(verdict)
    return {one: not found & OUT for one, found in verdicts.items() if found & (OUT | MOVED)}


def _kept(connection: Connection, ids: Select[str]) -> dict[str, Outcome]:
    row = outcomes.c
    query = select(row.booking_id, *[row[name] for name in _FIELDS]).where(row.booking_id.in_(ids))
    return {booking_id: Outcome(*fields) for booking_id, *fields in connection.execute(query)}


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
