"""A site's meter, and what a site took: by that meter, or by the registers of all its chargers together."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import CompoundSelect, Connection, delete, func, insert, or_, select

from dr_engine.domain.metering import Quality, Registers
from dr_engine.domain.site import SiteReading, energy_wh
from dr_engine.store.errors import Clash
from dr_engine.store.sessions import readings_around
from dr_engine.store.tables import bookings, readings, sessions, site_readings

_COLUMNS = tuple(site_readings.c[name] for name in SiteReading.__dataclass_fields__)


def load(
    connection: Connection, facility_id: str, found: Sequence[SiteReading], now: datetime, *, replace: bool
) -> tuple[int, int]:
    """Keep readings of a site's meter: how many are new, and how many were known with just these figures.

    Raises Clash for a period that is known with others, or that overlaps a known one in part; with `replace`, they make way.
    """
    new, known = [], 0
    for reading in found:
        standing = readings_between(connection, facility_id, reading.start, reading.end)
        if standing == [reading]:
            known += 1
            continue
        if standing and not replace:
            period = f"{standing[0].start.isoformat()} to {standing[-1].end.isoformat()}"
            raise Clash(f"the site's meter is known from {period} with other figures; say that they are to be replaced")
        _drop(connection, facility_id, standing)
        new.append(reading)
        row = {name: getattr(reading, name) for name in SiteReading.__dataclass_fields__}
        connection.execute(insert(site_readings).values(row | {"facility_id": facility_id, "received_at": now}))
    return len(new), known


def _drop(connection: Connection, facility_id: str, standing: Iterable[SiteReading]) -> None:
    for one in standing:
        mine = (site_readings.c.facility_id == facility_id, site_readings.c.start == one.start)
        connection.execute(delete(site_readings).where(*mine))


def readings_between(connection: Connection, facility_id: str, start: datetime, end: datetime) -> list[SiteReading]:
    """The site meter's periods that touch a period, by start."""
    row = site_readings.c
    query = select(*_COLUMNS).where(row.facility_id == facility_id, row.start < end, row.end > start)
    return [SiteReading(*found) for found in connection.execute(query.order_by(row.start))]


def metered_wh(connection: Connection, facility_id: str, start: datetime, end: datetime) -> float | None:
    """What the site's meter shows for a period; None where it is not known."""
    return energy_wh(readings_between(connection, facility_id, start, end), start, end)


def last_before(connection: Connection, facility_id: str, when: datetime) -> SiteReading | None:
    """The meter's last whole period that ends by then."""
    row = site_readings.c
    query = select(*_COLUMNS).where(row.facility_id == facility_id, row.end <= when).order_by(row.end.desc()).limit(1)
    found = connection.execute(query).first()
    return None if found is None else SiteReading(*found)


def chargers_wh(connection: Connection, facility_id: str, start: datetime, end: datetime) -> float | None:
    """What all sessions at the facility's chargers took in a period, by their registers; None before the first that is known
    there, or where a session's registers are missing."""
    stations = _stations(facility_id)
    first = select(func.min(readings.c.at)).join(sessions, sessions.c.session_id == readings.c.session_id)
    known_since = connection.execute(first.where(sessions.c.station_id.in_(stations))).scalar()
    if known_since is None or known_since > start:
        return None
    row = sessions.c
    query = select(row.session_id, row.started_at, row.ended_at).where(
        row.station_id.in_(stations), row.started_at < end, or_(row.ended_at.is_(None), row.ended_at > start)
    )
    total = 0.0
    for session_id, started_at, ended_at in connection.execute(query).all():
        since, until = max(start, started_at), min(end, ended_at or end)
        taken = Registers.of(readings_around(connection, session_id, since, until)).between(since, until)
        if taken.quality is Quality.MISSING:
            return None
        total += taken.net_wh
    return total


def _stations(facility_id: str) -> CompoundSelect[tuple[str | None]]:
    """The stations at which the facility's guests have, or may have, stood."""
    booked = select(bookings.c.station_id).where(bookings.c.facility_id == facility_id, bookings.c.station_id.is_not(None))
    used = (
        select(sessions.c.station_id)
        .join(bookings, bookings.c.booking_id == sessions.c.booking_id)
        .where(bookings.c.facility_id == facility_id)
    )
    return booked.union(used)
