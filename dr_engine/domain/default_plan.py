"""What willing cars do outside events: they charge by default until they have what their guests want, then they wait.

Waiting is a profile of 0 W until the control period ends: so a later request to charge still finds room in the battery, and
the wanted SOC (with its margin) is kept. This is also the car's baseline. Once a request to discharge is known, the cars it
may use charge on meanwhile, up to the bound for events: what they gain is the reserve for those who leave or fail.
"""

from dataclasses import dataclass

import numpy as np

from dr_engine.domain.car import Cars, Flags, Floats, Physics
from dr_engine.domain.controls import Controls
from dr_engine.domain.viability import target_pct


@dataclass(frozen=True, slots=True)
class DefaultPlan:
    """Whom to keep at 0 W until the control period ends, and whose control to end: they charge by default. The others do
    the right thing already."""

    hold: Flags
    release: Flags


def default_plan(
    cars: Cars, soc_pct: Floats, controls: Controls, now_s: float, physics: Physics, preparing: Flags
) -> DefaultPlan:
    """What to tell cars that no event uses. An unknown SOC is NaN; `now_s` is in seconds of the epoch.

    `preparing`: a request to discharge is known that may use this car. A held car is released only when it has fallen a
    margin below the SOC at which it is held, so that it does not go to and fro.
    """
    held = controls.alive(now_s) & (controls.told_w == 0) & (controls.until_s >= cars.depart_s)
    wanted = target_pct(cars, physics)
    target = np.where(preparing, np.maximum(wanted, physics.upper_pct), wanted)
    enough = (soc_pct >= target - np.where(held, physics.margin_pct, 0.0)) & (now_s < cars.depart_s)
    return DefaultPlan(hold=enough & ~held, release=~enough & np.isfinite(controls.told_w))
