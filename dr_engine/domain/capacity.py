"""What a set of bookings can promise, per half hour (S300), from the energy limits of each car (S306a).

Energy cannot move between cars, so the fleet's power is the sum of what each car can hold through the whole block, and a
car counts only in blocks that lie wholly inside its control period. A block is certified by itself, from the energy that the
default plan would have left at its start; blocks that one request may use one after the other are certified together, so
that the energy for the last is not promised to the first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from dr_engine.domain.car import HOUR_S, Car, Cars, Floats, N, Physics, most_charge_w
from dr_engine.domain.viability import Interval, least_wh, upper_wh

BLOCK = timedelta(minutes=30)
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ControlPeriod:
    """When a car may be adjusted; never outside its booked period."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class PlannedCar:
    """A booked car as it is expected (or found) at `since` with `soc_pct`."""

    car: Car
    since: datetime
    soc_pct: float


@dataclass(frozen=True, slots=True)
class Block:
    """Powers in W that can each be held through the block: `min_power_w` is the most discharge (negative)."""

    start: datetime
    end: datetime
    min_power_w: int
    max_power_w: int
    baseline_w: int
    cars: int


def control_period(booked_start: datetime, booked_end: datetime) -> ControlPeriod:
    """The control period of a new booking: the whole booked period (C1), to be narrowed by what happens later."""
    return ControlPeriod(booked_start, booked_end)


def arrival_soc_pct(told_pct: float, distance_km: float, consumption_wh_per_km: float, battery_wh: float) -> float:
    """The SOC expected at arrival: the one told when booking less what the drive takes (M1), never below empty."""
    return max(0.0, told_pct - 100 * distance_km * consumption_wh_per_km / battery_wh)


def chargeable_wh(stay_h: float, charge_w: N, soc_pct: N, upper_pct: N, battery_wh: N, efficiency: float = 1.0) -> N:
    """S306a: what can be charged in a stay, Wh at the EVSE: the lesser of stay x limit and the room up to the upper bound.

    `efficiency` is the share of what is charged that reaches the battery; the patent's formula has none (1).
    """
    room_wh = (upper_pct - soc_pct) / 100 * battery_wh / efficiency
    return np.maximum(0.0, np.minimum(stay_h * charge_w, room_wh))  # type: ignore[no-any-return]


def dischargeable_wh(stay_h: float, discharge_w: N, soc_pct: N, lower_pct: N, battery_wh: N, efficiency: float = 1.0) -> N:
    """S306a: what can be discharged in a stay, Wh at the EVSE: the lesser of stay x limit and what is above the lower bound.

    `efficiency` is the share of what the battery gives that reaches the EVSE.
    """
    above_wh = (soc_pct - lower_pct) / 100 * battery_wh * efficiency
    return np.maximum(0.0, np.minimum(stay_h * discharge_w, above_wh))  # type: ignore[no-any-return]


def blocks_between(start: datetime, end: datetime, length: timedelta = BLOCK) -> list[tuple[datetime, datetime]]:
    """The blocks of that length (half hours), aligned to the clock (UTC), that touch the period."""
    first = datetime.fromtimestamp(start.timestamp() // length.total_seconds() * length.total_seconds(), UTC)
    count = max(0, -(-(end - first) // length))
    return [(first + number * length, first + (number + 1) * length) for number in range(count)]


@dataclass(frozen=True, slots=True)
class Fleet:
    """Planned cars as arrays: since when each is expected (seconds of the epoch), and its SOC then."""

    cars: Cars
    since_s: Floats
    soc_pct: Floats

    @classmethod
    def of(cls, planned: Sequence[PlannedCar]) -> "Fleet":
        """The cars in their order."""
        return cls(
            Cars.of([one.car for one in planned]),
            np.array([one.since.timestamp() for one in planned], dtype=np.float64),
            np.array([one.soc_pct for one in planned], dtype=np.float64),
        )

    def some(self, which: Bools) -> "Fleet":
        """Those cars."""
        return Fleet(self.cars.some(which), self.since_s[which], self.soc_pct[which])

    def covers(self, start: datetime, end: datetime) -> Bools:
        """Which cars are expected from its start to its end."""
        return (self.since_s <= start.timestamp()) & (end.timestamp() <= self.cars.depart_s)

    def part(self, start: datetime, end: datetime) -> Floats:
        """For what part of the time each car is expected: 0 to 1."""
        first, last = np.maximum(self.since_s, start.timestamp()), np.minimum(self.cars.depart_s, end.timestamp())
        return np.maximum(0.0, last - first) / (end - start).total_seconds()  # type: ignore[no-any-return]

    def taken_wh(self, at: datetime, physics: Physics, *, prepared: bool = False) -> Floats:
        """What each has charged by then at the EVSE without any event (the baseline); `prepared`: those that may discharge
        have charged on, up to the bound for events."""
        cars, hours = self.cars, np.maximum(0.0, at.timestamp() - self.since_s) / HOUR_S
        goal = cars.wh(cars.wanted_pct)
        if prepared:
            goal = np.where(cars.discharge_w > 0, np.maximum(goal, upper_wh(cars, physics)), goal)
        missing = np.maximum(0.0, goal - cars.wh(self.soc_pct))
        return np.minimum(missing / physics.charge_efficiency, cars.charge_w * hours)

    def energy_wh(self, at: datetime, physics: Physics, *, prepared: bool = False) -> Floats:
        """What each battery would hold then."""
        return self.cars.wh(self.soc_pct) + self.taken_wh(at, physics, prepared=prepared) * physics.charge_efficiency

    def baseline_w(self, start: datetime, end: datetime, physics: Physics) -> Floats:
        """The mean power of each without any event."""
        taken = self.taken_wh(end, physics) - self.taken_wh(start, physics)
        return taken * HOUR_S / (end - start).total_seconds()

    def held(self, start: datetime, end: datetime, physics: Physics, *, prepared: bool = False) -> Interval[Floats]:
        """Each car's least and most power to hold, from its planned energy at the start to its bounds at the end."""
        cars, hours = self.cars, (end - start).total_seconds() / HOUR_S
        energy, least = self.energy_wh(start, physics, prepared=prepared), least_wh(self.cars, end, physics)
        soc, upper = cars.pct(energy), cars.pct(upper_wh(cars, physics))
        most_w = most_charge_w(cars, soc, physics)
        high = chargeable_wh(hours, most_w, soc, upper, cars.battery_wh, physics.charge_efficiency) / hours
        given = dischargeable_wh(
            hours, cars.discharge_w, soc, cars.pct(least), cars.battery_wh, physics.discharge_efficiency
        )
        must = np.minimum(high, (least - energy) / (physics.charge_efficiency * hours))
        return Interval(np.where(energy >= least, -given / hours, must), high)


def against_baseline_w(planned: PlannedCar, until: datetime, physics: Physics) -> tuple[float, float]:
    """What one car can hold from its beginning until then (at the latest until it departs), against what it would do by
    itself: up and down, as magnitudes in W."""
    start, end = planned.since, min(until, planned.car.depart)
    if end <= start:
        return 0.0, 0.0
    fleet = Fleet.of([planned])
    held, baseline_w = fleet.held(start, end, physics), float(fleet.baseline_w(start, end, physics)[0])
    return max(0.0, baseline_w - float(held.lo_w[0])), max(0.0, float(held.hi_w[0]) - baseline_w)


def capacity(
    cars: Iterable[PlannedCar],
    start: datetime,
    end: datetime,
    physics: Physics,
    *,
    together: bool = False,
    clipped: bool = False,
) -> list[Block]:
    """The fleet's capacity in each block that touches the period: each by itself, or all of them in a row (`together`). Only
    as far as it lies in the period (`clipped`): then cars count that are there for no more than that."""
    planned, blocks = list(cars), blocks_between(start, end)
    if clipped:
        blocks = [(max(low, start), min(high, end)) for low, high in blocks]
    if not planned:
        return [Block(*block, 0, 0, 0, 0) for block in blocks]
    fleet = Fleet.of(planned)
    covered = [fleet.covers(*block) for block in blocks]
    if not together:
        held = [fleet.held(*block, physics) for block in blocks]
    else:
        row = _held_in_a_row(fleet, blocks, covered, physics)
        held = [row for _ in blocks]
    return [
        Block(
            start=block[0],
            end=block[1],
            min_power_w=round(powers.lo_w[there].sum()),
            max_power_w=round(powers.hi_w[there].sum()),
            baseline_w=round(fleet.baseline_w(*block, physics)[there].sum()),
            cars=int(there.sum()),
        )
        for block, there, powers in zip(blocks, covered, held, strict=True)
    ]


def _held_in_a_row(
    fleet: Fleet, blocks: list[tuple[datetime, datetime]], covered: list[Bools], physics: Physics
) -> Interval[Floats]:
    """From the first to the last block that each car is there for; cars of one such span are reckoned together."""
    lo, hi = np.zeros(len(fleet.since_s)), np.zeros(len(fleet.since_s))
    there = np.array(covered).reshape(len(blocks), -1)
    some = there.any(axis=0)
    first, last = there.argmax(axis=0), len(blocks) - 1 - there[::-1].argmax(axis=0)
    for begin, stop in sorted(set(zip(first[some].tolist(), last[some].tolist(), strict=True))):
        which = some & (first == begin) & (last == stop)
        powers = fleet.some(which).held(blocks[begin][0], blocks[stop][1], physics)
        lo[which], hi[which] = powers.lo_w, powers.hi_w
    return Interval(lo, hi)
