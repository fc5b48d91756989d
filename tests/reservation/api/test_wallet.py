"""A member's wallet over HTTP."""

from typing import Any

import httpx
import pytest

from runtime.bus.local import LocalBus
from tests.reservation.api.test_register import done, given
from tests.reservation.handlers.test_compensation import allocated, share


async def wallet(http: httpx.AsyncClient, **query: str) -> dict[str, Any]:
    answer = await http.get("/members/1001/wallet", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_S504_a_wallet_says_what_there_is_and_where_it_came_from(salon: httpx.AsyncClient, bus: LocalBus) -> None:
    assert await wallet(salon) == {"member_id": "m1", "balances": [], "benefits": [], "history": []}
    booking = await given(salon, bus, 500, {"kind": "amount_off", "expires_days": 30})
    body = {"facility_id": "salon", "amount_minor": 600, "member": "1001", "redeem": {"amount_off_minor": 100}}
    paid = await done(salon, "payments", **body)
    found = await wallet(salon)
    source = {"statement_id": "st1", "event_id": "e1", "receipt_id": None, "booking_id": booking}
    expiry = "2026-07-03T00:00:00Z"
    assert found["balances"] == [
        {
            "facility_id": "salon",
            "kind": "amount_off",
            "unit": "JPY",
            "available": 400,
            "pending": 0,
            "owed": 0,
            "expiring_next": {"amount": 400, "at": expiry},
        }
    ]
    (benefit,) = found["benefits"]
    assert (benefit["available"], benefit["expires_at"], benefit["source"]) == (400, expiry, source)
    assert [(one["what"], one["available"], one["receipt_id"]) for one in found["history"]] == [
        ("spent", -100, paid["id"]),
        ("given", 500, None),
    ]
    assert {str(one["source"]) for one in found["history"]} == {str(source)}
    assert (await wallet(salon, facility_id="bath"))["balances"] == []


async def test_S504_pending_and_owed_are_seen(salon: httpx.AsyncClient, bus: LocalBus) -> None:
    await salon.put("/facilities/salon/register", json={"earn_points": 1, "earn_per_minor": 10})
    first = await done(salon, "payments", facility_id="salon", amount_minor=1_000, member="1001")
    await done(salon, "payments", facility_id="salon", amount_minor=100, member="1001", redeem={"points": 100})
    await done(salon, "refunds", receipt_id=first["id"])
    await given(salon, bus, 500, {"kind": "points", "pending_until_final": True})
    (balance,) = (await wallet(salon))["balances"]
    assert (balance["available"], balance["pending"], balance["owed"]) == (0, 500, 100)
    history = (await wallet(salon))["history"]
    assert [(one["what"], one["available"], one["pending"], one["owed"]) for one in history] == [
        ("given", 0, 500, 0),
        ("taken_back", 0, 0, 100),
        ("spent", -100, 0, 0),
        ("earned", 100, 0, 0),
    ]
    booking = history[0]["source"]["booking_id"]
    await bus.publish(allocated(share("m1", booking, 500), revision=2, final=True))
    (balance,) = (await wallet(salon))["balances"]
    assert (balance["available"], balance["pending"], balance["owed"]) == (400, 0, 0)
    assert (await wallet(salon))["history"][0]["what"] == "released"


async def test_the_history_comes_in_pages(salon: httpx.AsyncClient) -> None:
    await salon.put("/facilities/salon/register", json={"earn_points": 1, "earn_per_minor": 1})
    for amount in range(1, 6):
        await done(salon, "payments", facility_id="salon", amount_minor=amount, member="1001")
    seen: list[int] = []
    query: dict[str, Any] = {"limit": 2}
    while query.get("before", 1) is not None:
        page = (await salon.get("/members/1001/wallet/history", params=query)).json()
        seen += [one["available"] for one in page["movements"]]
        query["before"] = page["next_before"]
    assert seen == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/members/9/wallet", 404),
        ("/members/9/wallet/history", 404),
        ("/members/1001/wallet/history?limit=0", 422),
        ("/members/1001/wallet/history?before=x", 422),
    ],
)
async def test_what_cannot_be_shown_is_refused(salon: httpx.AsyncClient, path: str, status: int) -> None:
    assert (await salon.get(path)).status_code == status
