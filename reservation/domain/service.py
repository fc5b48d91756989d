"""What guests come for: how long it takes, when it may begin, how much time it needs around it."""

from dataclasses import dataclass
from datetime import time, timedelta

MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Nights:
    """A stay over nights: from the local time of check-in to that of check-out on a later day, at most so many nights."""

    check_in: time
    check_out: time
    longest: int = 30


@dataclass(frozen=True, slots=True)
class Service:
    """`minutes` are the lengths on offer; none: the guest says how long. `every_min`: stays begin on the clock at that many
    minutes from midnight and from one another; None: at any time. The resource is kept `before_min` and `after_min` around
    the stay, for nobody else. With `nights` none of the lengths and starts are given otherwise.

    Raises ValueError for what no service can be.
    """

    id: str
    name: str
    minutes: tuple[int, ...] = ()
    every_min: int | None = None
    before_min: int = 0
    after_min: int = 0
    nights: Nights | None = None

    def __post_init__(self) -> None:
        if self.every_min is not None and MINUTES_A_DAY % self.every_min:
            raise ValueError(f"service {self.id}: every_min divides the day (5, 10, 15, 20, 30, 60 …), not {self.every_min}")
        if self.nights and (self.minutes or self.every_min):
            raise ValueError(f"service {self.id}: nights have their own lengths and starts; give no minutes, no every_min")

    @property
    def before(self) -> timedelta:
        """How long before a stay its resource is kept."""
        return timedelta(minutes=self.before_min)

    @property
    def after(self) -> timedelta:
        """How long after a stay its resource is kept."""
        return timedelta(minutes=self.after_min)


ANY_STAY = Service("stay", "Stay")
"""What a facility offers that names no services: a stay of any length."""
