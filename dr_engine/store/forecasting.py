"""What is known of areas, what was forecast, and which windows were announced."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, and_, delete, func, insert, select
from sqlalchemy.dialects.sqlite import insert as insert_or_update

from contracts.dr import Direction
from dr_engine.domain.forecast.history import DAILY, HOURLY
from dr_engine.domain.forecast.windows import Cause, Window
from dr_engine.store.errors import Unknown
from dr_engine.store.tables import area_days, area_hours, forecasts, incentive_windows

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class KeptHour:
    """One hour of a forecast. `tight` and `sunny` are the chances to reach the levels of the rules, in their order; None
    where nothing can be said."""

    start: datetime
    demand_mw: float | None
    demand_low_mw: float | None
    demand_high_mw: float | None
    supply_mw: float | None
    use_pct: float | None
    use_low_pct: float | None
    use_high_pct: float | None
    solar_pct: float | None
    price: float | None
    tight: list[float]
    sunny: list[float]


@dataclass(frozen=True, slots=True)
class KeptForecast:
    """A day's forecast as it is kept. The past was known until `lead_h` hours before the day; `not_told` are series that
    were missing for the day."""

    area: str
    day: date
    made_at: datetime
    learned_until: date
    lead_h: int
    weather_of_day: bool
    not_told: list[str]
    hours: list[KeptHour]


def put_hours(connection: Connection, area: str, rows: Mapping[datetime, Mapping[str, float]]) -> None:
    """Keep hourly values by the start of their hour; what is not given stays as it was."""
    _put(connection, area_hours, [{"area": area, "hour": _hour(start), **values} for start, values in rows.items()], HOURLY)


def put_days(connection: Connection, area: str, rows: Mapping[date, Mapping[str, float]]) -> None:
    """Keep daily values; what is not given stays as it was."""
    _put(connection, area_days, [{"area": area, "day": day, **values} for day, values in rows.items()], DAILY)


def _put(connection: Connection, table: Table, rows: list[dict[str, Any]], names: Sequence[str]) -> None:
    statement = insert_or_update(table)
    key = [column.name for column in table.primary_key]
    kept = {name: func.coalesce(statement.excluded[name], table.c[name]) for name in names}
    whole = [dict.fromkeys(names) | row for row in rows]
    if whole:
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=kept), whole)


HourRow = tuple[Any, ...]
"""An hour, counted from 1970, and its value of each of HOURLY."""


def hours(connection: Connection, area: str, begin: datetime, end: datetime) -> list[HourRow]:
    """The hours from begin to end, in order."""
    columns = area_hours.c
    query = select(columns.hour, *(columns[name] for name in HOURLY)).where(
        columns.area == area, columns.hour >= _hour(begin), columns.hour < _hour(end)
    )
    return [tuple(row) for row in connection.execute(query.order_by(columns.hour))]


def days(connection: Connection, area: str, first: date, last: date) -> dict[str, dict[date, float]]:
    """Daily values by series and day, of the days from first to last."""
    columns = area_days.c
    query = select(area_days).where(columns.area == area, columns.day.between(first, last))
    rows = connection.execute(query).all()
    return {name: {row.day: value for row in rows if (value := getattr(row, name)) is not None} for name in DAILY}


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is kept of a series: its count, and the first and last start of an hour, or day."""

    series: str
    count: int
    first: datetime | date
    last: datetime | date


def extents(connection: Connection, area: str) -> list[Extent]:
    """What is kept of an area."""
    found = []
    for name in HOURLY:
        count, first, last = _span(connection, area_hours, area, "hour", name)
        if count:
            found.append(Extent(name, count, start_of(first), start_of(last)))
    for name in DAILY:
        count, first, last = _span(connection, area_days, area, "day", name)
        if count:
            found.append(Extent(name, count, first, last))
    return found


def _span(connection: Connection, table: Table, area: str, key: str, name: str) -> tuple[int, Any, Any]:
    place = table.c[key]
    query = select(func.count(), func.min(place), func.max(place)).where(table.c.area == area, table.c[name].is_not(None))
    count, first, last = connection.execute(query).one()
    return count, first, last


def put_forecast(connection: Connection, found: KeptForecast) -> None:
    """Keep a day's forecast in place of its last one."""
    columns = forecasts.c
    connection.execute(delete(forecasts).where(columns.area == found.area, columns.day == found.day))
    content = msgspec.json.encode(found).decode()
    connection.execute(insert(forecasts).values(area=found.area, day=found.day, made_at=found.made_at, content=content))


def forecast(connection: Connection, area: str, day: date | None = None) -> KeptForecast:
    """The forecast of a day, or of the last day there is one of. Raises Unknown."""
    query = select(forecasts.c.content).where(forecasts.c.area == area)
    if day is not None:
        query = query.where(forecasts.c.day == day)
    content = connection.execute(query.order_by(forecasts.c.day.desc()).limit(1)).scalar()
    if content is None:
        of = f" of {day}" if day else ""
        raise Unknown(f"there is no forecast{of} for area {area}")
    return msgspec.json.decode(content, type=KeptForecast)


def forecasts_between(connection: Connection, area: str, first: date, last: date) -> list[KeptForecast]:
    """The forecasts of the days from first to last, in order."""
    query = select(forecasts.c.content).where(forecasts.c.area == area, forecasts.c.day.between(first, last))
    found = connection.execute(query.order_by(forecasts.c.day)).scalars()
    return [msgspec.json.decode(content, type=KeptForecast) for content in found]


def windows(connection: Connection, area: str, begin: datetime, end: datetime) -> list[Window]:
    """The windows that begin in that span, in order."""
    query = select(incentive_windows).where(_begins(area, begin, end)).order_by(incentive_windows.c.start)
    return [
        Window(row.start, row.end, Direction(row.direction), Cause(row.cause), row.incentive_minor, row.chance)
        for row in connection.execute(query)
    ]


def put_windows(
    connection: Connection, area: str, begin: datetime, end: datetime, found: Iterable[Window], now: datetime
) -> None:
    """Keep windows in place of all that begin in that span."""
    connection.execute(delete(incentive_windows).where(_begins(area, begin, end)))
    rows = [
        {
            "area": area,
            "start": one.start,
            "end": one.end,
            "direction": one.direction.value,
            "cause": one.cause.value,
            "incentive_minor": one.incentive_minor,
            "chance": one.chance,
            "announced_at": now,
        }
        for one in found
    ]
    if rows:
        connection.execute(insert(incentive_windows), rows)


def _begins(area: str, begin: datetime, end: datetime) -> Any:
    columns = incentive_windows.c
    return and_(columns.area == area, columns.start >= begin, columns.start < end)


def start_of(hour: int) -> datetime:
    """The instant at which an hour since the epoch begins."""
    return EPOCH + timedelta(hours=hour)


def _hour(start: datetime) -> int:
    return (start - EPOCH) // timedelta(hours=1)
