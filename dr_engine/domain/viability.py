"""Which powers keep the promises (X1): the SOC floor now, the wanted SOC at departure.

For a moment t let least(t) be the energy from which the wanted SOC can still be reached by charging at full power, and never
less than the floor. A power for the next moment is viable when it leaves the battery between least(t + dt) and the upper
bound. Full charging power is always viable below the upper bound, so the interval is never empty; and by induction a car
that only ever gets viable powers leaves with the SOC it was promised, whatever was requested.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic

import numpy as np

from dr_engine.domain.car import HOUR_S, Battery, Cars, Flags, Floats, N, Physics, most_charge_w, needed_before_wh, stored_wh

BISECTIONS = 9
TOLERANCE_WH = 0.01


@dataclass(frozen=True, slots=True)
class Interval(Generic[N]):
    """Signed powers from `lo_w` to `hi_w`, in W at the EVSE; arrays for many cars."""

    lo_w: N
    hi_w: N


def target_pct(car: Battery[N], physics: Physics) -> N:
    """The wanted SOC with its safety margin, at most full."""
    return np.minimum(100.0, car.wanted_pct + physics.margin_pct)  # type: ignore[no-any-return]


def least_wh(car: Battery[N], at: datetime, physics: Physics) -> N:
    """The energy below which, at that moment, the floor or the promise for the departure would be broken."""
    return _least_wh(car, car.left_s(at), physics)


def _least_wh(car: Battery[N], left_s: N, physics: Physics) -> N:
    """As above, that many seconds before the departure."""
    floor = car.wh(np.minimum(100.0, car.floor_pct + physics.margin_pct))
    needed = needed_before_wh(car, car.wh(target_pct(car, physics)), left_s - physics.reserve_s, physics)
    return np.maximum(floor, needed)  # type: ignore[no-any-return]


def upper_wh(car: Battery[N], physics: Physics) -> N:
    """The energy above which nobody but the guest's own wish charges."""
    return car.wh(np.maximum(physics.upper_pct, target_pct(car, physics)))


def interval(car: Battery[N], soc_pct: N, now: datetime, dt_s: float, physics: Physics) -> Interval[N]:
    """The viable powers for the next `dt_s` seconds. A car below what it needs must charge: `lo_w` is then above 0."""
    energy = car.wh(soc_pct)
    above = energy - least_wh(car, now + timedelta(seconds=dt_s), physics)
    hours = dt_s / HOUR_S
    room = np.maximum(0.0, upper_wh(car, physics) - energy) / (physics.charge_efficiency * hours)
    hi = np.minimum(most_charge_w(car, soc_pct, physics), room)
    gives = np.minimum(car.discharge_w, above * (physics.discharge_efficiency / hours))
    must = -above / (physics.charge_efficiency * hours)
    return Interval(lo_w=np.minimum(np.where(np.asarray(above) >= 0, -gives, must)[()], hi), hi_w=hi)


def viable_for_s(cars: Cars, soc_pct: Floats, power_w: Floats, now: datetime, longest_s: Floats, physics: Physics) -> Floats:
    """For how long, at most `longest_s`, powers may be held before they would break a promise or the upper bound.

    Once a held power has left the viable band it does not come back, so that bisection finds the moment.
    """
    whole = _holding(cars, soc_pct, power_w, now, physics)(longest_s)
    short = np.flatnonzero(~whole)
    if not short.size:
        return longest_s
    holds = _holding(cars.some(short), soc_pct[short], power_w[short], now, physics)
    good, bad = np.zeros(short.size), longest_s[short]
    for _ in range(BISECTIONS):
        middle = (good + bad) / 2
        fine = holds(middle)
        good, bad = np.where(fine, middle, good), np.where(fine, bad, middle)
    found = longest_s.copy()
    found[short] = good
    return found


def _holding(cars: Cars, soc_pct: Floats, power_w: Floats, now: datetime, physics: Physics) -> Callable[[Floats], Flags]:
    """Tells whether powers may be held for that many seconds."""
    full_charge = power_w >= most_charge_w(cars, soc_pct, physics) - 1
    upper, energy, left_s = upper_wh(cars, physics), cars.wh(soc_pct), cars.left_s(now)

    def holds(seconds: Floats) -> Flags:
        then = energy + stored_wh(power_w, seconds, physics)
        enough = full_charge | (then >= _least_wh(cars, left_s - seconds, physics) - TOLERANCE_WH)
        return enough & ((power_w <= 0) | (then <= upper + TOLERANCE_WH))

    return holds


def above_wh(car: Battery[N], soc_pct: N, at: datetime, physics: Physics) -> N:
    """What the battery holds above what it must hold at that moment, or at its departure if that is sooner; below 0: it must
    charge."""
    return car.wh(soc_pct) - _least_wh(car, np.maximum(car.left_s(at), 0.0), physics)  # type: ignore[no-any-return]


def spare_wh(car: Battery[N], soc_pct: N, at: datetime, physics: Physics) -> N:
    """What the battery could give by that moment and still keep its promises; 0 when nothing."""
    above = above_wh(car, soc_pct, at, physics)
    return np.maximum(0.0, above) * (np.asarray(car.discharge_w) > 0)[()]  # type: ignore[no-any-return]


def room_wh(car: Battery[N], soc_pct: N, physics: Physics) -> N:
    """What the battery could still take up to the upper bound; 0 when nothing."""
    return np.maximum(0.0, upper_wh(car, physics) - car.wh(soc_pct))  # type: ignore[no-any-return]
