"""Hours by weekday, and the days that are unlike the others."""

from datetime import date, time
from zoneinfo import ZoneInfo

import pytest

from reservation.domain.hours import Closure, Hours, OpenTime
from tests.reservation.samples import TOKYO, hours

BERLIN = ZoneInfo("Europe/Berlin")
WEDNESDAY = date(2026, 6, 3)
MORNING, AFTERNOON = OpenTime(time(9), time(12)), OpenTime(time(13), time(19))
WEEK = ((), (MORNING,), (MORNING, AFTERNOON), (MORNING,), (MORNING,), (), ())


def test_each_weekday_has_its_times() -> None:
    assert Hours(WEEK).openings(WEDNESDAY, WEDNESDAY, TOKYO) == [hours(9, 12), hours(13, 19)]
    assert Hours(WEEK).openings(date(2026, 6, 6), date(2026, 6, 8), TOKYO) == []


def test_closing_at_or_before_opening_is_on_the_next_day() -> None:
    assert Hours.daily(time(17), time(2)).openings(WEDNESDAY, WEDNESDAY, TOKYO) == [hours(17, 26)]
    assert Hours.daily(time(9), time(9)).openings(WEDNESDAY, WEDNESDAY, TOKYO) == [hours(9, 33)]


def test_what_touches_or_overlaps_is_one_opening() -> None:
    late, early = OpenTime(time(20), time(0)), OpenTime(time(0), time(6))
    party = Hours(((early, late),) * 7)
    assert party.openings(WEDNESDAY, date(2026, 6, 4), TOKYO) == [hours(0, 6), hours(20, 30), hours(44, 48)]


def test_a_closure_takes_the_place_of_the_weekday_and_the_last_one_counts() -> None:
    closed = Closure(WEDNESDAY, date(2026, 6, 4), reason="holiday")
    other = Closure(date(2026, 6, 4), date(2026, 6, 4), (AFTERNOON,))
    found = Hours(WEEK, (closed, other)).openings(date(2026, 6, 2), date(2026, 6, 5), TOKYO)
    assert found == [hours(-15, -12), hours(37, 43), hours(57, 60)]


@pytest.mark.parametrize(("day", "length"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 3), 24)])
def test_a_day_of_clock_change_is_shorter_or_longer(day: date, length: int) -> None:
    [opening] = Hours.daily(time(0), time(0)).openings(day, day, BERLIN)
    assert opening.length.total_seconds() == length * 3600


@pytest.mark.parametrize(
    ("week", "words"),
    [
        (((MORNING,),) * 7, "09:00-12:00"),
        (((OpenTime(time(9), time(9)),),) * 7, "round the clock"),
        (WEEK, "Mon closed, Tue 09:00-12:00, Wed 09:00-12:00 and 13:00-19:00, Thu-Fri 09:00-12:00, Sat-Sun closed"),
    ],
)
def test_the_week_in_words(week: tuple[tuple[OpenTime, ...], ...], words: str) -> None:
    assert str(Hours(week)) == words


def test_what_is_no_week_and_no_closure_is_refused() -> None:
    with pytest.raises(ValueError, match="seven days"):
        Hours(WEEK[:6])
    with pytest.raises(ValueError, match="on or after its first day"):
        Closure(WEDNESDAY, date(2026, 6, 2))
