"""The picture of a day: what is free and what is paid, as bars on one line of time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of the line, in percent of its length. `note` is what is said of it."""

    left: float
    width: float
    start: datetime
    end: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A span of time, drawn from left to right."""

    start: datetime
    end: datetime

    @classmethod
    def around(cls, spans: Iterable[tuple[datetime, datetime]], zone: ZoneInfo) -> "Line | None":
        """From the full hour before the first to the full hour after the last; None for no spans."""
        known = list(spans)
        if not known:
            return None
        first, last = min(start for start, _ in known).astimezone(zone), max(end for _, end in known).astimezone(zone)
        begin = first.replace(minute=0, second=0, microsecond=0)
        end = last.replace(minute=0, second=0, microsecond=0)
        return cls(begin, end if end == last else end + HOUR)

    def at(self, when: datetime) -> float:
        """Where an instant stands, in percent; what lies beyond an end stands there."""
        share = (when - self.start) / (self.end - self.start)
        return round(100 * min(max(share, 0.0), 1.0), 3)

    def bar(self, start: datetime, end: datetime, note: str = "") -> Bar | None:
        """A span's bar; None for one that lies beyond the line."""
        left, right = self.at(start), self.at(end)
        return Bar(left, round(right - left, 3), start, end, note) if right > left else None

    def hours(self, most: int = 12) -> list[tuple[float, datetime]]:
        """Where hours are marked: every first, second, third … so that there are not too many."""
        count = int((self.end - self.start) / HOUR)
        step = next(step for step in (1, 2, 3, 4, 6, 12, 24, 48, 168, 10_000) if count / step <= most)
        marked = [self.start + number * HOUR for number in range(0, count + 1, step)]
        return [(self.at(when), when) for when in marked]


def merged(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """The spans in order, those that touch made one."""
    found: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
