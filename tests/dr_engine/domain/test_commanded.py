"""What a car was ordered to do."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dr_engine.domain.baseline import Baseline
from dr_engine.domain.commanded import InForce, Told, in_force, ordered_wh
from tests.dr_engine.domain.strategies import NOW, later


def told(at_s: float, power_w: int | None = None, until_s: float = 0) -> Told:
    return Told(later(at_s), power_w, None if power_w is None else later(until_s))


def holds(start_s: float, end_s: float, power_w: int) -> InForce:
    return InForce(later(start_s), later(end_s), power_w)


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ([], ()),
        ([told(0, -5_000, 300)], (holds(0, 300, -5_000),)),
        ([told(0, -5_000, 300), told(240, -5_000, 540)], (holds(0, 240, -5_000), holds(240, 540, -5_000))),
        ([told(0, -5_000, 300), told(60)], (holds(0, 60, -5_000),)),
        ([told(0, -5_000, 300), told(600, 0, 900)], (holds(0, 300, -5_000), holds(600, 900, 0))),
        ([told(600, -5_000, 900), told(0, -3_000, 300)], (holds(0, 300, -3_000),)),
        ([told(0, -5_000, 0)], ()),
    ],
    ids=["none", "to its end", "renewed", "released", "died", "clock set back", "empty"],
)
def test_S402_setpoints_hold_until_the_next_or_their_end(commands: list[Told], expected: tuple[InForce, ...]) -> None:
    assert in_force(commands) == expected


@pytest.mark.parametrize(
    ("orders", "request_w", "ordered"),
    [
        ([holds(0, 3600, -4_000)], -9_000, 5_000),
        ([holds(0, 900, -4_000)], -9_000, 1_500),
        ([holds(-900, 1800, 0), holds(1800, 9000, -4_000)], -9_000, 3_000),
        ([holds(0, 3600, 3_000)], -9_000, 0),
        ([holds(0, 3600, 3_000)], 9_000, 2_000),
        ([holds(4000, 5000, -4_000)], -9_000, 0),
        ([], -9_000, 0),
    ],
)
def test_S402_what_was_ordered_is_reckoned_against_the_baseline(
    orders: list[InForce], request_w: int, ordered: float
) -> None:
    """It would have charged 2 kW for half an hour."""
    baseline = Baseline(NOW, 2_000, 1_000, 0, 1)
    assert ordered_wh(orders, baseline, request_w, NOW, later(3600)) == pytest.approx(ordered)


@given(st.lists(st.tuples(st.integers(0, 3_000), st.none() | st.integers(-9_000, 9_000), st.integers(0, 900)), max_size=12))
def test_S402_setpoints_never_overlap(steps: list[tuple[int, int | None, int]]) -> None:
    found = in_force(told(at, power, at + length) for at, power, length in sorted(steps, key=lambda one: one[0]))
    assert all(one.end <= following.start for one, following in pairwise(found))
