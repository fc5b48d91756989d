"""What cars keep for what is sold later: energy for blocks sold up, room for blocks sold down, so that no request before
them uses it.

Each car keeps the part of what it could do in a sold block that all cars together, with those who are still to come, must
do of it. What it can charge until then it need not keep now. Keeping only ever narrows what a request may use: departure
promises stand as they are, and no car charges or discharges for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contracts.dr import Direction
from dr_engine.domain.board import Kept
from dr_engine.domain.car import HOUR_S, Cars, Floats, Physics, most_charge_w
from dr_engine.domain.lasting import Coming, Rest, coming_wh, hold_wh
from dr_engine.domain.offer import Hold
from dr_engine.domain.viability import above_wh, upper_wh


@dataclass(slots=True)
class _Keeping:
    """What is kept for the blocks of a direction looked at so far, Wh of battery, and the energies that are left now."""

    whole: Floats
    level: Floats


def kept(cars: Cars, soc_pct: Floats, free_s: float, sold: Sequence[Hold], coming: Coming, physics: Physics) -> Kept | None:
    """Between which energies requests leave each car; None where nothing is sold later. Cars charge on their own from
    `free_s` on, when the request of this moment ends, but not in blocks sold up; one of unknown SOC (NaN) keeps nothing."""
    if not sold:
        return None
    known = np.isfinite(soc_pct)
    energy = cars.wh(np.where(known, soc_pct, 0.0))
    up, down = _Keeping(np.zeros(len(energy)), np.zeros(len(energy))), _Keeping(np.zeros(len(energy)), cars.battery_wh)
    for hold in sorted(sold, key=lambda one: (one.start, one.end)):
        rest = Rest((-1.0 if hold.direction is Direction.UP else 1.0) * _wh(hold), hold.end.timestamp(), coming)
        if hold.direction is Direction.UP:
            charging_s = hold.start.timestamp() - free_s
            _give(up, rest, hold, np.where(known, energy, 0.0), cars, charging_s, physics)
            free_s += (hold.end - hold.start).total_seconds()
        else:
            _take(down, rest, hold, np.where(known, energy, cars.battery_wh), cars, physics)
    return Kept(up.level, down.level)


def _wh(hold: Hold) -> float:
    return 1000 * hold.kw * (hold.end - hold.start).total_seconds() / HOUR_S


def _part(rest: Rest, can_wh: Floats, physics: Physics) -> Floats:
    """Each car's part of what is sold: all that it can where all together can no more."""
    can_wh = np.maximum(0.0, can_wh)
    all_wh = float(can_wh.sum()) + max(0.0, coming_wh(rest, physics))
    return can_wh * (min(1.0, abs(rest.asked_wh) / all_wh) if all_wh else 0.0)


def _give(
    keeping: _Keeping, rest: Rest, hold: Hold, energy: Floats, cars: Cars, charging_s: float, physics: Physics
) -> None:
    """For a block sold up: at its end cars still have what their promises need then, and before it what they give in it."""
    left_s = np.maximum(0.0, np.minimum(charging_s, cars.left_s(hold.start) + charging_s))
    charged = most_charge_w(cars, cars.pct(energy), physics) * left_s / HOUR_S * physics.charge_efficiency
    gain = np.minimum(charged, np.maximum(0.0, upper_wh(cars, physics) - energy))
    then = np.clip(energy + gain - keeping.whole, 0.0, cars.battery_wh)
    start_s = np.full(len(then), hold.start.timestamp())
    part = _part(rest, hold_wh(cars, cars.pct(then), start_s, cars.discharge_w, rest, physics), physics)
    keeping.whole = keeping.whole + part / physics.discharge_efficiency
    needed = energy - above_wh(cars, cars.pct(energy), rest.end, physics) + keeping.whole - gain
    keeping.level = np.where(part > 0, np.maximum(keeping.level, needed), keeping.level)


def _take(keeping: _Keeping, rest: Rest, hold: Hold, energy: Floats, cars: Cars, physics: Physics) -> None:
    """For a block sold down: before it there is room for what cars take in it."""
    soc, start_s = cars.pct(np.minimum(energy + keeping.whole, cars.battery_wh)), hold.start.timestamp()
    can_wh = hold_wh(cars, soc, np.full(len(soc), start_s), most_charge_w(cars, soc, physics), rest, physics)
    keeping.whole = keeping.whole + _part(rest, can_wh, physics) * physics.charge_efficiency
    keeping.level = np.where(keeping.whole > 0, upper_wh(cars, physics) - keeping.whole, keeping.level)
