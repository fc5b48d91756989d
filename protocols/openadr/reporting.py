"""Which reports an event asks for: when each is due, and about which intervals.

Counted in the event's intervals, from 0. The guide's examples (7.5) decide where its prose leaves doubt:

    historical   report at the end of startInterval (-1: the last) about the numIntervals (-1: all) up to it; where so many
                 do not come before it, startInterval is the first of them, and the report is due at the end of the last
    forecast     report at the beginning of startInterval (-1: the first) about the numIntervals from it
    again        every `frequency` intervals (-1: numIntervals), `repeat` times (-1: while there are intervals); the last
                 one is about what is left
    ad hoc       frequency 0: whenever the VEN has something to say
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count as counting

from protocols.openadr.objects import ReportDescriptor


@dataclass(frozen=True, slots=True)
class Due:
    """A report about the intervals `first` to `last`, due when interval `trigger` begins, or (`at_end`) ends."""

    trigger: int
    at_end: bool
    first: int
    last: int


def is_ad_hoc(descriptor: ReportDescriptor) -> bool:
    """Whether the VEN chooses when to report."""
    return descriptor.frequency == 0


def dues(descriptor: ReportDescriptor, intervals: int | None) -> Iterator[Due]:
    """The reports in their order. `intervals` None: there is no last one, and the reports may have no end."""
    if intervals == 0:
        return
    due = _first(descriptor, intervals)
    step = descriptor.frequency if descriptor.frequency > 0 else due.last - due.first + 1
    for number in counting():
        shift = number * step
        is_beyond = intervals is not None and due.first + shift >= intervals
        if is_beyond or (descriptor.repeat >= 0 and number >= max(1, descriptor.repeat)):
            return
        yield _ending(Due(due.trigger + shift, due.at_end, due.first + shift, due.last + shift), intervals)


def _ending(due: Due, intervals: int | None) -> Due:
    """The last report is about what is left."""
    if intervals is None:
        return due
    return replace(due, trigger=min(due.trigger, intervals - 1), last=min(due.last, intervals - 1))


def _first(descriptor: ReportDescriptor, intervals: int | None) -> Due:
    end = None if intervals is None else intervals - 1
    start, number = descriptor.start_interval, descriptor.num_intervals or -1  # a report about none is meant by nobody
    if not descriptor.historical:
        start = max(0, start)
        return Due(start, False, start, _last(start, number, end))
    if start < 0:
        last = 0 if end is None else end
        return Due(last, True, 0 if number < 0 else max(0, last - number + 1), last)
    if 0 <= number <= start + 1:
        return Due(start, True, start - number + 1, start)
    last = _last(start, number, end)
    return Due(last, True, start, last)


def _last(start: int, number: int, end: int | None) -> int:
    if number < 0:
        return start if end is None else max(start, end)
    return start + max(1, number) - 1
