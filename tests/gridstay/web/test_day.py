"""The picture of a day: where bars and marks stand."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gridstay.web.day import Line, merged

TOKYO = ZoneInfo("Asia/Tokyo")


def at(hour: int, minute: int = 0) -> datetime:
    """That time in Tokyo, as UTC."""
    return datetime(2026, 11, 27, hour, minute, tzinfo=TOKYO).astimezone(UTC)


def test_the_line_reaches_from_full_hour_to_full_hour() -> None:
    line = Line.around([(at(10, 30), at(12)), (at(13), at(18, 45))], TOKYO)
    assert line is not None
    assert (line.start, line.end) == (at(10), at(19))
    assert line.hours(12)[0] == (0.0, at(10))
    assert [when for _, when in line.hours(5)] == [at(10), at(12), at(14), at(16), at(18)]
    assert Line.around([], TOKYO) is None


def test_a_bar_stands_where_its_hours_are() -> None:
    line = Line(at(10), at(20))
    bar = line.bar(at(12), at(15, 30), "note")
    assert bar is not None
    assert (bar.left, bar.width, bar.note) == (20.0, 35.0, "note")
    cut = line.bar(at(8), at(11))
    assert cut is not None
    assert (cut.left, cut.width) == (0.0, 10.0)
    assert line.bar(at(7), at(9)) is None
    assert line.bar(at(20), at(22)) is None


def test_spans_that_touch_are_one() -> None:
    assert merged([(at(12), at(13)), (at(10), at(11)), (at(11), at(12, 30))]) == [(at(10), at(13))]
    assert merged([(at(12), at(13)), (at(10), at(11))]) == [(at(10), at(11)), (at(12), at(13))]


@pytest.mark.parametrize("hours", [1, 24, 24 * 31, 24 * 366])
def test_there_are_never_too_many_marks(hours: int) -> None:
    assert 1 <= len(Line(at(0), at(0) + timedelta(hours=hours)).hours(6)) <= 7


@given(some.lists(some.tuples(some.integers(0, 1440), some.integers(1, 300)), min_size=1, max_size=6))
def test_every_bar_lies_on_the_line(spans: list[tuple[int, int]]) -> None:
    periods = [(at(0) + timedelta(minutes=start), at(0) + timedelta(minutes=start + length)) for start, length in spans]
    line = Line.around(periods, TOKYO)
    assert line is not None
    for start, end in merged(periods):
        bar = line.bar(start, end)
        assert bar is not None
        assert bar.left >= 0
        assert bar.left + bar.width <= 100.001
