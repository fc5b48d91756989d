"""From compensation to points, over the bus."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from contracts.dr import CompensationAllocated, Share
from contracts.ids import BookingId, DrEventId, FacilityId, MemberId, MessageId, SessionId
from reservation.service import ReservationService
from runtime.activity import Activity
from runtime.bus.local import LocalBus
from runtime.bus.ports import DeliveryFailed
from tests.reservation.samples import NOW, another_member, stay

Allocated = Callable[..., CompensationAllocated]


def share(member: str, booking: str, amount: int, session: str = "s1", wh: int = 5_200) -> Share:
    return Share(
        member_id=MemberId(member),
        booking_id=BookingId(booking),
        session_id=SessionId(session),
        delivered_wh=wh,
        amount_minor=amount,
    )


def allocated(*shares: Share, undistributed: int = 0, **given: Any) -> CompensationAllocated:
    base: dict[str, Any] = {
        "at": NOW,
        "statement_id": "st1",
        "revision": 1,
        "event_id": DrEventId("e1"),
        "facility_id": FacilityId("salon"),
        "currency": "JPY",
        "total_minor": sum(one.amount_minor for one in shares) + undistributed,
        "undistributed_minor": undistributed,
        "shares": shares,
    }
    return CompensationAllocated(**{**base, **given})


@pytest.fixture
async def stays(salon: httpx.AsyncClient) -> list[str]:
    """The bookings of two members, m1 and id2."""
    await salon.post("/members", json=another_member(2))
    bodies = [stay(11, 13), stay(14, 16, member="n2")]
    return [(await salon.post("/bookings", json=body)).json()["id"] for body in bodies]


async def points(http: httpx.AsyncClient) -> dict[str, int]:
    return {member["id"]: member["points"] for member in (await http.get("/members")).json()}


async def accounts(http: httpx.AsyncClient) -> dict[str, int]:
    return {balance["account"]: balance["amount"] for balance in (await http.get("/ledger/accounts")).json()}


async def thanked(http: httpx.AsyncClient, member: str) -> list[str]:
    notices = (await http.get(f"/members/{member}/notices")).json()
    return [notice["text"] for notice in notices if notice["kind"] == "benefit"]


async def test_S500_S502_S504_shares_become_points_and_the_members_are_told(
    salon: httpx.AsyncClient, stays: list[str], bus: LocalBus, service: ReservationService
) -> None:
    await bus.publish(allocated(share("m1", stays[0], 312), share("id2", stays[1], 88, "s2", 1_000), undistributed=7))
    assert await points(salon) == {"m1": 312, "id2": 88}
    assert await accounts(salon) == {
        "facility/salon/compensation": 400,
        "facility/salon/points": -400,
        "facility/salon/undistributed": 7,
        "grid/compensation": -407,
        "member/m1/points": 312,
        "member/id2/points": 88,
    }
    assert (await salon.get("/ledger/verify")).json() == {"ok": True, "entries": 5, "faults": []}
    assert await thanked(salon, "m1") == [
        "You helped the grid with 5.2 kWh during your stay at Salon Kanda on 3 June 2026. You receive 312 points."
    ]
    figures = await service.figures()
    assert (figures["points_granted"], figures["inbox"]) == (400, {"CompensationAllocated": 1})


async def test_X3_the_same_message_and_the_same_statement_are_paid_once(
    salon: httpx.AsyncClient, stays: list[str], bus: LocalBus
) -> None:
    event = allocated(share("m1", stays[0], 312), share("id2", stays[1], 88, "s2"))
    again = allocated(*reversed(event.shares), id=MessageId("another-message"))
    for one in (event, event, again, again):
        await bus.publish(one)
    assert await points(salon) == {"m1": 312, "id2": 88}
    assert len(await thanked(salon, "m1")) == 1


async def test_X3_a_later_revision_posts_the_differences_only(
    salon: httpx.AsyncClient, stays: list[str], bus: LocalBus
) -> None:
    first = allocated(share("m1", stays[0], 312), share("id2", stays[1], 88, "s2"))
    second = allocated(share("m1", stays[0], 300), share("id2", stays[1], 90, "s2"), undistributed=10, revision=2)
    for one in (first, second, first, allocated(*first.shares)):
        await bus.publish(one)
    assert await points(salon) == {"m1": 300, "id2": 90}
    assert await thanked(salon, "m1") == [
        "You helped the grid with 5.2 kWh during your stay at Salon Kanda on 3 June 2026. You receive 312 points.",
        "The figures of your stay at Salon Kanda on 3 June 2026 were corrected. 12 points were taken back.",
    ]
    assert (await thanked(salon, "id2"))[-1].endswith("You receive 2 points more.")
    assert (await salon.get("/ledger/verify")).json()["ok"]


async def test_S502_a_share_of_nothing_posts_nothing(salon: httpx.AsyncClient, stays: list[str], bus: LocalBus) -> None:
    await bus.publish(allocated(share("m1", stays[0], 0, wh=0)))
    assert await accounts(salon) == {}
    assert await thanked(salon, "m1") == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"total_minor": 313}, "sum to 312, not to its total 313"),
        ({"facility_id": FacilityId("nowhere")}, "no facility 'nowhere'"),
        ({"currency": "EUR"}, "is in EUR"),
        ({"shares": (share("m9", "?", 312),)}, "no member"),
        ({"shares": (share("m1", "none", 312),)}, "no booking"),
        ({"shares": (share("id2", "?", 312),)}, "not a stay of member id2"),
        ({"shares": (share("1001", "?", 312),)}, "not a stay of member 1001"),
        ({"shares": (share("m1", "?", -312),), "total_minor": -312}, "negative"),
        ({"shares": (share("m1", "?", 156),) * 2}, "a session twice"),
    ],
)
async def test_X3_what_does_not_add_up_is_refused_whole(
    salon: httpx.AsyncClient,
    stays: list[str],
    bus: LocalBus,
    service: ReservationService,
    change: dict[str, Any],
    why: str,
) -> None:
    base: dict[str, Any] = {"shares": (share("m1", "?", 312),), "total_minor": 312, **change}
    base["shares"] = tuple(
        share(one.member_id, stays[0] if one.booking_id == "?" else one.booking_id, one.amount_minor)
        for one in base["shares"]
    )
    with pytest.raises(DeliveryFailed, match=why):
        await bus.publish(allocated(**base))
    figures = await service.figures()
    assert (figures["points_granted"], figures["inbox"]) == (0, {})
    assert await accounts(salon) == {}


async def test_X3_the_same_revision_with_other_figures_is_refused(
    salon: httpx.AsyncClient, stays: list[str], bus: LocalBus
) -> None:
    await bus.publish(allocated(share("m1", stays[0], 312)))
    with pytest.raises(DeliveryFailed, match="other figures"):
        await bus.publish(allocated(share("m1", stays[0], 313)))
    assert (await points(salon))["m1"] == 312


ITEM = {"id": "shampoo", "name": "Shampoo", "threshold_minor": 800}
RATE = {"bp_per_unit": 2, "max_bp": 1_000, "cap_minor": 2_000}
HELPED = "You helped the grid with 5.2 kWh during your stay at Salon Kanda on 3 June 2026. "


@pytest.mark.parametrize(
    ("policy", "account", "amount", "told"),
    [
        ({"kind": "points"}, "member/m1/points", 312, "You receive 312 points."),
        ({"kind": "amount_off"}, "member/m1/amount_off/salon", 312, "You receive 312 JPY off your next payment."),
        ({"kind": "cash"}, "member/m1/cash/salon", 312, "You receive 312 JPY in cash."),
        ({"kind": "item", "items": [ITEM]}, "member/m1/item/salon", 312, "You receive 312 JPY towards a gift."),
        ({"kind": "rate_off", "rate": RATE}, "member/m1/rate_off/salon", 624, "You receive 6.24 % off your next payment."),
    ],
)
async def test_S502_S504_each_kind_is_given_at_once(
    salon: httpx.AsyncClient,
    stays: list[str],
    bus: LocalBus,
    policy: dict[str, Any],
    account: str,
    amount: int,
    told: str,
) -> None:
    await salon.put("/facilities/salon/benefits", json={**policy, "pending_until_final": False})
    await bus.publish(allocated(share("m1", stays[0], 312)))
    held = await accounts(salon)
    assert (held[account], held["facility/salon/compensation"]) == (amount, 312)
    assert await thanked(salon, "m1") == [HELPED + told]
    assert (await salon.get("/ledger/verify")).json()["faults"] == []


async def test_S504_a_member_is_told_in_the_member_s_language(
    salon: httpx.AsyncClient, stays: list[str], bus: LocalBus
) -> None:
    assert (await salon.patch("/members/m1", json={"language": "ja"})).status_code == 200
    await bus.publish(allocated(share("m1", stays[0], 312)))
    assert await thanked(salon, "m1") == [
        "Salon Kanda(2026年6月3日)のご滞在中に5.2kWh、電力の安定にご協力いただきありがとうございました。"
        "312ポイントを差し上げます。"
    ]


async def test_S502_S504_what_is_pending_is_set_free_by_the_final_revision(
    salon: httpx.AsyncClient, stays: list[str], bus: LocalBus
) -> None:
    await salon.put("/facilities/salon/benefits", json={"kind": "cash"})
    await bus.publish(allocated(share("m1", stays[0], 312)))
    assert (await accounts(salon))["member/m1/pending/cash/salon"] == 312
    await bus.publish(allocated(share("m1", stays[0], 300), revision=2))
    await bus.publish(allocated(share("m1", stays[0], 300), revision=3, final=True))
    held = await accounts(salon)
    assert (held["member/m1/pending/cash/salon"], held["member/m1/cash/salon"]) == (0, 300)
    assert await thanked(salon, "m1") == [
        HELPED + "You receive 312 JPY in cash. It can be spent once the figures are final.",
        "The figures of your stay at Salon Kanda on 3 June 2026 were corrected. 12 JPY in cash were taken back. "
        "It can be spent once the figures are final.",
        "The figures of 3 June 2026 are final: you can spend 300 JPY in cash at Salon Kanda from now on.",
    ]
    with pytest.raises(DeliveryFailed, match="was final"):
        await bus.publish(allocated(share("m1", stays[0], 301), revision=4, final=True))
    assert (await salon.get("/ledger/verify")).json()["faults"] == []


async def test_X3_corrections_keep_to_the_policy_of_the_first_revision(
    salon: httpx.AsyncClient, stays: list[str], bus: LocalBus
) -> None:
    await bus.publish(allocated(share("m1", stays[0], 312)))
    await salon.put("/facilities/salon/benefits", json={"kind": "cash"})
    await bus.publish(allocated(share("m1", stays[0], 300), revision=2))
    assert (await points(salon))["m1"] == 300
    assert (await salon.get("/ledger/verify")).json()["faults"] == []


async def test_X3_points_trace_to_metered_energy(
    salon: httpx.AsyncClient, stays: list[str], bus: LocalBus, activity: Activity
) -> None:
    await bus.publish(allocated(share("m1", stays[0], 312)))
    await activity.settled()
    entries = (await salon.get("/ledger")).json()["entries"]
    assert {(entry["key"], entry["unit"]) for entry in entries} == {
        ("compensation/st1/1/s1/m1", "JPY"),
        ("points/st1/1/s1/m1", "points"),
    }
    assert entries[0]["memo"] == "statement st1 revision 1, session s1"
