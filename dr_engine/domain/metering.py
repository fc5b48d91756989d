"""Energy from registers. Power samples steer; registers are what is paid for (X3).

Readings may come late, twice and in any order. Between two readings the energy is taken to run evenly; how far apart the
readings around a boundary stand decides the quality. A register that falls below where it began was reset: it counts anew
from there, and nothing is counted across the fall. One that falls by less was read under a clock that was wrong (it was set
back, or one of two stations' clocks was ahead): that reading is left out, so that nothing is counted twice.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import accumulate, pairwise

from contracts.csms import Signature

NEAR_S = 120.0
FAR_S = 1800.0


@dataclass(frozen=True, slots=True)
class Reading:
    """Both registers of an EVSE at one instant, Wh."""

    at: datetime
    import_wh: float
    export_wh: float
    signature: Signature = Signature.UNSIGNED


class Quality(StrEnum):
    """GOOD: readings within 120 s around each boundary. MISSING: no readings, and no credit."""

    GOOD = "good"
    ESTIMATED = "estimated"
    MISSING = "missing"


_ORDER = (Quality.GOOD, Quality.ESTIMATED, Quality.MISSING)


def worst(qualities: Iterable[Quality]) -> Quality:
    """The worst of them; GOOD for none."""
    return max(qualities, key=_ORDER.index, default=Quality.GOOD)


@dataclass(frozen=True, slots=True)
class Energy:
    """Import less export in Wh, and how well it is known."""

    net_wh: float
    quality: Quality


@dataclass(frozen=True, slots=True)
class Registers:
    """The net energy of one session over time, since its first reading. Between a `doubtful` reading (by its number) and the
    one before it, the register was reset or another reading was left out."""

    times: tuple[datetime, ...]
    net_wh: tuple[float, ...]
    doubtful: frozenset[int]

    @classmethod
    def of(cls, readings: Iterable[Reading]) -> "Registers":
        """Sort, drop repeats of an instant (the first told stays), bridge resets with no energy."""
        unique: dict[datetime, Reading] = {}
        for reading in readings:
            unique.setdefault(reading.at, reading)
        kept, doubtful = _in_order([unique[at] for at in sorted(unique)])
        steps = [_gain(before, after) for before, after in pairwise(kept)]
        return cls(
            times=tuple(reading.at for reading in kept),
            net_wh=tuple(accumulate(steps, initial=0.0)) if kept else (),
            doubtful=frozenset(doubtful),
        )

    def between(self, start: datetime, end: datetime) -> Energy:
        """The energy of a period in which the session ran. An empty period has none, and that is well known."""
        if end <= start:
            return Energy(0.0, Quality.GOOD)
        (first, how_first), (last, how_last) = self._at(start), self._at(end)
        quality = worst((how_first, how_last))
        return Energy(0.0 if quality is Quality.MISSING else last - first, quality)

    def _at(self, when: datetime) -> tuple[float, Quality]:
        after = bisect_right(self.times, when)
        if after and self.times[after - 1] == when:
            return self.net_wh[after - 1], Quality.GOOD
        if after in (0, len(self.times)):
            return self._outside(when, after)
        before = after - 1
        gap_s = (self.times[after] - self.times[before]).total_seconds()
        part = (when - self.times[before]).total_seconds() / gap_s
        value = self.net_wh[before] + part * (self.net_wh[after] - self.net_wh[before])
        return value, Quality.ESTIMATED if after in self.doubtful else _quality(gap_s)

    def _outside(self, when: datetime, after: int) -> tuple[float, Quality]:
        """Before the first or after the last reading: as at that reading."""
        if not self.times:
            return 0.0, Quality.MISSING
        nearest = 0 if after == 0 else len(self.times) - 1
        return self.net_wh[nearest], _quality(abs((when - self.times[nearest]).total_seconds()))


def payable(readings: Iterable[Reading], *, signed_only: bool) -> list[Reading]:
    """The readings that may be paid by: none whose signature does not hold; with `signed_only`, those alone whose does."""
    fit = {Signature.VALID} if signed_only else {Signature.VALID, Signature.SIGNED, Signature.UNSIGNED}
    return [one for one in readings if one.signature in fit]


def _in_order(readings: list[Reading]) -> tuple[list[Reading], set[int]]:
    """The readings whose registers rise, or begin anew; and the numbers of those before which something is doubtful.

    Some stations do not tell the register of export each time: it stands where it stood when it is 0 while import goes on.
    """
    kept: list[Reading] = []
    doubtful: set[int] = set()
    for reading in readings:
        if not kept:
            kept, began = [reading], reading
            continue
        if reading.export_wh == 0.0 and reading.import_wh >= kept[-1].import_wh:
            reading = replace(reading, export_wh=kept[-1].export_wh)
        if _falls(kept[-1], reading):
            doubtful.add(len(kept))
            if not _falls(began, reading):
                continue
            began = reading
        kept.append(reading)
    return kept, doubtful


def _falls(before: Reading, after: Reading) -> bool:
    return after.import_wh < before.import_wh or after.export_wh < before.export_wh


def _gain(before: Reading, after: Reading) -> float:
    """What flowed between two readings; nothing that is known across a reset."""
    if _falls(before, after):
        return 0.0
    return (after.import_wh - before.import_wh) - (after.export_wh - before.export_wh)


def _quality(gap_s: float) -> Quality:
    if gap_s <= NEAR_S:
        return Quality.GOOD
    return Quality.ESTIMATED if gap_s <= FAR_S else Quality.MISSING
