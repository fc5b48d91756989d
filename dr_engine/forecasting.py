"""Keeps a forecast for the next day of every area, and announces the windows that follow from it.

Each day from the area's hour on the next day is forecast, and again when data comes; what fails is said once and tried
again, and the last forecast stays. Learning and reckoning run in a thread. Windows are kept, announced to the area's
facilities, and announced again at every start and to a facility that is set up later, so that whoever listens has them.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import TypeVar

import numpy as np
from sqlalchemy import Connection

from contracts.dr import IncentiveWindow, IncentiveWindowsPublished
from contracts.ids import FacilityId
from dr_engine.areas import AreaSettings
from dr_engine.domain.forecast import daily
from dr_engine.domain.forecast.daily import CannotForecast, DayForecast, Learned
from dr_engine.domain.forecast.history import HOURLY, FloatArray, History, arranged
from dr_engine.domain.forecast.reading import Plan, Reading, read
from dr_engine.domain.forecast.windows import Window, kept, windows
from dr_engine.store import forecasting as store
from dr_engine.store import mailboxes
from dr_engine.store.errors import Unknown
from dr_engine.store.forecasting import KeptForecast, KeptHour
from runtime.service import Host
from runtime.storage.database import Database

ACTIVITY = "forecasting"
LOOK_S = 300.0
"""Pause between two looks whether a forecast is due."""
PUT_ROWS = 500
"""So many rows are written at once, so that others are not kept waiting."""
READ_DAYS = 100
STANDING_DAYS = 8
"""What stands for so many days, today first, is announced again."""
ONE_DAY = timedelta(days=1)
K = TypeVar("K", date, datetime)


class Forecasting:
    """`run` for ever as a task; the other methods serve the API."""

    def __init__(self, areas: Mapping[str, AreaSettings], database: Database, host: Host) -> None:
        self.areas = areas
        self._database = database
        self._host = host
        self._learned: dict[str, Learned] = {}
        self._failed: dict[str, str] = {}
        self._fresh: set[str] = set()
        self._locks = {area: asyncio.Lock() for area in areas}

    def of(self, area: str) -> AreaSettings:
        """An area's settings. Raises Unknown."""
        if area not in self.areas:
            raise Unknown(f"no area {area!r} in the settings; there are {', '.join(self.areas) or 'none'}")
        return self.areas[area]

    async def run(self) -> None:
        """Forecast for ever."""
        with self._host.activity.busy(ACTIVITY):
            for area in self.areas:
                await self._database.write(partial(self._announce_standing, area=area))
        while True:
            with self._host.activity.busy(ACTIVITY):
                await self.look()
            await self._host.clock.sleep(LOOK_S)

    async def look(self) -> None:
        """Forecast what is due."""
        for area in self.areas:
            if (day := await self._due(area)) is None:
                continue
            try:
                self._fresh.discard(area)
                await self.forecast(area, day)
                self._failed.pop(area, None)
            except CannotForecast as error:
                if self._failed.get(area) != str(error):
                    self._host.log.warning("no forecast; the last one stays", area=area, day=str(day), why=str(error))
                self._failed[area] = str(error)

    async def load(self, area: str, text: str, plan: Plan) -> Reading:
        """Keep what a file says of an area. Raises Unknown, Unreadable."""
        zone = self.of(area).calendar.zone
        with self._host.activity.busy(ACTIVITY):
            found = await asyncio.to_thread(read, text, plan, zone)
            for hours in _parts(_turned(found.hours)):
                await self._database.write(partial(store.put_hours, area=area, rows=hours))
            for days in _parts(_turned(found.days)):
                await self._database.write(partial(store.put_days, area=area, rows=days))
        self._fresh.add(area)
        return found

    async def forecast(self, area: str, day: date, *, anew: bool = False) -> KeptForecast:
        """Forecast a day, keep it, announce its windows to come. `anew`: learn first, whether or not that is due. Raises
        Unknown, CannotForecast."""
        settings = self.of(area)
        async with self._locks[area]:
            with self._host.activity.busy(ACTIVITY):
                history = await self._history(area, day)
                last = None if anew else self._learned.get(area)
                learned, found = await asyncio.to_thread(_reckoned, history, day, settings, last)
                self._learned[area] = learned
                made = _made(area, history, learned, found, self._host.clock.now())
                await self._database.write(lambda connection: self._keep(connection, made, found, history))
        return made

    def announce_to(self, connection: Connection, facility: FacilityId) -> None:
        """Tell a facility which windows stand, in the transaction at hand."""
        for area, settings in self.areas.items():
            if facility in settings.facilities:
                self._announce(connection, area, *self.standing_span(area), [facility])

    def standing_span(self, area: str) -> tuple[datetime, datetime]:
        """From today's midnight on, as far as windows may stand. Raises Unknown."""
        settings = self.of(area)
        today = self._host.clock.now().astimezone(settings.calendar.zone).date()
        return _midnight(today, settings), _midnight(today + STANDING_DAYS * ONE_DAY, settings)

    async def _due(self, area: str) -> date | None:
        """The day that is to be forecast now, if any: there is no forecast of it yet, or something was loaded since."""
        settings, now = self.areas[area], self._host.clock.now()
        local = now.astimezone(settings.calendar.zone)
        day = local.date() + ONE_DAY if local.time() >= settings.forecast_at else local.date()
        made = await self._database.read(lambda connection: store.forecasts_between(connection, area, day, day))
        return day if not made or area in self._fresh else None

    async def _history(self, area: str, day: date) -> History:
        """What is known before that day, and of it. Read in parts, between which others have their turn."""
        settings = self.areas[area]
        first = day - timedelta(days=settings.history_days)
        rows: list[store.HourRow] = []
        for number in range(0, settings.history_days + 1, READ_DAYS):
            begin = first + timedelta(days=number)
            end = min(begin + timedelta(days=READ_DAYS), day + ONE_DAY)
            since, until = _midnight(begin, settings), _midnight(end, settings)
            rows += await self._database.read(partial(store.hours, area=area, begin=since, end=until))
        told = await self._database.read(lambda connection: store.days(connection, area, first, day))
        return await asyncio.to_thread(_arranged, settings, first, day, rows, told)

    def _keep(self, connection: Connection, made: KeptForecast, found: DayForecast, history: History) -> None:
        """Keep the forecast, and announce what is to come of its windows."""
        settings, now = self.areas[made.area], self._host.clock.now()
        store.put_forecast(connection, made)
        begin, end = _midnight(made.day, settings), _midnight(made.day + ONE_DAY, settings)
        if end <= now:
            return
        to_come = [one for one in daily.outlooks(found, history) if one.start >= now]
        standing = store.windows(connection, made.area, begin, end)
        announced = kept(standing, windows(to_come, settings.rules))
        store.put_windows(connection, made.area, begin, end, announced, now)
        self._announce(connection, made.area, begin, end, settings.facilities)

    def _announce_standing(self, connection: Connection, area: str) -> None:
        self._announce(connection, area, *self.standing_span(area), self.areas[area].facilities)

    def _announce(
        self, connection: Connection, area: str, begin: datetime, end: datetime, facilities: Iterable[FacilityId]
    ) -> None:
        found = tuple(_told(one) for one in store.windows(connection, area, begin, end))
        events = [
            IncentiveWindowsPublished(
                at=self._host.clock.now(),
                facility_id=facility,
                currency=self.areas[area].currency,
                start=begin,
                end=end,
                windows=found,
            )
            for facility in facilities
        ]
        mailboxes.announce(connection, *events)


def _told(window: Window) -> IncentiveWindow:
    return IncentiveWindow(
        start=window.start, end=window.end, direction=window.direction, minor_per_kwh=window.incentive_minor
    )


def _midnight(day: date, settings: AreaSettings) -> datetime:
    """The local day's first instant, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=settings.calendar.zone).astimezone(UTC)


def _turned(series: Mapping[str, Mapping[K, float]]) -> dict[K, dict[str, float]]:
    """Values by series and time as values by time and series."""
    found: dict[K, dict[str, float]] = {}
    for name, values in series.items():
        for when, value in values.items():
            found.setdefault(when, {})[name] = value
    return found


def _parts(rows: Mapping[K, dict[str, float]]) -> Iterable[dict[K, dict[str, float]]]:
    items = iter(sorted(rows.items()))
    while part := dict(islice(items, PUT_ROWS)):
        yield part


def _arranged(
    settings: AreaSettings,
    first: date,
    day: date,
    rows: Sequence[store.HourRow],
    told: Mapping[str, Mapping[date, float]],
) -> History:
    starts = [store.start_of(row[0]) for row in rows]
    values = np.array([row[1:] for row in rows], dtype=float).reshape(len(rows), len(HOURLY))
    hourly = {name: (starts, values[:, place].tolist()) for place, name in enumerate(HOURLY)}
    return arranged(settings.calendar, first, day, hourly, told)


def _reckoned(history: History, day: date, settings: AreaSettings, last: Learned | None) -> tuple[Learned, DayForecast]:
    """The day's forecast by what was learned last, if that still serves, else by what is learned now."""
    view = daily.view_of(history, day)
    serves = (
        last is not None
        and last.view == view
        and last.known == daily.known_series(history)
        and 0 <= (day - last.until).days < settings.learn_every_days
    )
    learned = last if last is not None and serves else daily.learn(history, day, view)
    return learned, daily.forecast(learned, history, day, settings.rules, settings.band)


def _made(area: str, history: History, learned: Learned, found: DayForecast, now: datetime) -> KeptForecast:
    """A forecast as the store keeps it."""
    starts = history.calendar.hour_starts(found.day)
    return KeptForecast(
        area=area,
        day=found.day,
        made_at=now,
        learned_until=learned.until,
        lead_h=learned.view.lead_h,
        weather_of_day=learned.view.weather_of_day,
        not_told=daily.not_told(history, found.day, learned),
        hours=[_hour(found, hour, start) for hour, start in enumerate(starts) if start is not None],
    )


def _hour(found: DayForecast, hour: int, start: datetime) -> KeptHour:
    def at(values: FloatArray) -> float | None:
        return round(float(values[hour]), 3) if np.isfinite(values[hour]) else None

    demand, use = found.courses["demand_mw"], found.courses["use_pct"]
    return KeptHour(
        start=start,
        demand_mw=at(demand.expected),
        demand_low_mw=at(demand.low),
        demand_high_mw=at(demand.high),
        supply_mw=at(found.courses["supply_mw"].expected),
        use_pct=at(use.expected),
        use_low_pct=at(use.low),
        use_high_pct=at(use.high),
        solar_pct=at(found.courses["solar_pct"].expected),
        price=at(found.price),
        tight=[round(float(chance), 3) for chance in found.tight[:, hour] if np.isfinite(chance)],
        sunny=[round(float(chance), 3) for chance in found.sunny[:, hour] if np.isfinite(chance)],
    )
