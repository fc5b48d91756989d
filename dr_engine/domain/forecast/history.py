"""What is known of an area, hour by hour, on its own clock.

Every series is a matrix of local days by 24 local hours, NaN where nothing is known: people switch things on by the clock on
the wall, so an hour is compared with the same hour of other days also where summer time shifts it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

WEATHER = ("temperature_c", "humidity_pct", "radiation_mj_m2", "sunshine_h")
"""Radiation and sunshine are sums over the hour."""
HOURLY = ("demand_mw", "supply_mw", "solar_mw", "price", *WEATHER)
"""Series by the hour, in its mean. `price` is the day-ahead market's, in money per kWh."""
DAILY = ("outlook_peak_mw", "outlook_supply_mw", "outlook_usage_pct")
"""The utility's own figures for a day, told before it begins: the peak of demand, the supply then, the use of supply."""
SHARES = ("use_pct", "solar_pct")
"""Demand as a share of supply, and solar power as a share of demand, in percent: made of the series above."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """An area's clock, and the country (ISO 3166, with its subdivision) of its public holidays; None: it has none."""

    zone: ZoneInfo
    country: str | None = None
    subdivision: str | None = None

    def hour_starts(self, day: date) -> list[datetime | None]:
        """The instant (UTC) at which each local hour of the day begins; None for one that the clocks skip."""
        found: list[datetime | None] = []
        for hour in range(24):
            instant = datetime(day.year, day.month, day.day, hour, tzinfo=self.zone).astimezone(UTC)
            found.append(instant if instant.astimezone(self.zone).hour == hour else None)
        return found


@dataclass(frozen=True, slots=True)
class History:
    """Series by name, each (days, 24); row 0 is the local day `first`."""

    calendar: Calendar
    first: date
    days: int
    series: Mapping[str, FloatArray]

    def of(self, name: str) -> FloatArray:
        """A series; all NaN where it is not kept."""
        found = self.series.get(name)
        return np.full((self.days, 24), np.nan) if found is None else found

    def day(self, row: int) -> date:
        """The local day of a row."""
        return self.first + timedelta(days=row)

    def row(self, day: date) -> int:
        """The row of a local day, be it in the history or not."""
        return (day - self.first).days


def arranged(
    calendar: Calendar,
    first: date,
    last: date,
    hourly: Mapping[str, tuple[Sequence[datetime], Sequence[float]]],
    daily: Mapping[str, Mapping[date, float]],
) -> History:
    """The history of the local days `first` to `last`, both in it, with SHARES. An hourly series is the starts of its hours
    and their values; what lies outside the days is left out."""
    days = (last - first).days + 1
    series = {name: _hours(calendar.zone, first, days, *given) for name, given in hourly.items()}
    for name, by_day in daily.items():
        series[name] = found = np.full((days, 24), np.nan)
        for day, value in by_day.items():
            if first <= day <= last:
                found[(day - first).days] = value
    missing = np.full((days, 24), np.nan)
    demand = _positive(series.get("demand_mw", missing))
    series["use_pct"] = 100 * demand / _positive(series.get("supply_mw", missing))
    series["solar_pct"] = 100 * series.get("solar_mw", missing) / demand
    return History(calendar, first, days, series)


def _hours(zone: ZoneInfo, first: date, days: int, starts: Sequence[datetime], values: Sequence[float]) -> FloatArray:
    found = np.full((days, 24), np.nan)
    origin = first.toordinal()
    for start, value in zip(starts, values, strict=True):
        local = start.astimezone(zone)
        row = local.toordinal() - origin
        if 0 <= row < days:
            found[row, local.hour] = value
    return found


def _positive(values: FloatArray) -> FloatArray:
    return np.where(values > 0, values, np.nan)
