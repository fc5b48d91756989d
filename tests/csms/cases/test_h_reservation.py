"""Block H as its cases have it: reservations; and those that a facility's bookings ask for."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.csms import Token
from contracts.ids import BookingId, FacilityId, MemberId, StationId
from contracts.reservation import BookingCancelled, BookingChanged, BookingMade
from csms.domain.reservation import number_of
from tests.conftest import START
from tests.csms.conftest import Csms, ScriptedStation

pytestmark = pytest.mark.acceptance

TOKEN = {"idToken": "TAG1", "type": "ISO14443"}
GROUP = {"idToken": "FAMILY", "type": "Central"}
TX = "tx-1"


def reserve(number: int = 1, *, minutes: int = 60, **more: Any) -> dict[str, Any]:
    ends = (START + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    return {"id": number, "expiryDateTime": ends, "idToken": TOKEN, **more}


async def states(csms: Csms) -> list[tuple[int, str, str]]:
    rows = await csms.told("/stations/CP1/reservations")
    return [(row["reservation_id"], row["state"], row["detail"]) for row in rows]


async def tell_connector(station: ScriptedStation, status: str, evse_id: int = 1) -> None:
    body = {"timestamp": "2026-06-03T00:01:00Z", "connectorStatus": status, "evseId": evse_id, "connectorId": 1}
    assert await station.ask("StatusNotification", body) == {}


async def use(station: ScriptedStation, number: int) -> None:
    event = {
        "eventType": "Started",
        "timestamp": "2026-06-03T00:05:00Z",
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": TX},
        "evse": {"id": 1, "connectorId": 1},
        "idToken": TOKEN,
        "reservationId": number,
    }
    assert "idTokenInfo" in await station.ask("TransactionEvent", event)


WANTED: dict[str, dict[str, Any]] = {
    "TC_H_01": {"evseId": 1},
    "TC_H_08": {},
    "TC_H_15": {"connectorType": "cCCS2"},
    "TC_H_19": {"evseId": 1, "groupIdToken": GROUP},
}


@pytest.mark.parametrize("case", WANTED)
async def test_TC_H_01_TC_H_08_TC_H_15_TC_H_19_D_H03_1_a_reservation_is_taken_and_used(csms: Csms, case: str) -> None:
    await csms.register()
    async with csms.station() as station:
        await station.boot()
        told = await csms.command(station, "ReserveNow", reserve(**WANTED[case]), {"status": "Accepted"})
        assert told["response"] == {"status": "Accepted"}
        await tell_connector(station, "Reserved")
        assert await states(csms) == [(1, "accepted", "Accepted")]
        await use(station, 1)
    (row,) = await csms.told("/stations/CP1/reservations")
    assert (row["state"], row["transaction_id"], row["group_id_token"]) == ("used", TX, WANTED[case].get("groupIdToken"))
    assert [row["reservation_id"] for row in await csms.told("/sessions")] == [1]


async def test_TC_H_07_a_reservation_that_is_not_used_expires(csms: Csms) -> None:
    await csms.register()
    async with csms.station() as station:
        await station.boot()
        await csms.command(station, "ReserveNow", reserve(evseId=1), {"status": "Accepted"})
        await tell_connector(station, "Reserved")
        update = {"reservationId": 1, "reservationUpdateStatus": "Expired"}
        assert await station.ask("ReservationStatusUpdate", update) == {}
        await tell_connector(station, "Available")
    assert await states(csms) == [(1, "expired", "Expired")]


async def test_a_reservation_whose_time_is_over_keeps_nothing_even_if_the_station_is_silent(csms: Csms) -> None:
    await csms.register()
    async with csms.station() as station:
        await station.boot()
        await csms.command(station, "ReserveNow", reserve(evseId=1), {"status": "Accepted"})
    await csms.clock.run_until(START + timedelta(minutes=61), csms.host.activity.settled)
    assert await states(csms) == [(1, "expired", "Accepted")]


async def test_TC_H_14_as_many_reservations_as_there_are_evses(csms: Csms) -> None:
    await csms.register()
    async with csms.station() as station:
        await station.boot()
        for number in (1, 2):
            await csms.command(station, "ReserveNow", reserve(number), {"status": "Accepted"})
        for evse_id in (1, 2):
            await tell_connector(station, "Reserved", evse_id)
    assert await states(csms) == [(1, "accepted", "Accepted"), (2, "accepted", "Accepted")]
    assert [row["status"] for row in (await csms.told("/stations/CP1"))["connectors"]] == ["Reserved", "Reserved"]


@pytest.mark.parametrize(("status", "state"), [("Accepted", "cancelled"), ("Rejected", "removed")])
async def test_TC_H_17_D_H02_1_a_reservation_is_cancelled_or_was_not_known(csms: Csms, status: str, state: str) -> None:
    await csms.register()
    async with csms.station() as station:
        await station.boot()
        await csms.command(station, "ReserveNow", reserve(evseId=1), {"status": "Accepted"})
        told = await csms.command(station, "CancelReservation", {"reservationId": 1}, {"status": status})
        assert told["response"] == {"status": status}
        await csms.command(station, "CancelReservation", {"reservationId": 99}, {"status": "Rejected"})
        await tell_connector(station, "Available")
    assert await states(csms) == [(1, state, status)]


async def test_TC_H_20_a_fault_of_the_charger_ends_its_reservation(csms: Csms) -> None:
    await csms.register()
    async with csms.station() as station:
        await station.boot()
        await csms.command(station, "ReserveNow", reserve(evseId=1), {"status": "Accepted"})
        await tell_connector(station, "Faulted")
        update = {"reservationId": 1, "reservationUpdateStatus": "Removed"}
        assert await station.ask("ReservationStatusUpdate", update) == {}
    assert await states(csms) == [(1, "removed", "Removed")]


@pytest.mark.parametrize("status", ["Rejected", "Occupied", "Faulted", "Unavailable"])
async def test_TC_H_22_D_H01_1_a_refused_reservation_is_none(csms: Csms, status: str) -> None:
    await csms.register()
    async with csms.station() as station:
        await station.boot()
        told = await csms.command(station, "ReserveNow", reserve(evseId=1), {"status": status})
        assert told["response"] == {"status": status}
    assert await states(csms) == [(1, "refused", status)]


async def test_a_change_that_is_refused_leaves_the_reservation_as_it_was(csms: Csms) -> None:
    await csms.register()
    async with csms.station() as station:
        await station.boot()
        await csms.command(station, "ReserveNow", reserve(evseId=1), {"status": "Accepted"})
        await csms.command(station, "ReserveNow", reserve(evseId=2), {"status": "Occupied"})
    (row,) = await csms.told("/stations/CP1/reservations")
    assert (row["state"], row["evse_id"]) == ("accepted", 1)


async def test_a_reservation_that_is_over_already_is_not_sent(csms: Csms) -> None:
    await csms.register()
    async with csms.station() as station:
        await station.boot()
        answer = await csms.http.post("/stations/CP1/commands/ReserveNow", json=reserve(minutes=0))
        assert (answer.status_code, "passed" in answer.text) == (422, True)


# Bookings -------------------------------------------------------------------------------------------------------------

STAY = BookingMade(
    at=START,
    booking_id=BookingId("b-1"),
    facility_id=FacilityId("salon"),
    member_id=MemberId("m-1"),
    start=START + timedelta(hours=2),
    end=START + timedelta(hours=4),
    tokens=(Token(value="TAG1", type="ISO14443"),),
    station_id=StationId("CP1"),
    evse_id=1,
    reserve_bay=True,
)
CANCELLED = BookingCancelled(at=START, booking_id=BookingId("b-1"), facility_id=FacilityId("salon"))


async def pass_time(csms: Csms, until: datetime) -> None:
    await csms.clock.run_until(until, csms.host.activity.settled)


async def test_a_booked_charger_is_reserved_for_its_guest_when_the_stay_begins(csms: Csms) -> None:
    await csms.register()
    await csms.host.bus.publish(STAY)
    await csms.host.activity.settled()
    number = number_of("b-1")
    assert await states(csms) == [(number, "planned", "")]
    async with csms.station() as station:
        await station.boot()
        await pass_time(csms, STAY.start - timedelta(minutes=1))
        assert await states(csms) == [(number, "planned", "")]
        later = csms.after(STAY.start)
        message_id, action, payload = await station.next_call()
        assert action == "ReserveNow"
        assert payload == {
            "id": number,
            "expiryDateTime": "2026-06-03T04:00:00.000Z",
            "idToken": {"idToken": "tag1", "type": "ISO14443"},
            "evseId": 1,
        }
        await station.answer(message_id, {"status": "Accepted"})
        await later
        assert await states(csms) == [(number, "accepted", "Accepted")]
        await csms.host.bus.publish(CANCELLED)
        message_id, action, payload = await station.next_call()
        assert (action, payload) == ("CancelReservation", {"reservationId": number})
        await station.answer(message_id, {"status": "Accepted"})
        await csms.host.activity.settled()
    assert await states(csms) == [(number, "cancelled", "Accepted")]


async def test_a_stay_that_is_cancelled_while_the_station_thinks_is_cancelled_there_too(csms: Csms) -> None:
    await csms.register()
    await csms.host.bus.publish(STAY)
    number = number_of("b-1")
    async with csms.station() as station:
        await station.boot()
        later = csms.after(STAY.start)
        message_id, action, _ = await station.next_call()
        assert action == "ReserveNow"
        await csms.host.bus.publish(CANCELLED)
        await station.answer(message_id, {"status": "Accepted"})
        message_id, action, payload = await station.next_call()
        assert (action, payload) == ("CancelReservation", {"reservationId": number})
        await station.answer(message_id, {"status": "Accepted"})
        await later
    assert await states(csms) == [(number, "cancelled", "Accepted")]


async def test_a_stay_that_is_cancelled_before_it_begins_reserves_nothing(csms: Csms) -> None:
    await csms.register()
    await csms.host.bus.publish(STAY)
    await csms.host.bus.publish(CANCELLED)
    await csms.host.activity.settled()
    assert await states(csms) == [(number_of("b-1"), "cancelled", "")]
    async with csms.station() as station:
        await station.boot()
        await pass_time(csms, STAY.end)
        assert (await station.answer_to('[2,"next","Heartbeat",{}]'))[:2] == [3, "next"]
    assert [row["state"] for row in await csms.told("/stations/CP1/commands")] == ["superseded"]


async def test_a_facility_that_does_not_wish_it_has_nothing_reserved(csms: Csms) -> None:
    await csms.register()
    plain = BookingMade(
        at=START,
        booking_id=BookingId("b-2"),
        facility_id=FacilityId("salon"),
        member_id=MemberId("m-1"),
        start=STAY.start,
        end=STAY.end,
        tokens=STAY.tokens,
        station_id=StationId("CP1"),
        evse_id=1,
    )
    await csms.host.bus.publish(plain)
    await csms.host.activity.settled()
    assert await csms.told("/stations/CP1/reservations") == []


def otherwise(**given: Any) -> BookingChanged:
    fields = {name: getattr(STAY, name) for name in STAY.__struct_fields__ if name not in ("id", "correlation")}
    return BookingChanged(**fields | given)


async def test_a_stay_that_is_changed_reserves_the_charger_for_its_new_time(csms: Csms) -> None:
    await csms.register()
    await csms.host.bus.publish(STAY)
    await csms.host.bus.publish(otherwise(start=STAY.start + timedelta(hours=1), end=STAY.end + timedelta(hours=1)))
    await csms.host.activity.settled()
    number = number_of("b-1")
    async with csms.station() as station:
        await station.boot()
        await pass_time(csms, STAY.start + timedelta(minutes=59))
        assert await states(csms) == [(number, "planned", "")]
        later = csms.after(STAY.start + timedelta(hours=1))
        message_id, action, payload = await station.next_call()
        assert (action, payload["expiryDateTime"]) == ("ReserveNow", "2026-06-03T05:00:00.000Z")
        await station.answer(message_id, {"status": "Accepted"})
        await later
        await csms.host.bus.publish(otherwise(end=STAY.end + timedelta(hours=3)))
        message_id, action, payload = await station.next_call()
        assert (action, payload["id"], payload["expiryDateTime"]) == ("ReserveNow", number, "2026-06-03T07:00:00.000Z")
        await station.answer(message_id, {"status": "Accepted"})
        await csms.host.activity.settled()
    assert await states(csms) == [(number, "accepted", "Accepted")]


async def test_a_stay_that_moves_to_another_charger_leaves_the_first(csms: Csms) -> None:
    await csms.register()
    await csms.register("CP2")
    await csms.host.bus.publish(STAY)
    await csms.host.bus.publish(otherwise(station_id=StationId("CP2")))
    await csms.host.activity.settled()
    number = number_of("b-1")
    assert await states(csms) == [(number, "cancelled", "")]
    assert [row["state"] for row in await csms.told("/stations/CP2/reservations")] == ["planned"]
    await csms.host.bus.publish(CANCELLED)
    await csms.host.activity.settled()
    assert [row["state"] for row in await csms.told("/stations/CP2/reservations")] == ["cancelled"]
    await csms.host.bus.publish(otherwise(station_id=None, evse_id=None, reserve_bay=False))
    await csms.host.activity.settled()
    assert [row["state"] for row in await csms.told("/stations/CP2/reservations")] == ["cancelled"]
