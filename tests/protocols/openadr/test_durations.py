"""Times and durations in OpenADR's spelling, with its special values."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.openadr.durations import ENDLESS, FOREVER, NOW, Duration, NoTime, instant, rfc3339

START = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("PT30M", datetime(2026, 1, 31, 12, 30, tzinfo=UTC)),
        ("PT0S", START),
        ("PT0H", START),
        ("P1DT2H", datetime(2026, 2, 1, 14, tzinfo=UTC)),
        ("P1W", datetime(2026, 2, 7, 12, tzinfo=UTC)),
        ("P1M", datetime(2026, 2, 28, 12, tzinfo=UTC)),  # a calendar month, not thirty days
        ("P1Y", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("PT1.5S", START + timedelta(seconds=1.5)),
        ("-PT5M", START - timedelta(minutes=5)),
        ("P9999Y", FOREVER),
        ("P9000Y", FOREVER),
        ("-P9999Y", NOW),
    ],
)
def test_X5_durations_end_where_the_calendar_says(text: str, end: datetime) -> None:
    assert Duration.parse(text).after(START) == end


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "30M", "PT5", "P1.5D", "PT1M1H", "P99999999999Y", "PT" + "9" * 400 + "S", "P１D"]
)
def test_X5_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(NoTime):
        Duration.parse(text)


@given(months=st.integers(0, 200), seconds=st.integers(0, 10**9))
@settings(max_examples=40)
def test_X5_a_duration_is_read_as_it_was_written(months: int, seconds: int) -> None:
    duration = Duration(months, timedelta(milliseconds=seconds))
    assert Duration.parse(str(duration)) == duration
    assert hash(Duration.parse(str(duration))) == hash(duration)


def test_X5_endless_is_written_as_the_specification_says() -> None:
    assert str(ENDLESS) == "P9999Y"
    assert Duration.parse("P9999Y").is_endless
    assert not Duration.parse("P9998Y").is_endless


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-24T05:00:00Z", datetime(2026, 11, 24, 5, tzinfo=UTC)),
        ("2026-11-24T14:00:00+09:00", datetime(2026, 11, 24, 5, tzinfo=UTC)),
        ("2026-11-24T05:00:00", datetime(2026, 11, 24, 5, tzinfo=UTC)),
        ("2026-11-24", datetime(2026, 11, 24, tzinfo=UTC)),
        ("0001-01-01", NOW),
        ("0001-01-01T00:00:00", NOW),
        ("0001-01-01T00:00:00+09:00", NOW),
        ("9999-12-31T23:59:59-09:00", FOREVER),
    ],
)
def test_X5_times_are_read_as_others_write_them(text: str, moment: datetime) -> None:
    assert instant(text) == moment


@pytest.mark.parametrize("text", ["", "now", "17:15:16", "2026-13-01T00:00:00Z"])
def test_X5_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(NoTime):
        instant(text)


def test_X5_times_go_out_in_utc_and_never_without_a_zone() -> None:
    assert rfc3339(instant("2026-11-24T14:00:00+09:00")) == "2026-11-24T05:00:00Z"
    assert rfc3339(NOW) == "0001-01-01T00:00:00Z"
    with pytest.raises(NoTime):
        rfc3339(datetime(2026, 1, 1))  # noqa: DTZ001
