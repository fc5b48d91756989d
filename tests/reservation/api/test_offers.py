"""From the periods that the engine publishes to offers that the right members get (S100-S106, M6)."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from contracts.dr import Direction, IncentiveWindow, IncentiveWindowsPublished
from contracts.ids import FacilityId
from contracts.reservation import FacilityAdded
from runtime.clock import SimulatedClock
from runtime.service import Host
from tests.reservation.samples import at

SALON = "/facilities/salon"
NO_CAR = {"number": "1002", "name": "Sato Ken", "phone": "09022222222"}


async def publish(host: Host, *windows: tuple[float, float, int], until: float = 48, facility: str = "salon") -> None:
    """Windows of 3 June on by their hours and yen for a kWh, all of them UP."""
    told = [
        IncentiveWindow(start=at(start), end=at(end), direction=Direction.UP, minor_per_kwh=yen)
        for start, end, yen in windows
    ]
    await host.bus.publish(
        IncentiveWindowsPublished(
            at=host.clock.now(),
            facility_id=FacilityId(facility),
            currency="JPY",
            start=at(0),
            end=at(until),
            windows=tuple(told),
        )
    )
    await host.activity.settled()


async def notices(http: httpx.AsyncClient, number: str) -> list[dict[str, Any]]:
    found = (await http.get(f"/members/{number}/notices")).json()
    return [notice for notice in found if notice["kind"] == "offer"]


async def test_S100_M6_what_is_published_can_be_seen_and_what_a_car_can_earn(salon: httpx.AsyncClient, host: Host) -> None:
    await publish(host, (14, 17, 40), (19, 20, 30))
    periods = (await salon.get(f"{SALON}/paid-periods")).json()
    assert [(one["minor_per_kwh"], one["direction"], one["currency"], one["most_minor"]) for one in periods] == [
        (40, "up", "JPY", None),
        (30, "up", "JPY", None),
    ]
    assert datetime.fromisoformat(periods[0]["start"]) == at(14)
    of_member = (await salon.get(f"{SALON}/paid-periods", params={"member": "1001"})).json()
    assert [one["most_minor"] for one in of_member] == [3 * 11 * 40, 11 * 30]
    await publish(host, (15, 16, 50))
    assert [one["minor_per_kwh"] for one in (await salon.get(f"{SALON}/paid-periods")).json()] == [50]
    assert (await salon.get("/facilities/nowhere/paid-periods")).status_code == 404
    assert (await salon.get(f"{SALON}/paid-periods", params={"member": "nobody"})).status_code == 404


async def test_S100_periods_of_a_facility_that_is_not_set_up_are_passed_over_and_its_setting_up_is_announced(
    salon: httpx.AsyncClient, host: Host
) -> None:
    added: list[str] = []
    await host.activity.settled()

    async def hear(event: FacilityAdded) -> None:
        added.append(event.facility_id)

    host.bus.subscribe(FacilityAdded, "test", hear)
    await publish(host, (14, 17, 40), facility="later")
    later = (await salon.get(SALON)).json() | {"id": "later", "bays": []}
    answers = [await salon.post("/facilities", json=later) for _ in range(2)]
    await host.activity.settled()
    assert [answer.status_code for answer in answers] == [201, 200]
    assert added == ["later"]
    assert (await salon.get("/facilities/later/paid-periods")).json() == []
    await publish(host, (14, 17, 40), facility="later")
    assert len((await salon.get("/facilities/later/paid-periods")).json()) == 1


async def test_S102_S104_a_preview_says_who_would_be_told_what_and_sends_nothing(
    salon: httpx.AsyncClient, host: Host
) -> None:
    assert (await salon.post("/members", json=NO_CAR)).status_code == 201
    await publish(host, (14, 17, 40))
    policy = {"audience": {"kind": "has_car"}}
    found = (await salon.post(f"{SALON}/offers/preview", json={"policy": policy})).json()
    assert [(one["number"], one["why"]) for one in found["left_out"]] == [("1002", "has no electric car")]
    [told] = found["told"]
    assert told["number"] == "1001"
    for part in ("Salon Kanda", "14:00 to 17:00", "1,320 JPY"):
        assert part in told["text"]
    assert (await notices(salon, "1001"), (await salon.get(f"{SALON}/offers")).json()) == ([], [])


async def test_S104_S106_staff_send_an_offer_once(salon: httpx.AsyncClient, host: Host) -> None:
    refused = await salon.post(f"{SALON}/offers", json={})
    assert (refused.status_code, "no paid period" in refused.text) == (422, True)
    await publish(host, (14, 17, 40))
    sent = (await salon.post(f"{SALON}/offers", json={})).json()
    assert (sent["chosen"], sent["left_out"], sent["automatic"]) == (1, 0, False)
    assert (await salon.post(f"{SALON}/offers", json={})).status_code == 409
    assert (await salon.post(f"{SALON}/offers", json={"again": True})).status_code == 201
    await host.activity.settled()
    one = (await salon.get(f"/offers/{sent['id']}")).json()
    assert [(told["number"], told["state"]) for told in one["told"]] == [("1001", "kept")]
    assert len(await notices(salon, "1001")) == 2
    third = (await salon.post(f"{SALON}/offers", json={"again": True})).json()
    assert (third["chosen"], third["left_out"]) == (0, 1)
    assert len((await salon.get(f"{SALON}/offers")).json()) == 3
    assert (await salon.get("/offers/none")).status_code == 404


async def test_S102_offers_go_out_by_themselves_where_the_policy_says_so_and_once_for_each_period(
    salon: httpx.AsyncClient, host: Host
) -> None:
    await publish(host, (14, 17, 40))
    assert await notices(salon, "1001") == []
    assert (await salon.put(f"{SALON}/offer-policy", json={"automatic": True, "per_week": 10})).status_code == 200
    assert (await salon.get(f"{SALON}/offer-policy")).json()["per_week"] == 10
    await publish(host, (14, 17, 40))
    assert len(await notices(salon, "1001")) == 1
    await publish(host, (14, 17, 35))
    assert len(await notices(salon, "1001")) == 1
    await publish(host, (14, 17, 60))
    assert len(await notices(salon, "1001")) == 2
    await publish(host, (14, 17, 60), (19, 20, 30))
    assert len(await notices(salon, "1001")) == 3
    assert "14:00" not in (await notices(salon, "1001"))[-1]["text"]


async def test_S106_what_is_published_at_night_goes_out_in_the_morning(
    salon: httpx.AsyncClient, host: Host, clock: SimulatedClock
) -> None:
    await clock.run_until(at(22), host.activity.settled)
    await salon.put(f"{SALON}/offer-policy", json={"automatic": True})
    await publish(host, (38, 41, 40))
    [waiting] = await notices(salon, "1001")
    assert waiting["state"] == "waiting"
    await clock.run_until(at(33) - timedelta(seconds=1), host.activity.settled)
    assert (await notices(salon, "1001"))[0]["state"] == "waiting"
    await clock.run_until(at(33), host.activity.settled)
    assert (await notices(salon, "1001"))[0]["state"] == "kept"


async def test_S104_who_declines_gets_no_more_offers(salon: httpx.AsyncClient, host: Host) -> None:
    await publish(host, (14, 17, 40))
    assert (await salon.put("/members/1001/offers", json={"wanted": False})).status_code == 204
    found = (await salon.post(f"{SALON}/offers/preview", json={})).json()
    assert [one["why"] for one in found["left_out"]] == ["wants no offers"]
    assert (await salon.put("/members/1001/offers", json={"wanted": True})).status_code == 204
    assert (await salon.post(f"{SALON}/offers/preview", json={})).json()["left_out"] == []


async def test_S104_members_are_chosen_by_what_they_spent_and_when_they_came(salon: httpx.AsyncClient, host: Host) -> None:
    await publish(host, (14, 17, 40))
    spent = {"kind": "spent", "at_least_minor": 5_000, "days": 30}
    visited = {"kind": "visited", "days": 30}

    async def left_out(audience: Any) -> list[str]:
        answer = await salon.post(f"{SALON}/offers/preview", json={"policy": {"audience": audience}})
        return [one["why"] for one in answer.json()["left_out"]]

    assert await left_out({"kind": "all", "of": [visited, spent]}) == ["came 0 of 1 times in 30 days"]
    paid = await salon.post("/register/payments", json=payment(4_999), headers={"Idempotency-Key": "till-1"})
    assert paid.status_code == 201, paid.text
    assert await left_out(visited) == []
    assert await left_out(spent) == ["spent 4,999 of 5,000 in 30 days"]
    await salon.post("/register/payments", json=payment(1), headers={"Idempotency-Key": "till-2"})
    assert await left_out(spent) == []


def payment(amount_minor: int) -> dict[str, Any]:
    return {"facility_id": "salon", "member": "1001", "amount_minor": amount_minor}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", f"{SALON}/offer-policy", {"audience": {"kind": "rich"}}),
        ("PUT", f"{SALON}/offer-policy", {"per_week": "two"}),
        ("POST", f"{SALON}/offers/preview", {"policy": {"quiet_from": "soon"}}),
        ("POST", f"{SALON}/offers", {"again": "yes"}),
        ("PUT", "/members/1001/offers", {}),
    ],
)
async def test_S104_what_cannot_be_meant_is_refused(salon: httpx.AsyncClient, method: str, path: str, body: Any) -> None:
    assert (await salon.request(method, path, json=body)).status_code == 422


async def test_S104_a_policy_nested_too_deep_is_refused(salon: httpx.AsyncClient) -> None:
    audience: dict[str, Any] = {"kind": "everyone"}
    for _ in range(8):
        audience = {"kind": "not", "of": audience}
    answer = await salon.put(f"{SALON}/offer-policy", json={"audience": audience})
    assert answer.status_code == 422
    assert "deep" in answer.text
