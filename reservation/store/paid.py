"""Periods in which cars are paid, as last published for each facility."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, insert, or_, select, update

from contracts.dr import Direction
from reservation.domain.paid import PaidPeriod
from reservation.domain.period import Period
from reservation.store.tables import paid_periods


def replace(connection: Connection, facility_id: str, span: Period, paid: Iterable[PaidPeriod], now: datetime) -> None:
    """Keep these in place of all that begin in the span. An offered period counts as offered while it pays no more."""
    columns = paid_periods.c
    inside = (columns.facility_id == facility_id, columns.starts_at >= span.start, columns.starts_at < span.end)
    offered = {
        (row.starts_at, row.ends_at, row.direction): (row.offer_id, row.minor_per_kwh)
        for row in connection.execute(select(paid_periods).where(*inside, columns.offer_id.is_not(None)))
    }
    connection.execute(delete(paid_periods).where(*inside))
    for one in paid:
        key = (one.period.start, one.period.end, one.direction.value)
        offer_id, told = offered.get(key, (None, 0))
        row = {
            "facility_id": facility_id,
            "starts_at": one.period.start,
            "ends_at": one.period.end,
            "direction": one.direction.value,
            "minor_per_kwh": one.minor_per_kwh,
            "published_at": now,
            "offer_id": offer_id if one.minor_per_kwh <= told else None,
        }
        connection.execute(insert(paid_periods).values(row))


def listed(connection: Connection, facility_id: str, after: datetime, *, unoffered: bool = False) -> list[PaidPeriod]:
    """What is not over at that instant, in order; with `unoffered`, what no offer has told of."""
    columns = paid_periods.c
    query = select(paid_periods).where(columns.facility_id == facility_id, columns.ends_at > after)
    if unoffered:
        query = query.where(columns.offer_id.is_(None))
    return [
        PaidPeriod(Period(row.starts_at, row.ends_at), Direction(row.direction), row.minor_per_kwh)
        for row in connection.execute(query.order_by(columns.starts_at, columns.direction))
    ]


def mark_offered(connection: Connection, facility_id: str, paid: Iterable[PaidPeriod], offer_id: str) -> None:
    """These were offered."""
    columns = paid_periods.c
    same = [(columns.starts_at == one.period.start) & (columns.direction == one.direction.value) for one in paid]
    connection.execute(update(paid_periods).where(columns.facility_id == facility_id, or_(*same)).values(offer_id=offer_id))
