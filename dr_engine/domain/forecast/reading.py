"""Reading an area's series from CSV as utilities, markets and weather services publish them.

A file is read with a plan: which column is the time, which columns are which series. Cells that cannot be read are told,
once a column with their number and the first lines, and left out; the others are taken. Empty cells are unknown, not wrong.
"""

import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, date, datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.units import utc
from dr_engine.domain.forecast.history import DAILY, HOURLY

FIRST_LINES = 5
LIMITS: Mapping[str, tuple[float, float]] = {
    "price": (-10_000, 100_000),
    "temperature_c": (-90, 60),
    "humidity_pct": (0, 100),
    "radiation_mj_m2": (0, 6),
    "sunshine_h": (0, 1),
    "outlook_usage_pct": (0, 200),
}
_MEGAWATTS = (0, 10_000_000)


class Unreadable(ValueError):
    """The file as a whole cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a file is read: `time` names the column of the hour's start (or of the day, for daily series), `columns` gives the
    file's column by series. `shift` is added to every time: -1 for a file that stamps an hour by its end, 1 for a daily file
    whose figures are for the next day. A time without a zone is on the area's clock."""

    time: str
    columns: Mapping[str, str]
    shift: int = 0

    @property
    def daily(self) -> bool:
        """Whether it reads daily series. Raises Unreadable for series that are not known, or of both kinds."""
        if unknown := sorted(set(self.columns) - {*HOURLY, *DAILY}):
            raise Unreadable(f"no such series: {', '.join(unknown)}; there are {', '.join((*HOURLY, *DAILY))}")
        if not self.columns:
            raise Unreadable("say which columns are to be read")
        daily = [name in DAILY for name in self.columns]
        if any(daily) != all(daily):
            raise Unreadable("daily and hourly series are read one after the other: each file row is a day or an hour")
        return all(daily)


@dataclass(slots=True)
class Fault:
    """What is wrong in one column: in how many rows, and in which lines first."""

    column: str
    problem: str
    rows: int = 0
    lines: list[int] = field(default_factory=list)

    def __str__(self) -> str:
        more = ", …" if self.rows > len(self.lines) else ""
        rows = "1 row" if self.rows == 1 else f"{self.rows} rows"
        return f"{self.column}: {self.problem} in {rows} (line {', '.join(map(str, self.lines))}{more})"


@dataclass(slots=True)
class Reading:
    """What a file held: `hours` by series and start (UTC; means where there are several rows an hour), `days` by day."""

    rows: int = 0
    hours: dict[str, dict[datetime, float]] = field(default_factory=dict)
    days: dict[str, dict[date, float]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def read(text: str, plan: Plan, zone: ZoneInfo) -> Reading:
    """Read a file. Raises Unreadable when no row of it can be used."""
    daily = plan.daily
    faults: dict[tuple[str, str], Fault] = {}
    found, many = Reading(), dict[tuple[str, object], int]()
    for line, row in _rows(text, plan):
        found.rows += 1
        when = _day(row[plan.time], plan) if daily else _hour(row[plan.time], plan, zone)
        if when is None:
            _wrong(faults, plan.time, "no day" if daily else "no time", line)
            continue
        for name, column in plan.columns.items():
            value = _number(row[column] or "", name)
            if isinstance(value, str):
                _wrong(faults, column, value, line)
            elif value is not None:
                _put(found, name, when, value, many)
    found.faults = list(faults.values())
    if not any(found.hours.values()) and not any(found.days.values()):
        told = "; ".join(map(str, found.faults)) or ("every cell is empty" if found.rows else "it has no rows")
        raise Unreadable(f"nothing in the file can be used: {told}")
    return found


def _rows(text: str, plan: Plan) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), restval="", strict=True)
    try:
        names = reader.fieldnames or []
        if missing := [column for column in (plan.time, *plan.columns.values()) if column not in names]:
            raise Unreadable(f"the file has no column {', '.join(missing)}; it has {', '.join(names) or 'none'}")
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise Unreadable(f"the file is no CSV from line {reader.line_num + 1} on: {error}") from error


def _wrong(faults: dict[tuple[str, str], Fault], column: str, problem: str, line: int) -> None:
    fault = faults.setdefault((column, problem), Fault(column, problem))
    fault.rows += 1
    if len(fault.lines) < FIRST_LINES:
        fault.lines.append(line)


def _hour(text: str, plan: Plan, zone: ZoneInfo) -> datetime | None:
    try:
        read_as = datetime.fromisoformat(text.strip())
        instant = utc(read_as if read_as.tzinfo else read_as.replace(tzinfo=zone)) + timedelta(hours=plan.shift)
        return utc(instant).replace(minute=0, second=0, microsecond=0)
    except (ValueError, OverflowError):
        return None


def _day(text: str, plan: Plan) -> date | None:
    try:
        day = date.fromisoformat(text.strip()) + timedelta(days=plan.shift)
        return day if MINYEAR < day.year < MAXYEAR else None
    except (ValueError, OverflowError):
        return None


def _number(text: str, name: str) -> float | str | None:
    """The value; None where it is unknown; or what is wrong with it."""
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        return "no number"
    low, high = LIMITS.get(name, _MEGAWATTS)
    return value if math.isfinite(value) and low <= value <= high else f"outside {low:,} to {high:,}"


def _put(found: Reading, name: str, when: date, value: float, many: dict[tuple[str, object], int]) -> None:
    if not isinstance(when, datetime):
        found.days.setdefault(name, {})[when] = value
        return
    series = found.hours.setdefault(name, {})
    count = many[name, when] = many.get((name, when), 0) + 1
    series[when] = value if count == 1 else series[when] + (value - series[when]) / count
