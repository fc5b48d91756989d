"""Reports to a VTN (X5): which are due about an event, and what stands in them.

Energies are kWh as the grid sees them, + import: DELTA_USAGE is what flowed less the baseline (a discharge makes it
negative), beside it BASELINE and the DATA_QUALITY. USAGE and DEMAND may not be negative in OpenADR; where the fleet
exported, they are left out and the quality says so. Forecasts are kW that can be held with the stated confidence.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

import msgspec

from dr_engine.domain.metering import Quality, worst
from protocols.openadr.durations import FOREVER, NOW, Duration
from protocols.openadr.objects import (
    AGGREGATED_REPORT,
    Event,
    Interval,
    IntervalPeriod,
    Report,
    ReportDescriptor,
    ReportPayloadDescriptor,
    ReportResource,
    ValuesMap,
)
from protocols.openadr.payloads import (
    BASELINE,
    DATA_QUALITY,
    DELTA_USAGE,
    DIRECT_READ,
    DOWN_REGULATION_AVAILABLE,
    FORECAST,
    KW,
    KWH,
    UP_REGULATION_AVAILABLE,
)
from protocols.openadr.reporting import dues, is_ad_hoc
from protocols.openadr.timeline import NotSchedulable, Span, evenly, unroll

METERED: Final = (DELTA_USAGE, BASELINE, "USAGE", "DEMAND", "READING", DATA_QUALITY)
FORECASTS: Final = (UP_REGULATION_AVAILABLE, DOWN_REGULATION_AVAILABLE)
MOST_DUES: Final = 10_000
MOST_SLOTS: Final = 200_000
MOST_LOOPS: Final = 100
_NEVER_NEGATIVE: Final = ("USAGE", "DEMAND")
_QUALITY: Final = {Quality.GOOD: "OK", Quality.ESTIMATED: "ESTIMATED", Quality.MISSING: "MISSING"}


@dataclass(frozen=True, slots=True)
class Slot:
    """An interval to report about."""

    interval_id: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """One report that an event asks for: `name` is the same each time, `due` when it can be made; `targets` says of which
    resources, none: of all."""

    name: str
    due: datetime
    slots: tuple[Slot, ...]
    payload_types: tuple[str, ...]
    is_aggregate: bool
    targets: tuple[str, ...] = ()

    @property
    def is_forecast(self) -> bool:
        """Whether it is about what can be, not what was."""
        return any(one in FORECASTS for one in self.payload_types)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one resource did in one slot, Wh, + import."""

    actual_wh: float
    baseline_wh: float
    quality: Quality


def total(figures: Iterable[Figures]) -> Figures:
    """The sum over resources; MISSING where there are none."""
    found = list(figures)
    quality = worst(one.quality for one in found) if found else Quality.MISSING
    return Figures(sum(one.actual_wh for one in found), sum(one.baseline_wh for one in found), quality)


def wishes(event: Event, seen_at: datetime, now: datetime, ad_hoc_every: timedelta) -> list[Wish]:
    """The reports about an event that can be made now, by when they were due. Raises NotSchedulable.

    Descriptors that differ in their payload type alone make one report. Of forecasts that repeat only the newest is made: an
    older one says nothing any more. An event that loops is reported loop by loop.
    """
    found: list[Wish] = []
    loops = _loops(event, seen_at, now) if event.intervals else {0: []}
    for number, group in enumerate(_grouped(event.report_descriptors or ())):
        types = tuple(dict.fromkeys(one.payload_type for one in group))
        is_forecast = all(one in FORECASTS for one in types)
        if not is_forecast and not any(one in METERED for one in types):
            continue
        due: list[Wish] = []
        for loop, slots in loops.items():
            name = f"{(event.event_name or event.id or 'event')[:90]} {number}" + (f".{loop}" if loop else "")
            one = _Group(name, event, group[0], types, slots, seen_at, ad_hoc_every)
            due += [wish for wish in one.wishes(now) if wish.slots and wish.due <= now]
        found += due[-1:] if is_forecast else due
    return sorted(found, key=lambda one: (one.due, one.name))


def report(event_id: str, client_name: str, wish: Wish, resources: Mapping[str, Sequence[Figures]]) -> Report:
    """A metered report; `resources` has the figures of each by slot. An aggregate one is their sum."""
    named = {AGGREGATED_REPORT: _summed(wish, resources.values())} if wish.is_aggregate else resources
    types = _told_types(wish)
    return Report(
        event_id=event_id,
        client_name=client_name,
        report_name=wish.name,
        payload_descriptors=tuple(
            ReportPayloadDescriptor(payload_type=one, reading_type=DIRECT_READ, units=KW if one == "DEMAND" else KWH)
            for one in types
        ),
        resources=tuple(
            ReportResource(
                resource_name=name,
                interval_period=_period(wish.slots[0]),
                intervals=tuple(
                    _interval(slot, _payloads(types, slot, one)) for slot, one in zip(wish.slots, figures, strict=True)
                ),
            )
            for name, figures in named.items()
        ),
    )


def forecast(
    event_id: str,
    client_name: str,
    wish: Wish,
    available_kw: Mapping[str, Mapping[str, Sequence[float]]],
    confidence: Mapping[str, int],
) -> Report:
    """A forecast: kW in each slot by resource and payload type, and the confidence in percent, which is that of each
    resource. An aggregate one is their sum."""
    named = {AGGREGATED_REPORT: _sums(available_kw.values())} if wish.is_aggregate else available_kw
    types = [one for one in wish.payload_types if one in confidence]
    return Report(
        event_id=event_id,
        client_name=client_name,
        report_name=wish.name,
        payload_descriptors=tuple(
            ReportPayloadDescriptor(payload_type=one, reading_type=FORECAST, units=KW, confidence=confidence[one])
            for one in types
        ),
        resources=tuple(
            ReportResource(
                resource_name=name,
                interval_period=_period(wish.slots[0]),
                intervals=tuple(
                    _interval(slot, tuple(ValuesMap(type=one, values=(round(max(0.0, kw[one][at]), 3),)) for one in types))
                    for at, slot in enumerate(wish.slots)
                ),
            )
            for name, kw in named.items()
        ),
    )


def _sums(each: Iterable[Mapping[str, Sequence[float]]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for one in each:
        for kind, kw in one.items():
            found[kind] = [sum(pair) for pair in zip(found.get(kind, [0.0] * len(kw)), kw, strict=True)]
    return found


# When -----------------------------------------------------------------------------------------------------------------


def _grouped(descriptors: Iterable[ReportDescriptor]) -> list[list[ReportDescriptor]]:
    groups: dict[tuple[object, ...], list[ReportDescriptor]] = {}
    for one in descriptors:
        timing = (one.start_interval, one.num_intervals, one.historical, one.frequency, one.repeat)
        key = (one.aggregate, one.targets, one.payload_type in FORECASTS, *timing)
        groups.setdefault(key, []).append(one)
    return list(groups.values())


@dataclass(frozen=True, slots=True)
class _Group:
    """Descriptors of the same timing, over one loop of the event; without slots its intervals are implied."""

    name: str
    event: Event
    asked: ReportDescriptor
    types: tuple[str, ...]
    slots: list[Slot]
    seen_at: datetime
    ad_hoc_every: timedelta

    def wishes(self, now: datetime) -> Iterator[Wish]:
        """The reports up to now, the oldest first; of those without end the last."""
        if is_ad_hoc(self.asked):
            yield from self._ad_hoc(now)
        elif self.slots:
            told = 0
            for turn, due in enumerate(islice(dues(self.asked, len(self.slots)), MOST_DUES)):
                told += due.last - due.first + 1
                if told > MOST_SLOTS:
                    raise NotSchedulable(f"its reports have more than {MOST_SLOTS} intervals")
                trigger = self.slots[due.trigger]
                when = trigger.end if due.at_end else trigger.start
                yield self._wish(turn, when, self.slots[due.first : due.last + 1])
        else:
            yield from self._rolling(now)

    def _wish(self, turn: int, when: datetime, slots: list[Slot]) -> Wish:
        return Wish(f"{self.name}.{turn}", when, tuple(slots), self.types, self.asked.aggregate, self.asked.targets or ())

    def _ad_hoc(self, now: datetime) -> Iterator[Wish]:
        """When we like: at the end of what was, every while of what will be."""
        if self.slots and self.asked.historical:
            yield self._wish(0, self.slots[-1].end, self.slots)
            return
        turn = max(0, (now - self.seen_at) // self.ad_hoc_every)
        start, length = _implied(self.event, self.seen_at)
        current = max(0, (now - start) // length)
        coming = [slot for slot in self.slots if slot.end > now] if self.slots else [_slot(start, length, current)]
        if coming:
            yield self._wish(turn, self.seen_at + turn * self.ad_hoc_every, coming)

    def _rolling(self, now: datetime) -> Iterator[Wish]:
        """The newest of reports over intervals that are only implied."""
        asked = self.asked
        if max(asked.start_interval, asked.num_intervals, asked.frequency, asked.repeat) > MOST_DUES:
            raise NotSchedulable(f"it asks for more than {MOST_DUES} intervals or reports")
        start, length = _implied(self.event, self.seen_at)
        first, *more = islice(dues(self.asked, None), 2)
        begins = start + (first.trigger + first.at_end) * length
        step = more[0].trigger - first.trigger if more else 1
        turn = max(0, (now - begins) // (step * length))
        if self.asked.repeat >= 0:
            turn = min(turn, max(1, self.asked.repeat) - 1)
        shift = turn * step
        slots = [_slot(start, length, number + shift) for number in range(first.first, first.last + 1)]
        yield self._wish(turn, begins + shift * length, slots)


def _loops(event: Event, seen_at: datetime, now: datetime) -> dict[int, list[Slot]]:
    """The event's own intervals by loop, whatever other events do meanwhile: whole loops, from the one in which it was read
    to the one that runs, at most the last MOST_LOOPS."""
    whole = _slots(unroll(event if event.duration is None else _once(event), seen_at, NOW, FOREVER, evenly(event.id or "")))
    if not whole:
        return {}
    if event.duration is None:
        return {0: whole}
    first, last = min(slot.start for slot in whole), max(slot.end for slot in whole)
    limit, length = event.duration.after(first), last - first
    if limit <= last:
        return {0: _clipped(whole, limit)}
    current = max(0, (min(now, limit) - first) // length)
    since = max(0, (seen_at - first) // length, current - MOST_LOOPS + 1)
    shifted = {
        loop: [replace(one, start=one.start + loop * length, end=one.end + loop * length) for one in whole]
        for loop in range(since, current + 1)
    }
    return {loop: clipped for loop, slots in shifted.items() if (clipped := _clipped(slots, limit))}


def _once(event: Event) -> Event:
    return msgspec.structs.replace(event, duration=None)


def _slots(spans: Iterable[Span]) -> list[Slot]:
    """Intervals in one piece, though their values follow each other."""
    by_position: dict[int, Slot] = {}
    for span in spans:
        start = by_position[span.position].start if span.position in by_position else span.start
        by_position[span.position] = Slot(span.interval_id, start, span.end)
    return list(by_position.values())


def _clipped(slots: Iterable[Slot], limit: datetime) -> list[Slot]:
    return [replace(slot, end=min(slot.end, limit)) for slot in slots if slot.start < limit]


def _implied(event: Event, seen_at: datetime) -> tuple[datetime, timedelta]:
    """Where the intervals of an event without any begin, and how long they are: by its period, else half hours."""
    period = event.interval_period or IntervalPeriod()
    length = (period.duration or Duration()).after(seen_at) - seen_at
    if not timedelta() < length <= timedelta(days=1):
        length = timedelta(minutes=30)
    if period.start is not None and period.start > NOW:
        return period.start, length
    midnight = seen_at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (seen_at - midnight) // length * length, length


def _slot(start: datetime, length: timedelta, number: int) -> Slot:
    return Slot(number, start + number * length, start + (number + 1) * length)


# What -----------------------------------------------------------------------------------------------------------------


def _told_types(wish: Wish) -> tuple[str, ...]:
    """What is asked for and can be told; a change of usage is told with its baseline."""
    types = [one for one in wish.payload_types if one in METERED and one != DATA_QUALITY]
    if DELTA_USAGE in types and BASELINE not in types:
        types.append(BASELINE)
    return tuple(types)


def _summed(wish: Wish, each: Iterable[Sequence[Figures]]) -> list[Figures]:
    found = list(each)
    return [total(figures[at] for figures in found) for at in range(len(wish.slots))]


def _payloads(types: Iterable[str], slot: Slot, one: Figures) -> tuple[ValuesMap, ...]:
    hours = (slot.end - slot.start) / timedelta(hours=1)
    values = {
        DELTA_USAGE: (one.actual_wh - one.baseline_wh) / 1000,
        BASELINE: one.baseline_wh / 1000,
        "USAGE": one.actual_wh / 1000,
        "READING": one.actual_wh / 1000,
        "DEMAND": one.actual_wh / 1000 / hours if hours else 0.0,
    }
    told = {name: round(values[name], 3) for name in types}
    sayable = {name: value for name, value in told.items() if value >= 0 or name not in _NEVER_NEGATIVE}
    quality = _QUALITY[one.quality] if len(sayable) == len(told) else "BAD"
    payloads = tuple(ValuesMap(type=name, values=(value,)) for name, value in sayable.items())
    return (*payloads, ValuesMap(type=DATA_QUALITY, values=(quality,)))


def _interval(slot: Slot, payloads: tuple[ValuesMap, ...]) -> Interval:
    return Interval(id=slot.interval_id, interval_period=_period(slot), payloads=payloads)


def _period(slot: Slot) -> IntervalPeriod:
    return IntervalPeriod(start=slot.start, duration=Duration(exact=slot.end - slot.start))
