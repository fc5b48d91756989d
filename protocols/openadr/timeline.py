"""From events to what holds when: spans of one event, and one timeline of several by priority.

      event       start ── duration ──▶ (interval 0)(interval 1)(interval 2)
      loop        event.duration longer than its intervals: they come again; shorter: it cuts them off
      own period  (interval 1) with a start of its own: a gap before it, or it takes over from the one before
      values      an interval with three prices: three parts of equal length
      timeline    priority 0        ░░░░░░▓▓▓▓░░░░░░     at each instant the first by priority holds;
                  priority 5        ▓▓▓▓▓▓    ▓▓▓▓▓▓     no two overlap, and nothing is lost beside them

Pure: the instant at which an event was first read, and what chance adds to its start, are given.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from heapq import heappop, heappush
from itertools import pairwise
from typing import Final, TypeVar

from protocols.openadr.durations import FOREVER, NOW, Duration
from protocols.openadr.objects import Event, Interval, IntervalPeriod, Value, ValuesMap
from protocols.openadr.payloads import WHOLE_CURVES

MOST_SPANS: Final = 10_000
Draw = Callable[[int], float]
"""What chance gives the interval at a position: from -1 to 1, always the same."""
_EMPTY: Final = IntervalPeriod()
_NOTHING: Final = timedelta()
K = TypeVar("K", bound=Hashable)


class NotSchedulable(ValueError):
    """An event whose intervals have no time; the text says which."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of an interval with one value a payload; `position` counts the event's intervals, `loop` its repeats and
    `part` the interval's values, all from 0."""

    start: datetime
    end: datetime
    interval_id: int
    position: int
    payloads: tuple[ValuesMap, ...]
    loop: int = 0
    part: int = 0

    def value(self, payload_type: str) -> Value | None:
        """The value of a payload type, or None."""
        return next((one.values[0] for one in self.payloads if one.type == payload_type and one.values), None)


@dataclass(frozen=True, slots=True)
class Claim:
    """The spans of one event, and what decides when another event's overlap. Lower priorities go first, none is last; of
    equals the one that was changed last, then by id."""

    event_id: str
    spans: tuple[Span, ...]
    priority: int | None = None
    modified: datetime | None = None

    @property
    def rank(self) -> tuple[bool, int, timedelta, str]:
        """The lowest holds."""
        age = FOREVER - (self.modified or NOW)
        return self.priority is None, self.priority or 0, age, self.event_id


@dataclass(frozen=True, slots=True)
class Segment:
    """Which event's span holds from `start` to `end`."""

    start: datetime
    end: datetime
    event_id: str
    span: Span


def evenly(seed: str) -> Draw:
    """Chance that is even over -1 to 1, and the same each time for the same seed and position."""

    def draw(position: int) -> float:
        digest = sha256(f"{seed} {position}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / (2**64 - 1) * 2 - 1

    return draw


def unroll(event: Event, seen_at: datetime, since: datetime, until: datetime, draw: Draw = lambda _: 0.0) -> list[Span]:
    """The spans of an event that touch the window, in order, without overlap.

    `seen_at` is when the event was first read: where it starts, if it is to start now. Of intervals that overlap, the later
    one in the event takes over. Raises NotSchedulable.
    """
    once = _once(event, seen_at, draw)
    if not once:
        return []
    first, last = min(span.start for span in once), max(span.end for span in once)
    limit = FOREVER if event.duration is None else event.duration.after(first)
    found: list[Span] = []
    for loop, shift in _loops(event.duration, first, last, since, min(until, limit)):
        for span in once:
            start, end = _later(span.start, shift), min(_later(span.end, shift), limit)
            if start < min(end, until) and end > since:
                found.append(replace(span, start=start, end=end, loop=loop))
        if len(found) > MOST_SPANS:
            raise NotSchedulable(f"it has more than {MOST_SPANS} spans in the window")
    return [replace(span, start=start, end=end) for start, end, span in _overlaid(found, _latest_first)]


def is_void(event: Event, seen_at: datetime) -> bool:
    """Whether an event with intervals lasts no time at all: that is how one is cancelled without being deleted."""
    if event.duration is not None and event.duration.after(seen_at) <= seen_at:
        return True
    if not event.intervals:
        return False
    return not _once(event, seen_at, lambda _: 0.0)


def timeline(claims: Iterable[Claim]) -> list[Segment]:
    """What holds when: at each instant that any span covers, the one of the first event by priority."""
    spans = [(claim, span) for claim in claims for span in claim.spans]
    laid = _laid([(span.start, span.end, (claim.rank, span.start)) for claim, span in spans])
    return [Segment(start, end, spans[index][0].event_id, spans[index][1]) for start, end, index in laid]


# One event -------------------------------------------------------------------------------------------------------------


def _once(event: Event, seen_at: datetime, draw: Draw) -> list[Span]:
    """The intervals as they are written, without loops; those without length are left out."""
    default = event.interval_period or _EMPTY
    found: list[Span] = []
    shift, cursor = _NOTHING, seen_at
    for position, interval in enumerate(event.intervals or ()):
        own = interval.interval_period or _EMPTY
        spread = own.randomize_start or (default.randomize_start if position == 0 else None)
        if spread is not None:
            shift = draw(position) * abs(spread.after(seen_at) - seen_at)
        if position == 0:
            start = _later(_absolute(own) or _absolute(default) or seen_at, shift)
        else:
            absolute = _absolute(own)
            start = cursor if absolute is None else _later(absolute, shift)
        cursor = _length(own, default, position).after(start)
        found += _parts(interval, position, start, cursor)
    return found


def _absolute(period: IntervalPeriod) -> datetime | None:
    return None if period.start is None or period.start == NOW else period.start


def _length(own: IntervalPeriod, default: IntervalPeriod, position: int) -> Duration:
    length = own.duration or default.duration
    if length is None:
        raise NotSchedulable(f"interval {position} has no duration, and the event gives none")
    if length.is_negative:
        raise NotSchedulable(f"interval {position} has a negative duration")
    return length


def _parts(interval: Interval, position: int, start: datetime, end: datetime) -> list[Span]:
    """The interval cut wherever one of its payloads goes on to its next value; nothing for one without length."""
    if start >= end:
        return []
    counts = {len(one.values) for one in interval.payloads if one.type not in WHOLE_CURVES and len(one.values) > 1}
    if counts and end == FOREVER:
        raise NotSchedulable(f"interval {position} has several values, and no end by which to divide it")
    edges = sorted({start, end} | {start + (end - start) * k / count for count in counts for k in range(1, count)})
    return [
        Span(low, high, interval.id, position, _values_at(interval, (low - start) / (end - start)), part=part)
        for part, (low, high) in enumerate(pairwise(edges))
    ]


def _values_at(interval: Interval, share: float) -> tuple[ValuesMap, ...]:
    return tuple(
        one
        if one.type in WHOLE_CURVES or len(one.values) < 2
        else ValuesMap(type=one.type, values=(one.values[_index(share, len(one.values))],))
        for one in interval.payloads
    )


def _index(share: float, count: int) -> int:
    return min(count - 1, int(share * count + 1e-9))


def _loops(
    whole: Duration | None, first: datetime, last: datetime, since: datetime, until: datetime
) -> Iterable[tuple[int, timedelta]]:
    """Which repeats touch the window, and how much later than the first they are."""
    period = last - first
    if whole is None or last == FOREVER:
        yield 0, _NOTHING
        return
    loop = max(0, (since - first) // period)
    while first + loop * period < until:
        yield loop, loop * period
        loop += 1


def _later(moment: datetime, shift: timedelta) -> datetime:
    if moment == FOREVER:
        return FOREVER
    try:
        return min(moment + shift, FOREVER)
    except OverflowError:
        return FOREVER if shift > _NOTHING else datetime(NOW.year + 1, 1, 1, tzinfo=UTC)


def _latest_first(span: Span) -> tuple[int, int, int]:
    return -span.loop, -span.position, -span.part


# Overlaps --------------------------------------------------------------------------------------------------------------


def _overlaid(spans: Sequence[Span], rank: Callable[[Span], tuple[int, ...]]) -> list[tuple[datetime, datetime, Span]]:
    laid = _laid([(span.start, span.end, rank(span)) for span in spans])
    return [(start, end, spans[index]) for start, end, index in laid]


def _laid(given: Sequence[tuple[datetime, datetime, K]]) -> list[tuple[datetime, datetime, int]]:
    """Sweep over (start, end, rank): at each instant the lowest rank holds. Gives (start, end, index), the pieces of one
    that nothing else comes between in one piece."""
    order = sorted(range(len(given)), key=lambda index: given[index][0])
    edges = sorted({edge for start, end, _ in given for edge in (start, end)})
    running: list[tuple[K, int]] = []
    found: list[tuple[datetime, datetime, int]] = []
    upcoming = 0
    for low, high in pairwise(edges):
        while upcoming < len(order) and given[order[upcoming]][0] <= low:
            heappush(running, (given[order[upcoming]][2], order[upcoming]))
            upcoming += 1
        while running and given[running[0][1]][1] <= low:
            heappop(running)
        if not running:
            continue
        index = running[0][1]
        if found and found[-1][2] == index and found[-1][1] == low:
            found[-1] = found[-1][0], high, index
        else:
            found.append((low, high, index))
    return found
