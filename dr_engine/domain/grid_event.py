"""From the events of a VTN to requests that the engine can carry out: runs of intervals without gaps, one event each (X5).

    events of a facility ──▶ one timeline by priority ──▶ what asks for power ──▶ runs ──▶ requests (S304)

A change beside what the cars would do stays such until it becomes a request, as it hangs on the bookings of then. A run of
more than a day is cut at midnights (UTC), so that the same event gives the same runs whenever it is looked at.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

import msgspec

from dr_engine.domain.settlement import RequestInterval
from protocols.openadr.durations import FOREVER, NOW
from protocols.openadr.objects import Event
from protocols.openadr.power import PowerRule, Wanted, wanted
from protocols.openadr.timeline import Claim, NotSchedulable, Segment, Span, evenly, is_void, timeline, unroll

AHEAD: Final = timedelta(days=2)
"""An event becomes requests so long before it starts."""
BEHIND: Final = timedelta(days=2)
LONGEST: Final = timedelta(hours=24)
HOLD_AT_ZERO_W: Final = -1
"""What "take nothing" is as a request: its sign says that less import is the help."""


@dataclass(frozen=True, slots=True)
class GridEvent:
    """An event as a facility takes it: when it was first read, and how its programme says powers."""

    event: Event
    seen_at: datetime
    rule: PowerRule
    units: Mapping[str, str]

    @property
    def event_id(self) -> str:
        """The VTN's id of it."""
        return self.event.id or ""


@dataclass(frozen=True, slots=True)
class AskedPart:
    """A part of a run: W, + import; of the cars, or (`is_relative`) beside what they would do."""

    start: datetime
    end: datetime
    power_w: float
    is_relative: bool


@dataclass(frozen=True, slots=True)
class Run:
    """What one event asks for without a break."""

    event_id: str
    parts: tuple[AskedPart, ...]

    @property
    def start(self) -> datetime:
        """When it begins."""
        return self.parts[0].start

    @property
    def end(self) -> datetime:
        """When it ends."""
        return self.parts[-1].end

    def after(self, now: datetime) -> tuple[AskedPart, ...]:
        """What of it is still to come."""
        return tuple(replace(part, start=max(part.start, now)) for part in self.parts if part.end > now)


def over_at(event: Event, seen_at: datetime) -> datetime | None:
    """When its last interval ends; None when it has none, has no end, or its intervals have no time."""
    if not event.intervals:
        return None
    try:
        once = unroll(msgspec.structs.replace(event, duration=None), seen_at, NOW, FOREVER, evenly(event.id or ""))
    except (NotSchedulable, OverflowError):
        return None
    if not once:
        return seen_at
    first, last = min(span.start for span in once), max(span.end for span in once)
    end = last if event.duration is None else event.duration.after(first)
    return None if end >= FOREVER else end


def segments(events: Iterable[GridEvent], now: datetime) -> list[tuple[Segment, Wanted]]:
    """What holds when, of all that says something of power. Raises NotSchedulable, NoPower."""
    until = _midnight_after(now + AHEAD) + timedelta(days=1)
    meant: dict[tuple[str, Span], Wanted] = {}
    claims = []
    for one in events:
        if is_void(one.event, one.seen_at):
            continue
        spans = unroll(one.event, one.seen_at, now - BEHIND, until, evenly(one.event_id))
        powered = []
        for span in spans:
            if (found := wanted(span, one.rule, one.units)) is not None:
                powered.append(replace(span, end=min(span.end, until)))
                meant[one.event_id, powered[-1]] = found
        claims.append(Claim(one.event_id, tuple(powered), one.event.priority, one.event.modification_date_time))
    return [(segment, meant[segment.event_id, segment.span]) for segment in timeline(claims)]


def runs(events: Iterable[GridEvent], now: datetime) -> list[Run]:
    """The runs that are not over and begin soon enough, by start. Raises NotSchedulable, NoPower."""
    parts = [
        (segment.event_id, AskedPart(segment.start, segment.end, found.power_w, found.is_relative))
        for segment, found in segments(events, now)
        if not (found.is_relative and round(found.power_w) == 0)  # as they would anyway
    ]
    whole = [run for event_id, together in _joined(parts) for run in _cut(Run(event_id, tuple(together)))]
    return [run for run in whole if run.end > now and run.start < now + AHEAD]


def requested(parts: Sequence[AskedPart], baseline_w: Sequence[float]) -> tuple[RequestInterval, ...]:
    """The intervals of a request, with what the cars would do in each part."""
    return tuple(
        RequestInterval(
            part.start, part.end, round(part.power_w + (beside_w if part.is_relative else 0.0)) or HOLD_AT_ZERO_W
        )
        for part, beside_w in zip(parts, baseline_w, strict=True)
    )


def asked_between(intervals: Iterable[RequestInterval], part: AskedPart, else_w: float) -> float:
    """The mean power that requests ask for while a part lasts; `else_w` where they ask for nothing."""
    whole = (part.end - part.start).total_seconds()
    rest, energy = whole, 0.0
    for one in intervals:
        seconds = max(0.0, (min(one.end, part.end) - max(one.start, part.start)).total_seconds())
        rest, energy = rest - seconds, energy + seconds * one.power_w
    return (energy + rest * else_w) / whole


def _joined(parts: Sequence[tuple[str, AskedPart]]) -> Iterable[tuple[str, list[AskedPart]]]:
    together: list[AskedPart] = []
    before: str | None = None
    for event_id, part in parts:
        if together and (event_id != before or together[-1].end != part.start):
            yield before or "", together
            together = []
        together.append(part)
        before = event_id
    if together:
        yield before or "", together


def _cut(run: Run) -> list[Run]:
    if run.end - run.start <= LONGEST:
        return [run]
    edges = [run.start]
    while edges[-1] < run.end:
        edges.append(min(_midnight_after(edges[-1]), run.end))
    return [
        Run(run.event_id, tuple(_clip(part, low, high) for part in run.parts if part.start < high and part.end > low))
        for low, high in pairwise(edges)
    ]


def _clip(part: AskedPart, low: datetime, high: datetime) -> AskedPart:
    return replace(part, start=max(part.start, low), end=min(part.end, high))


def _midnight_after(when: datetime) -> datetime:
    return when.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
