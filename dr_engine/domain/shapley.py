"""The Shapley value of an event's payment: what each car adds to it, on average over all orders in which they could come.

The payment of a group of cars that delivered K together is min(K, requested) less the penalty on what it falls short of the
least that counts, from the payment of nobody on. Cars that together deliver no more than was requested, without a penalty,
add what they deliver, in whatever order: then the value is the credit itself. It is exact for up to EXACT cars; beyond, the
mean over random orders (its error falls with the root of their number), the same for the same seed. Whole numbers
throughout.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import factorial
from random import Random

BASIS = 10_000
"""Basis points of the whole."""
EXACT = 12
STEPS = 200_000
"""Cars times orders that are tried, beyond EXACT cars."""


@dataclass(frozen=True, slots=True)
class Game:
    """What the payment follows from: the help requested (Wh), the least that counts (Wh), the penalty on what is missing of
    that, as a part of the price in basis points, and the seed of the random orders."""

    requested_wh: int
    least_wh: int = 0
    penalty_bp: int = 0
    seed: int = 1

    def value(self, delivered_wh: int) -> int:
        """The payment of a group, in parts of a Wh (10,000 a Wh), from 0 for nobody."""
        paid, spared = min(delivered_wh, self.requested_wh), min(delivered_wh, self.least_wh)
        return BASIS * paid + self.penalty_bp * spared


def shapley(credit_wh: Mapping[str, int], game: Game) -> dict[str, int]:
    """Whole numbers in proportion to the Shapley values of the cars, by id; none is negative."""
    names = sorted(credit_wh)
    amounts = [credit_wh[name] for name in names]
    found = _exact(amounts, game) if len(names) <= EXACT else _sampled(amounts, game)
    return dict(zip(names, found, strict=True))


def _exact(amounts: list[int], game: Game) -> list[int]:
    """The values, times the number of orders."""
    count = len(amounts)
    groups = [0] * (1 << count)
    for group in range(1, len(groups)):
        lowest = (group & -group).bit_length() - 1
        groups[group] = groups[group & (group - 1)] + amounts[lowest]
    paid = [game.value(delivered) for delivered in groups]
    orders = [factorial(size) * factorial(count - size - 1) for size in range(count)]
    found = [0] * count
    for group, before in enumerate(paid):
        ways = orders[group.bit_count()] if group.bit_count() < count else 0
        for car in range(count):
            if not group >> car & 1:
                found[car] += ways * (paid[group | 1 << car] - before)
    return found


def _sampled(amounts: list[int], game: Game) -> list[int]:
    """The values, times the number of orders tried."""
    random, order, found = Random(game.seed), list(range(len(amounts))), [0] * len(amounts)
    for _ in range(max(1, STEPS // len(amounts))):
        random.shuffle(order)
        delivered = paid = 0
        for car in order:
            delivered += amounts[car]
            now = game.value(delivered)
            found[car] += now - paid
            paid = now
    return found
