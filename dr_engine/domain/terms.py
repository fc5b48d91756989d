"""The terms by which an event is settled. They are kept with each statement, so that working it out again gives the same."""

from dataclasses import dataclass
from enum import StrEnum

from dr_engine.domain.allocation import Rule
from dr_engine.domain.baseline import BaselineKind


class MeasuredAt(StrEnum):
    """Whose meter counts: each charger's, or the whole site's."""

    CHARGER = "charger"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class Terms:
    """`tolerance`: credit is paid up to (1 + tolerance) times what was ordered (None: whatever was delivered). A car that
    delivers less than `least_response` of what was ordered was not available. `aggregator_bp` and `facility_bp` are their
    parts of the money in basis points, the rest is the members'. `rule` shares the money for energy. `band` and `penalty_bp`
    (a part of the price) are the event's own thresholds, and `seed` that of the random orders: for the Shapley rule alone.

    `baseline` is what delivery is measured against: `just_before_s` is the window of the kind of that name; High 4 of 5 goes
    by the days of `time_zone` and the holidays of `country`, and adjusts by the `adjust_s` that end `adjust_gap_s` before
    the event. `measured_at` says whose meter counts; with `signed_only` a charger's registers count only where the meter has
    signed them.
    """

    tolerance: float | None = 0.1
    least_response: float = 0.3
    aggregator_bp: int = 0
    facility_bp: int = 0
    rule: Rule = Rule.PRO_RATA
    band: float = 0.1
    penalty_bp: int = 0
    seed: int = 1
    baseline: BaselineKind = BaselineKind.REGISTERED
    measured_at: MeasuredAt = MeasuredAt.CHARGER
    just_before_s: float = 300.0
    adjust_s: float = 7_200.0
    adjust_gap_s: float = 3_600.0
    signed_only: bool = False
    time_zone: str = "Asia/Tokyo"
    country: str = "JP"

    @property
    def by_site(self) -> bool:
        """Whether the site as a whole bounds what its cars are credited with."""
        return self.measured_at is MeasuredAt.SITE or self.baseline is BaselineKind.HIGH_4_OF_5
