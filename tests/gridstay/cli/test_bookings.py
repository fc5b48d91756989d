"""`gridstay booking` and `member` against a fake service."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.gridstay.cli.conftest import FakeService

CHARGING = {"dr": True, "discharge": True, "wanted_soc_pct": 80, "floor_soc_pct": 20, "soc_pct": 50, "distance_km": 0.0}
BOOKING: dict[str, Any] = {
    "id": "booking-1",
    "facility_id": "salon",
    "member_id": "id-1",
    "member_number": "M1",
    "start": "2026-06-03T05:00:00Z",
    "end": "2026-06-03T06:00:00Z",
    "resource": {"id": "chair-1", "name": "Chair 1"},
    "bay": {"id": "b1", "station_id": "CP1", "evse_id": 1},
    "charging": CHARGING,
    "promise": {"wanted_soc_pct": 80, "expected_soc_pct": 62, "kept": False, "reason": "The stay is too short."},
    "state": "booked",
    "made_at": "2026-06-01T00:00:00Z",
    "cancelled_at": None,
}
ON_FOOT = BOOKING | {"id": "booking-2", "bay": None, "charging": None, "promise": None}
MEMBER: dict[str, Any] = {
    "id": "id-1",
    "number": "M1",
    "name": "Yuki",
    "phone": "+819012345678",
    "email": None,
    "tokens": [{"value": "0460", "type": "ISO14443"}],
    "car": {"battery_wh": 59_000, "max_charge_w": 6_000, "max_discharge_w": 6_000, "consumption_wh_per_km": 160},
    "preferences": {"dr": True, "discharge": False, "wanted_soc_pct": 80, "floor_soc_pct": 20},
    "points": 1234,
}
WALKER = MEMBER | {"car": None, "tokens": [], "preferences": MEMBER["preferences"] | {"dr": False}}


@pytest.fixture(autouse=True)
def facility(service: FakeService) -> None:
    service.answers_with("GET", "/api/facilities/salon", {"zone": "Asia/Tokyo"})


def test_add_reads_and_shows_the_facilitys_clock(service: FakeService) -> None:
    service.answers_with("POST", "/api/bookings", BOOKING, 201)
    result = service.run(
        "booking", "add", "--facility", "salon", "--member", "M1", "--start", "2026-06-03 14:00", "--minutes", "60"
    )
    assert result.exit_code == 0
    posted = next(asked.body for asked in service.asked if asked.method == "POST")
    assert posted == {
        "facility_id": "salon",
        "member": "M1",
        "start": "2026-06-03T05:00:00Z",
        "end": "2026-06-03T06:00:00Z",
    }
    for words in ("2026-06-03 14:00 - 15:00 (Asia/Tokyo)", "80 % cannot be kept, reachable 62 %", "The stay is too short."):
        assert words in result.stdout


def test_add_sends_what_the_guest_says_of_the_car(service: FakeService) -> None:
    service.answers_with("POST", "/api/bookings", BOOKING, 201)
    times = ("--start", "2026-06-03T05:00:00Z", "--end", "2026-06-03T15:00:00+09:00")
    car = ("--by-car", "--dr", "--no-discharge", "--soc", "50", "--distance-km", "12.5", "--wanted", "80", "--floor", "30")
    shown = service.json("booking", "add", "--facility", "salon", "--member", "M1", *times, *car, "--resource", "chair-1")
    assert shown == BOOKING
    assert service.last.body == {
        "facility_id": "salon",
        "member": "M1",
        "start": "2026-06-03T05:00:00Z",
        "end": "2026-06-03T06:00:00Z",
        "resource_id": "chair-1",
        "by_car": True,
        "dr": True,
        "discharge": False,
        "soc_pct": 50,
        "distance_km": 12.5,
        "wanted_soc_pct": 80,
        "floor_soc_pct": 30,
    }


def test_S208_a_refused_booking_shows_the_nearest_free_periods(service: FakeService) -> None:
    free = [{"start": "2026-06-03T06:00:00Z", "end": "2026-06-03T07:00:00Z"}]
    service.answers_with("POST", "/api/bookings", {"detail": "every bay is booked", "alternatives": free}, 409)
    result = service.run(
        "booking", "add", "--facility", "salon", "--member", "M1", "--start", "2026-06-03 14:00", "--minutes", "60"
    )
    assert (result.exit_code, result.stdout) == (1, "")
    assert "every bay is booked" in result.stderr
    assert "free: 2026-06-03 15:00 - 16:00 (Asia/Tokyo)" in result.stderr


def test_a_refusal_without_alternatives_is_one_line(service: FakeService) -> None:
    service.answers_with("POST", "/api/bookings", {"detail": "the stay would start in the past"}, 422)
    result = service.run(
        "booking", "add", "--facility", "salon", "--member", "M1", "--start", "2020-06-03 14:00", "--minutes", "60"
    )
    assert result.exit_code == 1
    assert result.stderr == "gridstay: the stay would start in the past\n"


@pytest.mark.parametrize(
    "more",
    [
        [],
        ["--start", "soon", "--minutes", "60"],
        ["--start", "2026-06-03 14:00", "--minutes", "0"],
        ["--start", "2026-06-03 14:00", "--minutes", "60", "--end", "2026-06-03 15:00"],
        ["--start", "2026-06-03 14:00", "--minutes", "60", "--soc", "101"],
        ["--start", "2026-06-03 14:00", "--minutes", "60", "--zone", "Nowhere"],
    ],
)
def test_usage_errors_book_nothing(service: FakeService, more: list[str]) -> None:
    result = service.run("booking", "add", "--facility", "salon", "--member", "M1", *more)
    assert result.exit_code == 2
    assert not any(asked.method == "POST" for asked in service.asked)


def test_a_stay_as_long_as_the_service_is_held_for_a_party(service: FakeService) -> None:
    service.answers_with("POST", "/api/bookings", BOOKING | {"service_id": "cut", "code": "ABC234"}, 201)
    more = ("--start", "2026-06-03 14:00", "--service", "cut", "--party", "2", "--hold", "--walk-in")
    shown = service.run("booking", "add", "--facility", "salon", "--member", "M1", *more).stdout
    assert "ABC234" in shown
    posted = next(asked.body for asked in service.asked if asked.method == "POST")
    assert posted == {
        "facility_id": "salon",
        "member": "M1",
        "start": "2026-06-03T05:00:00Z",
        "service_id": "cut",
        "party": 2,
        "hold": True,
        "walk_in": True,
    }


def test_change_says_what_is_to_be_otherwise(service: FakeService) -> None:
    service.answers_with("GET", "/api/bookings/booking-1", BOOKING)
    service.answers_with("PATCH", "/api/bookings/booking-1", BOOKING)
    told = ("--start", "2026-06-03 15:00", "--minutes", "30", "--party", "2", "--wanted", "70", "--staff")
    assert service.json("booking", "change", "booking-1", *told) == BOOKING
    asked = next(one for one in service.asked if one.method == "PATCH")
    assert asked.query == {"by": "staff"}
    assert asked.body == {
        "start": "2026-06-03T06:00:00Z",
        "end": "2026-06-03T06:30:00Z",
        "party": 2,
        "wanted_soc_pct": 70,
    }
    assert service.run("booking", "change", "booking-1", "--minutes", "30").exit_code == 2
    free = [{"start": "2026-06-03T06:00:00Z", "end": "2026-06-03T07:00:00Z"}]
    service.answers_with("PATCH", "/api/bookings/booking-1", {"detail": "c1 is booked", "alternatives": free}, 409)
    refused = service.run("booking", "change", "booking-1", "--end", "2026-06-03 16:30")
    assert "free: 2026-06-03 15:00 - 16:00 (Asia/Tokyo)" in refused.stderr


@pytest.mark.parametrize("deed", ["confirm", "check-in", "check-out", "no-show"])
def test_deeds(service: FakeService, deed: str) -> None:
    service.answers_with("POST", f"/api/bookings/booking-1/{deed}", BOOKING)
    assert service.json("booking", deed, "booking-1") == BOOKING


def test_a_booking_is_written_into_a_calendar_file(service: FakeService, tmp_path: Path) -> None:
    service.answers_with("GET", "/api/bookings/booking-1/calendar", {"BEGIN": "VCALENDAR"})
    assert service.run("booking", "calendar", "booking-1", str(tmp_path / "stay.ics")).exit_code == 0
    assert "VCALENDAR" in (tmp_path / "stay.ics").read_text()
    nowhere = service.run("booking", "calendar", "booking-1", str(tmp_path / "no" / "stay.ics"))
    assert (nowhere.exit_code, "cannot write" in nowhere.stderr) == (1, True)
    assert service.run("booking", "calendar", "booking-2", str(tmp_path / "x.ics")).exit_code == 1


def test_free_periods_are_shown_on_the_facilitys_clock(service: FakeService) -> None:
    found = {"start": BOOKING["start"], "end": BOOKING["end"], "resources": ["c1", "c2"], "bays": ["b1"]}
    service.answers_with("GET", "/api/facilities/salon/free", [found | {"promise": BOOKING["promise"]}])
    asked = (
        "--facility",
        "salon",
        "--from",
        "2026-06-03 09:00",
        "--to",
        "2026-06-04 09:00",
        "--minutes",
        "60",
        "--member",
        "M1",
    )
    shown = service.run("booking", "free", *asked, "--soc", "50").stdout
    for words in ("2026-06-03 14:00 - 15:00", "c1, c2", "b1", "cannot be kept"):
        assert words in shown
    assert service.last.query | {"member": "M1", "soc_pct": "50", "limit": "20"} == service.last.query


def test_list(service: FakeService) -> None:
    service.answers_with("GET", "/api/bookings", [BOOKING, ON_FOOT])
    arguments = ("booking", "list", "--facility", "salon", "--from", "2026-06-03 00:00", "--state", "booked")
    assert service.json(*arguments) == [BOOKING, ON_FOOT]
    assert service.last.query == {"facility_id": "salon", "from": "2026-06-02T15:00:00Z", "state": "booked"}
    shown = service.run(*arguments).stdout
    assert "stay (Asia/Tokyo)" in shown
    assert "takes and gives" in shown
    service.answers_with("GET", "/api/bookings", [])
    assert "No such booking." in service.run("booking", "list").stdout


def test_cancel(service: FakeService) -> None:
    cancelled = ON_FOOT | {"state": "cancelled"}
    service.answers_with("DELETE", "/api/bookings/booking-2", cancelled)
    assert service.json("booking", "cancel", "booking-2") == cancelled
    assert "cancelled" in service.run("booking", "cancel", "booking-2").stdout


def test_add_member(service: FakeService) -> None:
    service.answers_with("POST", "/api/members", MEMBER, 201)
    car = ("--battery-kwh", "59", "--charge-kw", "6", "--discharge-kw", "5.5")
    who = ("--name", "Yuki", "--phone", "+81 90 1234 5678", "--card", "0460", "--card", "77/eMAID")
    assert service.json("member", "add", "M1", *who, *car, "--dr", "--discharge", "--wanted", "70") == MEMBER
    assert service.last.body == {
        "number": "M1",
        "name": "Yuki",
        "phone": "+81 90 1234 5678",
        "tokens": [{"value": "0460", "type": "ISO14443"}, {"value": "77", "type": "eMAID"}],
        "car": {"battery_wh": 59_000, "max_charge_w": 6_000, "max_discharge_w": 5_500},
        "preferences": {"dr": True, "discharge": True, "wanted_soc_pct": 70, "floor_soc_pct": 20},
    }


def test_add_member_from_a_file(service: FakeService, tmp_path: Path) -> None:
    service.answers_with("POST", "/api/members", WALKER, 201)
    (tmp_path / "member.json").write_text(json.dumps({"number": "M1", "name": "Yuki"}))
    result = service.run("member", "add", f"@{tmp_path / 'member.json'}")
    assert result.exit_code == 0
    assert service.last.body == {"number": "M1", "name": "Yuki"}


def test_a_member_needs_a_name(service: FakeService) -> None:
    assert service.run("member", "add", "M1").exit_code == 2
    assert service.asked == []


def test_members(service: FakeService) -> None:
    service.answers_with("GET", "/api/members", [MEMBER, WALKER])
    assert service.json("member", "list") == [MEMBER, WALKER]
    shown = service.run("member", "list").stdout
    assert "1,234" in shown
    assert "takes only" in shown


def test_member(service: FakeService) -> None:
    notice = {"id": "n", "kind": "points", "at": "2026-06-03T08:00:00Z", "text": "You got 12 points.", "reference": "s"}
    whole = MEMBER | {"notices": [notice]}
    service.answers_with("GET", "/api/members/M1", whole)
    assert service.json("member", "show", "M1") == whole
    shown = service.run("member", "show", "M1", "--zone", "Asia/Tokyo").stdout
    for words in ("You got 12 points.", "2026-06-03 17:00", "59.0 kWh", "80 % wanted, never below 20 %"):
        assert words in shown


CONSENT = {
    "at": "2026-06-01T00:00:00Z",
    "means": "staff",
    "text_version": "2026-11",
    "purposes": ["charging", "stays"],
    "dr": True,
    "discharge": False,
    "wanted_soc_pct": 80,
    "floor_soc_pct": 30,
}


def test_member_consent_is_recorded_and_shown(service: FakeService) -> None:
    service.answers_with("POST", "/api/members/M1/consents", CONSENT, 201)
    service.answers_with("GET", "/api/members/M1/consents", [CONSENT])
    said = ("--no-discharge", "--floor", "30", "--purpose", "stays", "--purpose", "charging", "--text", "2026-11")
    shown = service.run("member", "consent", "M1", *said).stdout
    assert service.asked[0].body == {
        "discharge": False,
        "floor_soc_pct": 30,
        "purposes": ["stays", "charging"],
        "text_version": "2026-11",
        "means": "staff",
    }
    for words in ("2026-06-01 00:00", "never below 30 %", "charging, stays", "2026-11", "staff"):
        assert words in shown
    assert service.json("member", "consent", "M1") == [CONSENT]
    assert [asked.method for asked in service.asked] == ["POST", "GET", "GET"]


def test_member_consent_texts_are_kept(service: FakeService, tmp_path: Path) -> None:
    (tmp_path / "en.txt").write_text("Yes.")
    kept = {"version": "v1", "made_at": "2026-06-01T00:00:00Z", "texts": {"en": "Yes."}}
    service.answers_with("PUT", "/api/consent-texts/v1", kept, 201)
    service.answers_with("GET", "/api/consent-texts", [kept])
    assert service.json("member", "consent-text", "v1", "--text", f"en={tmp_path / 'en.txt'}") == [kept]
    assert service.asked[0].body == {"texts": {"en": "Yes."}}
    assert service.run("member", "consent-text", "v1", "--text", f"en={tmp_path / 'none.txt'}").exit_code == 2


SERIES = {"id": "series-1", "bookings": [BOOKING], "left": [{"start": "2026-06-10T05:00:00Z", "detail": "c1 is booked"}]}


def test_a_series_is_booked_and_what_was_left_out_is_told(service: FakeService) -> None:
    service.answers_with("POST", "/api/series", SERIES, 201)
    who = ("--facility", "salon", "--member", "M1", "--start", "2026-06-03 14:00", "--weeks", "8")
    shown = service.run("bookings", "series", "add", *who, "--minutes", "60", "--no-car", "--free").stdout
    posted = next(asked.body for asked in service.asked if asked.method == "POST")
    assert posted == {
        "facility_id": "salon",
        "member": "M1",
        "start": "2026-06-03T05:00:00Z",
        "end": "2026-06-03T06:00:00Z",
        "by_car": False,
        "weeks": 8,
        "take": "free",
    }
    for words in ("series-1", "2026-06-03 14:00 - 15:00", "2026-06-10 14:00", "c1 is booked"):
        assert words in shown
    assert service.run("booking", "series", "add", *who[:-1], "1").exit_code == 2


def test_a_series_that_is_taken_shows_what_is_free(service: FakeService) -> None:
    free = {"start": "2026-06-03T07:00:00Z", "end": "2026-06-03T08:00:00Z"}
    service.answers_with("POST", "/api/series", {"detail": "2026-06-10: booked", "alternatives": [free]}, 409)
    who = ("--facility", "salon", "--member", "M1", "--start", "2026-06-03 14:00", "--weeks", "2")
    result = service.run("booking", "series", "add", *who)
    assert (result.exit_code, "free: 2026-06-03 16:00 - 17:00 (Asia/Tokyo)" in result.stderr) == (1, True)


def test_a_series_is_cancelled(service: FakeService) -> None:
    service.answers_with("DELETE", "/api/series/series-1", SERIES | {"left": []})
    assert service.json("booking", "series", "cancel", "series-1", "--staff") == SERIES | {"left": []}
    assert service.last.query == {"by": "staff"}
    assert "None was left out." in service.run("booking", "series", "cancel", "series-1").stdout


WISH = {
    "id": "wish-1",
    "facility_id": "salon",
    "member_id": "id-1",
    "service_id": "stay",
    "start": "2026-06-03T05:00:00Z",
    "end": "2026-06-03T09:00:00Z",
    "minutes": 60,
    "party": 1,
    "by_car": None,
    "state": "told",
    "made_at": "2026-06-01T00:00:00Z",
    "told_at": "2026-06-02T00:00:00Z",
    "free": {"start": "2026-06-03T06:00:00Z", "end": "2026-06-03T07:00:00Z"},
}


def test_the_waiting_list(service: FakeService) -> None:
    service.answers_with("POST", "/api/waiting", WISH | {"state": "waiting", "free": None}, 201)
    period = ("--from", "2026-06-03 14:00", "--to", "2026-06-03 18:00", "--minutes", "60")
    shown = service.run("booking", "waiting", "add", "--facility", "salon", "--member", "M1", *period).stdout
    assert "wish-1" in shown
    posted = next(asked.body for asked in service.asked if asked.method == "POST")
    assert posted == {
        "facility_id": "salon",
        "member": "M1",
        "start": "2026-06-03T05:00:00Z",
        "end": "2026-06-03T09:00:00Z",
        "minutes": 60,
    }
    service.answers_with("GET", "/api/waiting", [WISH])
    assert "2026-06-03 15:00 - 16:00" in service.run("booking", "waiting", "list", "--facility", "salon").stdout
    assert service.json("bookings", "waiting", "list", "--state", "told") == [WISH]
    assert service.last.query == {"state": "told"}
    service.answers_with("DELETE", "/api/waiting/wish-1", WISH | {"state": "withdrawn"})
    assert service.json("booking", "waiting", "leave", "wish-1")["state"] == "withdrawn"
    assert service.run("booking", "waiting", "leave", "wish-2").exit_code == 1


def test_add_sends_where_the_car_is(service: FakeService) -> None:
    service.answers_with("POST", "/api/bookings", BOOKING, 201)
    who = ("--facility", "salon", "--member", "M1", "--start", "2026-06-03T05:00:00Z")
    service.json("booking", "add", *who, "--position", "35.44,139.638")
    assert service.last.body["latitude"] == 35.44
    assert service.last.body["longitude"] == 139.638
    assert service.run("booking", "add", *who, "--position", "Yokohama").exit_code == 2
