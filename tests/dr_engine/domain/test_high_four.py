"""High 4 of 5, by hand."""

from collections.abc import Mapping
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dr_engine.domain.high_four import (
    HOLIDAY,
    LOOK_BACK,
    WEEKDAY,
    DayLoad,
    HighFour,
    days_like,
    high_four,
    rule_of,
)

EVENT_DAY = date(2026, 6, 24)  # a Wednesday
FREE = date(2026, 6, 22)  # a Monday, made a holiday for the test
HALF_HOURS = (1800.0, 1800.0)


def june(day: int) -> date:
    return date(2026, 6, day)


def day_load(day: int, first: float, second: float, before_w: float | None = None) -> DayLoad:
    return DayLoad(june(day), (first, second), before_w)


WEEK = [
    day_load(23, 1_000, 2_000, 4_000),
    day_load(19, 3_000, 4_000, 6_000),
    day_load(18, 2_000, 2_000, 4_000),
    day_load(17, 5_000, 5_000, 8_000),
    day_load(16, 4_000, 3_000, 6_000),
    day_load(15, 9_000, 9_000, 9_000),
]
"""The five weekdays before, the Monday being free, and one more."""


def reckoned(days: list[DayLoad], before_w: float | None = None, event_days: tuple[date, ...] = ()) -> HighFour | None:
    known: Mapping[date, DayLoad] = {one.day: one for one in days}
    return high_four(WEEKDAY, days_like(EVENT_DAY, {FREE}, event_days), known.get, HALF_HOURS, before_w)


def test_S402_the_kind_of_a_day() -> None:
    kinds = [rule_of(june(day), {FREE}) for day in (19, 20, 21, 22, 23)]
    assert kinds == [WEEKDAY, HOLIDAY, HOLIDAY, HOLIDAY, WEEKDAY]


def test_S402_days_of_the_kind_are_looked_for_30_days_back_without_event_days() -> None:
    weekdays = list(days_like(EVENT_DAY, {FREE}, {june(19)}))
    assert weekdays[:4] == [june(23), june(18), june(17), june(16)]
    assert weekdays[-1] >= EVENT_DAY - timedelta(days=LOOK_BACK)
    assert list(days_like(june(21), {FREE}, set()))[:3] == [june(20), june(14), june(13)]


def test_S402_the_four_highest_of_the_last_five() -> None:
    """Without the 23rd, the lowest: (3+2+5+4)/4 and (4+2+5+3)/4 kWh."""
    assert reckoned(WEEK) == HighFour((june(17), june(19), june(16), june(18)), None, (3_500, 3_500), short=False)


def test_S402_the_same_day_adjustment_moves_the_whole_event() -> None:
    """6 kW before on the days taken, 7 kW on the day: 0.5 kWh more in each half hour; and never below 0."""
    found = reckoned(WEEK, before_w=7_000)
    assert found is not None
    assert (found.adjustment_w, found.intervals_wh) == (1_000, (4_000, 4_000))
    low = reckoned(WEEK, before_w=-2_000)
    assert low is not None
    assert (low.adjustment_w, low.intervals_wh) == (-8_000, (0, 0))


def test_S402_a_day_far_below_the_others_gives_way_to_an_earlier_one() -> None:
    found = reckoned([*WEEK[:2], day_load(18, 100, 200), *WEEK[3:]])
    assert found is not None
    assert found.days == (june(15), june(17), june(19), june(16))


def test_S402_on_ties_the_day_farthest_away_goes() -> None:
    found = reckoned([day_load(day, 1_000, 1_000) for day in (23, 19, 18, 17, 16)])
    assert found is not None
    assert found.days == (june(23), june(19), june(18), june(17))


def test_S402_fewer_days_are_said_and_none_is_no_baseline() -> None:
    found = reckoned(WEEK[:2], event_days=(june(19),))
    assert found == HighFour((june(23),), None, (1_000, 2_000), short=True)
    assert reckoned([]) is None


def test_S402_without_the_time_before_there_is_no_adjustment() -> None:
    found = reckoned([*WEEK[:4], day_load(16, 4_000, 3_000)], before_w=7_000)
    assert found is not None
    assert found.adjustment_w is None


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(0, 10_000), st.floats(0, 10_000)), min_size=1, max_size=12))
def test_S402_a_baseline_lies_within_the_days_it_is_made_of(energies: list[tuple[float, float]]) -> None:
    weekdays = list(days_like(EVENT_DAY, {FREE}, ()))
    found = reckoned([DayLoad(day, pair) for day, pair in zip(weekdays, energies, strict=False)])
    assert found is not None
    assert len(found.days) <= WEEKDAY.highest
    for place, value in enumerate(found.intervals_wh):
        assert min(pair[place] for pair in energies) - 1e-6 <= value <= max(pair[place] for pair in energies) + 1e-6
