"""Books of bookings that other programs keep, read row by row into what the service takes in (`POST
/api/facilities/{id}/past`).

Three shapes are known by their columns: our own (`start,end,service,party,member,became,made_at`), a hotel's
(`arrival_date`, nights, `reservation_status`), and a salon's that keeps a weekday and a part of the day but no date
(`book_dow`, `book_tod`, `noshow`).
"""

import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import ZoneInfo

Columns = Mapping[str, str]
Reads = Callable[[Columns, "Ways"], dict[str, Any]]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PARTS = {
    "morning": (time(0), time(12)),
    "afternoon": (time(12), time(17)),
    "evening": (time(17), time(23, 59)),
    "": (time(0), time(23, 59)),
}
BECAME = {"Check-Out": "came", "No-Show": "no_show", "Canceled": "cancelled"}
ONE_DAY = timedelta(days=1)


class BadBook(ValueError):
    """The file is no book of bookings that can be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How a book is read: the facility's zone and services, for names that are other than the facility's what they mean,
    and the first day of a book without dates, None where nobody said."""

    zone: ZoneInfo
    services: Mapping[str, Mapping[str, Any]]
    names: Mapping[str, str]
    first_day: date | None

    def name(self, told: str) -> str:
        """What the facility calls it."""
        return self.names.get(told, told)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the book, as it is sent; or what is wrong with it."""

    line: int
    body: dict[str, Any] | None
    fault: str = ""


def read(path: Path, ways: Ways, only: Mapping[str, str]) -> Iterator[Row]:
    """The rows of a book (CSV, or CSV in gzip), but for those whose columns are other than `only` says. Raises BadBook."""
    try:
        with opened(path) as file:
            lines = csv.DictReader(file)
            reads = _shape(set(lines.fieldnames or ()))
            seen: Counter[str] = Counter()
            for line, columns in enumerate(lines, 2):
                if all(columns.get(name) == value for name, value in only.items()):
                    yield _row(line, columns, reads, ways, seen)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise BadBook(f"cannot read {path}: {error}") from error


def opened(path: Path) -> TextIO:
    """The text of a file, also of one in gzip. Reading it raises OSError, EOFError, zlib.error or UnicodeDecodeError."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _shape(columns: set[str]) -> Reads:
    for needed, reads in _SHAPES.items():
        if needed <= columns:
            return reads
    raise BadBook("no book of bookings: give columns start, end and became, or see `gridstay booking import --help`")


def _row(line: int, columns: Columns, reads: Reads, ways: Ways, seen: Counter[str]) -> Row:
    """Lines that say the same are told apart by their number among those: they may be several rooms of one group."""
    said = "\x1f".join(f"{name}={value}" for name, value in sorted(columns.items()) if name)
    digest = sha256(said.encode()).hexdigest()[:32]
    seen[digest] += 1
    try:
        body = reads(columns, ways)
    except BadBook:
        raise
    except KeyError as error:
        return Row(line, None, f"{error.args[0]!r} is not known")
    except ValueError as error:
        return Row(line, None, str(error))
    told = {name: value for name, value in body.items() if value not in (None, "")}
    return Row(line, told | {"line": line, "key": f"{digest}/{seen[digest]}"})


def _own(columns: Columns, ways: Ways) -> dict[str, Any]:
    return {
        "start": _instant(columns["start"], ways.zone),
        "end": _instant(columns["end"], ways.zone),
        "service_id": ways.name(columns.get("service", "")),
        "party": int(columns.get("party") or 1),
        "member": columns.get("member"),
        "resource_id": ways.name(columns.get("resource", "")),
        "became": columns["became"],
        "made_at": _instant(columns["made_at"], ways.zone) if columns.get("made_at") else None,
    }


def _hotel(columns: Columns, ways: Ways) -> dict[str, Any]:
    """Nights from the arrival on, between the facility's check-in and check-out. Without a night it is no stay over
    nights."""
    service_id, nights_of = next(((name, one["nights"]) for name, one in ways.services.items() if one["nights"]), ("", None))
    if nights_of is None:
        raise ValueError("the facility has no service over nights")
    nights = int(columns["stays_in_weekend_nights"]) + int(columns["stays_in_week_nights"])
    if nights < 1:
        raise ValueError("a stay without a night")
    arrival = date.fromisoformat(columns["arrival_date"])
    party, ended = int(float(columns["party_size"])), columns.get("reservation_status_date")
    became = BECAME[columns["reservation_status"]]
    if party < 1:
        raise ValueError("a stay of nobody")
    return {
        "start": _at(arrival, time.fromisoformat(nights_of["check_in"]), ways.zone),
        "end": _at(arrival + nights * ONE_DAY, time.fromisoformat(nights_of["check_out"]), ways.zone),
        "service_id": service_id,
        "party": party,
        "became": became,
        "made_at": _at(date.fromisoformat(columns["booking_date"]), time(12), ways.zone),
        "cancelled_at": _at(date.fromisoformat(ended), time(12), ways.zone) if ended and became == "cancelled" else None,
    }


def _salon(columns: Columns, ways: Ways) -> dict[str, Any]:
    if ways.first_day is None:
        raise BadBook("this book has no dates: say with --from on which day it begins")
    day = next(number for number, name in enumerate(WEEKDAYS) if columns["book_dow"].lower().startswith(name))
    first = ways.first_day + ((day - ways.first_day.weekday()) % 7) * ONE_DAY
    begins, ends = PARTS[columns["book_tod"]]
    service = ways.name(columns.get("book_category", ""))
    minutes = ways.services[service]["minutes"] if service in ways.services else []
    return {
        "within": {"start": _at(first, begins, ways.zone), "end": _at(first, ends, ways.zone)},
        "minutes": minutes[0] if len(minutes) > 1 else None,
        "service_id": service,
        "resource_id": ways.name(columns.get("book_staff", "")),
        "became": "no_show" if columns["noshow"] == "1" else "came",
    }


def _at(day: date, when: time, zone: ZoneInfo) -> str:
    return datetime.combine(day, when, tzinfo=zone).isoformat()


def _instant(text: str, zone: ZoneInfo) -> str:
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=zone)).isoformat()


_SHAPES: dict[frozenset[str], Reads] = {
    frozenset({"start", "end", "became"}): _own,
    frozenset({"arrival_date", "stays_in_week_nights", "stays_in_weekend_nights", "reservation_status"}): _hotel,
    frozenset({"book_dow", "book_tod", "noshow"}): _salon,
}
