"""What becomes of bookings: held, changed, cancelled, come to, left, missed; and what others are told of it."""

from typing import Any

import httpx
import pytest

from contracts.csms import SessionChanged, SessionPhase, Token
from contracts.ids import StationId, session_id
from contracts.reservation import BookingCancelled, BookingChanged, BookingMade, StayEnded, StayOutcome
from runtime.activity import Activity
from runtime.bus.local import LocalBus
from runtime.clock import SimulatedClock
from tests.reservation.api.test_bookings import heard
from tests.reservation.samples import FACILITY, MEMBER, another_member, at, stay

TWO_BAYS = [{**FACILITY["bays"][0], "id": f"p{number}", "station_id": f"CP{number}"} for number in (1, 2)]
TWO_CHAIRS = [{"id": f"c{number}", "name": f"Chair {number}"} for number in (1, 2)]


async def ruled(http: httpx.AsyncClient, **rules: Any) -> None:
    answer = await http.put("/facilities/salon", json={**FACILITY, "rules": rules})
    assert answer.status_code == 200, answer.text


async def made(http: httpx.AsyncClient, first: float = 11, last: float = 13, **given: Any) -> dict[str, Any]:
    answer = await http.post("/bookings", json=stay(first, last, **given))
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def state(http: httpx.AsyncClient, booking: dict[str, Any]) -> str:
    shown: str = (await http.get(f"/bookings/{booking['id']}")).json()["state"]
    return shown


@pytest.fixture
async def pass_time(clock: SimulatedClock, activity: Activity) -> Any:
    async def until(hour: float) -> None:
        await clock.run_until(at(hour), activity.settled)

    return until


async def test_S202_a_held_period_is_nobody_elses_until_it_expires(
    salon: httpx.AsyncClient, bus: LocalBus, activity: Activity, pass_time: Any
) -> None:
    events = heard(bus, BookingMade)
    await salon.post("/members", json=another_member(2))
    held = await made(salon, hold=True)
    assert (held["state"], held["expires_at"]) == ("held", "2026-06-03T00:10:00Z")
    assert (await salon.post("/bookings", json=stay(member="n2"))).status_code == 409
    await activity.settled()
    assert (events, (await salon.get("/members/1001/notices")).json()) == ([], [])
    await pass_time(9.25)
    assert await state(salon, held) == "expired"
    gone = await salon.post(f"/bookings/{held['id']}/confirm")
    assert (gone.status_code, gone.json()["detail"]) == (409, f"booking {held['id']} is expired and cannot be confirmed")
    await made(salon, member="n2")


async def test_a_held_stay_that_is_confirmed_is_booked_and_told(
    salon: httpx.AsyncClient, bus: LocalBus, activity: Activity, clock: SimulatedClock, pass_time: Any
) -> None:
    events = heard(bus, BookingMade)
    held = await made(salon, hold=True)
    booked = await salon.post(f"/bookings/{held['id']}/confirm")
    assert booked.json() == {**held, "state": "booked", "expires_at": None}
    await activity.settled()
    assert [event.booking_id for event in events] == [held["id"]]
    assert [one["kind"] for one in (await salon.get("/members/1001/notices")).json()] == ["booked"]
    await pass_time(10)
    assert await state(salon, held) == "booked"


async def test_a_change_keeps_the_id_frees_the_old_period_and_is_sent_on(
    salon: httpx.AsyncClient, bus: LocalBus, activity: Activity
) -> None:
    events = heard(bus, BookingChanged)
    booking = await made(salon)
    changed = await salon.patch(f"/bookings/{booking['id']}", json={"start": at(12).isoformat(), "wanted_soc_pct": 60})
    body = changed.json()
    assert (changed.status_code, body["id"], body["code"], body["revision"]) == (200, booking["id"], booking["code"], 1)
    assert (body["start"], body["end"]) == ("2026-06-03T03:00:00Z", "2026-06-03T05:00:00Z")
    assert (body["charging"]["wanted_soc_pct"], body["charging"]["soc_pct"]) == (60, 60)
    assert body["promise"]["wanted_soc_pct"] == 60
    await activity.settled()
    [event] = events
    assert (event.booking_id, event.start, event.end, event.station_id) == (booking["id"], at(12), at(14), "CP1")
    assert [one["kind"] for one in (await salon.get("/members/1001/notices")).json()] == ["booked", "changed"]
    await salon.post("/members", json=another_member(2))
    await made(salon, 10, 12, member="n2")
    refused = await salon.patch(f"/bookings/{booking['id']}", json={"start": at(11).isoformat()})
    assert (refused.status_code, refused.json()["alternatives"][0]["start"]) == (409, "2026-06-03T03:00:00Z")


async def test_a_guest_may_come_without_the_car_after_all_and_with_it_again(salon: httpx.AsyncClient) -> None:
    booking = await made(salon)
    walks = (await salon.patch(f"/bookings/{booking['id']}", json={"by_car": False})).json()
    assert (walks["bay"], walks["charging"], walks["promise"]) == (None, None, None)
    later = (await salon.patch(f"/bookings/{booking['id']}", json={"end": at(14).isoformat()})).json()
    assert (later["bay"], later["end"]) == (None, "2026-06-03T05:00:00Z")
    drives = (await salon.patch(f"/bookings/{booking['id']}", json={"by_car": True, "soc_pct": 30})).json()
    assert (drives["bay"]["id"], drives["charging"]["soc_pct"]) == ("p1", 30)


async def test_a_changed_stay_keeps_its_chair_where_it_can(http: httpx.AsyncClient) -> None:
    await http.post("/facilities", json={**FACILITY, "resources": TWO_CHAIRS, "bays": TWO_BAYS})
    for number in (1, 2):
        await http.post("/members", json=another_member(number))
    booking = await made(http, member="n1", resource_id="c2")
    moved = (await http.patch(f"/bookings/{booking['id']}", json={"start": at(14).isoformat()})).json()
    assert moved["resource"]["id"] == "c2"
    await made(http, 17, 19, member="n2", resource_id="c2")
    moved = (await http.patch(f"/bookings/{booking['id']}", json={"start": at(17).isoformat()})).json()
    assert moved["resource"]["id"] == "c1"


async def test_late_cancellations_and_changes_are_the_staffs(
    salon: httpx.AsyncClient, bus: LocalBus, activity: Activity
) -> None:
    await ruled(salon, cancel_min=180)
    events = heard(bus, BookingCancelled)
    booking = await made(salon)
    for refused in (
        await salon.delete(f"/bookings/{booking['id']}"),
        await salon.patch(f"/bookings/{booking['id']}", json={"start": at(15).isoformat()}),
    ):
        assert (refused.status_code, "ask the staff" in refused.json()["detail"]) == (409, True)
    moved = await salon.patch(f"/bookings/{booking['id']}", params={"by": "staff"}, json={"start": at(9.5).isoformat()})
    assert moved.status_code == 422  # closed
    moved = await salon.patch(f"/bookings/{booking['id']}", params={"by": "staff"}, json={"start": at(11.5).isoformat()})
    assert moved.status_code == 200
    gone = await salon.delete(f"/bookings/{booking['id']}", params={"by": "staff"})
    assert (gone.json()["state"], gone.json()["late"]) == ("cancelled", True)
    await activity.settled()
    assert [event.booking_id for event in events] == [booking["id"]]


async def test_a_no_show_is_swept_and_what_is_left_is_free(
    salon: httpx.AsyncClient, bus: LocalBus, activity: Activity, pass_time: Any
) -> None:
    await ruled(salon, no_show_min=20)
    events = heard(bus, StayEnded)
    await salon.post("/members", json=another_member(2))
    missed = await made(salon)
    await pass_time(11.3)
    assert await state(salon, missed) == "booked"
    await pass_time(11.4)
    assert await state(salon, missed) == "no_show"
    [event] = events
    assert (event.booking_id, event.outcome, event.came_at) == (missed["id"], StayOutcome.NO_SHOW, None)
    assert (event.start, event.end, event.made_at) == (at(11), at(13), at(9))
    assert [one["kind"] for one in (await salon.get("/members/1001/notices")).json()] == ["booked", "no_show"]
    await made(salon, 11.5, 13, member="n2")
    late = await salon.post(f"/bookings/{missed['id']}/check-in")
    assert (late.status_code, "booked in that period" in late.json()["detail"]) == (409, True)


async def test_somebody_who_comes_late_after_all_has_the_place_if_it_is_free(
    salon: httpx.AsyncClient, bus: LocalBus, activity: Activity, pass_time: Any
) -> None:
    changes = heard(bus, BookingChanged)
    booking = await made(salon)
    early = await salon.post(f"/bookings/{booking['id']}/no-show")
    assert (early.status_code, "has not begun" in early.json()["detail"]) == (409, True)
    await pass_time(11.5)
    assert (await salon.post(f"/bookings/{booking['id']}/no-show")).json()["state"] == "no_show"
    here = (await salon.post(f"/bookings/{booking['id']}/check-in")).json()
    assert (here["state"], here["came_at"], here["bay"]["id"]) == ("checked_in", "2026-06-03T02:30:00Z", "p1")
    await activity.settled()
    assert [event.booking_id for event in changes] == [booking["id"]]


@pytest.mark.parametrize(
    ("left", "outcome"), [(12, StayOutcome.LEFT_EARLY), (12.95, StayOutcome.CAME), (14, StayOutcome.CAME)]
)
async def test_who_came_and_left_is_told_on(
    salon: httpx.AsyncClient, bus: LocalBus, activity: Activity, pass_time: Any, left: float, outcome: StayOutcome
) -> None:
    events = heard(bus, StayEnded)
    booking = await made(salon)
    await pass_time(10.75)
    assert (await salon.post(f"/bookings/{booking['id']}/check-in")).status_code == 200
    await pass_time(left)
    if left < 13:
        gone = (await salon.post(f"/bookings/{booking['id']}/check-out")).json()
        assert gone["state"] == "checked_out"
    await activity.settled()
    assert await state(salon, booking) == "checked_out"
    [event] = events
    assert (event.outcome, event.came_at, event.left_at) == (outcome, at(10.75), at(min(left, 13)))
    again = await salon.post(f"/bookings/{booking['id']}/check-out")
    assert (again.status_code, "checked out already" in again.json()["detail"]) == (409, True)


async def test_what_is_left_early_can_be_booked(salon: httpx.AsyncClient, pass_time: Any) -> None:
    await salon.post("/members", json=another_member(2))
    booking = await made(salon)
    await pass_time(11)
    await salon.post(f"/bookings/{booking['id']}/check-in")
    assert (await salon.post("/bookings", json=stay(12, 13, member="n2"))).status_code == 409
    await pass_time(12)
    await salon.post(f"/bookings/{booking['id']}/check-out")
    await made(salon, 12, 13, member="n2")


def session(clock: SimulatedClock, token: Token | None, station: str = "CP1", **given: Any) -> SessionChanged:
    told: dict[str, Any] = {
        "at": clock.now(),
        "session_id": session_id(station, "tx"),
        "revision": 1,
        "station_id": StationId(station),
        "evse_id": 1,
        "transaction_id": "tx",
        "phase": SessionPhase.RUNNING,
        "started_at": clock.now(),
        "token": token,
    }
    return SessionChanged(**{**told, **given})


MAC = {"value": "00:1a:2b:3c:4d:5e", "type": "MacAddress"}


@pytest.mark.parametrize("shown", [MEMBER["tokens"][0], MAC, None, {"value": "", "type": "NoAuthorization"}])
async def test_plugging_in_checks_in(
    salon: httpx.AsyncClient, bus: LocalBus, activity: Activity, clock: SimulatedClock, pass_time: Any, shown: Any
) -> None:
    await salon.patch("/members/1001", json={"tokens": [*MEMBER["tokens"], MAC]})
    booking, later = await made(salon), await made(salon, 16, 18)
    await pass_time(10.75)
    await bus.publish(session(clock, Token(**shown) if shown else None))
    await activity.settled()
    here = (await salon.get(f"/bookings/{booking['id']}")).json()
    assert (here["state"], here["came_at"]) == ("checked_in", "2026-06-03T01:45:00Z")
    assert await state(salon, later) == "booked"


@pytest.mark.parametrize(
    "given",
    [
        {"token": Token(value="stranger", type="ISO14443")},
        {"phase": SessionPhase.ENDED},
        {"station_id": StationId("CP9"), "token": None},
    ],
)
async def test_a_strangers_car_checks_nobody_in(
    salon: httpx.AsyncClient, bus: LocalBus, activity: Activity, clock: SimulatedClock, pass_time: Any, given: dict[str, Any]
) -> None:
    booking = await made(salon)
    await pass_time(11)
    await bus.publish(session(clock, None, **given) if "token" not in given else session(clock, **given))
    await activity.settled()
    assert await state(salon, booking) == "booked"


async def test_plugging_in_hours_before_is_no_arrival(
    salon: httpx.AsyncClient, bus: LocalBus, activity: Activity, clock: SimulatedClock
) -> None:
    booking = await made(salon)
    await bus.publish(session(clock, Token(value="abcd1234", type="ISO14443")))
    await activity.settled()
    assert await state(salon, booking) == "booked"


@pytest.mark.parametrize("by", ["code", "plate", "token"])
async def test_a_guest_at_the_door_is_known_by_code_plate_or_token(
    salon: httpx.AsyncClient, pass_time: Any, by: str
) -> None:
    await salon.patch("/members/1001", json={"plates": ["品川 330 あ 12-34"]})
    booking = await made(salon)
    await pass_time(10.75)
    shown = {
        "code": f" {booking['code'].lower()} ",
        "plate": "品川３３０あ１２３４",
        "token": {"value": "ABCD1234", "type": "ISO14443"},
    }
    here = await salon.post("/facilities/salon/check-in", json={by: shown[by]})
    assert (here.status_code, here.json()["id"], here.json()["state"]) == (200, booking["id"], "checked_in")
    again = await salon.post("/facilities/salon/check-in", json={by: shown[by]})
    assert (again.status_code, "checked in already" in again.json()["detail"]) == (409, True)


@pytest.mark.parametrize("shown", [{"code": "ZZZZZZ"}, {"plate": "x1"}, {"token": {"value": "x", "type": "Local"}}])
async def test_an_unknown_guest_at_the_door_is_said(salon: httpx.AsyncClient, pass_time: Any, shown: dict[str, Any]) -> None:
    await made(salon)
    await pass_time(11)
    nobody = await salon.post("/facilities/salon/check-in", json=shown)
    assert (nobody.status_code, "no stay at Salon Kanda around now" in nobody.json()["detail"]) == (404, True)
    assert (await salon.post("/facilities/salon/check-in", json={**shown, "code": "A", "plate": "B"})).status_code == 422


async def test_a_walk_in_is_here_at_once(salon: httpx.AsyncClient, pass_time: Any) -> None:
    await ruled(salon, lead_min=60)
    await pass_time(11 + 2 / 60)
    assert (await salon.post("/bookings", json=stay(11.5, 12))).status_code == 422
    here = await made(salon, 11, 12, walk_in=True, by_car=False)
    assert (here["state"], here["came_at"]) == ("checked_in", "2026-06-03T02:02:00Z")


async def test_S206_bookings_are_gathered_for_so_many_or_so_long(
    salon: httpx.AsyncClient, bus: LocalBus, activity: Activity, pass_time: Any
) -> None:
    await ruled(salon, send_every_min=30, send_every_bookings=3)
    made_, cancelled = heard(bus, BookingMade), heard(bus, BookingCancelled)
    first = await made(salon, 15, 16)
    second = await made(salon, 16, 17)
    await activity.settled()
    assert made_ == []
    await salon.delete(f"/bookings/{second['id']}")
    await activity.settled()
    assert {event.booking_id for event in made_} == {first["id"], second["id"]}
    assert [event.booking_id for event in cancelled] == [second["id"]]
    third = await made(salon, 17, 18)
    await pass_time(9.4)
    assert len(made_) == 2
    await pass_time(9.6)
    assert [event.booking_id for event in made_[2:]] == [third["id"]]


async def test_S206_a_stay_that_begins_soon_waits_for_no_others(
    salon: httpx.AsyncClient, bus: LocalBus, activity: Activity, pass_time: Any
) -> None:
    await ruled(salon, send_every_bookings=10)
    events = heard(bus, BookingMade)
    await made(salon, 15, 16)
    await pass_time(12)
    assert events == []
    await made(salon, 12.5, 13)
    await activity.settled()
    assert len(events) == 2
    await made(salon, 16, 17)
    await pass_time(15.1)
    assert len(events) == 3


async def test_S206_what_was_gathered_goes_on_when_the_rule_is_at_once_again(
    salon: httpx.AsyncClient, bus: LocalBus, activity: Activity, pass_time: Any
) -> None:
    await ruled(salon, send_every_bookings=10)
    events = heard(bus, BookingMade)
    await made(salon, 15, 16)
    await ruled(salon)
    await made(salon, 16, 17)
    await pass_time(9.1)
    assert sorted(event.start for event in events) == [at(15), at(16)]


async def test_the_waiting_list_is_told_first_come_first_when_something_is_free(
    salon: httpx.AsyncClient, pass_time: Any
) -> None:
    for number in (2, 3):
        await salon.post("/members", json=another_member(number))
    booking = await made(salon, 11, 13)
    wish = {"facility_id": "salon", "start": at(11).isoformat(), "end": at(13).isoformat(), "minutes": 120, "by_car": False}
    waits = [(await salon.post("/waiting", json={**wish, "member": f"n{number}"})) for number in (2, 3)]
    assert [(one.status_code, one.json()["state"]) for one in waits] == [(201, "waiting")] * 2
    await salon.delete(f"/bookings/{booking['id']}")
    assert [one["state"] for one in (await salon.get("/waiting")).json()] == ["told", "waiting"]
    [notice] = (await salon.get("/members/n2/notices")).json()
    assert (notice["kind"], notice["reference"]) == ("free", waits[0].json()["id"])
    assert "11:00 to 13:00" in notice["text"]
    assert (await salon.get("/members/n3/notices")).json() == []
    await pass_time(9.6)
    assert [one["state"] for one in (await salon.get("/waiting")).json()] == ["told", "told"]
    await made(salon, 11, 13, member="n3", by_car=False)
    assert [one["state"] for one in (await salon.get("/waiting", params={"state": "served"})).json()] == ["served"]
    await pass_time(13.1)
    assert [one["state"] for one in (await salon.get("/waiting")).json()] == ["over", "served"]


async def test_who_need_not_wait_or_waits_no_longer_is_said(salon: httpx.AsyncClient) -> None:
    wish = {"facility_id": "salon", "member": "1001", "start": at(11).isoformat(), "end": at(13).isoformat()}
    free = await salon.post("/waiting", json=wish)
    assert (free.status_code, "is free: book it" in free.json()["detail"]) == (409, True)
    await made(salon)
    joined = (await salon.post("/waiting", json={**wish, "by_car": False})).json()
    assert (joined["minutes"], joined["free"]) == (120, None)
    assert (await salon.delete(f"/waiting/{joined['id']}")).json()["state"] == "withdrawn"
    assert (await salon.delete(f"/waiting/{joined['id']}")).status_code == 409
    assert (await salon.delete("/waiting/nobody")).status_code == 404
    past = {"start": at(5).isoformat(), "end": at(6).isoformat()}
    assert (await salon.post("/waiting", json={**wish, **past})).status_code == 422
    short = {"minutes": 180}
    assert (await salon.post("/waiting", json={**wish, **short})).status_code == 422


FREE: dict[str, str | int] = {"from": at(9).isoformat(), "to": at(24).isoformat(), "minutes": 60}


async def test_S208_X1_free_periods_are_shown_with_the_promise_before_anything_is_booked(salon: httpx.AsyncClient) -> None:
    await salon.post("/members", json=another_member(2))
    await made(salon, 11, 20, member="n2", by_car=False)
    found = (await salon.get("/facilities/salon/free", params=FREE)).json()
    assert [one["start"][11:16] for one in found] == ["01:00", "11:00", "11:15", "11:30", "11:45", "12:00"]
    assert found[0] == {**found[0], "resources": ["c1"], "bays": [], "promise": None}
    by_car: dict[str, str | int] = {**FREE, "member": "1001", "soc_pct": 20, "limit": 1}
    [first] = (await salon.get("/facilities/salon/free", params=by_car)).json()
    assert first["bays"] == ["p1"]
    assert (first["promise"]["kept"], first["promise"]["expected_soc_pct"]) == (False, 36)
    assert "A longer stay or a lower wish can be kept." in first["promise"]["reason"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"minutes": None}, "say how long"),
        ({"nights": 1}, "say how long"),
        ({"to": at(8).isoformat()}, "ends after it starts"),
        ({"to": at(24 * 400).isoformat()}, "within 366 days"),
        ({"party": 2}, "no room for 2"),
        ({"service_id": "cut"}, "it offers stay"),
        ({"by_car": True}, "say which member"),
        ({"colour": "red"}, "not permitted"),
        ({"from": "today"}, "RFC 3339"),
    ],
)
async def test_a_search_that_makes_no_sense_is_refused(salon: httpx.AsyncClient, given: dict[str, Any], words: str) -> None:
    params = {name: value for name, value in {**FREE, **given}.items() if value is not None}
    refused = await salon.get("/facilities/salon/free", params=params)
    assert (refused.status_code, words in refused.text) == (422, True)


async def test_S202_the_night_and_the_length_of_a_service_are_found(http: httpx.AsyncClient) -> None:
    night = {"id": "night", "name": "Night", "nights": {"check_in": "15:00", "check_out": "11:00"}}
    cut = {"id": "cut", "name": "Cut", "minutes": [45], "every_min": 30, "after_min": 15}
    hotel = {**FACILITY, "opens": "00:00", "closes": "00:00", "services": [night, cut]}
    await http.post("/facilities", json=hotel)
    params: dict[str, str | int] = {
        "from": at(0).isoformat(),
        "to": at(24 * 4).isoformat(),
        "service_id": "night",
        "nights": 2,
    }
    found = (await http.get("/facilities/salon/free", params=params)).json()
    assert [(one["start"], one["end"]) for one in found] == [
        ("2026-06-03T06:00:00Z", "2026-06-05T02:00:00Z"),
        ("2026-06-04T06:00:00Z", "2026-06-06T02:00:00Z"),
    ]
    await http.post("/members", json=MEMBER)
    booked = await http.post(
        "/bookings",
        json={"facility_id": "salon", "member": "1001", "service_id": "cut", "start": at(12).isoformat(), "by_car": False},
    )
    assert booked.json()["end"] == "2026-06-03T03:45:00Z"
    day = {"from": at(11).isoformat(), "to": at(14).isoformat(), "service_id": "cut"}
    found = (await http.get("/facilities/salon/free", params=day)).json()
    assert [one["start"][11:16] for one in found] == ["02:00", "04:00"]


async def test_X1_the_driver_s_word_wins_at_once_and_keeps_the_place(
    salon: httpx.AsyncClient, bus: LocalBus, activity: Activity, pass_time: Any
) -> None:
    booked = await made(salon, dr=True, discharge=True)
    await pass_time(11.5)
    events = heard(bus, BookingChanged)
    for _ in range(2):
        answer = await salon.post(f"/bookings/{booked['id']}/charge-now")
        assert answer.status_code == 200, answer.text
    taken_back = answer.json()
    assert (taken_back["bay"], taken_back["resource"]) == (booked["bay"], booked["resource"])
    assert (taken_back["charging"]["dr"], taken_back["charging"]["discharge"]) == (False, False)
    await activity.settled()
    assert [event.charging and event.charging.dr for event in events] == [False], "said once"


async def test_X1_only_a_car_that_is_there_can_be_taken_back(salon: httpx.AsyncClient, pass_time: Any) -> None:
    by_car, on_foot = await made(salon), await made(salon, member="1001", first=14, last=15, by_car=False)
    assert (await salon.post("/bookings/nothing/charge-now")).status_code == 404
    refused = await salon.post(f"/bookings/{on_foot['id']}/charge-now")
    assert (refused.status_code, refused.json()["reason"]) == (409, "no_car")
    await pass_time(13.5)
    over = await salon.post(f"/bookings/{by_car['id']}/charge-now")
    assert over.status_code == 409, over.text


@pytest.mark.parametrize(("first", "last"), [(11.5, 13.5), (10.5, 12.5), (11, 13.25), (11.25, 12)])
async def test_a_stay_may_move_over_its_own_old_time(salon: httpx.AsyncClient, first: float, last: float) -> None:
    """There is one chair and one bay, and the car is in one place."""
    booking = await made(salon, 11, 13)
    period: dict[str, Any] = {
        "from": at(first).isoformat(),
        "to": at(last).isoformat(),
        "minutes": round(60 * (last - first)),
    }
    seen = {"member": "1001", "but": booking["id"]}
    assert (await salon.get("/facilities/salon/free", params=period)).json() == []
    assert len((await salon.get("/facilities/salon/free", params=period | seen)).json()) == 1
    times = {"start": at(first).isoformat(), "end": at(last).isoformat()}
    moved = await salon.patch(f"/bookings/{booking['id']}", json=times)
    assert (moved.status_code, moved.json()["bay"]["id"]) == (200, "p1"), moved.text
