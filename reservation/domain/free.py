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


def starts(taken: Iterable[Span], within: Period, length: timedelta) -> list[Span]:
    """The starts in `within` at which a stay of that length meets nothing that is taken (each from an instant up to and
    without another)."""
    spans, free_from, latest = list[Span](), within.start, within.end - length
    for begins, ends in sorted(taken):
        if free_from > latest:
            return spans
        if ends <= free_from:
            continue
        if begins - length >= free_from:
            spans.append((free_from, min(begins - length, latest)))
        free_from = ends
    if free_from <= latest:
        spans.append((free_from, latest))
    return spans


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
