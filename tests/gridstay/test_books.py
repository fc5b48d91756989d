"""Books of bookings of other programs."""

import gzip
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gridstay.books import BadBook, Row, Ways, read
from tests.conftest import SHARED

NIGHTS = {"check_in": "15:00", "check_out": "11:00", "longest": 30}
SERVICES: dict[str, dict[str, Any]] = {
    "cut": {"minutes": [45, 60], "nights": None},
    "colour": {"minutes": [90], "nights": None},
    "night": {"minutes": [], "nights": NIGHTS},
}
WAYS = Ways(ZoneInfo("Asia/Tokyo"), SERVICES, {"STYLE": "cut", "JOANNE": "c1"}, date(2026, 6, 3))
RECORDED = SHARED / "data" / "reservations"


def book(folder: Path, text: str) -> list[Row]:
    (folder / "book.csv").write_text(text, "utf-8")
    return list(read(folder / "book.csv", WAYS, {}))


def test_our_own_columns(tmp_path: Path) -> None:
    head = "start,end,service,party,member,became,made_at\n"
    lines = "2026-05-01 11:00,2026-05-01 12:00,STYLE,2,1001,no_show,2026-04-30T09:00:00Z\nsoon,,,,,came,\n"
    first, second = book(tmp_path, head + lines)
    assert first.body is not None
    assert first.body.pop("key")
    assert first.body == {
        "line": 2,
        "start": "2026-05-01T11:00:00+09:00",
        "end": "2026-05-01T12:00:00+09:00",
        "service_id": "cut",
        "party": 2,
        "member": "1001",
        "became": "no_show",
        "made_at": "2026-04-30T09:00:00+00:00",
    }
    assert (second.line, second.body, "soon" in second.fault) == (3, None, True)


HOTEL = "hotel,booking_date,arrival_date,stays_in_weekend_nights,stays_in_week_nights,party_size,reservation_status,reservation_status_date\n"


def test_a_hotels_nights(tmp_path: Path) -> None:
    lines = (
        "City,2015-05-01,2015-07-01,1,2,2.0,Check-Out,2015-07-04\n"
        "City,2015-05-01,2015-07-01,1,2,2.0,Canceled,2015-06-16\n"
        "City,2015-05-01,2015-07-01,0,0,2.0,Check-Out,2015-07-01\n"
        "City,2015-05-01,2015-07-01,0,1,0.0,Check-Out,2015-07-01\n"
        "City,2015-05-01,2015-07-01,0,1,1.0,Lost,2015-07-01\n"
    )
    stay, cancelled, *bad = book(tmp_path, HOTEL + lines)
    assert stay.body is not None
    assert (stay.body["start"], stay.body["end"]) == ("2015-07-01T15:00:00+09:00", "2015-07-04T11:00:00+09:00")
    assert (stay.body["service_id"], stay.body["party"], stay.body["became"]) == ("night", 2, "came")
    assert cancelled.body is not None
    assert (cancelled.body["became"], cancelled.body["cancelled_at"]) == ("cancelled", "2015-06-16T12:00:00+09:00")
    assert [row.fault for row in bad] == ["a stay without a night", "a stay of nobody", "'Lost' is not known"]


def test_a_salons_weekdays(tmp_path: Path) -> None:
    head = "book_tod,book_dow,book_category,book_staff,noshow\n"
    first, second, bad = book(tmp_path, head + "afternoon,Fri,STYLE,JOANNE,1\n,Tues,colour,JJ,0\nnight,Fri,STYLE,,0\n")
    assert first.body is not None
    assert first.body["within"] == {"start": "2026-06-05T12:00:00+09:00", "end": "2026-06-05T17:00:00+09:00"}
    assert (first.body["minutes"], first.body["service_id"], first.body["resource_id"]) == (45, "cut", "c1")
    assert first.body["became"] == "no_show"
    assert second.body is not None
    assert second.body["within"]["start"] == "2026-06-09T00:00:00+09:00"
    assert "minutes" not in second.body
    assert bad.fault == "'night' is not known"


def test_a_book_without_dates_needs_a_first_day(tmp_path: Path) -> None:
    (tmp_path / "book.csv").write_text("book_tod,book_dow,book_category,book_staff,noshow\nafternoon,Fri,STYLE,JOANNE,1\n")
    with pytest.raises(BadBook, match="say with --from"):
        list(read(tmp_path / "book.csv", replace(WAYS, first_day=None), {}))


def test_lines_that_say_the_same_have_keys_of_their_own_that_stay(tmp_path: Path) -> None:
    head, line = "start,end,became\n", "2026-05-01 11:00,2026-05-01 12:00,came\n"
    keys = [row.body["key"] for row in book(tmp_path, head + 2 * line) if row.body]
    assert len(set(keys)) == 2
    assert [row.body["key"] for row in book(tmp_path, head + 2 * line) if row.body] == keys


def test_gzip_and_only_some_lines(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "book.csv.gz", "wt") as file:
        file.write(HOTEL + "City,2015-05-01,2015-07-01,1,2,2,No-Show,\nResort,2015-05-01,2015-07-02,1,2,2,No-Show,\n")
    [row] = read(tmp_path / "book.csv.gz", WAYS, {"hotel": "Resort"})
    assert (row.line, row.body and row.body["became"]) == (3, "no_show")


def test_what_is_no_book_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadBook, match="no book of bookings"):
        book(tmp_path, "a,b\n1,2\n")
    with pytest.raises(BadBook, match="cannot read"):
        list(read(tmp_path / "none.csv", WAYS, {}))


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded bookings are not beside this checkout")
def test_the_recorded_bookings_are_read() -> None:
    ways = Ways(WAYS.zone, SERVICES, {"STYLE": "cut", "COLOR": "colour", "MISC": "cut"}, WAYS.first_day)
    rows = list(read(RECORDED / "hair_salon_no_show.csv", ways, {}))
    became = [row.body["became"] for row in rows if row.body]
    assert (len(rows), len(became), became.count("no_show")) == (1361, 1361, 156)
