"""What bookings keep for themselves, resource by resource and bay by bay, in the order of time: made once for a search, and
asked many times."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain, pairwise
from typing import NamedTuple

from reservation.domain import free
from reservation.domain.facility import Bay, Resource
from reservation.domain.free import Span
from reservation.domain.period import Period


class Taken(NamedTuple):
    """What a booking keeps: a resource for a party, and perhaps a bay, each from an instant up to and without another."""

    resource_id: str
    kept: Span
    party: int = 1
    bay_id: str | None = None
    bay_kept: Span | None = None


Stay = tuple[datetime, datetime, int]
"""Of a resource: from when until when, for a party of how many."""


class Occupied:
    """All that is taken around some time."""

    def __init__(self, rooms: Mapping[str, Sequence[Stay]], bays: Mapping[str, Sequence[Span]]) -> None:
        self._rooms, self._bays = rooms, bays
        self._full: dict[tuple[str, int], list[Span]] = {}
        self._parked: dict[str, list[Span]] = {}

    @classmethod
    def by(cls, taken: Iterable[Taken]) -> "Occupied":
        """What these bookings keep."""
        return cls({}, {}).and_also(taken)

    def and_also(self, taken: Iterable[Taken]) -> "Occupied":
        """The same, with more that is taken."""
        rooms = {name: list(there) for name, there in self._rooms.items()}
        bays = {name: list(there) for name, there in self._bays.items()}
        for one in taken:
            rooms.setdefault(one.resource_id, []).append((*one.kept, one.party))
            if one.bay_id is not None and one.bay_kept is not None:
                bays.setdefault(one.bay_id, []).append(one.bay_kept)
        return Occupied(rooms, bays)

    def full(self, resource: Resource, party: int) -> list[Span]:
        """When the resource has no room for the party, in order. One that is not shared has none while anybody is there."""
        key = (resource.id, party if resource.shared else 0)
        if (known := self._full.get(key)) is None:
            there = self._rooms.get(resource.id, ())
            spans = _too_full(resource, party, there) if resource.shared else ((first, last) for first, last, _ in there)
            known = self._full[key] = free.union(spans)
        return known

    def parked(self, bay: Bay) -> list[Span]:
        """When a car stands in the bay, or is to, in order."""
        if (known := self._parked.get(bay.id)) is None:
            known = self._parked[bay.id] = free.union(self._bays.get(bay.id, ()))
        return known

    def has_room(self, resource: Resource, party: int, kept: Period) -> bool:
        """Whether the resource has room for the party all that time."""
        return not _meets(self.full(resource, party), kept)

    def is_free(self, bay: Bay, kept: Period) -> bool:
        """Whether nobody stands in the bay all that time."""
        return not _meets(self.parked(bay), kept)


def span(period: Period) -> Span:
    """The period by its ends."""
    return period.start, period.end


def _too_full(resource: Resource, party: int, there: Iterable[Stay]) -> list[Span]:
    steps = sorted(chain.from_iterable(((first, persons), (last, -persons)) for first, last, persons in there))
    spans, persons = list[Span](), 0
    for (when, change), (then, _) in pairwise(steps):
        persons += change
        if persons + party > resource.capacity and when < then:
            spans.append((when, then))
    return spans


def _meets(spans: list[Span], period: Period) -> bool:
    """Whether one of the spans shares an instant with the period; they are in order and do not overlap in themselves."""
    before_its_end = bisect_left(spans, period.end, key=_first)
    return before_its_end > 0 and spans[before_its_end - 1][1] > period.start


def _first(span: Span) -> datetime:
    return span[0]
