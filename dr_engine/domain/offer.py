"""What may be offered of a product, block by block (S300): certain by itself, and certain together with all the others.

By itself: the power that the cars of the whole block reach with the product's probability. Together: days are simulated in
which every block is called on, those sold before with what was sold and the others with what is to be offered. Cars come, or
not, and leave early as their odds say, and a block takes its energy from the next. A scale below 1 is found by bisection, so
that the share of days on which every block holds is at least the product's probability, by Wilson's lower bound.

What was sold stays sold: it is taken from what its direction can do, and a block sold in one direction offers nothing in the
other, as the same car cannot be promised to both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from contracts.dr import Direction
from dr_engine.domain.availability import Chances
from dr_engine.domain.capacity import Bools, Fleet, PlannedCar, blocks_between
from dr_engine.domain.car import Floats, Physics, most_charge_w, stored_wh
from dr_engine.domain.certainty import Odds, certain_w, shifted, wilson_lower
from dr_engine.domain.product import MarketProduct
from dr_engine.domain.viability import interval

NOT_ASKED = "not asked for"
_BISECTIONS = 10
_TOLERANCE_W = 1.0
_CELLS = 4_000_000
"""Days times cars that are simulated at once, so that memory stays small."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Power that is sold, or bid and not yet answered, in a period: `kw` is a magnitude."""

    start: datetime
    end: datetime
    direction: Direction
    kw: int


@dataclass(frozen=True, slots=True)
class Guest:
    """A booked car with its odds for each block that it covers; the blocks are those of the offer, in their order."""

    planned: PlannedCar
    chances: tuple[Chances | None, ...]


@dataclass(frozen=True, slots=True)
class Certification:
    """How offers are made certain: days simulated, the common shock's sigma, and the seed."""

    days: int = 1000
    sigma: float = 0.6
    seed: int = 1


@dataclass(frozen=True, slots=True)
class OfferBlock:
    """One block, in kW. `nameplate_kw` if every booked car were there, `certain_kw` with the product's probability alone,
    `held_kw` sold or bid already, `offered_kw` what may be bid now. `reason` says why it is 0."""

    start: datetime
    end: datetime
    cars: int
    nameplate_kw: float
    mean_kw: float
    certain_kw: float
    held_kw: int
    offered_kw: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """`joint` is the share of simulated days on which all blocks hold, `joint_at_least` Wilson's lower bound of it; `scale`
    is what joint certification left of what the blocks could do by themselves."""

    product: str
    blocks: tuple[OfferBlock, ...]
    scale: float
    joint: float
    joint_at_least: float


@dataclass(frozen=True, slots=True)
class _Row:
    """One block with its cars on arrays."""

    block: tuple[datetime, datetime]
    covers: Bools
    odds: Odds
    baseline_w: Floats
    up_w: Floats
    down_w: Floats

    def power_w(self, direction: Direction) -> Floats:
        return self.up_w if direction is Direction.UP else self.down_w


def offer_blocks(product: MarketProduct, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The product's blocks that touch the period."""
    return blocks_between(start, end, timedelta(seconds=product.block_s))


def held_kw(holds: Sequence[Hold], direction: Direction, start: datetime, end: datetime) -> int:
    """The most that is held in that direction at any moment of the period."""
    own = [hold for hold in holds if hold.direction is direction and hold.start < end and hold.end > start]
    moments = {max(start, hold.start) for hold in own}
    return max((sum(hold.kw for hold in own if hold.start <= at < hold.end) for at in moments), default=0)


def offer(
    product: MarketProduct,
    guests: Sequence[Guest],
    blocks: Sequence[tuple[datetime, datetime]],
    holds: Sequence[Hold],
    now: datetime,
    physics: Physics,
    how: Certification,
    *,
    fastest_s: float,
    within: tuple[datetime, datetime] | None = None,
) -> Offer:
    """What may be bid of the product in these blocks. The same input gives the same offer; the order of guests is nothing.

    `fastest_s` is how soon the fleet follows: a product that must be faster is not offered. Blocks outside `within` offer
    nothing: they are there for what is sold of them, whose energy the others do without.
    """
    ordered = sorted(guests, key=_order)
    fleet = Fleet.of([guest.planned for guest in ordered])
    rows = [_row(fleet, ordered, number, block, physics) for number, block in enumerate(blocks)]
    certain = [certain_w(*_counted(row, product.direction), product.reliability_p, how.sigma) for row in rows]
    other = Direction.DOWN if product.direction is Direction.UP else Direction.UP
    held = [held_kw(holds, product.direction, *row.block) for row in rows]
    against = [held_kw(holds, other, *row.block) for row in rows]
    reasons = [
        _why_not(product, row, kw, now, fastest_s=fastest_s, within=within) for row, kw in zip(rows, against, strict=True)
    ]
    free = [0.0 if why else max(0.0, all_w / 1000 - kw) for why, all_w, kw in zip(reasons, certain, held, strict=True)]
    days = _Days(fleet, rows, product.direction, held, against, physics, how)
    scale, passed = _scale(product, free, days)
    bids = [_stepped(scale * kw, product) for kw in free]
    shown = tuple(
        OfferBlock(
            start=row.block[0],
            end=row.block[1],
            cars=int(row.covers.sum()),
            nameplate_kw=round(float(row.power_w(product.direction).sum()) / 1000, 1),
            mean_kw=round(float((row.power_w(product.direction) * row.odds.given(0.0)).sum()) / 1000, 1),
            certain_kw=round(all_w / 1000, 1),
            held_kw=kw,
            offered_kw=bid,
            reason=why or ("" if bid else _too_little(product, room)),
        )
        for row, all_w, kw, bid, why, room in zip(rows, certain, held, bids, reasons, free, strict=True)
    )
    return Offer(product.code, shown, scale, passed / how.days, wilson_lower(passed, how.days))


def days_held(
    product: MarketProduct,
    guests: Sequence[Guest],
    blocks: Sequence[tuple[datetime, datetime]],
    sold_kw: Sequence[int],
    physics: Physics,
    how: Certification,
) -> int:
    """On how many simulated days every block delivers what is sold of it."""
    ordered = sorted(guests, key=_order)
    fleet = Fleet.of([guest.planned for guest in ordered])
    rows = [_row(fleet, ordered, number, block, physics) for number, block in enumerate(blocks)]
    nothing = [0] * len(rows)
    return _Days(fleet, rows, product.direction, nothing, nothing, physics, how).held(sold_kw)


def _order(guest: Guest) -> tuple[float, ...]:
    car, soc = guest.planned.car, guest.planned.soc_pct
    odds = [part for one in guest.chances if one for part in (one.shows, one.there, one.stays)]
    fields = (car.battery_wh, car.charge_w, car.discharge_w, car.wanted_pct, car.floor_pct, car.depart.timestamp())
    return (guest.planned.since.timestamp(), *fields, soc, *odds)


def _row(fleet: Fleet, guests: Sequence[Guest], number: int, block: tuple[datetime, datetime], physics: Physics) -> _Row:
    covers = fleet.covers(*block) & np.array([guest.chances[number] is not None for guest in guests], dtype=np.bool_)
    chances = [guest.chances[number] or Chances(0.0, 0.0, 0.0) for guest in guests]
    odds = Odds(*np.array([(one.shows, one.there, one.stays) for one in chances]).reshape(len(chances), 3).T)
    base, held = fleet.baseline_w(*block, physics), fleet.held(*block, physics)
    up = np.where(covers, np.maximum(0.0, base - held.lo_w), 0.0)
    down = np.where(covers, np.maximum(0.0, held.hi_w - base), 0.0)
    return _Row(block, covers, odds, base, up, down)


def _counted(row: _Row, direction: Direction) -> tuple[Odds, Floats]:
    """The cars that have any power to offer."""
    power = row.power_w(direction)
    some = power > 0
    return Odds(row.odds.shows[some], row.odds.there[some], row.odds.stays[some]), power[some]


def _why_not(
    product: MarketProduct,
    row: _Row,
    against_kw: int,
    now: datetime,
    *,
    fastest_s: float,
    within: tuple[datetime, datetime] | None,
) -> str:
    if within is not None and not within[0] <= row.block[0] < within[1]:
        return NOT_ASKED
    if product.response_s < fastest_s:
        return f"must follow within {product.response_s} s; the fleet needs {fastest_s:g} s"
    if now > row.block[0] - timedelta(seconds=product.gate_s):
        return "its gate is closed"
    if against_kw:
        return f"{against_kw} kW of the other direction are sold"
    return "" if row.covers.any() else "no booked car is there for all of it"


def _too_little(product: MarketProduct, free_kw: float) -> str:
    least = max(product.min_kw, product.step_kw)
    if free_kw < least:
        return f"{free_kw:.1f} kW are certain; a bid is {least} kW at least"
    return f"{free_kw:.1f} kW are certain alone, too few with the others; a bid is {least} kW at least"


def _stepped(kw: float, product: MarketProduct) -> int:
    """Whole steps; nothing where that is below the least bid."""
    whole = int(kw / product.step_kw + 1e-9) * product.step_kw
    return whole if whole >= product.min_kw else 0


def _scale(product: MarketProduct, free_kw: Sequence[float], days: "_Days") -> tuple[float, int]:
    """The largest scale found at which the days hold, and how many of them did."""

    def passed(scale: float) -> int:
        return days.held([_stepped(scale * kw, product) for kw in free_kw])

    def enough(found: int) -> bool:
        return wilson_lower(found, days.count) >= product.reliability_p

    whole = passed(1.0)
    if enough(whole) or not any(free_kw):
        return 1.0, whole
    good, bad, found = 0.0, 1.0, passed(0.0)
    if not enough(found):
        return 0.0, found
    for _ in range(_BISECTIONS):
        middle = (good + bad) / 2
        here = passed(middle)
        good, bad, found = (middle, bad, here) if enough(here) else (good, middle, found)
    return good, found


class _Days:
    """Days with drawn guests, on which offers are tried; drawn once, so that scales are compared on the same days."""

    def __init__(
        self,
        fleet: Fleet,
        rows: Sequence[_Row],
        direction: Direction,
        held: Sequence[int],
        against: Sequence[int],
        physics: Physics,
        how: Certification,
    ) -> None:
        self.count = how.days
        self._fleet, self._rows, self._physics = fleet, rows, physics
        self._sign = 1 if direction is Direction.UP else -1
        self._net_held = np.array([self._sign * (own - other) for own, other in zip(held, against, strict=True)])
        self._how = how

    def held(self, bids_kw: Sequence[int]) -> int:
        """On how many days every block delivers what is sold of it and bid for it."""
        called_w = 1000.0 * (self._net_held + self._sign * np.array(bids_kw, dtype=np.float64))
        cars = max(1, len(self._fleet.since_s))
        chunk = max(1, min(self.count, _CELLS // cars))
        random = np.random.default_rng(self._how.seed)
        return sum(
            int(self._some(min(chunk, self.count - first), called_w, random).sum()) for first in range(0, self.count, chunk)
        )

    def _some(self, days: int, called_w: Floats, random: np.random.Generator) -> Bools:
        cars, physics = self._fleet.cars, self._physics
        shock = random.normal(0.0, self._how.sigma, (days, 1))
        shape = (days, len(self._fleet.since_s))
        luck_shows, luck_there, luck_stays = (random.random(shape) for _ in range(3))
        energy = np.broadcast_to(cars.wh(self._fleet.soc_pct), shape)
        holds, last = np.ones(days, dtype=np.bool_), None
        for row, called in zip(self._rows, called_w, strict=True):
            start, end = row.block
            if not row.covers.any():
                continue
            energy = self._charged(energy, self._fleet.since_s if last is None else last, start)
            last = np.maximum(self._fleet.since_s, end.timestamp())
            dt_s = (end - start).total_seconds()
            there = (
                row.covers
                & (luck_shows < shifted(row.odds.shows, shock))
                & (luck_there < row.odds.there)
                & (luck_stays < shifted(row.odds.stays, shock))
            )
            viable = interval(cars, cars.pct(energy), start, dt_s, physics)
            power = self._default_w(energy, dt_s, viable.hi_w, viable.lo_w)
            if called:
                up = called > 0
                edge = viable.lo_w if up else viable.hi_w
                room = np.where(there, np.maximum(0.0, (row.baseline_w - edge) * (1 if up else -1)), 0.0)
                total = room.sum(axis=1)
                holds &= total >= abs(called) - _TOLERANCE_W
                share = np.minimum(1.0, abs(called) / np.maximum(total, 1e-9))[:, None]
                asked = row.baseline_w - np.sign(called) * share * room
                power = np.where(there, np.clip(asked, viable.lo_w, viable.hi_w), power)
            moved = np.where(row.covers, stored_wh(power, dt_s, physics), 0.0)
            energy = energy + moved
        return holds

    def _default_w(self, energy: Floats, dt_s: float, most_w: Floats, least_w: Floats) -> Floats:
        """Charging to what the guest wants, which is what a car does that nobody asks anything of."""
        cars = self._fleet.cars
        missing = np.maximum(0.0, cars.wh(cars.wanted_pct) - energy) * 3600 / (dt_s * self._physics.charge_efficiency)
        return np.clip(missing, np.minimum(np.maximum(least_w, 0.0), most_w), np.maximum(most_w, 0.0))

    def _charged(self, energy: Floats, since_s: Floats, until: datetime) -> Floats:
        """What the batteries hold after charging by default between blocks."""
        cars, physics = self._fleet.cars, self._physics
        seconds = np.maximum(0.0, until.timestamp() - since_s)
        if not seconds.any():
            return energy
        missing = np.maximum(0.0, cars.wh(cars.wanted_pct) - energy)
        return energy + np.minimum(missing, stored_wh(most_charge_w(cars, cars.pct(energy), physics), seconds, physics))
