"""What is kept of a person can be had, and be forgotten."""

import httpx

from contracts.reservation import TokenWithdrawn
from runtime.clock import SimulatedClock
from runtime.service import Host
from tests.reservation.samples import MEMBER, at, stay

WISH = {"contacts": [{"channel": "line", "address": "U123"}]}


async def _with_a_past(salon: httpx.AsyncClient) -> str:
    """A member with a contact, a stay and a payment for it; gives the stay's id."""
    assert (await salon.put("/members/1001/contacts", json=WISH)).status_code == 200
    booked = await salon.post("/bookings", json=stay(11, 13))
    assert booked.status_code == 201, booked.text
    payment = {"facility_id": "salon", "member": "1001", "amount_minor": 5_000}
    paid = await salon.post("/register/payments", json=payment, headers={"Idempotency-Key": "till-1"})
    assert paid.status_code == 201, paid.text
    return str(booked.json()["id"])


async def test_a_member_can_have_all_that_is_kept(salon: httpx.AsyncClient) -> None:
    booking_id = await _with_a_past(salon)
    data = (await salon.get("/members/1001/data")).json()
    assert data["member"]["name"] == MEMBER["name"]
    assert data["contacts"][0] == {"channel": "line", "address": "U123"}
    assert [booking["id"] for booking in data["bookings"]] == [booking_id]
    assert [receipt["gross_minor"] for receipt in data["receipts"]] == [5_000]
    assert data["wallet"]["member_id"] == "m1"
    assert [notice["kind"] for notice in data["member"]["notices"]] == ["booked"]
    assert (await salon.get("/members/nobody/data")).status_code == 404


async def test_a_person_is_forgotten_and_the_figures_stay(
    salon: httpx.AsyncClient, host: Host, clock: SimulatedClock
) -> None:
    withdrawn: list[str] = []

    async def take(event: TokenWithdrawn) -> None:
        withdrawn.append(event.token.value)

    host.bus.subscribe(TokenWithdrawn, "test", take)
    await _with_a_past(salon)
    refused = await salon.delete("/members/1001")
    assert (refused.status_code, "cancel them first" in refused.text) == (409, True)
    await clock.run_until(at(14), host.activity.settled)
    assert (await salon.delete("/members/1001")).status_code == 204
    await host.activity.settled()
    assert withdrawn == ["abcd1234"]
    assert (await salon.get("/members/1001")).status_code == 404
    whole = (await salon.get("/members/m1/data")).text
    for trace in (MEMBER["name"], MEMBER["email"], "819012345678", "abcd1234", "ABCD1234", "U123"):
        assert trace not in whole
    assert (await salon.get("/members/m1/data")).json()["receipts"][0]["gross_minor"] == 5_000
    assert (await salon.get("/ledger/verify")).json()["ok"]
    assert (await salon.post("/members", json=MEMBER | {"id": "m9"})).status_code == 201
    assert (await salon.delete("/members/nobody")).status_code == 404


async def test_a_token_that_is_taken_away_is_told(salon: httpx.AsyncClient, host: Host) -> None:
    withdrawn: list[str] = []

    async def take(event: TokenWithdrawn) -> None:
        withdrawn.append(event.token.value)

    host.bus.subscribe(TokenWithdrawn, "test", take)
    assert (await salon.patch("/members/1001", json={"tokens": []})).status_code == 200
    await host.activity.settled()
    assert withdrawn == ["abcd1234"]
