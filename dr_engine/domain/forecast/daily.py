"""What was learned of an area, and what it says of one day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import lightgbm
import numpy as np

from dr_engine.domain.forecast.errors import Errors
from dr_engine.domain.forecast.features import View
from dr_engine.domain.forecast.history import HOURLY, SHARES, WEATHER, FloatArray, History
from dr_engine.domain.forecast.learner import LEARNED, LEAST_DAYS, Shown, rolled
from dr_engine.domain.forecast.windows import IncentiveRules, Outlook

LATEST_LEAD_H = 72
"""With a past that ends longer before the day nothing is forecast."""
_LEAD_STEP_H = 6
"""Leads are rounded up to this, so that what was learned serves again when data comes an hour earlier or later."""
_ERROR_DAYS, _BLOCKS = 365, 4
"""Errors are learned from the last days, forecast by rolling origin in so many blocks."""


class CannotForecast(ValueError):
    """The data does not allow a forecast; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Learned:
    """Trees and errors by series; `until` is the first day that was not learned from, `known` the series that were there."""

    view: View
    until: date
    known: frozenset[str]
    trees: Mapping[str, lightgbm.Booster]
    errors: Mapping[str, Errors]


@dataclass(frozen=True, slots=True)
class Course:
    """A series through a day, (24,): expected, and the band. NaN where nothing can be said."""

    expected: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, slots=True)
class DayForecast:
    """Courses by series (LEARNED, and `supply_mw` from demand and use); chances (levels, 24) to reach the rules' levels."""

    day: date
    courses: Mapping[str, Course]
    tight: FloatArray
    sunny: FloatArray
    price: FloatArray


def view_of(history: History, day: date) -> View:
    """What can be seen of that day now. Raises CannotForecast when the past ends too long before it."""
    row = history.row(day)
    past = np.flatnonzero(np.isfinite(history.of("demand_mw")[:row].reshape(-1)))
    if not past.size:
        raise CannotForecast("there is no demand before that day")
    missing_h = 24 * row - int(past[-1]) - 1
    if missing_h > LATEST_LEAD_H:
        last = history.day(int(past[-1]) // 24)
        raise CannotForecast(
            f"demand is known until {last} only; a forecast of {day} needs it to within {LATEST_LEAD_H} hours"
        )
    lead_h = -(-missing_h // _LEAD_STEP_H) * _LEAD_STEP_H
    weather = bool(np.isfinite(history.of("temperature_c")[row]).sum() >= 20)
    return View(lead_h, weather_of_day=weather)


def learn(history: History, day: date, view: View) -> Learned:
    """Learn from all days before that one. Raises CannotForecast when demand cannot be learned."""
    end = history.row(day)
    trees, errors = {}, {}
    for name in LEARNED:
        shown = Shown.of(history, name, view)
        found = shown.learned(slice(0, end))
        if found is not None:
            trees[name] = found
            errors[name] = Errors.of(rolled(shown, _origins(history.of(name), end)), history.of(name))
    if "demand_mw" not in trees:
        known = int(np.isfinite(history.of("demand_mw")[:end]).any(axis=1).sum())
        raise CannotForecast(f"demand is known of {known} days before {day}; {LEAST_DAYS + 8} whole days are enough")
    return Learned(view, day, known_series(history), trees, errors)


def known_series(history: History) -> frozenset[str]:
    """The series of which anything is known."""
    return frozenset(name for name, values in history.series.items() if np.isfinite(values).any())


def forecast(learned: Learned, history: History, day: date, rules: IncentiveRules, band: float) -> DayForecast:
    """What was learned says of that day."""
    row = history.row(day)
    courses = {name: _course(learned, history, name, row, band) for name in LEARNED}
    demand, use = courses["demand_mw"].expected, courses["use_pct"]
    nothing = np.full(24, np.nan)
    courses["supply_mw"] = Course(100 * demand / np.where(use.expected > 0, use.expected, np.nan), nothing, nothing)
    tight = _chances(learned, "use_pct", courses, [level.at for level in rules.tight])
    sunny = _chances(learned, "solar_pct", courses, [level.at for level in rules.sunny])
    return DayForecast(day, courses, tight, sunny, history.of("price")[row])


def outlooks(found: DayForecast, history: History) -> list[Outlook]:
    """What the windows of the day are made of."""
    return [
        Outlook(start, found.tight[:, hour].tolist(), found.sunny[:, hour].tolist(), _given(found.price[hour]))
        for hour, start in enumerate(history.calendar.hour_starts(found.day))
        if start is not None
    ]


def not_told(history: History, day: date, learned: Learned) -> list[str]:
    """The series that were learned with and are not known of that day: the forecast is the weaker for it."""
    row = history.row(day)
    ahead = (learned.known - {*HOURLY, *SHARES}) | (learned.known & {"price"})
    wanted = ahead | (learned.known & set(WEATHER) if learned.view.weather_of_day else set())
    return sorted(name for name in wanted if not np.isfinite(history.of(name)[row]).any())


def _origins(seen: FloatArray, end: int) -> list[int]:
    known = np.flatnonzero(np.isfinite(seen[:end]).any(axis=1))
    first = int(known[0]) if known.size else end
    begin = max(first + LEAST_DAYS + 21, end - _ERROR_DAYS)
    return sorted({*np.linspace(min(begin, end), end, _BLOCKS + 1).astype(int).tolist()})


def _course(learned: Learned, history: History, name: str, row: int, band: float) -> Course:
    if name not in learned.trees:
        return Course(*(np.full(24, np.nan) for _ in range(3)))
    shown = Shown.of(history, name, learned.view)
    expected = shown.forecast(learned.trees[name], slice(row, row + 1))[0]
    low, high = learned.errors[name].band(expected, band)
    return Course(expected, np.maximum(low, 0.0), high)


def _chances(learned: Learned, name: str, courses: Mapping[str, Course], thresholds: list[float]) -> FloatArray:
    expected = courses[name].expected
    if name not in learned.errors:
        return np.full((len(thresholds), 24), np.nan)
    found = [learned.errors[name].chance_at_least(expected, threshold) for threshold in thresholds]
    return np.array(found).reshape(len(thresholds), 24)


def _given(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
