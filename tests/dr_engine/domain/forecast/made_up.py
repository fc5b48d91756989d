"""A small area whose days are made up: a daily shape, weekends, a slow wave, noise."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from dr_engine.domain.forecast.features import kinds
from dr_engine.domain.forecast.history import Calendar, History, arranged

TOKYO = Calendar(ZoneInfo("Asia/Tokyo"), "JP")
FIRST = date(2024, 4, 1)


def area(days: int, calendar: Calendar = TOKYO, seed: int = 1, first: date = FIRST) -> History:
    """Demand near 1,000 MW, supply near 1,200, sun at noon, weather, prices and outlooks, for so many days."""
    random = np.random.default_rng(seed)
    hours = np.arange(24)
    weekend = np.where(kinds(calendar, first, days) > 0, 0.8, 1.0)[:, None]
    wave = 1 + 0.1 * np.sin(np.arange(days) / 9)[:, None]
    demand = 1000 * (1 + 0.3 * np.sin((hours - 9) * np.pi / 12)) * weekend * wave * random.normal(1, 0.02, (days, 24))
    sun = np.clip(np.sin((hours - 6) * np.pi / 12), 0, None) * random.uniform(50, 300, (days, 1))
    starts = [start for row in range(days) for start in calendar.hour_starts(first + timedelta(days=row)) if start]
    series = {
        "demand_mw": demand,
        "supply_mw": demand.max(axis=1, keepdims=True) * random.uniform(1.02, 1.2, (days, 1)) + 0 * hours,
        "solar_mw": sun,
        "price": demand / 100,
        "temperature_c": 15 + 5 * random.standard_normal((days, 24)),
    }
    told = {"outlook_peak_mw": demand.max(axis=1), "outlook_supply_mw": series["supply_mw"][:, 0]}
    return arranged(
        calendar,
        first,
        first + timedelta(days=days - 1),
        {name: (starts, values.reshape(-1)[: len(starts)].tolist()) for name, values in series.items()},
        {
            name: {first + timedelta(days=row): float(value) for row, value in enumerate(values)}
            for name, values in told.items()
        },
    )


def as_csv(history: History, *names: str) -> str:
    """Hourly series of a made-up area as a file."""
    lines = [",".join(("start", *names))]
    for row in range(history.days):
        for hour, start in enumerate(history.calendar.hour_starts(history.day(row))):
            values = [f"{history.of(name)[row, hour]:.3f}" for name in names]
            lines.append(",".join((start.isoformat() if start else "", *values)))
    return "\n".join(lines)
