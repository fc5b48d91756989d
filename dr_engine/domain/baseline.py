"""What a car would have done without an event, by kind.

Registered: charge at full power until its wanted SOC, then nothing. Frozen when the event begins, or when the car plugs in
later, from the state it has then; nothing that the event does can move it afterwards. Just before: go on with the mean power
that its meter showed before the event, which is nothing for a car that came later. High 4 of 5 is a statistic of a whole
site (`high_four`): there the cars' own credit is against the registered plan, and the site's baseline bounds it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from dr_engine.domain.car import HOUR_S, Car, Physics
from dr_engine.domain.metering import Quality, Registers


class BaselineKind(StrEnum):
    """What delivery is measured against."""

    REGISTERED = "registered"
    JUST_BEFORE = "just_before"
    HIGH_4_OF_5 = "high4of5"


class Expected(Protocol):
    """The energy that a car would have taken at the EVSE: at first at `power_w`, known at `since`."""

    @property
    def since(self) -> datetime: ...
    @property
    def power_w(self) -> float: ...
    def imported_wh(self, start: datetime, end: datetime) -> float:
        """In a period, in Wh; negative when it would have given; 0 for an empty one."""
        ...


@dataclass(frozen=True, slots=True)
class Baseline:
    """Charging at `power_w` from `since` until `needed_wh` at the EVSE are taken; `stored_wh` is what the battery held."""

    since: datetime
    power_w: float
    needed_wh: float
    stored_wh: float
    charge_efficiency: float

    @classmethod
    def of(cls, car: Car, soc_pct: float, since: datetime, physics: Physics) -> "Baseline":
        """The baseline of a car that has this SOC at that moment."""
        missing = max(0.0, car.wh(car.wanted_pct) - car.wh(soc_pct))
        return cls(since, car.charge_w, missing / physics.charge_efficiency, car.wh(soc_pct), physics.charge_efficiency)

    def _taken_wh(self, at: datetime) -> float:
        hours = max(0.0, (at - self.since).total_seconds()) / HOUR_S
        return min(self.needed_wh, self.power_w * hours)

    def imported_wh(self, start: datetime, end: datetime) -> float:
        """The energy at the EVSE in a period, in Wh; 0 for an empty one."""
        return max(0.0, self._taken_wh(end) - self._taken_wh(start))

    def energy_stored_wh(self, at: datetime) -> float:
        """What the battery would hold at that moment."""
        return self.stored_wh + self._taken_wh(at) * self.charge_efficiency


@dataclass(frozen=True, slots=True)
class JustBefore:
    """The mean power from `since` to `until`, for ever on."""

    since: datetime
    until: datetime
    power_w: float

    def imported_wh(self, start: datetime, end: datetime) -> float:
        """In a period, in Wh."""
        return self.power_w * max(0.0, (end - start).total_seconds()) / HOUR_S


def just_before(registers: Registers, came_at: datetime, event_start: datetime, window_s: float) -> JustBefore | None:
    """The mean power of the last `window_s` before an event, or of as much of it as the car was there for; 0 W where it was
    not. None when its registers do not tell."""
    since = max(event_start - timedelta(seconds=window_s), min(came_at, event_start))
    metered = registers.between(since, event_start)
    if metered.quality is Quality.MISSING:
        return None
    seconds = (event_start - since).total_seconds()
    return JustBefore(since, event_start, metered.net_wh * HOUR_S / seconds if seconds else 0.0)


@dataclass(frozen=True, slots=True)
class Known:
    """What a baseline is made of: the plan that was frozen (None: the SOC was not known), the registers, when the car came,
    when the event began, and the window of `just_before`."""

    registered: Baseline | None
    registers: Registers
    came_at: datetime
    event_start: datetime
    window_s: float


BASELINES: dict[BaselineKind, Callable[[Known], Expected | None]] = {
    BaselineKind.REGISTERED: lambda known: known.registered,
    BaselineKind.JUST_BEFORE: lambda known: just_before(known.registers, known.came_at, known.event_start, known.window_s),
    BaselineKind.HIGH_4_OF_5: lambda known: known.registered,
}
"""A car's own baseline by kind; None: it is credited with nothing."""
