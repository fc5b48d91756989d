"""Bookings as calendar files."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from icalendar import Calendar

from reservation.calendar import calendar_file
from reservation.domain.booking import BookingState
from tests.reservation.samples import NOW, at, booking, facility, hours, member, stay

STAY = replace(booking(hours(11, 13)), code="ABC234", revision=2)


def read(content: bytes) -> tuple[Any, Any]:
    calendar = Calendar.from_ical(content)
    [event] = calendar.events
    return calendar, event


def test_M3_a_booking_is_a_calendar_event_in_the_facilitys_zone() -> None:
    calendar, event = read(calendar_file(facility(), STAY, member(), NOW))
    assert (event.start, event.end) == (at(11), at(13))
    assert str(event["dtstart"].params["TZID"]) == "Asia/Tokyo"
    assert [str(zone["tzid"]) for zone in calendar.timezones] == ["Asia/Tokyo"]
    assert (event["uid"], event["sequence"], event["status"]) == (f"{STAY.id}@gridstay", 2, "CONFIRMED")
    assert (event["summary"], event["location"], calendar["method"]) == ("Salon Kanda", "Salon Kanda", "PUBLISH")
    assert "Check in with ABC234." in event["description"]
    assert [alarm["trigger"].dt for alarm in event.walk("VALARM")] == [-timedelta(hours=1)]


@pytest.mark.parametrize(
    ("state", "status", "method"),
    [(BookingState.HELD, "TENTATIVE", "PUBLISH"), (BookingState.CANCELLED, "CANCELLED", "CANCEL")],
)
def test_the_file_says_how_the_booking_stands(state: BookingState, status: str, method: str) -> None:
    calendar, event = read(calendar_file(facility(), replace(STAY, state=state), member(), NOW))
    assert (event["status"], calendar["method"], len(event.walk("VALARM"))) == (
        status,
        method,
        int(state is BookingState.HELD),
    )


async def test_M3_the_confirmation_comes_with_a_calendar_file(salon: httpx.AsyncClient) -> None:
    made = (await salon.post("/bookings", json=stay())).json()
    file = await salon.get(f"/bookings/{made['id']}/calendar")
    assert (file.status_code, file.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    _, event = read(file.content)
    assert (event.start, made["code"] in event["description"]) == (at(11), True)
    assert (await salon.get("/bookings/nobody/calendar")).status_code == 404
