"""Splits a fleet into parts that are alike, and asks of each its share: many small programs in place of a large one.

Cars are dealt out like cards that were sorted by when they come, when they go and how much they can give, so that each
part is the fleet in small, and a share by the power that a part could give and take asks of all parts equally much. What
sharing costs against one program is therefore little, and the bound says how little. Sites whose limits can be reached stay
in one piece.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from dr_engine.domain.car import Floats
from dr_engine.domain.planner.frame import Frame
from dr_engine.domain.planner.lp import limited
from dr_engine.domain.planner.problem import Ints


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a fleet with its share of the request; `cars` are its places in the whole, `weight` its share per slot."""

    frame: Frame
    cars: Ints
    weight: Floats


def chunks(frame: Frame, size: int) -> list[Chunk]:
    """Parts of about `size` cars."""
    return list(_parts(frame, max(1, round(frame.cars / size))))


def sample(frame: Frame, one_in: int) -> Chunk:
    """A part of so many that is like the others, its sites without limits."""
    return next(_parts(without_limits(frame), one_in))


def ranks(frame: Frame) -> Ints:
    """The place of each car in an order in which neighbours are alike."""
    found = np.empty(frame.cars, dtype=np.int64)
    found[_alike(frame, np.arange(frame.cars))] = np.arange(frame.cars)
    return found


def _parts(frame: Frame, count: int) -> Iterator[Chunk]:
    part = _dealt(frame, count)
    slots = len(frame.hours)
    place = part[frame.car] * slots + frame.slot
    most_in = np.bincount(place, frame.most_in, count * slots).reshape(count, slots) / frame.hours
    most_out = np.bincount(place, frame.most_out, count * slots).reshape(count, slots) / frame.hours
    reach, all_out = most_in + most_out, most_out.sum(axis=0)
    whole = np.maximum(reach.sum(axis=0), 1e-9)
    weight = reach / whole
    target = weight * (frame.target + all_out) - most_out
    order = np.argsort(part, kind="stable")
    bounds = np.searchsorted(part[order], np.arange(count + 1))
    bare = without_limits(frame) if not limited(frame).size else frame
    for number in range(count):
        cars = order[bounds[number] : bounds[number + 1]]
        if cars.size:
            yield Chunk(_chunk(bare, cars, target[number], weight[number]), cars, weight[number])


def _chunk(frame: Frame, cars: Ints, target: Floats, weight: Floats) -> Frame:
    part = frame.take(cars)
    sites, site = np.unique(part.site, return_inverse=True)
    return replace(
        part,
        target=np.where(weight > 0, target, np.nan),
        band=frame.band * weight,
        site=site,
        import_kw=frame.import_kw[sites],
        export_kw=frame.export_kw[sites],
    )


def without_limits(frame: Frame) -> Frame:
    """The frame as if its sites had no limits."""
    none = np.full((1, len(frame.hours)), np.inf)
    return replace(frame, site=np.zeros(frame.cars, dtype=np.int64), import_kw=none, export_kw=none)


def _dealt(frame: Frame, count: int) -> Ints:
    """The part of each car."""
    part = np.zeros(frame.cars, dtype=np.int64)
    tied = np.zeros(len(frame.import_kw), dtype=bool)
    tied[limited(frame) // len(frame.hours)] = True
    loose = np.flatnonzero(~tied[frame.site])
    part[loose[_alike(frame, loose)]] = np.arange(len(loose)) % count
    sizes = np.bincount(part[loose], minlength=count)
    for site in np.flatnonzero(tied):
        members = np.flatnonzero(frame.site == site)
        emptiest = int(np.argmin(sizes))
        part[members], sizes[emptiest] = emptiest, sizes[emptiest] + len(members)
    return part


def _alike(frame: Frame, cars: Ints) -> Ints:
    """The order in which neighbours come and go alike, and can give alike."""
    present = np.diff(frame.begins)[cars] > 0
    first = np.where(present, frame.slot[np.minimum(frame.begins[:-1][cars], len(frame.slot) - 1)], 0)
    last = np.where(present, frame.slot[np.maximum(frame.begins[1:][cars] - 1, 0)], 0)
    spare = frame.start[cars] - frame.goal[cars]
    return np.lexsort((spare, frame.third[cars], last, first))
