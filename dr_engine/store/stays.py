"""One guest's stay as the engine keeps it: the car's sessions, and what each event of it is credited with so far."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from dr_engine.domain.terms import Terms
from dr_engine.store import events, sessions, statements
from dr_engine.store.contributions import worked_out
from dr_engine.store.errors import Unknown
from dr_engine.store.events import DrEvent
from dr_engine.store.tables import bookings, participations
from dr_engine.store.tables import sessions as sessions_table


@dataclass(frozen=True, slots=True)
class Helped:
    """What the stay's car did in an event, by the registers that are known now. `amount_minor` and `currency` are None until
    the event is settled."""

    event: DrEvent
    delivered_wh: int
    amount_minor: int | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class StayOf:
    """`session_id` is the running session's, else the last one's, None before the car came. Energies since then."""

    booking: Row[Any]
    session_id: str | None
    running: bool
    started_at: datetime | None
    imported_wh: float
    exported_wh: float
    helped: Sequence[Helped]


def of_booking(connection: Connection, booking_id: str, terms_of: Callable[[str], Terms]) -> StayOf:
    """The stay by its booking; `terms_of` tells an event's terms. Raises Unknown for one that the engine was not told of."""
    booking = connection.execute(select(bookings).where(bookings.c.booking_id == booking_id)).first()
    if booking is None:
        raise Unknown(f"no stay {booking_id}")
    row = sessions_table.c
    query = select(row.session_id, row.running, row.started_at).where(row.booking_id == booking_id)
    last = connection.execute(query.order_by(row.running.desc(), row.started_at.desc()).limit(1)).first()
    imported, exported = sessions.metered_wh(connection, last.session_id) if last else (0.0, 0.0)
    return StayOf(
        booking=booking,
        session_id=last.session_id if last else None,
        running=bool(last and last.running),
        started_at=last.started_at if last else None,
        imported_wh=imported,
        exported_wh=exported,
        helped=[
            _helped(connection, event_id, booking_id, terms_of(event_id)) for event_id in _events(connection, booking_id)
        ],
    )


def _events(connection: Connection, booking_id: str) -> Sequence[str]:
    query = select(participations.c.event_id).where(participations.c.booking_id == booking_id)
    return connection.execute(query.distinct().order_by(participations.c.event_id)).scalars().all()


def _helped(connection: Connection, event_id: str, booking_id: str, terms: Terms) -> Helped:
    event = events.get(connection, event_id)
    mine = [one for one in worked_out(connection, event, terms).found if one.booking_id == booking_id]
    delivered = sum(one.delivered_wh for one in mine)
    settled = statements.statement_of(connection, event_id)
    if settled is None:
        return Helped(event, delivered, None, None)
    statement, parts = settled
    amount = sum(part.amount_minor for part in parts if part.booking_id == booking_id)
    return Helped(event, delivered, amount, statement.currency)
