"""How money is shared: rules by name, each a pure function from what cars did to whole weights, and the largest remainder.

Every rule is budget balanced: weights are whole numbers, shares follow by largest remainder, and ties go to the smaller id,
so that the parts sum exactly and the order does not matter.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dr_engine.domain.shapley import BASIS, Game, shapley

__all__ = ["BASIS", "RULES", "Allocation", "Rule", "Stake", "allocate", "share_out"]


@dataclass(frozen=True, slots=True)
class Allocation:
    """Whole minor units by id; the parts and `undistributed` sum exactly to the total."""

    parts: Mapping[str, int]
    undistributed: int


@dataclass(frozen=True, slots=True)
class Stake:
    """What one session did in an event, in whole Wh: credited, ordered, and made available (its power over the time) in each
    interval."""

    session_id: str
    credit_wh: int
    ordered_wh: int
    available_wh: tuple[int, ...]


class Rule(StrEnum):
    """How the money for energy is shared.

    PRO_RATA: by credit. EQUAL: alike among all who have a credit. AVAILABILITY: by what was made available. PERFORMANCE: by
    credit, times its share of what was ordered. SHAPLEY: by the Shapley value of the event's payment.
    """

    PRO_RATA = "pro_rata"
    EQUAL = "equal"
    AVAILABILITY = "availability"
    PERFORMANCE = "performance"
    SHAPLEY = "shapley"


Weights = Callable[[Sequence[Stake], Game], dict[str, int]]

RULES: dict[Rule, Weights] = {
    Rule.PRO_RATA: lambda stakes, _: {one.session_id: one.credit_wh for one in stakes},
    Rule.EQUAL: lambda stakes, _: {one.session_id: int(one.credit_wh > 0) for one in stakes},
    Rule.AVAILABILITY: lambda stakes, _: {one.session_id: sum(one.available_wh) for one in stakes},
    Rule.PERFORMANCE: lambda stakes, _: {one.session_id: _performed(one) for one in stakes},
    Rule.SHAPLEY: lambda stakes, game: shapley({one.session_id: one.credit_wh for one in stakes}, game),
}


def _performed(one: Stake) -> int:
    """Credit in mWh, times the share that was delivered of what was ordered (1 at most)."""
    if not one.ordered_wh:
        return 0
    return 1000 * one.credit_wh * min(one.credit_wh, one.ordered_wh) // one.ordered_wh


def share_out(total: int, rule: Rule, stakes: Sequence[Stake], game: Game) -> Allocation:
    """Share the money for energy by a rule."""
    return allocate(total, RULES[rule](stakes, game))


def allocate(total: int, weights: Mapping[str, int]) -> Allocation:
    """Share a total in proportion to whole weights by largest remainder, ties by id.

    The parts sum exactly, each is within one unit of its exact share, a weight of 0 gets 0, and the order does not matter.
    When all weights are 0, all is undistributed. Raises ValueError for a negative total or weight.
    """
    if total < 0 or any(weight < 0 for weight in weights.values()):
        raise ValueError("a total and its weights are never negative")
    whole = sum(weights.values())
    if not whole:
        return Allocation(dict.fromkeys(weights, 0), total)
    parts = {name: total * weight // whole for name, weight in weights.items()}
    by_remainder = sorted(
        (name for name in weights if weights[name]), key=lambda name: (-(total * weights[name] % whole), name)
    )
    for name in by_remainder[: total - sum(parts.values())]:
        parts[name] += 1
    return Allocation(parts, 0)
