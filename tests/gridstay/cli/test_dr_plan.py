"""`gridstay dr plan` against a fake service."""

from typing import Any

import pytest

from tests.gridstay.cli.conftest import FakeService

SLOT: dict[str, Any] = {
    "start": "2026-06-03T05:00:00Z",
    "end": "2026-06-03T05:15:00Z",
    "target_w": -30_000,
    "band_w": 3_000,
    "planned_w": -25_000,
    "cars": 4,
    "missed_wh": 500,
    "over_wh": 0,
    "value": 60.0,
    "sold": True,
}
PLAN: dict[str, Any] = {
    "facility_id": "salon",
    "made_at": "2026-06-03T04:59:58Z",
    "method": "whole",
    "reason": "",
    "cost": 42.0,
    "bound": 41.5,
    "slots": [
        SLOT,
        SLOT
        | {
            "start": "2026-06-03T05:15:00Z",
            "target_w": None,
            "planned_w": 12_500,
            "missed_wh": 0,
            "value": 0.0,
            "sold": False,
        },
    ],
    "cars": [
        {
            "booking_id": "b-1",
            "session_id": None,
            "standing": "charge_only",
            "first": 0,
            "power_w": [-5_000, 3_000],
            "energy_wh": [30_000, 30_700],
        }
    ],
}


@pytest.fixture(autouse=True)
def facility(service: FakeService) -> None:
    service.answers_with("GET", "/api/facilities/salon", {"id": "salon", "zone": "Asia/Tokyo"})
    service.answers_with("GET", "/api/dr/plan", PLAN)


def test_a_plan_slot_by_slot(service: FakeService) -> None:
    shown = service.run("dr", "plan", "show", "--facility", "salon").stdout
    for text in ("2026-06-03 14:00", "-25.0", "-30.0", "3.0", "0.50", "60.00", "◆", "█", "if called", "no plan below 41.50"):
        assert text in shown
    assert "b-1" not in shown


def test_each_car_when_asked(service: FakeService) -> None:
    shown = service.run("dr", "plan", "show", "--facility", "salon", "--cars").stdout
    for text in ("b-1", "charge only", "-5.0 3.0", "30.7"):
        assert text in shown


def test_programs_get_the_answer_as_it_is(service: FakeService) -> None:
    assert service.json("dr", "plan", "show", "--facility", "salon") == PLAN
