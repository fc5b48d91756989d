"""The money of an event: two pools, each split between aggregator, facility and members, and shared out among the cars.

The pool for capacity pays what was kept available: it goes to the intervals by what was sold of them, and in each to the
cars by what they made available there. The pool for energy pays what was delivered, by the rule of the terms.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dr_engine.domain.allocation import BASIS, Allocation, Stake, allocate, share_out
from dr_engine.domain.settlement import Delivered, RequestInterval
from dr_engine.domain.shapley import Game
from dr_engine.domain.terms import Terms


@dataclass(frozen=True, slots=True)
class Money:
    """What an event was paid, in whole minor units: for capacity, and for energy."""

    capacity_minor: int
    energy_minor: int

    @property
    def total_minor(self) -> int:
        """Both."""
        return self.capacity_minor + self.energy_minor


@dataclass(frozen=True, slots=True)
class Shared:
    """Whole minor units: each session's of either pool, the aggregator's and the facility's own parts, and what nobody has
    earned. All of it sums exactly to the money."""

    capacity: Mapping[str, int]
    energy: Mapping[str, int]
    aggregator_minor: int
    facility_minor: int
    undistributed_minor: int

    def amount(self, session_id: str) -> int:
        """What a session has of both pools."""
        return self.capacity[session_id] + self.energy[session_id]


@dataclass(frozen=True, slots=True)
class _Split:
    aggregator: int
    facility: int
    members: int


def share_money(money: Money, stakes: Sequence[Stake], sold: Sequence[int], terms: Terms, game: Game) -> Shared:
    """Share both pools. `sold` weighs the intervals for the capacity pool (what was awarded, or else their seconds)."""
    capacity, energy = _split(money.capacity_minor, terms), _split(money.energy_minor, terms)
    of_capacity = _by_availability(capacity.members, stakes, sold)
    of_energy = share_out(energy.members, terms.rule, stakes, game)
    return Shared(
        capacity=of_capacity.parts,
        energy=of_energy.parts,
        aggregator_minor=capacity.aggregator + energy.aggregator,
        facility_minor=capacity.facility + energy.facility,
        undistributed_minor=of_capacity.undistributed + of_energy.undistributed,
    )


def _split(pool: int, terms: Terms) -> _Split:
    members_bp = BASIS - terms.aggregator_bp - terms.facility_bp
    basis = {"1 members": members_bp, "2 facility": terms.facility_bp, "3 aggregator": terms.aggregator_bp}
    parts = allocate(pool, basis).parts
    return _Split(parts["3 aggregator"], parts["2 facility"], parts["1 members"])


def _by_availability(pool: int, stakes: Sequence[Stake], sold: Sequence[int]) -> Allocation:
    """An interval for which nobody was available leaves its money undistributed."""
    by_interval = allocate(pool, {f"{position:06d}": weight for position, weight in enumerate(sold)})
    parts, undistributed = {one.session_id: 0 for one in stakes}, by_interval.undistributed
    for position in range(len(sold)):
        shared = allocate(
            by_interval.parts[f"{position:06d}"], {one.session_id: one.available_wh[position] for one in stakes}
        )
        undistributed += shared.undistributed
        for session, amount in shared.parts.items():
            parts[session] += amount
    return Allocation(parts, undistributed)


def game_of(intervals: Sequence[RequestInterval], found: Iterable[Sequence[Delivered]], terms: Terms) -> Game:
    """What the Shapley rule weighs: the help that the whole event asked for against the cars' baselines."""
    parts, requested = list(found), 0.0
    for position, interval in enumerate(intervals):
        baseline = sum(one[position].baseline_wh for one in parts)
        wanted = interval.power_w * (interval.end - interval.start).total_seconds() / 3600
        requested += max(0.0, baseline - wanted if interval.power_w < 0 else wanted - baseline)
    whole = round(requested)
    return Game(whole, int(whole * (1 - terms.band)), terms.penalty_bp, terms.seed)
