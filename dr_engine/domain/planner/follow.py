"""Lets real cars follow a plan, slot by slot, inside their viable intervals: whatever the plan, every promise is kept.

The interval of a slot is the one of `viability`: a car must end the slot above the energy from which its promise can still
be kept, and below its ceiling. Full charging power always is inside, so that by induction no car ever gets stuck. Cars that
follow nothing do what they would by default, which makes this the plan that is always at hand when no solver answers.
"""

from dataclasses import dataclass

import numpy as np

from dr_engine.domain.car import Floats
from dr_engine.domain.planner.frame import Frame
from dr_engine.domain.planner.problem import Ints
from dr_engine.domain.sharing import Bounds, share

_ROUNDS = 3
_SLACK_KWH = 1e-6


@dataclass(frozen=True, slots=True)
class Path:
    """Per entry: the signed energy at the EVSE and the battery's energy at its end, kWh."""

    drawn: Floats
    energy: Floats


@dataclass(slots=True)
class _Slot:
    """The cars that are there in a slot: their energies before, their viable intervals, and what each is set to."""

    site: Ints
    energy: Floats
    least: Floats
    room: Floats
    lo: Floats
    hi: Floats
    drawn: Floats


def follow(frame: Frame, wished: Floats | None, *, settling: bool = True) -> Path:
    """The cars on their way to the energies `wished` for the ends of their entries (None: what they do by default).

    `settling`: where a request runs, they leave that way together as far as is needed to meet it; a site's limits come
    before it.
    """
    order = np.argsort(frame.slot, kind="stable")
    bounds = np.searchsorted(frame.slot[order], np.arange(len(frame.hours) + 1))
    car, energy = frame.car, frame.start.copy()
    drawn, path = np.zeros(len(frame.slot)), np.zeros(len(frame.slot))
    default = np.maximum(frame.goal, frame.start) if wished is None else None
    for slot in range(len(frame.hours)):
        entries = order[bounds[slot] : bounds[slot + 1]]
        if not entries.size:
            continue
        here = car[entries]
        wish = default[here] if default is not None else wished[entries]  # type: ignore[index]
        now = _slot(frame, entries, here, energy[here], wish)
        if settling:
            _settle(frame, slot, now)
        drawn[entries] = now.drawn
        energy[here] += frame.stored(now.drawn)
        path[entries] = energy[here]
    return Path(drawn, path)


def _slot(frame: Frame, entries: Ints, here: Ints, energy: Floats, wish: Floats) -> _Slot:
    room = np.maximum(0.0, frame.ceiling[entries] - energy)
    most, slope = frame.most_in[entries], frame.slope[here]
    curved = most * (1 - slope * (energy - frame.knee[here])) / (1 + most * slope * frame.charge_efficiency / 2)
    tapered = np.clip(np.where(slope > 0, curved, most), 0.0, most)  # the power at the mean energy of the slot
    hi = np.minimum(tapered, room / frame.charge_efficiency)
    lo = np.minimum(np.maximum(-frame.most_out[entries], frame.drawn(frame.floor[entries] - energy)), hi)
    drawn = np.clip(frame.drawn(wish - energy), lo, hi)
    return _Slot(frame.site[here], energy, frame.floor[entries], room, lo, hi, drawn)


def _settle(frame: Frame, slot: int, now: _Slot) -> None:
    """Bring the sites inside their limits, then the fleet to the request, in turns: each closes what the other opened."""
    hours, target, band = frame.hours[slot], frame.target[slot], frame.band[slot]
    most, least = frame.import_kw[:, slot] * hours, -frame.export_kw[:, slot] * hours
    limited = bool(np.isfinite(most).any() or np.isfinite(least).any())
    movable = np.ones(len(now.drawn), dtype=bool)
    for _ in range(_ROUNDS):
        if limited:
            movable &= ~_limit(now, most, least)
        if np.isnan(target):
            return
        total = float(now.drawn.sum())
        goal = min(max(total, (target - band) * hours), (target + band) * hours)
        if abs(goal - total) <= _SLACK_KWH:
            return
        _move(now, np.flatnonzero(movable), goal - total)
    if limited:
        _limit(now, most, least)


def _limit(now: _Slot, most: Floats, least: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Bring each site inside its limits as far as promises let it; True for the cars of sites that were outside."""
    sums = np.bincount(now.site, now.drawn, len(most))
    outside = np.flatnonzero((sums > most + _SLACK_KWH) | (sums < least - _SLACK_KWH))
    for site in outside:
        goal = most[site] if sums[site] > most[site] else least[site]
        _move(now, np.flatnonzero(now.site == site), goal - sums[site])
    return np.isin(now.site, outside)


def _move(now: _Slot, cars: Ints, by: float) -> None:
    """Change the sum of these cars by that much, or as far as their intervals go; by what each can still give or take."""
    drawn, spare = now.drawn[cars], np.maximum(0.0, now.energy - now.least)[cars]
    ways = Bounds.plain(now.lo[cars] - drawn, now.hi[cars] - drawn, 1000 * spare, 1000 * now.room[cars])
    now.drawn[cars] = drawn + share(by, ways)
