"""Does a car do what it was told? Accepted is not applied: the meter decides (X2).

`Controls` is all that is known about our control of many sessions. A sample is judged against the setpoints that were in
effect shortly before it, since a station needs seconds to ramp:

    following --sample off by more than max(30 %, 500 W)--> deviating --still off at a later sample--> limited | out
    limited    it goes the right way but not as far: its interval is cut to what it shows, for some minutes
    out        it does something else: told 0 W once, counted as measured, its share goes to the others
    out --after some minutes--> trial (a mild setpoint, still counted as measured) --sample fits--> following

From samples that fit it is learned what each car makes of a watt that it is told, and how slowly it answers.
"""

from dataclasses import dataclass, fields

import numpy as np

from dr_engine.domain.car import Flags, Floats, Places
from dr_engine.domain.controls import NEVER, Controls

LEAST_LIMIT_W = 200.0
LIMIT_SLACK_W = 200.0
TRIAL_SHARE = 0.6
TRIAL_W = 1500.0
TELLING_W = 1000.0
"""Smaller setpoints, and smaller changes of them, say nothing about gain and lag."""
GAINS = (0.9, 1.1)
"""Gains that are believed: what is further off is no converter's error."""
LAGS_S = (0.5, 10.0)
LEARN = 0.25
"""The weight of a new sample in what is learned."""


@dataclass(frozen=True, slots=True)
class FollowRules:
    """Tolerances and times of the judgement; times in seconds, powers in W.

    A sample shows a setpoint `settle_s` after it was accepted, or three learned time constants after where that is longer;
    `response_s` is the time constant that is believed of a car before any was seen.
    """

    tolerance: float = 0.3
    tolerance_w: float = 500.0
    settle_s: float = 8.0
    response_s: float = 2.5
    confirm_s: float = 9.0
    retry_s: float = 300.0
    limit_s: float = 300.0
    refused_s: float = 30.0


@dataclass(frozen=True, slots=True)
class _Shown:
    """What new samples show, each beside the setpoints that were in effect: their least and greatest, the first and the last
    of them, how many, and how long before the sample the last was accepted (s)."""

    who: Places
    at_s: Floats
    measured_w: Floats
    least_w: Floats
    most_w: Floats
    first_w: Floats
    last_w: Floats
    count: Places
    age_s: Floats

    def take(self, places: Places) -> "_Shown":
        """Those of them."""
        return _Shown(*(getattr(self, field.name)[places] for field in fields(self)))


def judged(controls: Controls, sample_s: Floats, sample_w: Floats, rules: FollowRules) -> Controls:
    """The controls after looking at the newest sample of each car (NaN: none), if it was taken while a setpoint lived; the
    same sample again changes nothing."""
    controls = controls.copy()
    apart = np.isfinite(controls.out_until_s) & ~controls.on_trial
    fresh = np.flatnonzero((sample_s < controls.until_s) & (sample_s != controls.judged_s) & ~apart)
    if not fresh.size:
        return controls
    controls.judged_s[fresh] = sample_s[fresh]
    shown = _shown(controls, fresh, sample_s[fresh], sample_w[fresh], rules)
    nearest = np.clip(shown.measured_w, shown.least_w, shown.most_w)
    allowed = np.maximum(rules.tolerance * np.abs(nearest), rules.tolerance_w)
    off = np.abs(shown.measured_w - nearest) > allowed
    _learn(controls, shown, ~off)
    _suspect(controls, shown, off, rules)
    return controls


def _shown(controls: Controls, who: Places, at_s: Floats, measured_w: Floats, rules: FollowRules) -> _Shown:
    """Only those samples that say something: not taken too early after the first setpoint."""
    before = at_s - np.maximum(rules.settle_s, 3 * controls.lag_s[who])
    alone = controls.recent_s[-1, who] <= before
    shown = _of_one(controls, who[alone], at_s[alone], measured_w[alone])
    if alone.all():
        return shown
    several = _of_several(controls, who[~alone], at_s[~alone], measured_w[~alone], before[~alone])
    return _Shown(*(np.concatenate([getattr(one, field.name) for one in (shown, several)]) for field in fields(_Shown)))


def _of_one(controls: Controls, who: Places, at_s: Floats, measured_w: Floats) -> _Shown:
    """Samples of cars that were told nothing new for long enough."""
    told_w, told_s = controls.told_w[who], controls.recent_s[-1, who]
    return _Shown(who, at_s, measured_w, told_w, told_w, told_w, told_w, np.ones(who.size, np.int64), at_s - told_s)


def _of_several(controls: Controls, who: Places, at_s: Floats, measured_w: Floats, before: Floats) -> _Shown:
    """Samples beside all setpoints that were in effect at them or shortly before."""
    told_w, told_s, until_s = (rows[:, who] for rows in (controls.recent_w, controls.recent_s, controls.recent_until_s))
    ends = np.minimum(until_s, np.vstack([told_s[1:], until_s[-1]]))
    found = (told_s <= at_s) & (ends > before)
    settled = (found & (told_s <= before)).any(axis=0)
    first, last, cars = np.argmax(found, axis=0), len(found) - 1 - np.argmax(found[::-1], axis=0), np.arange(who.size)
    return _Shown(
        who=who,
        at_s=at_s,
        measured_w=measured_w,
        least_w=np.where(found, told_w, np.inf).min(axis=0),
        most_w=np.where(found, told_w, -np.inf).max(axis=0),
        first_w=told_w[first, cars],
        last_w=told_w[last, cars],
        count=found.sum(axis=0),
        age_s=at_s - told_s[last, cars],
    ).take(np.flatnonzero(settled))


def _learn(controls: Controls, shown: _Shown, fits: Flags) -> None:
    """Samples that fit end all suspicion; of one setpoint they tell the gain, of two how far it came from the first."""
    who = shown.who[fits]
    controls.deviating_s[who] = NEVER
    back = who[controls.on_trial[who]]
    controls.out_until_s[back], controls.on_trial[back], controls.stopped[back] = NEVER, False, False
    gain = controls.gain
    steady = fits & (shown.count == 1)
    who, told, measured = shown.who[steady], shown.first_w[steady], shown.measured_w[steady]
    telling = np.abs(told) >= TELLING_W
    ratio = np.clip(measured[telling] / told[telling], *GAINS)
    gain[who[telling]] += LEARN * (ratio - gain[who[telling]])
    controls.bias_w[who] = measured - gain[who] * told
    _learn_lag(controls.lag_s, shown, fits)


def _learn_lag(lag_s: Floats, shown: _Shown, fits: Flags) -> None:
    """A first-order response that came so far in that time; one that is all but there says only that it is no slower."""
    step_w = shown.last_w - shown.first_w
    moving = fits & (shown.count == 2) & (np.abs(step_w) >= TELLING_W) & (shown.age_s > 0)
    who, age_s = shown.who[moving], shown.age_s[moving]
    part = (shown.measured_w - shown.first_w)[moving] / step_w[moving]
    seen_s = age_s / -np.log1p(-np.clip(part, 0.05, 0.95))
    seen_s = np.where(part > 0.95, np.minimum(lag_s[who], seen_s), seen_s)
    says = part > 0.05
    lag_s[who[says]] += LEARN * (np.clip(seen_s[says], *LAGS_S) - lag_s[who[says]])


def _suspect(controls: Controls, shown: _Shown, off: Flags, rules: FollowRules) -> None:
    """Samples that are off: the first is noted, one that confirms it has consequences."""
    since = controls.deviating_s[shown.who]
    known = off & (since <= shown.at_s)
    first = shown.who[off & ~known]
    controls.deviating_s[first], controls.bias_w[first] = shown.at_s[off & ~known], 0.0
    condemned = known & (shown.at_s - since >= rules.confirm_s)
    if not condemned.any():
        return
    short = (shown.measured_w * shown.last_w > 0) & (np.abs(shown.measured_w) < np.abs(shown.last_w))
    short &= condemned & (np.abs(shown.measured_w) >= LEAST_LIMIT_W) & ~controls.on_trial[shown.who]
    out = condemned & ~short
    who = shown.who[short]
    controls.limit_w[who], controls.limit_until_s[who] = shown.measured_w[short], shown.at_s[short] + rules.limit_s
    who = shown.who[out]
    controls.out_until_s[who] = shown.at_s[out] + rules.retry_s
    controls.stopped[who], controls.on_trial[who], controls.bias_w[who] = False, False, 0.0
    controls.deviating_s[shown.who[condemned]] = NEVER


def limited(controls: Controls, lo_w: Floats, hi_w: Floats, now_s: float) -> tuple[Floats, Floats]:
    """Intervals cut to what cars were seen to do, and to charging where discharge was refused; never emptied."""
    lo_w = np.where(controls.charge_only, np.maximum(lo_w, 0.0), lo_w)
    cut = now_s < controls.limit_until_s
    seen = controls.limit_w
    hi_w = np.where(cut & (seen > 0), np.minimum(hi_w, seen + LIMIT_SLACK_W), hi_w)
    lo_w = np.where(cut & (seen <= 0), np.maximum(lo_w, seen - LIMIT_SLACK_W), lo_w)
    return np.minimum(lo_w, hi_w), hi_w


def trial_w(measured_w: Floats, request_w: float) -> Floats:
    """Setpoints that show whether a car obeys again and upset little: clearly away from what it does, but not far."""
    mild = TRIAL_W if request_w > 0 else -TRIAL_W
    return np.where(np.abs(measured_w) > TRIAL_W, measured_w * TRIAL_SHARE, mild)
