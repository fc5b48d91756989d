"""`gridstay facility` against a fake service."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.gridstay.cli.conftest import FakeService

WEEK: dict[str, list[str]] = {day: ["09:00-20:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
FACILITY: dict[str, Any] = {
    "id": "salon",
    "name": "Salon",
    "zone": "Asia/Tokyo",
    "hours": {**WEEK, "mon": [], "sun": ["09:00-12:00", "13:00-18:00"]},
    "closures": [
        {"first": "2026-12-31", "last": "2027-01-03", "hours": [], "reason": "New Year"},
        {"first": "2026-12-24", "last": "2026-12-24", "hours": ["10:00-15:00"], "reason": ""},
    ],
    "services": [
        {
            "id": "cut",
            "name": "Cut",
            "minutes": [45, 60],
            "every_min": 30,
            "before_min": 5,
            "after_min": 10,
            "nights": None,
        },
        {
            "id": "night",
            "name": "Night",
            "minutes": [],
            "every_min": None,
            "before_min": 0,
            "after_min": 0,
            "nights": {"check_in": "15:00", "check_out": "11:00", "longest": 14},
        },
    ],
    "resources": [
        {"id": "chair-1", "name": "Chair 1", "kind": "chair", "capacity": 1, "shared": False, "services": ["cut"]},
        {"id": "room-1", "name": "Room 1", "kind": "room", "capacity": 4, "shared": True, "services": ["night"]},
    ],
    "bays": [{"id": "b1", "station_id": "CP1", "evse_id": 1, "max_charge_w": 10_000, "max_discharge_w": 6_000}],
    "rules": {
        "lead_min": 90,
        "furthest_days": 60,
        "walk_in": False,
        "cancel_min": 120,
        "late_cancel": "noted",
        "no_show_min": 20,
        "plug_before_min": 5,
        "plug_after_min": 0,
        "send_every_min": 5,
        "send_every_bookings": 10,
    },
    "points_per_unit": 1,
    "currency": "JPY",
    "reserve_bays": True,
    "language": "ja",
    "messages": {"ja": {"booked": "{when}"}},
}
TOLD = (
    "tue 09:00-20:00",
    "sun 09:00-12:00 and 13:00-18:00",
    "2026-12-31 to 2027-01-03 closed (New Year); 2026-12-24 10:00-15:00",
    "booked 1 h 30 min ahead at the latest; 60 days at the earliest; no walk-ins",
    "cancelled until 2 h before (later noted)",
    "a no-show after 20 min",
    "bays kept 5 min before",
    "every 5 min or every 10 bookings",
    "45 or 60",
    "every 30 min",
    "5 min before, 10 min after",
    "1-14 nights",
    "15:00, to 11:00",
    "4, shared",
    "booked (ja)",
    "CP1",
)


def test_add_list_and_show(service: FakeService, tmp_path: Path) -> None:
    (tmp_path / "facility.json").write_text(json.dumps(FACILITY))
    service.answers_with("POST", "/api/facilities", FACILITY, 201)
    service.answers_with("GET", "/api/facilities", [FACILITY | {"hours": WEEK}])
    service.answers_with("GET", "/api/facilities/salon", FACILITY)
    assert service.json("facility", "add", f"@{tmp_path / 'facility.json'}") == FACILITY
    assert service.last.body == FACILITY
    assert "each day 09:00-20:00" in service.run("facility", "list").stdout
    assert service.json("facility", "show", "salon") == FACILITY
    shown = " ".join(service.run("facility", "show", "salon").stdout.split())
    for words in TOLD:
        assert words in shown


def test_load_sends_a_toml_file_with_dates_and_times_as_the_api_reads_them(service: FakeService, tmp_path: Path) -> None:
    service.answers_with("PUT", "/api/facilities/salon", FACILITY)
    (tmp_path / "salon.toml").write_text(
        'id = "salon"\nopens = 09:00:00\nclosures = [{first = 2026-12-31}]\nrules = {lead_min = 5}\n'
    )
    assert service.json("facility", "load", str(tmp_path / "salon.toml")) == FACILITY
    asked = {"id": "salon", "opens": "09:00", "closures": [{"first": "2026-12-31"}], "rules": {"lead_min": 5}}
    assert service.last.body == asked


@pytest.mark.parametrize(
    ("text", "status", "words"), [('name = "x"', 1, "says no id"), ("id = ", 2, "is not TOML"), (None, 2, "cannot read")]
)
def test_a_file_that_cannot_be_loaded_is_said(
    service: FakeService, tmp_path: Path, text: str | None, status: int, words: str
) -> None:
    if text is not None:
        (tmp_path / "salon.toml").write_text(text)
    result = service.run("facility", "load", str(tmp_path / "salon.toml"))
    assert result.exit_code == status
    assert words in " ".join(result.stderr.split())
    assert not service.asked


@pytest.mark.parametrize("name", ["salon", "restaurant", "hotel"])
def test_samples_are_printed(service: FakeService, name: str) -> None:
    assert tomllib.loads(service.run("facility", "sample", name).stdout)["id"] == f"sample-{name}"


def test_a_sample_that_there_is_not_is_said(service: FakeService) -> None:
    result = service.run("facility", "sample", "castle")
    assert (result.exit_code, "hotel, restaurant, salon" in result.stderr) == (1, True)
