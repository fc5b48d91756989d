"""Times and durations as OpenADR 3 writes them: RFC 3339 and ISO 8601, with its two special values.

A start in the year 1 means "now", a duration of P9999Y means "without end" (Definition 3.1.0, intervalPeriod). Months and
years are of the calendar; what would leave the calendar ends at `FOREVER`.
"""

import re
from calendar import monthrange
from datetime import MAXYEAR, UTC, datetime, timedelta
from typing import Final

NOW: Final = datetime(1, 1, 1, tzinfo=UTC)
"""The start that means: as soon as it is read."""
FOREVER: Final = datetime(MAXYEAR, 1, 1, tzinfo=UTC)
"""The end of what has none."""
_ENDLESS_MONTHS: Final = 9999 * 12
_MOST_DIGITS: Final = 7
_PATTERN: Final = re.compile(
    r"(-?)P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.ASCII
)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class NoTime(ValueError):
    """A text that is no time or no duration; the message says which."""


class Duration:
    """A duration of calendar months and of exact time. Both have the same sign; it never changes.

    It is no dataclass, as msgspec would take one for an object of the wire.
    """

    __slots__ = ("exact", "months")

    def __init__(self, months: int = 0, exact: timedelta = timedelta()) -> None:
        self.months, self.exact = months, exact

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and (self.months, self.exact) == (other.months, other.exact)

    def __hash__(self) -> int:
        return hash((self.months, self.exact))

    def __repr__(self) -> str:
        return f"Duration({str(self)!r})"

    @classmethod
    def parse(cls, text: str) -> "Duration":
        """Read an ISO 8601 duration such as PT30M. Raises NoTime."""
        found = _PATTERN.fullmatch(text)
        if found is None or any(len(part.partition(".")[0]) > _MOST_DIGITS for part in found.groups("")):
            raise NoTime(f"{text[:40]!r} is no ISO 8601 duration")
        sign, years, months, weeks, days, hours, minutes, seconds = found.groups("0")
        factor = -1 if sign == "-" else 1
        exact = timedelta(weeks=int(weeks), days=int(days), hours=int(hours), minutes=int(minutes), seconds=float(seconds))
        return cls(factor * (12 * int(years) + int(months)), factor * exact)

    @property
    def is_endless(self) -> bool:
        """Whether it means: without end."""
        return self.months >= _ENDLESS_MONTHS

    @property
    def is_negative(self) -> bool:
        """Whether it would end before it starts."""
        return self.months < 0 or self.exact < timedelta()

    def after(self, start: datetime) -> datetime:
        """The instant at which it ends; a day that the month lacks is the month's last. Never later than FOREVER."""
        try:
            return min(_plus_months(start, self.months) + self.exact, FOREVER)
        except OverflowError:
            return NOW if self.is_negative else FOREVER

    def __str__(self) -> str:
        """The shortest ISO 8601 text; zero is PT0S."""
        years, months = divmod(abs(self.months), 12)
        exact = abs(self.exact)
        hours, rest = divmod(exact.seconds, 3600)
        minutes, whole = divmod(rest, 60)
        seconds = f"{whole}.{exact.microseconds:06}".rstrip("0") if exact.microseconds else whole or ""
        date = "".join(f"{number}{unit}" for number, unit in ((years, "Y"), (months, "M"), (exact.days, "D")) if number)
        time = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number)
        text = f"P{date}" + (f"T{time}" if time else "")
        return ("-" if self.is_negative else "") + (text if len(text) > 1 else "PT0S")


ENDLESS: Final = Duration(months=_ENDLESS_MONTHS)


def instant(text: str) -> datetime:
    """Read an RFC 3339 time, as UTC. A date is its midnight, a time without an offset is UTC, the year 1 is NOW, and the
    calendar's last year is FOREVER. Raises NoTime."""
    try:
        found = datetime.fromisoformat(f"{text}T00:00:00" if _DATE.fullmatch(text) else text)
    except ValueError as error:
        raise NoTime(f"{text[:40]!r} is no RFC 3339 time") from error
    if found.year == NOW.year:
        return NOW
    if found.year == MAXYEAR:
        return FOREVER
    return found.astimezone(UTC) if found.tzinfo is not None else found.replace(tzinfo=UTC)


def rfc3339(moment: datetime) -> str:
    """A time as it goes out: UTC with Z, without a fraction where there is none. Raises NoTime without an offset."""
    if moment.utcoffset() is None:
        raise NoTime(f"{moment} has no offset: say which time zone it is in")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plus_months(start: datetime, months: int) -> datetime:
    if not months:
        return start
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not NOW.year <= year <= MAXYEAR:
        raise OverflowError
    return start.replace(year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1]))
