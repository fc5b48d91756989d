"""Which hours are announced, what they pay, and that nothing is taken back."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.dr import Direction
from dr_engine.domain.forecast.windows import (
    Cause,
    IncentiveRules,
    Level,
    Outlook,
    Window,
    kept,
    windows,
)

NOON = datetime(2026, 6, 3, 3, tzinfo=UTC)
RULES = IncentiveRules(
    tight=(Level(92, 10), Level(97, 30)), sunny=(Level(60, 5),), cheap=(Level(0.01, 3), Level(1.0, 2)), miss_cost=3
)


def hour(number: int) -> datetime:
    return NOON + timedelta(hours=number)


def brief(found: list[Window]) -> list[tuple[int, int, str, int]]:
    return [
        (
            (one.start - NOON) // timedelta(hours=1),
            (one.end - NOON) // timedelta(hours=1),
            one.cause.value,
            one.incentive_minor,
        )
        for one in found
    ]


@pytest.mark.parametrize(
    ("outlook", "expected"),
    [
        (Outlook(NOON), []),
        (Outlook(NOON, tight=(0.24, 0.0)), []),
        (Outlook(NOON, tight=(0.25, 0.0)), [(0, 1, "tight", 10)]),
        (Outlook(NOON, tight=(0.9, 0.3)), [(0, 1, "tight", 30)]),
        (Outlook(NOON, tight=(float("nan"), float("nan"))), []),
        (Outlook(NOON, sunny=(0.8,)), [(0, 1, "sun", 5)]),
        (Outlook(NOON, price=0.01), [(0, 1, "cheap", 3)]),
        (Outlook(NOON, price=0.5), [(0, 1, "cheap", 2)]),
        (Outlook(NOON, price=1.5), []),
        (Outlook(NOON, sunny=(0.8,), price=0.01), [(0, 1, "sun", 5)]),
        (Outlook(NOON, tight=(0.5, 0.0), sunny=(0.8,), price=0.01), [(0, 1, "tight", 10)]),
    ],
)
def test_F7A_an_hour_is_announced_when_that_is_the_better_bet(
    outlook: Outlook, expected: list[tuple[int, int, str, int]]
) -> None:
    found = windows([outlook], RULES)
    assert brief(found) == expected
    assert all(one.direction is (Direction.UP if one.cause is Cause.TIGHT else Direction.DOWN) for one in found)


def test_F7A_hours_of_one_kind_that_follow_each_other_are_one_window() -> None:
    hours = [
        Outlook(hour(n), tight=(chance, high))
        for n, chance, high in ((0, 0.4, 0), (1, 0.6, 0), (2, 0.9, 0.5), (4, 0.9, 0.5))
    ]
    found = windows(hours, RULES)
    assert brief(found) == [(0, 2, "tight", 10), (2, 3, "tight", 30), (4, 5, "tight", 30)]
    assert found[0].chance == 0.5


def _window(start: int, end: int, incentive: int, direction: Direction = Direction.UP) -> Window:
    cause = Cause.TIGHT if direction is Direction.UP else Cause.SUN
    return Window(hour(start), hour(end), direction, cause, incentive, 0.5)


def test_F7A_what_was_announced_is_not_taken_back_but_may_grow() -> None:
    announced = [_window(0, 3, 10)]
    assert kept(announced, []) == announced
    assert brief(kept(announced, [_window(1, 2, 30)])) == [(0, 1, "tight", 10), (1, 2, "tight", 30), (2, 3, "tight", 10)]
    assert brief(kept(announced, [_window(2, 5, 10)])) == [(0, 5, "tight", 10)]
    assert brief(kept(announced, [_window(2, 4, 99, Direction.DOWN)])) == [(0, 3, "tight", 10), (3, 4, "sun", 99)]


WINDOWS = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from([10, 30]), st.sampled_from(Direction)),
    max_size=8,
    unique_by=lambda one: one[0],
).map(lambda found: [_window(start, start + 1, pays, way) for start, pays, way in sorted(found)])


@settings(max_examples=50)
@given(WINDOWS, WINDOWS)
def test_F7A_each_announced_hour_pays_at_least_as_much_in_the_same_direction(
    announced: list[Window], anew: list[Window]
) -> None:
    found = kept(announced, anew)
    assert all(before.end <= after.start for before, after in pairwise(found))
    for one in announced:
        stands = next(window for window in found if window.start <= one.start and one.end <= window.end)
        assert stands.direction == one.direction
        assert stands.incentive_minor >= one.incentive_minor
