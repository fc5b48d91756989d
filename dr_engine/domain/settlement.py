"""What each car delivered in an event (S402).

The credit of an interval is the help given against the baseline: less import (or more export) than the baseline when the
request is to discharge, more import when it is to charge. It is paid up to what was ordered of the car, and a tolerance:
nothing for more than that, nothing where nothing was. Harm is not held against a car, so that a credit is never below 0;
there is none where the car was not asked (never under a command of ours in the interval) or not metered.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from math import inf

from contracts.units import whole_watt_hours
from dr_engine.domain.baseline import Expected
from dr_engine.domain.car import HOUR_S
from dr_engine.domain.commanded import InForce, ordered_wh
from dr_engine.domain.metering import Energy, Quality, Registers, worst
from dr_engine.domain.terms import Terms


@dataclass(frozen=True, slots=True)
class RequestInterval:
    """One interval of a DR event: the signed net power, in W, that the fleet shall have."""

    start: datetime
    end: datetime
    power_w: int

    @property
    def direction(self) -> str:
        """`up` when cars shall give (or take less), `down` when they shall take more."""
        return "up" if self.power_w < 0 else "down"


@dataclass(frozen=True, slots=True)
class Participant:
    """A session that took part: present from `since` (plugged in and inside its booked period) until `until`; `orders` are
    the setpoints that it was under; `up_w` and `down_w` what it could hold against its baseline until the end, by direction.
    """

    session_id: str
    since: datetime
    until: datetime
    baseline: Expected | None
    registers: Registers
    asked: frozenset[int]
    orders: tuple[InForce, ...] = ()
    up_w: float = 0.0
    down_w: float = 0.0


@dataclass(frozen=True, slots=True)
class Delivered:
    """One interval of one session, Wh: what flowed, what would have flowed, the help that was ordered, what is credited, and
    what was made available (the power that it could hold, over the time that it was there and did what it was told)."""

    actual: Energy
    baseline_wh: float
    ordered_wh: float
    credit_wh: float
    available_wh: float


def delivered(participant: Participant, intervals: Iterable[RequestInterval], terms: Terms) -> list[Delivered]:
    """What the session did in each interval, in their order."""
    return [_interval(participant, position, interval, terms) for position, interval in enumerate(intervals)]


def delivered_wh(parts: Iterable[Delivered]) -> int:
    """What a session is credited with for the whole event, in whole Wh."""
    return whole_watt_hours(sum(part.credit_wh for part in parts))


def quality(parts: Iterable[Delivered]) -> Quality:
    """The worst quality among the intervals."""
    return worst(part.actual.quality for part in parts)


def _interval(participant: Participant, position: int, interval: RequestInterval, terms: Terms) -> Delivered:
    start, end = max(interval.start, participant.since), min(interval.end, participant.until)
    actual, plan = participant.registers.between(start, end), participant.baseline
    if plan is None:
        return Delivered(actual, 0.0, 0.0, 0.0, 0.0)
    baseline = plan.imported_wh(start, end)
    ordered = ordered_wh(participant.orders, plan, interval.power_w, start, end)
    if position not in participant.asked or actual.quality is Quality.MISSING:
        return Delivered(actual, baseline, ordered, 0.0, 0.0)
    helped = credit_wh(interval.power_w, baseline, actual.net_wh)
    most = inf if terms.tolerance is None else ordered * (1 + terms.tolerance)
    holds_w = participant.up_w if interval.power_w < 0 else participant.down_w
    there_h = max(0.0, (end - start).total_seconds()) / HOUR_S
    available = holds_w * there_h if helped >= terms.least_response * ordered else 0.0
    return Delivered(actual, baseline, ordered, min(most, helped), available)


def fingerprint(found: Iterable[tuple[str, Sequence[Delivered]]], money: str) -> str:
    """SHA-256 (hex) of the figures that an allocation follows from: each session's intervals, to the milliwatt-hour, and the
    money in words. The same registers give the same one, in whatever order the sessions come (X3)."""
    lines = [money]
    for session_id, parts in sorted(found, key=lambda one: one[0]):
        for position, part in enumerate(parts):
            figures = [
                part.actual.net_wh,
                part.baseline_wh,
                part.credit_wh,
                *([part.available_wh] if part.available_wh else []),
            ]
            milli = " ".join(str(round(1000 * figure)) for figure in figures)
            lines.append(f"{session_id} {position} {milli} {part.actual.quality.value}")
    return sha256("\n".join(lines).encode()).hexdigest()


def credit_wh(request_w: float, baseline_wh: float, actual_wh: float) -> float:
    """The help of an interval, never below 0."""
    help_wh = baseline_wh - actual_wh if request_w < 0 else actual_wh - baseline_wh
    return max(0.0, help_wh)
