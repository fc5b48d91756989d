"""Events about bookings that are gathered until they are sent on together (S206)."""

from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from reservation.store import changes
from reservation.store.tables import gathered


def add(connection: Connection, facility_id: str, starts_at: datetime, now: datetime, body: bytes) -> None:
    """Keep an event about a stay that begins then, after those that are there."""
    row = {"facility_id": facility_id, "starts_at": starts_at, "at": now, "body": body}
    connection.execute(insert(gathered).values(row))
    changes.tell(connection)


def count(connection: Connection, facility_id: str) -> int:
    """How many there are of the facility."""
    query = select(func.count()).select_from(gathered).where(gathered.c.facility_id == facility_id)
    return connection.execute(query).scalar_one()


def facilities(connection: Connection) -> list[str]:
    """Those of which there are any."""
    return list(connection.execute(select(gathered.c.facility_id).distinct()).scalars())


def oldest(connection: Connection, facility_id: str) -> datetime | None:
    """When the first of the facility's came."""
    query = select(func.min(gathered.c.at)).where(gathered.c.facility_id == facility_id)
    found: datetime | None = connection.execute(query).scalar_one()
    return found


def first_start(connection: Connection, facility_id: str) -> datetime | None:
    """When the first of their stays begins."""
    query = select(func.min(gathered.c.starts_at)).where(gathered.c.facility_id == facility_id)
    found: datetime | None = connection.execute(query).scalar_one()
    return found


def take(connection: Connection, facility_id: str) -> list[bytes]:
    """Take all of the facility's out, in the order in which they came."""
    mine = gathered.c.facility_id == facility_id
    bodies = list(connection.execute(select(gathered.c.body).where(mine).order_by(gathered.c.position)).scalars())
    connection.execute(delete(gathered).where(mine))
    return bodies
