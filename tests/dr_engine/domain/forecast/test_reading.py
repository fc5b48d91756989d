"""Files as they are published, and what is wrong with them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from dr_engine.domain.forecast.reading import Plan, Unreadable, read

TOKYO = ZoneInfo("Asia/Tokyo")
DEMAND = Plan("start", {"demand_mw": "mw"})
AT = datetime(2026, 6, 2, 15, tzinfo=UTC)


def test_times_with_a_zone_and_without_one_are_the_same_hour() -> None:
    for text in ("2026-06-03T00:00:00+09:00", "2026-06-03 00:00", "2026-06-02T15:00:00Z"):
        assert read(f"start,mw\n{text},5\n", DEMAND, TOKYO).hours == {"demand_mw": {AT: 5.0}}


def test_half_hours_become_the_hour_s_mean_and_stamps_at_the_end_are_shifted() -> None:
    halves = read("start,mw\n2026-06-03 00:00,4\n2026-06-03 00:30,7\n", DEMAND, TOKYO)
    assert halves.hours["demand_mw"] == {AT: 5.5}
    ended = read("start,mw\n2026-06-03 01:00,4\n", Plan("start", {"demand_mw": "mw"}, shift=-1), TOKYO)
    assert ended.hours["demand_mw"] == {AT: 4.0}


def test_a_daily_file_told_for_the_next_day() -> None:
    plan = Plan("date", {"outlook_peak_mw": "next", "outlook_usage_pct": "use"}, shift=1)
    found = read("\ufeffdate,next,use\n2026-06-03,100,\n", plan, TOKYO)
    assert found.days == {"outlook_peak_mw": {date(2026, 6, 4): 100.0}}
    assert found.faults == []


def test_bad_cells_are_told_once_a_column_with_their_number_and_first_lines_and_the_rest_is_taken() -> None:
    rows = [f"2026-06-{day:02d} 00:00,{'x' if day < 8 else '-3' if day == 8 else day}" for day in range(1, 11)]
    found = read("\n".join(["start,mw", *rows, "yesterday,9", ""]), DEMAND, TOKYO)
    assert len(found.hours["demand_mw"]) == 2
    assert found.rows == 11
    assert [str(fault) for fault in found.faults] == [
        "mw: no number in 7 rows (line 2, 3, 4, 5, 6, …)",
        "mw: outside 0 to 10,000,000 in 1 row (line 9)",
        "start: no time in 1 row (line 12)",
    ]


@pytest.mark.parametrize(
    ("text", "plan", "complaint"),
    [
        ("", DEMAND, "no column start, mw; it has none"),
        ("start,power\n", DEMAND, "no column mw; it has start, power"),
        ("start,mw\n", DEMAND, "no rows"),
        ("start,mw\n2026-06-03 00:00,\n", DEMAND, "every cell is empty"),
        ("start,mw\n2026-06-03 00:00,nan\n", DEMAND, "outside"),
        ("start,mw\n9998-12-31 23:30,1\n", Plan("start", {"demand_mw": "mw"}, shift=24), "no time"),
        ('start,mw\n2026-06-03 00:00,"1\n', DEMAND, "line 2"),
        ("start,mw\n", Plan("start", {"power": "mw"}), "no such series: power"),
        ("start,mw\n", Plan("start", {}), "which columns"),
        ("start,mw\n", Plan("start", {"demand_mw": "mw", "outlook_peak_mw": "mw"}), "one after the other"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(text: str, plan: Plan, complaint: str) -> None:
    with pytest.raises(Unreadable, match=complaint):
        read(text, plan, TOKYO)
