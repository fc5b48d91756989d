"""What each session did in an event, from what the store knows: presence, orders, baseline, registers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from contracts.units import whole_watt_hours
from dr_engine.domain.allocation import Stake
from dr_engine.domain.baseline import Baseline
from dr_engine.domain.metering import Registers
from dr_engine.domain.settlement import Delivered, Participant, delivered, delivered_wh
from dr_engine.domain.terms import Terms
from dr_engine.store import dispatching
from dr_engine.store.events import DrEvent
from dr_engine.store.sessions import readings_of
from dr_engine.store.tables import bookings, sessions


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

    @property
    def stake(self) -> Stake:
        """What the money is shared by."""
        ordered = whole_watt_hours(sum(part.ordered_wh for part in self.parts))
        available = tuple(whole_watt_hours(part.available_wh) for part in self.parts)
        return Stake(self.session_id, self.delivered_wh, ordered, available)


def contributions(connection: Connection, event: DrEvent, terms: Terms) -> list[Contribution]:
    """What each session did in an event, from the registers that are known now; by session id."""
    asked = dispatching.asked_in(connection, event.event_id)
    return [
        _contribution(connection, event, row, asked.get(row.session_id, frozenset()), terms)
        for row in dispatching.participants(connection, event.event_id)
    ]


def _contribution(
    connection: Connection, event: DrEvent, row: Row[Any], asked: frozenset[int], terms: Terms
) -> Contribution:
    since, until, ended = _presence(connection, event, row.session_id)
    baseline = None
    if row.baseline_w is not None:
        baseline = Baseline(row.frozen_at, row.baseline_w, row.needed_wh, 0.0, 1.0)
    registers = Registers.of(readings_of(connection, row.session_id))
    orders = dispatching.orders_of(connection, row.session_id)
    holds = row.up_w or 0.0, row.down_w or 0.0
    participant = Participant(row.session_id, since, until, baseline, registers, asked, orders, *holds)
    verdict = "left" if ended is not None and ended < event.end else row.verdict
    parts = delivered(participant, event.intervals, terms)
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
