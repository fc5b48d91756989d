"""Settlement: what each session delivered, the money of an event, and its allocation (S400, S402, S404)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from contracts.dr import CompensationAllocated, Share
from contracts.ids import BookingId, DrEventId, FacilityId, MemberId, SessionId
from dr_engine.domain.baseline import Baseline
from dr_engine.domain.metering import Registers
from dr_engine.domain.request import EventState
from dr_engine.domain.settlement import (
    Allocation,
    Delivered,
    Participant,
    allocate,
    delivered,
    delivered_wh,
    fingerprint,
    quality,
)
from dr_engine.store import dispatching, events
from dr_engine.store.errors import Clash, Unknown
from dr_engine.store.events import DrEvent
from dr_engine.store.sessions import readings_of
from dr_engine.store.tables import allocations, bookings, compensations, mailboxes, sessions, statements


@dataclass(frozen=True, slots=True)
class Compensation:
    """The money for an event, as the upper aggregator states it: whole minor units of the currency."""

    statement_id: str
    revision: int
    event_id: str
    total_minor: int
    currency: str
    final: bool = False
    """Nothing comes after it."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one session did in an event. `parts` are its intervals; `ended_at` None: still plugged in."""

    session_id: str
    booking_id: str
    member_id: str
    verdict: str
    participant: Participant
    parts: Sequence[Delivered]

    @property
    def delivered_wh(self) -> int:
        """What the session is credited with, in whole Wh."""
        return delivered_wh(self.parts)


def contributions(connection: Connection, event: DrEvent) -> list[Contribution]:
    """What each session did in an event, from the registers that are known now; by session id."""
    asked = dispatching.asked_in(connection, event.event_id)
    return [
        _contribution(connection, event, row, asked.get(row.session_id, frozenset()))
        for row in dispatching.participants(connection, event.event_id)
    ]


def _contribution(connection: Connection, event: DrEvent, row: Row[Any], asked: frozenset[int]) -> Contribution:
    since, until, ended = _presence(connection, event, row.session_id)
    baseline = None
    if row.baseline_w is not None:
        baseline = Baseline(row.frozen_at, row.baseline_w, row.needed_wh, 0.0, 1.0)
    registers = Registers.of(readings_of(connection, row.session_id))
    participant = Participant(row.session_id, since, until, baseline, registers, asked)
    verdict = "left" if ended is not None and ended < event.end else row.verdict
    parts = delivered(participant, event.intervals)
    return Contribution(row.session_id, row.booking_id, row.member_id, verdict, participant, parts)


def _presence(connection: Connection, event: DrEvent, session_id: str) -> tuple[datetime, datetime, datetime | None]:
    """From when to when a session belonged to the pool of an event, and when it was unplugged."""
    row = sessions.c
    query = (
        select(row.started_at, row.ended_at, bookings.c.control_start, bookings.c.control_end)
        .join(bookings, bookings.c.booking_id == row.booking_id)
        .where(row.session_id == session_id)
    )
    found = connection.execute(query).one()
    ends = [event.end, found.control_end, *([found.ended_at] if found.ended_at else [])]
    return max(event.start, found.started_at, found.control_start), min(ends), found.ended_at


def settle(connection: Connection, money: Compensation, now: datetime) -> CompensationAllocated | None:
    """Receive a compensation (S400), allocate it (S402), and announce it with the members (S404), in one transaction. The
    same revision with the same figures again is the same money: None, and nothing changes (who lost our answer asks again).

    A later revision of the statement is the whole statement anew, from the registers as they are known then; who is told of
    it posts the differences. Raises Unknown for an unknown event, and Clash, with nothing changed, for one that is not over
    or was cancelled, for a revision that came with other figures, and for what may not follow the one that stands: another
    statement, another event, another currency, an older revision, anything after a final one.
    """
    event = events.get(connection, money.event_id)
    if _is_known(connection, money):
        return None
    _refuse_unfit(connection, event, money, now)
    found = contributions(connection, event)
    allocation = allocate(money.total_minor, {one.session_id: one.delivered_wh for one in found})
    _write(connection, money, found, allocation, now)
    announcement = _announcement(money, event, found, allocation, now)
    mailboxes.announce(connection, announcement)
    return announcement


def _is_known(connection: Connection, money: Compensation) -> bool:
    """Whether just this was received already. Raises Clash when something else was under the name."""
    known = connection.execute(_WITH_MONEY.where(statements.c.statement_id == money.statement_id)).all()
    if known and known[0].event_id != money.event_id:
        raise Clash(f"statement {money.statement_id} is for DR event {known[0].event_id}")
    same = next((one for one in known if one.revision == money.revision), None)
    if same is None:
        return False
    if (same.total_minor, same.currency, same.final) != (money.total_minor, money.currency, money.final):
        raise Clash(f"statement {money.statement_id} revision {money.revision} was already received with other figures")
    return True


def _refuse_unfit(connection: Connection, event: DrEvent, money: Compensation, now: datetime) -> None:
    state = event.state(now)
    if state not in (EventState.ENDED, EventState.SETTLED):
        raise Clash(f"DR event {event.event_id} is {state.value}; it can be compensated once it has ended")
    standing = statement_of(connection, event.event_id)
    if standing is None:
        return
    last, _ = standing
    stands = f"DR event {event.event_id} is settled by statement {last.statement_id} revision {last.revision}"
    if money.statement_id != last.statement_id:
        raise Clash(f"{stands}; a correction bears the same name and a higher revision")
    if last.final:
        raise Clash(f"{stands}, which is final")
    if money.revision < last.revision:
        raise Clash(f"{stands}; revision {money.revision} comes too late")
    if money.currency != last.currency:
        raise Clash(f"{stands} in {last.currency}, not in {money.currency}")


def _write(
    connection: Connection, money: Compensation, found: Sequence[Contribution], allocation: Allocation, now: datetime
) -> None:
    name = {"statement_id": money.statement_id, "revision": money.revision}
    sums = {"total_minor": money.total_minor, "currency": money.currency, "received_at": now}
    connection.execute(insert(compensations).values({**name, "event_id": money.event_id, **sums}))
    connection.execute(
        insert(statements).values(
            **name,
            event_id=money.event_id,
            delivered_wh=sum(one.delivered_wh for one in found),
            undistributed_minor=allocation.undistributed,
            settled_at=now,
            final=money.final,
            fingerprint=figures_of(found, money.total_minor, money.currency),
        )
    )
    rows = [
        {
            **name,
            "session_id": one.session_id,
            "booking_id": one.booking_id,
            "member_id": one.member_id,
            "delivered_wh": one.delivered_wh,
            "amount_minor": allocation.parts[one.session_id],
            "quality": quality(one.parts).value,
        }
        for one in found
    ]
    if rows:
        connection.execute(insert(allocations), rows)


def _announcement(
    money: Compensation, event: DrEvent, found: Sequence[Contribution], allocation: Allocation, now: datetime
) -> CompensationAllocated:
    """The shares of all who delivered; who delivered nothing has no share."""
    shares = tuple(
        Share(
            member_id=MemberId(one.member_id),
            booking_id=BookingId(one.booking_id),
            session_id=SessionId(one.session_id),
            delivered_wh=one.delivered_wh,
            amount_minor=allocation.parts[one.session_id],
        )
        for one in found
        if one.delivered_wh
    )
    return CompensationAllocated(
        at=now,
        statement_id=money.statement_id,
        revision=money.revision,
        event_id=DrEventId(event.event_id),
        facility_id=FacilityId(event.facility_id),
        currency=money.currency,
        total_minor=money.total_minor,
        undistributed_minor=allocation.undistributed,
        shares=shares,
        final=money.final,
    )


def figures_of(found: Sequence[Contribution], total_minor: int, currency: str) -> str:
    """The fingerprint of what these sessions did, with the money."""
    return fingerprint(((one.session_id, one.parts) for one in found), total_minor, currency)


_WITH_MONEY = select(statements, compensations.c.total_minor, compensations.c.currency).join(
    compensations,
    (statements.c.statement_id == compensations.c.statement_id) & (statements.c.revision == compensations.c.revision),
)


def statement_of(connection: Connection, event_id: str) -> tuple[Row[Any], Sequence[Row[Any]]] | None:
    """The statement of an event as it stands (with its money) and its allocation rows, or None before it is settled."""
    query = _WITH_MONEY.where(statements.c.event_id == event_id).order_by(statements.c.revision.desc()).limit(1)
    statement = connection.execute(query).first()
    return None if statement is None else (statement, _parts(connection, statement))


def revisions(connection: Connection, statement_id: str) -> list[tuple[Row[Any], Sequence[Row[Any]]]]:
    """All revisions of a statement with their allocation rows, the oldest first. Raises Unknown when there is none."""
    query = _WITH_MONEY.where(statements.c.statement_id == statement_id).order_by(statements.c.revision)
    found = [(statement, _parts(connection, statement)) for statement in connection.execute(query).all()]
    if not found:
        raise Unknown(f"no statement {statement_id} is known")
    return found


def all_statements(connection: Connection) -> Sequence[Row[Any]]:
    """Every revision of every statement, with its money, in the order in which they were settled."""
    query = _WITH_MONEY.order_by(statements.c.settled_at, statements.c.statement_id, statements.c.revision)
    return connection.execute(query).all()


def _parts(connection: Connection, statement: Row[Any]) -> Sequence[Row[Any]]:
    row = allocations.c
    parts = select(allocations).where(row.statement_id == statement.statement_id, row.revision == statement.revision)
    return connection.execute(parts.order_by(row.session_id)).all()


def count(connection: Connection) -> int:
    """How many statements were settled."""
    return connection.execute(select(func.count()).select_from(statements)).scalar_one()
