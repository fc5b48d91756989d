"""What members agree to, over HTTP."""

from typing import Any

import httpx
import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from contracts.reservation import BookingChanged, TokenWithdrawn
from reservation.store.tables import consent_texts, consents
from runtime.clock import SimulatedClock
from runtime.service import Host
from runtime.storage.database import Database
from tests.reservation.samples import MEMBER, another_member, at, stay

AGREED = {"dr": True, "discharge": True, "wanted_soc_pct": 80, "floor_soc_pct": 20}
ALL = ["charging", "offers", "stays"]


async def record(http: httpx.AsyncClient, identity: str = "1001") -> list[dict[str, Any]]:
    answer = await http.get(f"/members/{identity}/consents")
    assert answer.status_code == 200
    return [{name: value for name, value in one.items() if name != "at"} for one in answer.json()]


async def say(http: httpx.AsyncClient, **said: Any) -> httpx.Response:
    return await http.post("/members/1001/consents", json={"means": "page", **said})


def changes(host: Host) -> list[BookingChanged]:
    heard: list[BookingChanged] = []

    async def take(event: BookingChanged) -> None:
        heard.append(event)

    host.bus.subscribe(BookingChanged, "test", take)
    return heard


async def test_each_change_is_one_more_record(http: httpx.AsyncClient) -> None:
    assert (await http.put("/consent-texts/2026-11", json={"texts": {"en": "Yes.", "ja": "はい。"}})).status_code == 201
    consent = {"means": "page", "purposes": ALL, "text_version": "2026-11"}
    assert (await http.post("/members", json={**MEMBER, "consent": consent})).status_code == 201
    first = {**consent, **AGREED}
    assert await record(http) == [first]
    made = await say(http, discharge=False, means="phone")
    assert made.status_code == 201
    second = {**first, "discharge": False, "means": "phone", "text_version": None}
    assert await record(http) == [first, second]
    assert (await http.get("/members/1001")).json()["preferences"] == {**AGREED, "discharge": False}
    changed = await http.patch("/members/1001", json={"preferences": {**AGREED, "wanted_soc_pct": 90}})
    assert changed.status_code == 200
    third = {**second, "discharge": True, "wanted_soc_pct": 90, "means": "program"}
    assert await record(http) == [first, second, third]
    assert (await http.patch("/members/1001", json={"name": "Aoki Yuina"})).status_code == 200
    assert len(await record(http)) == 3
    data = (await http.get("/members/1001/data")).json()
    assert [one["means"] for one in data["consents"]] == ["page", "phone", "program"]


async def test_what_is_said_is_kept_though_nobody_says_how(salon: httpx.AsyncClient) -> None:
    assert await record(salon) == [{**AGREED, "means": "program", "purposes": None, "text_version": None}]


async def test_X1_who_takes_consent_back_is_heard_at_once(
    salon: httpx.AsyncClient, host: Host, clock: SimulatedClock
) -> None:
    soon = (await salon.post("/bookings", json=stay(11, 13))).json()["id"]
    later = (await salon.post("/bookings", json=stay(15, 17, dr=True, discharge=True, floor_soc_pct=40))).json()["id"]
    on_foot = (await salon.post("/bookings", json={**stay(18, 19), "by_car": False})).json()["id"]
    await clock.run_until(at(11.5), host.activity.settled)
    told = changes(host)
    assert (await say(salon, discharge=False, floor_soc_pct=30)).status_code == 201
    await host.activity.settled()
    assert {event.booking_id for event in told} == {soon, later}
    for event in told:
        assert event.charging is not None
        assert (event.charging.dr, event.charging.discharge) == (True, False)
    floors = {event.booking_id: event.charging.floor_soc_pct for event in told if event.charging}
    assert floors == {soon: 30, later: 40}
    assert (await salon.get(f"/bookings/{soon}")).json()["charging"]["discharge"] is False
    told.clear()
    assert (await say(salon, dr=False)).status_code == 201
    await host.activity.settled()
    assert [event.charging and event.charging.dr for event in told] == [False, False]
    told.clear()
    assert (await say(salon, dr=True, discharge=True)).status_code == 201
    await host.activity.settled()
    assert told == [], "who agrees again does so for stays that are booked from then on"
    assert (await salon.get(f"/bookings/{on_foot}")).json()["charging"] is None


async def test_X1_a_stay_that_alone_was_agreed_to_is_taken_back_too(salon: httpx.AsyncClient, host: Host) -> None:
    assert (await say(salon, dr=False, discharge=False)).status_code == 201
    booked = (await salon.post("/bookings", json=stay(11, 13, dr=True, discharge=True))).json()
    assert booked["charging"]["discharge"] is True
    assert (await say(salon, wanted_soc_pct=70)).status_code == 201
    assert (await salon.get(f"/bookings/{booked['id']}")).json()["charging"]["discharge"] is True
    assert (await say(salon, discharge=False)).status_code == 201
    assert (await salon.get(f"/bookings/{booked['id']}")).json()["charging"]["discharge"] is False


async def test_without_the_cars_data_the_car_is_forgotten(salon: httpx.AsyncClient, host: Host) -> None:
    gone: list[str] = []

    async def take(event: TokenWithdrawn) -> None:
        gone.append(event.token.value)

    host.bus.subscribe(TokenWithdrawn, "test", take)
    booked = (await salon.post("/bookings", json=stay(11, 13))).json()["id"]
    refused = await say(salon, purposes=["stays"])
    assert (refused.status_code, "stays by car" in refused.json()["detail"]) == (409, True)
    assert (await salon.delete(f"/bookings/{booked}")).status_code == 200
    assert (await say(salon, purposes=["stays"])).status_code == 201
    await host.activity.settled()
    member = (await salon.get("/members/1001")).json()
    assert (member["car"], member["tokens"], member["plates"], member["preferences"]["dr"]) == (None, [], [], False)
    assert gone == ["abcd1234"]


async def test_offers_are_a_purpose_and_the_link_in_one_takes_it_back(salon: httpx.AsyncClient) -> None:
    assert (await say(salon, purposes=ALL)).status_code == 201
    assert (await salon.put("/members/1001/offers", json={"wanted": False, "means": "staff"})).status_code == 204
    last = (await record(salon))[-1]
    assert (last["purposes"], last["means"]) == (["charging", "stays"], "staff")
    assert (await salon.put("/members/1001/offers", json={"wanted": False})).status_code == 204
    assert len(await record(salon)) == 3
    assert (await say(salon, purposes=ALL)).status_code == 201
    preview = (await salon.post("/facilities/salon/offers/preview", json={})).json()
    assert "declined" not in str(preview)


async def test_a_member_without_stays_is_to_be_erased(salon: httpx.AsyncClient) -> None:
    refused = await say(salon, purposes=["offers", "charging"])
    assert (refused.status_code, "erase" in refused.json()["detail"]) == (409, True)
    assert len(await record(salon)) == 1
    assert (await salon.delete("/members/1001")).status_code == 204
    kept = await record(salon, "m1")
    assert [one["means"] for one in kept] == ["program", "erasure"]
    assert (kept[-1]["purposes"], kept[-1]["dr"], kept[-1]["discharge"]) == ([], False, False)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"floor_soc_pct": 90}, 422),
        ({"dr": "yes"}, 422),
        ({"means": "telepathy"}, 422),
        ({"purposes": ["everything"]}, 422),
        ({"purposes": ["stays"], "dr": True}, 422),
        ({"text_version": "1999-01"}, 422),
        ({"wanted": 5}, 422),
    ],
)
async def test_bad_consent_changes_nothing(salon: httpx.AsyncClient, said: dict[str, Any], status: int) -> None:
    assert (await say(salon, **said)).status_code == status
    assert len(await record(salon)) == 1
    bad = await salon.post("/members", json={**another_member(2), "consent": {"text_version": "1999-01"}})
    assert bad.status_code == 422
    assert (await salon.get("/members/n2")).status_code == 404
    assert (await salon.post("/members/nobody/consents", json={})).status_code == 404


async def test_a_text_stays_what_was_agreed_to(http: httpx.AsyncClient) -> None:
    text = {"texts": {"en": "Yes."}}
    answers = [(await http.put("/consent-texts/v1", json=text)).status_code for _ in range(2)]
    assert answers == [201, 200]
    assert (await http.put("/consent-texts/v1", json={"texts": {"en": "No."}})).status_code == 409
    for texts in ({}, {"fr": "Oui."}, {"en": ""}):
        assert (await http.put("/consent-texts/v2", json={"texts": texts})).status_code == 422
    assert (await http.put("/consent-texts/%00", json=text)).status_code == 404
    [kept] = (await http.get("/consent-texts")).json()
    assert (kept["version"], kept["texts"]) == ("v1", {"en": "Yes."})


@pytest.mark.parametrize(
    "change",
    [update(consents).values(dr=True), delete(consents), update(consent_texts).values(version="v2"), delete(consent_texts)],
)
async def test_nothing_of_it_can_be_changed_in_the_database(
    http: httpx.AsyncClient, database: Database, change: Any
) -> None:
    assert (await http.put("/consent-texts/v1", json={"texts": {"en": "Yes."}})).status_code == 201
    assert (await http.post("/members", json=MEMBER)).status_code == 201
    with pytest.raises(IntegrityError, match="append only"):
        await database.write(lambda connection: connection.execute(change) and None)
