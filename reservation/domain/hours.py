"""When doors are open: the same each week, but for single days that are closed or have hours of their own."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from reservation.domain.period import Period

ONE_DAY = timedelta(days=1)
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)


@dataclass(frozen=True, slots=True, order=True)
class OpenTime:
    """Local times. Closing at or before opening is on the next day; the same time twice is 24 hours."""

    opens: time
    closes: time

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"

    def on(self, day: date, zone: ZoneInfo) -> Period:
        """From that day's opening to its closing."""
        closing_day = day if self.opens < self.closes else day + ONE_DAY
        return Period(at(day, self.opens, zone), at(closing_day, self.closes, zone))


@dataclass(frozen=True, slots=True)
class Closure:
    """Local days, both included, whose hours are other than their weekday's: none at all, or these."""

    first: date
    last: date
    hours: tuple[OpenTime, ...] = ()
    reason: str = ""

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"a closure ends on or after its first day; this one is {self.first} to {self.last}")


@dataclass(frozen=True, slots=True)
class Hours:
    """`week` has the times of each weekday, Monday first. Of closures that share a day the last one counts.

    Raises ValueError for a week that is not of seven days.
    """

    week: tuple[tuple[OpenTime, ...], ...]
    closures: tuple[Closure, ...] = ()

    def __post_init__(self) -> None:
        if len(self.week) != len(WEEKDAYS):
            raise ValueError(f"a week has seven days, not {len(self.week)}")

    @classmethod
    def daily(cls, opens: time, closes: time) -> "Hours":
        """The same hours each day."""
        return cls(((OpenTime(opens, closes),),) * len(WEEKDAYS))

    def closure(self, day: date) -> Closure | None:
        """What makes the day unlike its weekday, or None."""
        return next((one for one in reversed(self.closures) if one.first <= day <= one.last), None)

    def on(self, day: date) -> tuple[OpenTime, ...]:
        """The times of that day."""
        closure = self.closure(day)
        return self.week[day.weekday()] if closure is None else closure.hours

    def openings(self, first: date, last: date, zone: ZoneInfo) -> list[Period]:
        """When it is open on these days, both included, in order; what touches is one opening."""
        days = [first + number * ONE_DAY for number in range((last - first).days + 1)]
        merged: list[Period] = []
        for one in sorted(times.on(day, zone) for day in days for times in self.on(day)):
            if merged and one.start <= merged[-1].end:
                merged[-1] = Period(merged[-1].start, max(merged[-1].end, one.end))
            else:
                merged.append(one)
        return merged

    def __str__(self) -> str:
        """The week for people: `10:00-19:00` if each day is the same, else by runs of like days."""
        if len(set(self.week)) == 1 and len(self.week[0]) == 1:
            [one] = self.week[0]
            return "round the clock" if one.opens == one.closes else str(one)
        runs: list[list[int]] = []
        for number, times in enumerate(self.week):
            if runs and self.week[runs[-1][-1]] == times:
                runs[-1].append(number)
            else:
                runs.append([number])
        return ", ".join(f"{_days(run)} {_times(self.week[run[0]])}" for run in runs)


def at(day: date, when: time, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, at which clocks of the zone show that time on that day."""
    return datetime.combine(day, when, tzinfo=zone).astimezone(UTC)


def _days(run: list[int]) -> str:
    first, last = WEEKDAYS[run[0]].title(), WEEKDAYS[run[-1]].title()
    return first if first == last else f"{first}-{last}"


def _times(times: tuple[OpenTime, ...]) -> str:
    return " and ".join(map(str, sorted(times))) or "closed"
