"""Car models over HTTP, and members who choose from them."""

from typing import Any

import httpx
import pytest

from tests.reservation.samples import MEMBER

LEAF: dict[str, Any] = {
    "make": "Nissan",
    "model": "Leaf e+",
    "year": 2021,
    "battery_wh": 59_000,
    "max_charge_w": 6_600,
    "max_discharge_w": None,
    "bidirectional": None,
    "consumption_wh_per_km": 171,
    "plugs": ["chademo", "type2"],
}
ID_3 = {"make": "Volkswagen", "model": "ID.3 Pro", "battery_wh": 58_000, "max_charge_w": 11_000, "plugs": ["ccs2", "type2"]}


async def names(http: httpx.AsyncClient, text: str, **more: int) -> list[str]:
    answer = await http.get("/car-models", params={"q": text, **more})
    assert answer.status_code == 200, answer.text
    return [model["name"] for model in answer.json()]


async def load(http: httpx.AsyncClient, *models: dict[str, Any]) -> dict[str, str]:
    """The ids by model."""
    kept = await http.put("/car-models", json={"models": models})
    assert (kept.status_code, kept.json()) == (200, {"models": len(models)})
    return {model["model"]: model["id"] for model in (await http.get("/car-models")).json()}


async def test_models_are_found_by_the_beginnings_of_words(http: httpx.AsyncClient) -> None:
    ids = await load(http, LEAF, ID_3, {**LEAF, "year": 2023})
    assert await names(http, "leaf nis") == ["Nissan Leaf e+ (2023)", "Nissan Leaf e+ (2021)"]
    assert await names(http, "id3") == await names(http, "VOLKSWAGEN ID.3") == ["Volkswagen ID.3 Pro"]
    assert await names(http, "eaf") == await names(http, "leaf volkswagen") == []
    assert len(await names(http, "")) == 3
    assert len(await names(http, "%_", limit=2)) == 2
    one = await http.get(f"/car-models/{ids['ID.3 Pro']}")
    assert (one.status_code, one.json()["battery_wh"]) == (200, 58_000)
    assert (await http.get("/car-models/none")).status_code == 404


async def test_a_search_is_bounded(http: httpx.AsyncClient) -> None:
    await load(http, *({**ID_3, "model": f"ID.{number}"} for number in range(120)))
    assert len(await names(http, "volks")) == 20
    assert len(await names(http, "volks", limit=100)) == 100
    for asked in ({"limit": 101}, {"limit": 0}, {"q": "x" * 101}):
        assert (await http.get("/car-models", params=asked)).status_code == 422


@pytest.mark.parametrize(
    "bad",
    [
        {"battery_wh": 0},
        {"battery_wh": None},
        {"max_charge_w": 1.5},
        {"make": ""},
        {"plugs": ["a plug"]},
        {"year": 1},
        {"kWh": 1},
    ],
)
async def test_a_bad_model_changes_nothing(http: httpx.AsyncClient, bad: dict[str, Any]) -> None:
    await load(http, LEAF)
    refused = await http.put("/car-models", json={"models": [ID_3, {**LEAF, **bad}]})
    assert refused.status_code == 422
    assert next(iter(bad)) in refused.text
    assert await names(http, "") == ["Nissan Leaf e+ (2021)"]


async def test_a_members_car_is_a_model_and_stays_when_the_list_is_replaced(http: httpx.AsyncClient) -> None:
    leaf = (await load(http, LEAF, ID_3))["Leaf e+"]
    added = await http.post("/members", json={**MEMBER, "car": {"model_id": leaf, "max_discharge_w": 6_000}})
    assert added.status_code == 201, added.text
    car = added.json()["car"]
    assert car == {
        "model_id": leaf,
        "name": "Nissan Leaf e+ (2021)",
        "battery_wh": 59_000,
        "max_charge_w": 6_600,
        "max_discharge_w": 6_000,
        "consumption_wh_per_km": 171,
        "plugs": ["chademo", "type2"],
    }
    await load(http, ID_3)
    assert (await http.get("/members/1001")).json()["car"] == car
    assert (await http.patch("/members/1001", json={"car": car})).json()["car"] == car
    other = await http.patch("/members/1001", json={"car": {"model_id": leaf}})
    assert (other.status_code, "no car model" in other.json()["detail"]) == (422, True)
    own = await http.patch("/members/1001", json={"car": {"battery_wh": 20_000, "max_charge_w": 2_900, "name": "Sakura"}})
    assert (own.json()["car"]["name"], own.json()["car"]["model_id"]) == ("Sakura", None)
    assert (await http.patch("/members/1001", json={"car": None})).json()["car"] is None
