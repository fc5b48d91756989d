"""What a learner is shown of each hour: the calendar, the past as far as it is known by then, and what is told ahead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import holidays
import numpy as np
import numpy.typing as npt

from dr_engine.domain.forecast.history import DAILY, WEATHER, Calendar, FloatArray, History

WORKDAY, SATURDAY, HOLIDAY = 0, 1, 2
ALIKE = 3
"""So many past days of the same kind make the level from which a forecast starts."""
_LAGS = (1, 2, 3, 7, 14)


@dataclass(frozen=True, slots=True)
class View:
    """What may be seen when a day is forecast.

    The past is known up to `lead_h` hours before the day's midnight. `outlook`: the utility's own figures and the market's
    prices for the day, which are told ahead. `weather_of_day`: the weather of the day itself, of which there is only a
    forecast ahead of it; where observations stand in for one, errors come out too small.
    """

    lead_h: int = 0
    outlook: bool = True
    weather_of_day: bool = False


def kinds(calendar: Calendar, first: date, days: int) -> npt.NDArray[np.int64]:
    """Of each day: workday, Saturday, or Sunday and public holiday."""
    found = [first + timedelta(days=number) for number in range(days)]
    off = _public(calendar, range(found[0].year, found[-1].year + 1))
    return np.array([HOLIDAY if day in off or day.weekday() == 6 else SATURDAY * (day.weekday() == 5) for day in found])


def level(history: History, name: str, view: View) -> FloatArray:
    """(days, 24): the mean of the same hour on the last days of the same kind that were over when the forecast is made."""
    kind, values = kinds(history.calendar, history.first, history.days), history.of(name)
    back = 1 - (-view.lead_h // 24)
    found = np.full_like(values, np.nan)
    for one in (WORKDAY, SATURDAY, HOLIDAY):
        alike = np.flatnonzero(kind == one)
        known = alike[np.isfinite(values[alike]).any(axis=1)]
        for row in alike:
            past = known[: np.searchsorted(known, row - back, side="right")][-ALIKE:]
            if past.size:
                found[row] = mean(values[past], axis=0)
    return found


def table(history: History, name: str, view: View) -> FloatArray:
    """(days * 24, features): what is shown for the forecast of the series `name`. Its columns hang on the view alone."""
    base = level(history, name, view)
    columns = [
        *_calendar(history),
        base,
        *_past(history.of(name), base, view.lead_h),
        *(
            lagged(history.of(other), days, view.lead_h)
            for other in ("demand_mw", "solar_mw", "supply_mw")
            for days in (1, 7)
        ),
        *(column for weather in WEATHER for column in _weather(history.of(weather), view)),
        *(_told(history, base) if view.outlook else ()),
    ]
    return np.stack([column.reshape(-1) for column in columns], axis=1)


def lagged(values: FloatArray, days: int, lead_h: int) -> FloatArray:
    """The same hour so many days before (one at least), NaN where it is not known yet."""
    found = np.full_like(values, np.nan)
    found[days:] = values[:-days]
    found[:, np.arange(24) >= 24 * days - lead_h] = np.nan
    return found


def mean(values: FloatArray, axis: int) -> FloatArray:
    """The mean of what is known; NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    return np.asarray(np.where(count > 0, np.where(known, values, 0.0).sum(axis=axis) / np.maximum(count, 1), np.nan))


def by_day(values: FloatArray) -> FloatArray:
    """(days,) as (days, 24)."""
    return np.repeat(values[:, None], 24, axis=1)


def _public(calendar: Calendar, years: Sequence[int]) -> set[date]:
    if calendar.country is None:
        return set()
    return set(holidays.country_holidays(calendar.country, subdiv=calendar.subdivision, years=list(years)))


def _calendar(history: History) -> list[FloatArray]:
    kind = kinds(history.calendar, history.first - timedelta(days=1), history.days + 2).astype(float)
    days = [history.day(row) for row in range(history.days)]
    weekday = np.array([float(day.weekday()) for day in days])
    of_year = np.array([float(day.timetuple().tm_yday) for day in days])
    hour = np.broadcast_to(np.arange(24.0), (history.days, 24))
    return [hour, *(by_day(values) for values in (weekday, of_year, kind[:-2], kind[1:-1], kind[2:]))]


def _past(values: FloatArray, base: FloatArray, lead_h: int) -> list[FloatArray]:
    """The series itself, and how far above its level it was."""
    above = values - base
    last = 1 + lead_h // 24
    recent = [lagged(above, days, lead_h) for days in (last, last + 1, last + 2)]
    latest = recent[0][:, : 24 * last - lead_h][:, -4:]
    week = [np.concatenate([lagged(values, days, lead_h) for days in range(first, first + 7)], axis=1) for first in (2, 9)]
    return [
        *(lagged(values, days, lead_h) for days in _LAGS),
        *recent,
        by_day(mean(recent[0], axis=1)),
        by_day(mean(np.concatenate(recent, axis=1), axis=1)),
        by_day(mean(latest, axis=1)),
        by_day(mean(week[0], axis=1) - mean(week[1], axis=1)),
    ]


def _weather(values: FloatArray, view: View) -> list[FloatArray]:
    last = 1 + view.lead_h // 24
    before = lagged(values, last, view.lead_h)
    found = [before, by_day(mean(before, axis=1)), by_day(mean(lagged(values, last + 1, view.lead_h), axis=1))]
    if not view.weather_of_day:
        return found
    flat = values.reshape(-1)
    trailing = [_trailing(flat, hours).reshape(values.shape) for hours in (3, 24, 72)]
    return [*found, values, by_day(mean(values, axis=1)), *trailing]


def _told(history: History, base: FloatArray) -> list[FloatArray]:
    """Prices and the utility's figures for the day, and how they compare with the day before and with the level."""
    price = history.of("price")
    of_day = mean(price, axis=1)
    peak, supply = history.of("outlook_peak_mw"), history.of("outlook_supply_mw")
    highest = np.fmax.reduce(base, axis=1)
    return [
        price,
        price - by_day(of_day),
        by_day(of_day),
        by_day(of_day - mean(lagged(price, 1, 0), axis=1)),
        *(history.of(name) for name in DAILY),
        peak - lagged(peak, 1, 0),
        peak - by_day(highest),
        100 * peak / supply,
    ]


def _trailing(flat: FloatArray, hours: int) -> FloatArray:
    """The mean of the last hours, this one included."""
    known = np.isfinite(flat)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, flat, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    ends = np.arange(1, flat.size + 1)
    begins = np.maximum(ends - hours, 0)
    count = counts[ends] - counts[begins]
    return np.where(count > 0, (sums[ends] - sums[begins]) / np.maximum(count, 1), np.nan)
