"""Which of what is sold a request calls, and how much of it (S302, S304).

Against a registered baseline a call is the difference between that power and the requested one, in the direction sold.
Where the baseline is measured it cannot be known before, and a request of that direction calls the block whole.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from contracts.dr import Direction
from dr_engine.domain.car import HOUR_S
from dr_engine.domain.settlement import RequestInterval


@dataclass(frozen=True, slots=True)
class SoldBlock:
    """A block that is sold: `kw` is a magnitude, `baseline_w` the pool's registered power (None: it is measured)."""

    start: datetime
    end: datetime
    direction: Direction
    kw: int
    baseline_w: int | None


@dataclass(frozen=True, slots=True)
class Call:
    """What requests call of a block: the most at any moment, W, and the energy."""

    most_w: float
    energy_wh: float


def called(block: SoldBlock, intervals: Iterable[RequestInterval]) -> Call:
    """What these intervals call of the block: nothing where they ask for the other direction, or for another time."""
    most_w, energy_wh = 0.0, 0.0
    for interval in intervals:
        seconds = (min(interval.end, block.end) - max(interval.start, block.start)).total_seconds()
        if seconds > 0:
            power_w = _change_w(block, interval)
            most_w, energy_wh = max(most_w, power_w), energy_wh + power_w * seconds / HOUR_S
    return Call(most_w, energy_wh)


def _change_w(block: SoldBlock, interval: RequestInterval) -> float:
    if block.baseline_w is None:
        return 1000.0 * block.kw if interval.direction == block.direction.value else 0.0
    change = interval.power_w - block.baseline_w
    return max(0.0, float(-change if block.direction is Direction.UP else change))
