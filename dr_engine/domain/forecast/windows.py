"""Incentive windows: periods in which members are paid for helping, because power will be short or plenty (F7A, S100).

An hour is announced when that is the better bet: telling it in vain costs something, and leaving out an hour that comes
costs `miss_cost` times as much, so it is told from a chance of 1 / (1 + miss_cost) on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.dr import Direction

HOUR = timedelta(hours=1)


class Cause(StrEnum):
    """Why a window is announced."""

    TIGHT = "tight"
    """Forecast use of supply."""
    SUN = "sun"
    """Forecast share of solar power in demand."""
    CHEAP = "cheap"
    """The day-ahead price."""


DIRECTIONS = {Cause.TIGHT: Direction.UP, Cause.SUN: Direction.DOWN, Cause.CHEAP: Direction.DOWN}


@dataclass(frozen=True, slots=True)
class Level:
    """From this value on (down to it, for a price) so much is paid, in minor units of money for a kWh."""

    at: float
    incentive_minor: int


@dataclass(frozen=True, slots=True)
class IncentiveRules:
    """When windows are announced and what they pay. `tight`: demand in percent of supply; `sunny`: solar power in percent of
    demand; `cheap`: the day-ahead price. An hour pays what the highest level pays that is likely enough."""

    tight: tuple[Level, ...] = ()
    sunny: tuple[Level, ...] = ()
    cheap: tuple[Level, ...] = ()
    miss_cost: float = 3.0

    @property
    def least_chance(self) -> float:
        """From this chance on an hour is announced."""
        return 1 / (1 + self.miss_cost)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected of an hour. Chances by level of the rules, in their order; None: nothing is known of it."""

    start: datetime
    tight: Sequence[float] | None = None
    sunny: Sequence[float] | None = None
    price: float | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A paid period. `chance` is the mean over its hours that the level which pays is reached."""

    start: datetime
    end: datetime
    direction: Direction
    cause: Cause
    incentive_minor: int
    chance: float


def windows(outlooks: Iterable[Outlook], rules: IncentiveRules) -> list[Window]:
    """The windows of those hours. Where power may be short and plenty at once, short counts."""
    return merged(hour for outlook in outlooks if (hour := _hour(outlook, rules)) is not None)


def kept(announced: Sequence[Window], anew: Sequence[Window]) -> list[Window]:
    """What stands after a later forecast: what was announced is never taken back or paid less, as guests have booked for it;
    hours are added, and an hour in the same direction may pay more."""
    hours = {hour.start: hour for hour in _hours(announced)}
    for hour in _hours(anew):
        stands = hours.get(hour.start)
        if stands is None or (stands.direction == hour.direction and hour.incentive_minor > stands.incentive_minor):
            hours[hour.start] = hour
    return merged(hours[start] for start in sorted(hours))


def merged(hours: Iterable[Window]) -> list[Window]:
    """Windows of one kind that follow on each other, as one."""
    runs: list[list[Window]] = []
    for hour in hours:
        if runs and _goes_on(runs[-1][-1], hour):
            runs[-1].append(hour)
        else:
            runs.append([hour])
    return [_joined(run) for run in runs]


def _goes_on(last: Window, hour: Window) -> bool:
    return last.end == hour.start and _kind(last) == _kind(hour)


def _kind(window: Window) -> tuple[Direction, Cause, int]:
    return window.direction, window.cause, window.incentive_minor


def _joined(run: Sequence[Window]) -> Window:
    first = run[0]
    seconds = [(one.end - one.start).total_seconds() for one in run]
    chance = sum(one.chance * length for one, length in zip(run, seconds, strict=True)) / sum(seconds)
    return Window(first.start, run[-1].end, first.direction, first.cause, first.incentive_minor, round(chance, 3))


def _hours(found: Iterable[Window]) -> Iterable[Window]:
    for window in found:
        start = window.start
        while start < window.end:
            yield Window(start, start + HOUR, window.direction, window.cause, window.incentive_minor, window.chance)
            start += HOUR


def _hour(outlook: Outlook, rules: IncentiveRules) -> Window | None:
    price = outlook.price
    cheap = None if price is None else [float(price <= level.at) for level in rules.cheap]
    causes = (
        (Cause.TIGHT, rules.tight, outlook.tight),
        (Cause.SUN, rules.sunny, outlook.sunny),
        (Cause.CHEAP, rules.cheap, cheap),
    )
    found = [hour for cause, levels, chances in causes if (hour := _by_cause(outlook.start, cause, levels, chances, rules))]
    up = [hour for hour in found if hour.direction is Direction.UP]
    return max(up or found, key=lambda hour: hour.incentive_minor, default=None)


def _by_cause(
    start: datetime, cause: Cause, levels: Sequence[Level], chances: Sequence[float] | None, rules: IncentiveRules
) -> Window | None:
    likely = [
        (level.incentive_minor, chance)
        for level, chance in zip(levels, chances or (), strict=False)
        if chance >= rules.least_chance
    ]
    if not likely:
        return None
    incentive, chance = max(likely)
    return Window(start, start + HOUR, DIRECTIONS[cause], cause, incentive, chance)
