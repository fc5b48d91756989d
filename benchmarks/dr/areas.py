"""The recorded series of four Japanese areas, read as an operator's files are."""

import gzip
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from dr_engine.domain.forecast.history import Calendar, History, arranged
from dr_engine.domain.forecast.reading import Plan, read

DATA = Path(__file__).parents[2].parent / "shared" / "data"
STATIONS = {"tokyo": "tokyo", "chubu": "nagoya"}
"""Weather stations whose records are at hand; Kansai and Kyushu have none."""
AREAS = ("tokyo", "chubu", "kansai", "kyushu")
CALENDAR = Calendar(ZoneInfo("Asia/Tokyo"), "JP")

_DEMAND = {"demand_mw": "demand_mw", "supply_mw": "supply_capacity_mw", "solar_mw": "solar_mw"}
_OUTLOOK = {
    "outlook_peak_mw": "nextday_forecast_peak_mw",
    "outlook_supply_mw": "nextday_peak_supply_mw",
    "outlook_usage_pct": "nextday_peak_usage_pct",
}


def plans(area: str) -> list[tuple[str, Plan]]:
    """The files of an area, and how each is read. Of the outlook only what was told for the next day is taken, as the other
    columns were revised until the day's end. Rain and sun are stamped with the end of their hour."""
    found = [
        (f"demand/{area}_hourly.csv.gz", Plan("start_jst", _DEMAND)),
        (f"demand/{area}_daily_outlook.csv", Plan("date", _OUTLOOK, shift=1)),
        ("prices/jepx_spot_30min.csv.gz", Plan("start_jst", {"price": f"{area}_jpy_kwh"})),
    ]
    if station := STATIONS.get(area):
        weather = f"weather/jma_{station}_hourly.csv.gz"
        found += [
            (weather, Plan("obs_jst", {"temperature_c": "temp_c", "humidity_pct": "rel_humidity_pct"})),
            (weather, Plan("obs_jst", {"radiation_mj_m2": "solar_mj_m2", "sunshine_h": "sunshine_h"}, shift=-1)),
        ]
    return found


def history(data: Path, area: str) -> History:
    """All that is known of an area. An hour of no demand is one that was not published."""
    readings = [read(_text(data / name), plan, CALENDAR.zone) for name, plan in plans(area)]
    hourly = {name: values for reading in readings for name, values in reading.hours.items()}
    hourly["demand_mw"] = {start: value for start, value in hourly["demand_mw"].items() if value > 0}
    daily = {name: values for reading in readings for name, values in reading.days.items()}
    known = [start.astimezone(CALENDAR.zone).date() for start in (min(hourly["demand_mw"]), max(hourly["demand_mw"]))]
    whole = {name: (list(values), list(values.values())) for name, values in hourly.items()}
    return arranged(CALENDAR, known[0], known[1] + timedelta(days=1), whole, daily)


def _text(path: Path) -> str:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        return str(file.read())
