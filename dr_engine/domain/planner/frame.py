"""The arrays of a plan: one entry for each slot in which a car is there, car by car, in kWh.

Energies at the EVSE are the variables (not powers), so that a car that comes or goes amid a slot, a cluster of cars, and a
slot made of several all look alike: an entry takes at most `most_in`, gives at most `most_out`, and ends between `floor`
and `ceiling`.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from dr_engine.domain.car import HOUR_S, MOST_W, MOST_WH, Cars, Floats, Physics
from dr_engine.domain.planner.problem import Ints, Problem, Standing
from dr_engine.domain.viability import least_wh, target_pct, upper_wh

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEAR_WH = 0.01


@dataclass(frozen=True, slots=True)
class Frame:
    """What is solved. Cars own entries `begins[i]` to `begins[i + 1]`. `hours` are the lengths of the slots, `target` and
    `band` in kW. Above `knee` the power falls by `slope` per kWh (0: the ceiling is below the knee). A
    third of what a car could give in all its stay is a step of its wear."""

    hours: Floats
    target: Floats
    band: Floats
    price: Floats
    begins: Ints
    slot: Ints
    most_in: Floats
    most_out: Floats
    floor: Floats
    ceiling: Floats
    start: Floats
    goal: Floats
    third: Floats
    knee: Floats
    slope: Floats
    site: Ints
    import_kw: Floats
    export_kw: Floats
    charge_efficiency: float
    discharge_efficiency: float

    @property
    def cars(self) -> int:
        """How many."""
        return len(self.start)

    @property
    def car(self) -> Ints:
        """The car of each entry."""
        return np.repeat(np.arange(self.cars), np.diff(self.begins))

    def before(self, energy: Floats) -> Floats:
        """The energies at the beginning of the entries, of those at their ends."""
        shifted = np.empty_like(energy)
        shifted[1:] = energy[:-1]
        present = np.diff(self.begins) > 0
        shifted[self.begins[:-1][present]] = self.start[present]
        return shifted

    def stored(self, energy: Floats) -> Floats:
        """What the battery gains from signed energies at the EVSE."""
        return np.where(energy >= 0, energy * self.charge_efficiency, energy / self.discharge_efficiency)

    def drawn(self, gain: Floats) -> Floats:
        """The signed energies at the EVSE behind gains of the battery."""
        return np.where(gain >= 0, gain / self.charge_efficiency, gain * self.discharge_efficiency)

    def net_kw(self, energy: Floats) -> Floats:
        """The fleet's power in each slot."""
        return np.bincount(self.slot, energy, len(self.hours)) / self.hours

    def site_kw(self, energy: Floats) -> Floats:
        """The power of each site (rows) in each slot."""
        sites, slots = self.import_kw.shape
        place = self.site[self.car] * slots + self.slot
        return np.bincount(place, energy, sites * slots).reshape(sites, slots) / self.hours

    def entries(self, cars: Ints) -> Ints:
        """The entries of these cars, in their order."""
        lengths = np.diff(self.begins)[cars]
        ends = np.cumsum(lengths)
        return np.repeat(self.begins[:-1][cars] - (ends - lengths), lengths) + np.arange(lengths.sum())

    def take(self, cars: Ints) -> "Frame":
        """Only these cars, in this order; targets and limits as they were."""
        begins = np.concatenate([[0], np.cumsum(np.diff(self.begins)[cars])]).astype(np.int64)
        entry = self.entries(cars)
        return replace(
            self,
            begins=begins,
            slot=self.slot[entry],
            most_in=self.most_in[entry],
            most_out=self.most_out[entry],
            floor=self.floor[entry],
            ceiling=self.ceiling[entry],
            start=self.start[cars],
            goal=self.goal[cars],
            third=self.third[cars],
            knee=self.knee[cars],
            slope=self.slope[cars],
            site=self.site[cars],
        )


@dataclass(frozen=True, slots=True)
class Arranged:
    """A problem as arrays: the frame of the free cars (`free` are their places), and what the others do (`fixed`, kWh).

    `car`, `slot` and `present_h` are of all cars' entries, `is_free` says which of them are in the frame, in its order.
    """

    frame: Frame
    free: Ints
    standing: Ints
    car: Ints
    slot: Ints
    present_h: Floats
    is_free: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    fixed: Floats


def arranged(problem: Problem, physics: Physics) -> Arranged:
    """Lay out the problem; cars that cannot be planned are set apart with what they do by default."""
    edges, hours = problem.edges_s, np.diff(problem.edges_s) / HOUR_S
    usable = _usable(problem)
    cars = _mended(problem.cars, usable)
    begin_s, end_s = np.maximum(problem.arrive_s, edges[0]), np.minimum(cars.depart_s, edges[-1])
    there = np.isfinite(begin_s) & np.isfinite(end_s) & (end_s > begin_s)
    first = np.where(there, np.searchsorted(edges, np.where(there, begin_s, edges[0]), "right") - 1, 0)
    last = np.where(there, np.searchsorted(edges, np.where(there, end_s, edges[0]), "left"), 0)
    lengths = last - first
    begins = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    car = np.repeat(np.arange(len(lengths)), lengths)
    slot = np.arange(begins[-1]) - np.repeat(begins[:-1] - first, lengths)
    until_s = np.minimum(edges[slot + 1], end_s[car])
    present_h = (until_s - np.maximum(edges[slot], begin_s[car])) / HOUR_S
    energy = np.where(np.isfinite(problem.energy_wh), problem.energy_wh, 0.0)
    reachable = energy >= _least(cars, begin_s, physics, there) - _NEAR_WH
    standing = np.select(
        [~usable, ~np.isfinite(problem.energy_wh), ~reachable],
        [Standing.UNUSABLE, Standing.UNKNOWN_SOC, Standing.CHARGE_ONLY],
        Standing.FREE,
    ).astype(np.int64)
    fixed = _by_default(cars, standing, energy, begins, car, present_h, physics)
    free, is_free = np.flatnonzero((standing == Standing.FREE) & (lengths > 0)), standing[car] == Standing.FREE
    frame = _frame(problem, cars, energy, begins, car, slot, present_h, until_s, fixed, hours, physics)
    return Arranged(frame.take(free), free, standing, car, slot, present_h, is_free, fixed)


def _usable(problem: Problem) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    cars = problem.cars

    def within(figure: Floats, least: float, most: float) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        return np.isfinite(figure) & (figure >= least) & (figure <= most)

    known = np.where(np.isfinite(problem.energy_wh), problem.energy_wh, 0.0)
    return (
        within(cars.battery_wh, 1, MOST_WH)
        & within(cars.charge_w, 0, MOST_W)
        & within(cars.discharge_w, 0, MOST_W)
        & within(cars.wanted_pct, 0, 100)
        & within(cars.floor_pct, 0, 100)
        & (known >= 0)
        & (known <= cars.battery_wh + 1)
    )


def _mended(cars: Cars, usable: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Cars:
    """Harmless figures in place of impossible ones, so that the arrays can be reckoned with."""

    def sound(figure: Floats, otherwise: float) -> Floats:
        return np.where(usable, figure, otherwise)

    charge_w = np.where(np.isfinite(cars.charge_w) & (cars.charge_w >= 0) & (cars.charge_w <= MOST_W), cars.charge_w, 0.0)
    return Cars(
        sound(cars.battery_wh, 1.0),
        charge_w,
        sound(cars.discharge_w, 0.0),
        sound(cars.wanted_pct, 0.0),
        sound(cars.floor_pct, 0.0),
        cars.depart_s,
    )


def _least(cars: Cars, at_s: Floats, physics: Physics, known: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
    """`least_wh` of each car at a moment of its own."""
    shifted = replace(cars, depart_s=np.where(known, cars.depart_s - at_s, 0.0))
    least: Floats = least_wh(shifted, _EPOCH, physics)
    return least


def _by_default(
    cars: Cars,
    standing: Ints,
    energy_wh: Floats,
    begins: Ints,
    car: Ints,
    present_h: Floats,
    physics: Physics,
) -> Floats:
    """What the cars that are not planned take in each entry, kWh: they charge until they have what they want, one whose SOC
    nobody knows as long as an empty battery would."""
    room_wh = (
        np.select(
            [standing == Standing.CHARGE_ONLY, standing == Standing.UNKNOWN_SOC, standing == Standing.UNUSABLE],
            [np.maximum(cars.wh(target_pct(cars, physics)) - energy_wh, 0.0), cars.battery_wh, np.inf],
            0.0,
        )
        / physics.charge_efficiency
    )
    passed_h = np.cumsum(present_h)
    so_far_h = passed_h - np.repeat(np.concatenate([[0.0], passed_h])[begins[:-1]], np.diff(begins))
    until = np.minimum(so_far_h * cars.charge_w[car], room_wh[car])
    since = np.minimum((so_far_h - present_h) * cars.charge_w[car], room_wh[car])
    taken: Floats = (until - since) / 1000
    return taken


def _frame(
    problem: Problem,
    cars: Cars,
    energy_wh: Floats,
    begins: Ints,
    car: Ints,
    slot: Ints,
    present_h: Floats,
    until_s: Floats,
    fixed: Floats,
    hours: Floats,
    physics: Physics,
) -> Frame:
    """The frame of all cars, free or not; what the others do is taken from the targets and from the room of the sites."""
    knee_wh = cars.battery_wh * (physics.taper_from_pct / 100)
    goal_wh = np.maximum(cars.wh(target_pct(cars, physics)), cars.wh(np.minimum(100.0, cars.floor_pct + physics.margin_pct)))
    ceiling_wh = np.maximum(np.minimum(upper_wh(cars, physics), knee_wh), goal_wh)  # power above the knee is not counted on
    overfull = energy_wh > ceiling_wh
    floor_wh = _least(Cars(*(getattr(cars, name)[car] for name in Cars.__dataclass_fields__)), until_s, physics, until_s > 0)
    sites, slots = problem.import_w.shape
    taken = np.bincount(problem.site[car] * slots + slot, fixed, sites * slots).reshape(sites, slots) / hours
    all_taken = np.bincount(slot, fixed, slots) / hours
    most_out = cars.discharge_w[car] * present_h / 1000
    return Frame(
        hours=hours,
        target=problem.target_w / 1000 - all_taken,
        band=problem.band_w / 1000,
        price=problem.price,
        begins=begins,
        slot=slot,
        most_in=np.where(overfull, 0.0, cars.charge_w)[car] * present_h / 1000,
        most_out=most_out,
        floor=np.where(overfull[car], goal_wh[car], floor_wh) / 1000,  # it takes no more, so it keeps what it needs
        ceiling=np.maximum(ceiling_wh, energy_wh)[car] / 1000,
        start=energy_wh / 1000,
        goal=goal_wh / 1000,
        third=np.bincount(car, most_out, len(energy_wh)) / 3,
        knee=knee_wh / 1000,
        slope=np.where(
            (ceiling_wh > knee_wh + _NEAR_WH) & ~overfull,
            (1 - physics.taper_least) / np.maximum(cars.battery_wh - knee_wh, _NEAR_WH) * 1000,
            0.0,
        ),
        site=problem.site,
        import_kw=problem.import_w / 1000 - taken,
        export_kw=problem.export_w / 1000 + taken,
        charge_efficiency=physics.charge_efficiency,
        discharge_efficiency=physics.discharge_efficiency,
    )
