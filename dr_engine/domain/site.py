"""Where the site counts, and not each charger: what its meter shows against the site's baseline bounds the cars' credit.

Each interval's credit is scaled down, for all cars alike, where the site as a whole helped less than they did: its building
took more meanwhile, or something beside the chargers ran. It is never scaled up: what the site helped beyond the orders is
not theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise

from dr_engine.domain.settlement import Delivered, RequestInterval, credit_wh


@dataclass(frozen=True, slots=True)
class SiteReading:
    """What a site's meter counted in a period, Wh each way."""

    start: datetime
    end: datetime
    import_wh: float
    export_wh: float

    @property
    def net_wh(self) -> float:
        """Import less export."""
        return self.import_wh - self.export_wh


@dataclass(frozen=True, slots=True)
class SiteInterval:
    """One interval of an event at the site, Wh: baseline, what the site's meter shows (None: nothing is known), what all of
    its chargers' registers show, and the part of the cars' credit that is left (1: all of it)."""

    baseline_wh: float | None
    actual_wh: float | None
    chargers_wh: float
    factor: float


@dataclass(frozen=True, slots=True)
class SiteCheck:
    """An event at its site. `days` and `adjustment_w` tell what a statistical baseline is made of; `faults` says in
    sentences what is missing, without which nothing can be settled."""

    intervals: tuple[SiteInterval, ...]
    days: tuple[date, ...] = ()
    adjustment_w: float | None = None
    short: bool = False
    faults: tuple[str, ...] = ()


def energy_wh(readings: Sequence[SiteReading], start: datetime, end: datetime) -> float | None:
    """The net energy of a period from the meter's periods, in order, in which it is taken to run evenly; None where one is
    missing."""
    inside = [one for one in readings if one.start < end and one.end > start]
    if not inside or inside[0].start > start or inside[-1].end < end:
        return None
    if any(before.end < after.start for before, after in pairwise(inside)):
        return None
    return sum(one.net_wh * ((min(one.end, end) - max(one.start, start)) / (one.end - one.start)) for one in inside)


def site_interval(
    interval: RequestInterval, baseline_wh: float | None, actual_wh: float | None, chargers_wh: float, credited_wh: float
) -> SiteInterval:
    """One interval, with the part of the cars' credit that the site bears out."""
    if baseline_wh is None or actual_wh is None:
        return SiteInterval(baseline_wh, actual_wh, chargers_wh, 0.0)
    helped = credit_wh(interval.power_w, baseline_wh, actual_wh)
    factor = 1.0 if credited_wh <= helped else helped / credited_wh
    return SiteInterval(baseline_wh, actual_wh, chargers_wh, factor)


def borne_out(parts: Mapping[str, Sequence[Delivered]], check: SiteCheck) -> dict[str, list[Delivered]]:
    """What each session is credited with, as far as the site bears it out."""
    return {
        session: [
            replace(part, credit_wh=part.credit_wh * at_site.factor)
            for part, at_site in zip(own, check.intervals, strict=True)
        ]
        for session, own in parts.items()
    }
