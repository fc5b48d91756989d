"""Stays that are booked week after week."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.reservation.samples import FACILITY, another_member, stay

WEEK = 7 * 24


def series(weeks: int, take: str = "all", **given: Any) -> dict[str, Any]:
    return {**stay(by_car=False, **given), "weeks": weeks, "take": take}


def starts(answer: httpx.Response) -> list[str]:
    return [one["start"] for one in answer.json()["bookings"]]


async def test_a_stay_is_booked_week_after_week(salon: httpx.AsyncClient) -> None:
    made = await salon.post("/series", json=series(3))
    assert made.status_code == 201
    assert starts(made) == ["2026-06-03T02:00:00Z", "2026-06-10T02:00:00Z", "2026-06-17T02:00:00Z"]
    assert {one["series_id"] for one in made.json()["bookings"]} == {made.json()["id"]}
    found = (await salon.get("/bookings", params={"series_id": made.json()["id"]})).json()
    assert found == made.json()["bookings"]


async def test_all_of_them_or_none(salon: httpx.AsyncClient) -> None:
    await salon.post("/members", json=another_member(2))
    await salon.post("/bookings", json=stay(WEEK + 12, WEEK + 14, member="n2", by_car=False))
    refused = await salon.post("/series", json=series(3))
    assert refused.status_code == 409
    assert refused.json()["detail"] == "2026-06-10 11:00: every resource is booked in that period"
    assert len((await salon.get("/bookings")).json()) == 1
    free = await salon.post("/series", json=series(3, "free"))
    assert starts(free) == ["2026-06-03T02:00:00Z", "2026-06-17T02:00:00Z"]
    [left] = free.json()["left"]
    assert left == {"start": "2026-06-10T11:00:00+09:00", "detail": "every resource is booked in that period"}


async def test_none_that_is_free_is_refused_with_what_is(salon: httpx.AsyncClient) -> None:
    await salon.post("/members", json=another_member(2))
    assert (await salon.post("/series", json=series(2, member="n2"))).status_code == 201
    refused = await salon.post("/series", json=series(2, "free"))
    assert refused.status_code == 409
    assert "none of the 2 stays is free" in refused.json()["detail"]
    assert refused.json()["alternatives"]


async def test_a_holiday_is_left_out(salon: httpx.AsyncClient) -> None:
    await salon.put("/facilities/salon", json={**FACILITY, "closures": [{"first": "2026-06-10", "reason": "works"}]})
    refused = await salon.post("/series", json=series(3))
    assert (refused.status_code, "closed (works)" in refused.json()["detail"]) == (422, True)
    assert len(starts(await salon.post("/series", json=series(3, "free")))) == 2


async def test_the_same_request_again_is_the_same_series(salon: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "k"}
    first = await salon.post("/series", json=series(3), headers=key)
    again = await salon.post("/series", json=series(3), headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    other = await salon.post("/series", json=series(4), headers=key)
    assert (other.status_code, "another request" in other.json()["detail"]) == (422, True)
    assert len((await salon.get("/bookings")).json()) == 3


async def test_a_series_is_cancelled_as_far_as_it_can_be(salon: httpx.AsyncClient) -> None:
    await salon.put("/facilities/salon", json={**FACILITY, "rules": {"cancel_min": 24 * 60}})
    made = (await salon.post("/series", json=series(3))).json()
    gone = (await salon.delete(f"/series/{made['id']}")).json()
    assert [one["state"] for one in gone["bookings"]] == ["cancelled", "cancelled"]
    assert ["ask the staff" in one["detail"] for one in gone["left"]] == [True]
    assert [
        one["state"] for one in (await salon.delete(f"/series/{made['id']}", params={"by": "staff"})).json()["bookings"]
    ] == ["cancelled"]
    assert (await salon.delete("/series/none")).status_code == 404


async def test_weeks_are_counted_by_the_facilitys_clocks(http: httpx.AsyncClient) -> None:
    await http.post("/facilities", json={**FACILITY, "zone": "Europe/Berlin"})
    await http.post("/members", json=another_member(1))
    start = datetime(2026, 10, 21, 14, tzinfo=ZoneInfo("Europe/Berlin"))
    body = series(2, member="n1", start=start.isoformat(), end=(start + timedelta(hours=1)).isoformat())
    made = await http.post("/series", json=body)
    assert starts(made) == ["2026-10-21T12:00:00Z", "2026-10-28T13:00:00Z"]


@pytest.mark.parametrize("given", [{"weeks": 1}, {"weeks": 105}, {"take": "some"}])
async def test_a_series_that_makes_no_sense_is_refused(salon: httpx.AsyncClient, given: dict[str, Any]) -> None:
    assert (await salon.post("/series", json=series(3) | given)).status_code == 422
