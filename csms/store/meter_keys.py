"""The public keys of meters: the first one that proved right stays, until an operator says that the meter was changed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, Connection, Integer, RowMapping, String, Table, Text, delete, insert, select

from csms.store.tables import metadata
from runtime.storage.types import UtcDateTime

meter_keys = Table(
    "meter_keys",
    metadata,
    Column("station_id", String(48), primary_key=True),
    Column("evse_id", Integer, primary_key=True),
    Column("public_key", Text, nullable=False),  # as it was told
    Column("source", String(16), nullable=False),  # station: told with a value that it proved; operator
    Column("known_since", UtcDateTime, nullable=False),
)


def key_of(connection: Connection, station_id: str, evse_id: int) -> str | None:
    """The key of an EVSE's meter."""
    row = meter_keys.c
    query = select(row.public_key).where(row.station_id == station_id, row.evse_id == evse_id)
    return connection.execute(query).scalar()


def of_station(connection: Connection, station_id: str) -> Sequence[RowMapping]:
    """The keys of a station's meters, by EVSE."""
    row = meter_keys.c
    query = select(row.evse_id, row.public_key, row.source, row.known_since).where(row.station_id == station_id)
    return connection.execute(query.order_by(row.evse_id)).mappings().all()


def put(connection: Connection, station_id: str, evse_id: int, public_key: str, source: str, now: datetime) -> None:
    """Keep a key in place of the one that is known."""
    forget(connection, station_id, evse_id)
    row = {"station_id": station_id, "evse_id": evse_id, "public_key": public_key}
    connection.execute(insert(meter_keys).values(row | {"source": source, "known_since": now}))


def forget(connection: Connection, station_id: str, evse_id: int) -> bool:
    """The meter was changed: the next key that proves right is its. False when none was known."""
    row = meter_keys.c
    return bool(connection.execute(delete(meter_keys).where(row.station_id == station_id, row.evse_id == evse_id)).rowcount)
