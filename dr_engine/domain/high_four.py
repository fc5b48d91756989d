"""High 4 of 5, the statistical baseline of a site (METI's ERAB guideline): the mean of the highest of the last days like it.

    weekday: of the last 5 weekdays the 4 highest; weekend or holiday: of the last 3 such days the 2 highest
    looked for up to 30 days back; days with an event are left out, and days far below the others (a quarter of their mean)
    base = the mean of those days in each interval;  adjustment = mean power shortly before the event less that of those days
    baseline = base + adjustment, never below 0;  what was saved = baseline less what was metered

The adjustment is reckoned on the load without storage, so that charging before an event cannot raise it.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dr_engine.domain.car import HOUR_S

LOOK_BACK = 30
LOW = 0.25
"""A day below this part of the candidates' mean is left out; where they give more than they take, none is."""
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Rule:
    """Of so many last days of a kind, the mean of the highest."""

    of: int
    highest: int


WEEKDAY, HOLIDAY = Rule(of=5, highest=4), Rule(of=3, highest=2)


@dataclass(frozen=True, slots=True)
class DayLoad:
    """A day's energy in each of the event's intervals (Wh), and the mean power (W) without storage in the time before, by
    which the event's day is adjusted (None: nobody knows)."""

    day: date
    intervals_wh: tuple[float, ...]
    before_w: float | None = None

    @property
    def whole_wh(self) -> float:
        """All intervals."""
        return sum(self.intervals_wh)


@dataclass(frozen=True, slots=True)
class HighFour:
    """The baseline of a day: the days it is the mean of, the adjustment (W; None: there was nothing to reckon it from), and
    the energy of each interval (Wh). `short`: fewer days were found than the rule asks for."""

    days: tuple[date, ...]
    adjustment_w: float | None
    intervals_wh: tuple[float, ...]
    short: bool


def rule_of(day: date, holidays: Collection[date]) -> Rule:
    """The rule of a day's kind."""
    return HOLIDAY if day.weekday() >= SATURDAY or day in holidays else WEEKDAY


def days_like(day: date, holidays: Collection[date], event_days: Collection[date]) -> Iterator[date]:
    """The days before of the same kind and without an event, the last one first."""
    for back in range(1, LOOK_BACK + 1):
        other = day - timedelta(days=back)
        if rule_of(other, holidays) is rule_of(day, holidays) and other not in event_days:
            yield other


def high_four(
    rule: Rule,
    days: Iterator[date],
    load: Callable[[date], DayLoad | None],
    lengths_s: Sequence[float],
    before_w: float | None,
) -> HighFour | None:
    """The baseline from the `days` that come into question, of which `load` tells what is known (None: nothing is).
    `before_w` is the event's day before the event, without storage. None when no day is left."""
    found = _candidates(rule, days, load)
    if not found:
        return None
    by_height = sorted(found, key=lambda one: (-one.whole_wh, -one.day.toordinal()))
    highest = by_height[: rule.highest]
    earlier = [one.before_w for one in highest if one.before_w is not None]
    adjustment = None if before_w is None or len(earlier) < len(highest) else before_w - sum(earlier) / len(earlier)
    intervals = tuple(
        max(0.0, sum(one.intervals_wh[number] for one in highest) / len(highest) + (adjustment or 0.0) * length_s / HOUR_S)
        for number, length_s in enumerate(lengths_s)
    )
    return HighFour(tuple(one.day for one in highest), adjustment, intervals, short=len(found) < rule.of)


def _candidates(rule: Rule, days: Iterator[date], load: Callable[[date], DayLoad | None]) -> list[DayLoad]:
    """The last days that are known; what is far below the others gives way to an earlier one."""
    kept: list[DayLoad] = []
    for day in days:
        known = load(day)
        if known is None:
            continue
        kept.append(known)
        if len(kept) == rule.of:
            kept = _without_low(kept)
        if len(kept) == rule.of:
            return kept
    return _without_low(kept)


def _without_low(kept: list[DayLoad]) -> list[DayLoad]:
    mean = sum(one.whole_wh for one in kept) / len(kept) if kept else 0.0
    return [one for one in kept if one.whole_wh >= LOW * mean] if mean > 0 else kept
