"""The terms by which an event is settled. They are kept with each statement, so that working it out again gives the same."""

from dataclasses import dataclass

from dr_engine.domain.allocation import Rule


@dataclass(frozen=True, slots=True)
class Terms:
    """`tolerance`: credit is paid up to (1 + tolerance) times what was ordered (None: whatever was delivered). A car that
    delivers less than `least_response` of what was ordered was not available. `aggregator_bp` and `facility_bp` are their
    parts of the money in basis points, the rest is the members'. `rule` shares the money for energy. `band` and `penalty_bp`
    (a part of the price) are the event's own thresholds, and `seed` that of the random orders: for the Shapley rule alone.
    """

    tolerance: float | None = 0.1
    least_response: float = 0.3
    aggregator_bp: int = 0
    facility_bp: int = 0
    rule: Rule = Rule.PRO_RATA
    band: float = 0.1
    penalty_bp: int = 0
    seed: int = 1
