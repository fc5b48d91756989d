"""`gridstay car` and the cars of members against a fake service."""

from pathlib import Path
from typing import Any

from tests.gridstay.cli.conftest import FakeService
from tests.gridstay.cli.test_bookings import MEMBER

TABLE = "make,model,battery_kwh,ac_kw\nNissan,Sakura,20,2.9\nNissan,Leaf,39,6.6\n"
LEAF: dict[str, Any] = {
    "id": "0123456789abcdef",
    "name": "Nissan Leaf",
    "make": "Nissan",
    "model": "Leaf",
    "year": None,
    "battery_wh": 39_000,
    "max_charge_w": 6_600,
    "max_discharge_w": None,
    "bidirectional": None,
    "consumption_wh_per_km": 166,
    "plugs": ["chademo", "type2"],
}


def test_load_sends_the_whole_list(service: FakeService, tmp_path: Path) -> None:
    (tmp_path / "cars.csv").write_text(TABLE)
    service.answers_with("PUT", "/api/car-models", {"models": 2})
    assert service.json("car", "load", str(tmp_path / "cars.csv")) == {"models": 2, "lines": 2, "left out": 0}
    assert [model["model"] for model in service.last.body["models"]] == ["Sakura", "Leaf"]
    assert service.run("cars", "load", str(tmp_path / "cars.csv")).exit_code == 0


def test_load_tells_the_line_and_sends_nothing(service: FakeService, tmp_path: Path) -> None:
    (tmp_path / "cars.csv").write_text(TABLE + "Nissan,Ariya,66 kWh,7.4\n")
    (tmp_path / "empty.csv").write_text("make,model,battery_kwh,ac_kw\n")
    result = service.run("car", "load", str(tmp_path / "cars.csv"))
    assert (result.exit_code, "cars.csv line 4: battery_kwh is '66 kWh'" in result.stderr) == (1, True)
    assert "no line of" in service.run("car", "load", str(tmp_path / "empty.csv")).stderr
    assert service.asked == []


def test_load_names_the_line_that_the_service_refuses(service: FakeService, tmp_path: Path) -> None:
    (tmp_path / "cars.csv").write_text(TABLE)
    fault = {"loc": ["body", "models", 1, "battery_wh"], "msg": "Input should be less than or equal to 10000000"}
    service.answers_with("PUT", "/api/car-models", {"detail": [fault]}, 422)
    result = service.run("car", "load", str(tmp_path / "cars.csv"))
    assert result.exit_code == 1
    assert "cars.csv line 3: battery_wh: Input should be less" in result.stderr


def test_search_shows_models(service: FakeService) -> None:
    service.answers_with("GET", "/api/car-models", [LEAF])
    result = service.run("car", "search", "nissan", "leaf")
    assert service.last.query == {"q": "nissan leaf", "limit": "20"}
    for words in ("0123456789abcdef", "Nissan Leaf", "39.0", "chademo, type2"):
        assert words in result.stdout
    service.answers_with("GET", "/api/car-models", [])
    assert "No model has these words" in service.run("car", "search", "x").stdout


def test_a_member_joins_with_a_model(service: FakeService) -> None:
    service.answers_with("POST", "/api/members", MEMBER, 201)
    service.json("member", "add", "M1", "--name", "Yuki", "--car-model", LEAF["id"], "--discharge-kw", "6")
    assert service.last.body["car"] == {"model_id": LEAF["id"], "max_discharge_w": 6_000}


def test_a_members_car_is_changed_or_taken_away(service: FakeService) -> None:
    shown = MEMBER | {"car": MEMBER["car"] | {"name": "Nissan Leaf"}}
    service.answers_with("PATCH", "/api/members/M1", shown)
    assert "Nissan Leaf, 59.0 kWh" in service.run("member", "car", "M1", "--model", LEAF["id"]).stdout
    assert service.last.body == {"car": {"model_id": LEAF["id"]}}
    service.json("member", "car", "M1", "--battery-kwh", "20")
    assert service.last.body == {"car": {"battery_wh": 20_000, "max_charge_w": 6_000}}
    service.json("member", "car", "M1", "--none")
    assert service.last.body == {"car": None}
    for wrong in ((), ("--none", "--model", LEAF["id"])):
        assert service.run("member", "car", "M1", *wrong).exit_code == 2
