"""When a stay of a given length could begin: algebra on spans of possible starts.

    taken        ######        ####
    free    -----      --------    ------
    starts  ===        ======      ====      (each free gap, shortened by the stay's length)

A guest needs one of the resources, one of the bays if a car comes, and open doors: the union over each kind, and the
intersection of the kinds. Unlike periods, a span of starts holds both its ends and may be a single instant.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from reservation.domain.period import Period

Span = tuple[datetime, datetime]


def starts(taken: Iterable[Period], within: Period, length: timedelta) -> list[Span]:
    """The starts in `within` at which a stay of that length meets nothing that is taken."""
    spans, free_from = [], within.start
    for period in sorted(taken):
        if period.start - length >= free_from:
            spans.append((free_from, min(period.start, within.end) - length))
        free_from = max(free_from, period.end)
    if within.end - length >= free_from:
        spans.append((free_from, within.end - length))
    return [(first, last) for first, last in spans if first <= last]


def union(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, those that touch made one."""
    merged: list[Span] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def intersection(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """What lies in both. Both are in order and do not overlap in themselves, as `union` gives them."""
    shared, left, right = [], 0, 0
    while left < len(one) and right < len(other):
        first = max(one[left][0], other[right][0])
        last = min(one[left][1], other[right][1])
        if first <= last:
            shared.append((first, last))
        if one[left][1] < other[right][1]:
            left += 1
        else:
            right += 1
    return shared


def holds(spans: Sequence[Span], when: datetime) -> bool:
    """Whether that instant is a possible start. The spans are in order, as `union` gives them."""
    after = bisect_right(spans, when, key=lambda span: span[0])
    return after > 0 and when <= spans[after - 1][1]
