"""What cars do outside events that follow a plan: its power, cut to what is viable now.

Whatever the plan says, a car only gets powers that keep its promise, for no longer than they do. One that is to charge with
all it can is left to charge by default, which needs no message.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from dr_engine.domain.board import DispatchRules
from dr_engine.domain.car import Cars, Flags, Floats, Physics, Places, most_charge_w
from dr_engine.domain.controls import Controls
from dr_engine.domain.following import limited
from dr_engine.domain.viability import interval, viable_for_s


@dataclass(frozen=True, slots=True)
class Course:
    """Setpoints to send to those places (W, and when they end, s), and the places whose control ends."""

    who: Places
    power_w: Floats
    until_s: Floats
    release: Places


def on_course(
    cars: Cars,
    soc_pct: Floats,
    planned_w: Floats,
    controls: Controls,
    now: datetime,
    look_s: float,
    rules: DispatchRules,
    physics: Physics,
) -> Course:
    """What cars are told whose SOC and plan are known. They are looked at again within `look_s`."""
    now_s, horizon_s = now.timestamp(), 3 * look_s
    viable = interval(cars, soc_pct, now, horizon_s, physics)
    lo_w, hi_w = limited(controls, viable.lo_w, viable.hi_w, now_s)
    power_w = np.rint(np.clip(planned_w, lo_w, hi_w))
    least_w = np.maximum(rules.dead_band_w, rules.dead_band * np.maximum(cars.charge_w, cars.discharge_w))
    most_w = most_charge_w(cars, soc_pct, physics)
    all_out = (most_w > least_w) & (power_w >= most_w - least_w)
    last_s = np.minimum(rules.dead_man_s, cars.left_s(now))
    until_s = now_s + viable_for_s(cars, soc_pct, power_w, now, np.maximum(last_s, 0.0), physics)
    same = controls.alive(now_s) & (np.abs(controls.told_w - power_w) < least_w)
    ending = (controls.until_s - now_s <= horizon_s) & (until_s - controls.until_s >= look_s)
    send = ~all_out & (~same | ending) & (until_s - now_s >= 1)
    who = np.flatnonzero(send)
    return Course(who, power_w[who], until_s[who], np.flatnonzero(_let_go(all_out, controls)))


def _let_go(all_out: Flags, controls: Controls) -> Flags:
    return all_out & np.isfinite(controls.told_w)
