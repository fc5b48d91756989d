"""One power over many cars, exactly.

Each car's power is where it would be by itself (its reference) plus a common level times its weight (the energy it can still
give, or take), cut to its own interval: the solution of min sum((p - reference)^2 / 2 weight) for a given sum. The sum
rises with the level along straight pieces, so that Newton's steps find the level that meets the target exactly after a few
of them, each O(N). Weights by energy let all cars run dry together.

A site's limits are met first, each site's cars by themselves; what a site must not exceed then bounds its cars in the share
of all. That is exact, as a site's sum rises with the common level too. Promises come before limits: where a site's cars
must take more than it allows, they do.
"""

from dataclasses import dataclass

import numpy as np

from dr_engine.domain.car import Flags, Floats, Places

LEAST_WEIGHT = 1.0
_DUST_W = 1e-6
_ROUNDS = 100


@dataclass(frozen=True, slots=True)
class Caps:
    """The site of each car, and what the sum of a site's cars may be at least and at most, W (inf: no limit)."""

    site: Places
    least_w: Floats
    most_w: Floats

    def take(self, places: Places | Flags) -> "Caps":
        """Of those cars only."""
        return Caps(self.site[places], self.least_w, self.most_w)

    def less(self, fixed_w: Floats) -> "Caps":
        """What is left beside cars that cannot be moved; `fixed_w` by car, 0 for the others."""
        used = np.bincount(self.site, fixed_w, len(self.most_w))
        return Caps(self.site, self.least_w - used, self.most_w - used)

    def kept(self, power_w: Floats) -> bool:
        """Whether these powers are inside all limits."""
        sums = np.bincount(self.site, power_w, len(self.most_w))
        return bool((sums <= self.most_w + _DUST_W).all() and (sums >= self.least_w - _DUST_W).all())


@dataclass(frozen=True, slots=True)
class Bounds:
    """Each car's interval, W, and the energy it can still give and take, Wh. A car with a `step_w` takes either nothing or
    at least that much, either way."""

    lo_w: Floats
    hi_w: Floats
    give_wh: Floats
    take_wh: Floats
    reference_w: Floats
    step_w: Floats

    @classmethod
    def plain(cls, lo_w: Floats, hi_w: Floats, give_wh: Floats, take_wh: Floats) -> "Bounds":
        """Around 0 W and without least powers."""
        return cls(lo_w, hi_w, give_wh, take_wh, np.zeros(len(lo_w)), np.zeros(len(lo_w)))


def share(target_w: float, bounds: Bounds, caps: Caps | None = None, preferred: Flags | None = None) -> Floats:
    """Powers within the intervals whose sum is the target, or the nearest that can be reached.

    Of two cars that weigh the same, a preferred one is chosen first where not all can be used at their least power.
    """
    powers = _filled(target_w, bounds, bounds.lo_w, bounds.hi_w, caps)
    small = (np.abs(powers) < bounds.step_w - _DUST_W) & (np.abs(powers) > _DUST_W)
    if not small.any():
        return powers
    lo_w, hi_w = _stepped(powers, small, bounds, np.zeros(len(powers), dtype=bool) if preferred is None else preferred)
    return _filled(target_w, bounds, lo_w, hi_w, caps)


def _stepped(powers: Floats, small: Flags, bounds: Bounds, preferred: Flags) -> tuple[Floats, Floats]:
    """The intervals without the gap around 0: each car on the side on which its power lies, or at 0.

    Of those whose power is below their least, the smallest number that can carry what they have together is used. One that
    must charge is.
    """
    must = bounds.lo_w > _DUST_W
    used = np.abs(powers) >= bounds.step_w - _DUST_W
    used &= np.abs(powers) > _DUST_W
    for side, most_w, weight in ((powers > 0, bounds.hi_w, bounds.take_wh), (powers < 0, -bounds.lo_w, bounds.give_wh)):
        able = np.flatnonzero(small & side & ~must & (most_w >= bounds.step_w))
        need_w = float(np.abs(powers[small & side & ~must]).sum())
        order = able[np.argsort(-weight[able] * np.where(preferred[able], 2.0, 1.0), kind="stable")]
        count = int(np.searchsorted(np.cumsum(most_w[order]), need_w)) + 1
        if count == 1 and order.size and 2 * need_w < bounds.step_w[order[0]]:
            count = 0
        used[order[:count]] = True
    charging, giving = (used & (powers > 0)) | must, used & (powers < 0) & ~must
    lo_w = np.where(charging, np.maximum(bounds.lo_w, np.minimum(bounds.step_w, bounds.hi_w)), np.minimum(bounds.lo_w, 0.0))
    hi_w = np.where(giving, np.minimum(bounds.hi_w, -bounds.step_w), np.maximum(bounds.hi_w, 0.0))
    idle = ~charging & ~giving
    return np.where(idle, 0.0, lo_w), np.where(idle, 0.0, hi_w)


def _filled(target_w: float, bounds: Bounds, lo_w: Floats, hi_w: Floats, caps: Caps | None) -> Floats:
    """The share in these intervals, least powers apart."""
    start = np.clip(bounds.reference_w, lo_w, hi_w)
    give, take = np.maximum(bounds.give_wh, LEAST_WEIGHT), np.maximum(bounds.take_wh, LEAST_WEIGHT)
    up, down = _Way(bounds.reference_w, take), _Way(-bounds.reference_w, give)
    if caps is not None:
        start, lo_w, hi_w = _inside(caps, start, lo_w, hi_w, up, down)
    if target_w >= float(start.sum()):
        if caps is not None:
            hi_w = up.by_site(caps.site, caps.most_w, start, hi_w)
        return up.filled(target_w, start, hi_w)
    if caps is not None:
        lo_w = -down.by_site(caps.site, -caps.least_w, -start, -lo_w)
    return -down.filled(-target_w, -start, -lo_w)


def _inside(
    caps: Caps, start: Floats, lo_w: Floats, hi_w: Floats, up: "_Way", down: "_Way"
) -> tuple[Floats, Floats, Floats]:
    """Where cars begin once each site is inside its limits; those of a site at its limit go no further that way."""
    sums = np.bincount(caps.site, start, len(caps.most_w))
    over, under = (sums > caps.most_w)[caps.site], (sums < caps.least_w)[caps.site]
    if over.any():
        lowered = -down.at_least(caps.site, -caps.most_w, -start, -lo_w)
        start = np.where(over, lowered, start)
        hi_w = np.where(over, start, hi_w)
    if under.any():
        start = np.where(under, up.at_least(caps.site, caps.least_w, start, hi_w), start)
        lo_w = np.where(under, start, lo_w)
    return start, lo_w, hi_w


@dataclass(frozen=True, slots=True)
class _Way:
    """Filling upwards (downwards with all signs turned): clip(reference + level x weight, start, top)."""

    reference: Floats
    weight: Floats

    def filled(self, target_w: float, start: Floats, top: Floats) -> Floats:
        """The level at which the sum of all is the target."""
        if not start.size or target_w >= float(top.sum()):
            return top
        return self._at_levels(np.zeros(len(start), dtype=np.int64), np.array([target_w]), start, top)

    def by_site(self, site: Places, most_w: Floats, start: Floats, top: Floats) -> Floats:
        """Tops that keep each site at most there; those of sites that cannot get so far are left."""
        beyond = (np.bincount(site, top, len(most_w)) > most_w)[site]
        return self._chosen(beyond, site, most_w, start, top, top)

    def at_least(self, site: Places, least_w: Floats, start: Floats, top: Floats) -> Floats:
        """Starts that bring each site there at least, as far as its tops allow; those of other sites are left."""
        short = (np.bincount(site, start, len(least_w)) < least_w)[site]
        return self._chosen(short, site, least_w, start, top, start)

    def _chosen(self, chosen: Flags, site: Places, target_w: Floats, start: Floats, top: Floats, others: Floats) -> Floats:
        if not chosen.any():
            return others
        who, result = np.flatnonzero(chosen), others.copy()
        way = _Way(self.reference[who], self.weight[who])
        names, place = np.unique(site[who], return_inverse=True)
        result[who] = way._at_levels(place, target_w[names], start[who], top[who])
        return result

    def _at_levels(self, site: Places, target_w: Floats, start: Floats, top: Floats) -> Floats:
        """For each site the powers whose sum is its target, or the nearest.

        Newton's steps inside a bracket that shrinks: the sum is straight between corners, so that a step which stays on one
        piece ends exactly.
        """
        count = len(target_w)

        def sums(values: Floats) -> Floats:
            return np.asarray(np.bincount(site, values, count), np.float64) if count > 1 else values.sum(keepdims=True)

        low, high = _edges((start - self.reference) / self.weight, (top - self.reference) / self.weight, site, count)
        target_w = np.clip(target_w, sums(start), sums(top))
        level = np.clip((target_w - sums(self.reference)) / sums(self.weight), low, high)
        for _ in range(_ROUNDS):
            free = self.reference + (level[site] if count > 1 else level) * self.weight
            powers = np.clip(free, start, top)
            gap = target_w - sums(powers)
            if (np.abs(gap) <= _DUST_W).all():
                break
            low, high = np.where(gap >= 0, level, low), np.where(gap <= 0, level, high)
            slope = sums(self.weight * ((free >= start) & (free < top)))
            step = level + gap / np.maximum(slope, _DUST_W)
            level = np.where((step > low) & (step < high), step, (low + high) / 2)
        return powers


def _edges(first: Floats, last: Floats, site: Places, count: int) -> tuple[Floats, Floats]:
    """The levels at which each site's first car begins to move and its last one stops."""
    if count == 1:
        return first.min(keepdims=True), last.max(keepdims=True)
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, site, first)
    np.maximum.at(high, site, last)
    return low, high
