"""A salon in Tokyo, its members and their cars, as values and as JSON."""

from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from contracts.ids import BookingId, FacilityId, MemberId, StationId
from contracts.reservation import Car, ChargingWish
from reservation.domain.booking import Booking
from reservation.domain.facility import Bay, Facility, Resource, Rules
from reservation.domain.hours import WEEKDAYS, Hours
from reservation.domain.member import Member, Preferences
from reservation.domain.occupied import Taken, span
from reservation.domain.period import Period

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 6, 3, 0, 0, tzinfo=UTC)
"""09:00 in Tokyo, as the clock of the tests has it."""

CAR = Car(battery_wh=60_000, max_charge_w=11_000, max_discharge_w=11_000)


def at(hour: float) -> datetime:
    """That hour of 3 June in Tokyo."""
    return datetime(2026, 6, 3, tzinfo=TOKYO) + timedelta(hours=hour)


def hours(start: float, end: float) -> Period:
    """A period of that day."""
    return Period(at(start), at(end))


def facility(
    opens: time = time(10),
    closes: time = time(22),
    resources: int = 2,
    bays: int = 1,
    currency: str = "JPY",
    points: int = 1,
) -> Facility:
    return Facility(
        id=FacilityId("salon"),
        name="Salon Kanda",
        zone=TOKYO,
        hours=Hours.daily(opens, closes),
        resources=tuple(Resource(f"c{number}", f"Chair {number}") for number in range(1, resources + 1)),
        bays=tuple(Bay(f"p{number}", StationId(f"CP{number}"), 1, 11_000, 11_000) for number in range(1, bays + 1)),
        points_per_unit=points,
        currency=currency,
    )


def member(car: Car | None = CAR, preferences: Preferences | None = None) -> Member:
    return Member(
        id=MemberId("m1"),
        number="1001",
        name="Aoki Yui",
        preferences=preferences or Preferences(),
        phone="09012345678",
        car=car,
    )


def wish(**given: Any) -> ChargingWish:
    base: dict[str, Any] = {"car": CAR, "dr": True, "discharge": True, "wanted_soc_pct": 80, "floor_soc_pct": 20}
    return ChargingWish(**{**base, **given})


def taken(period: Period, resource_id: str = "c1", bay_id: str | None = None, party: int = 1) -> Taken:
    kept = span(period)
    return Taken(resource_id, kept, party, bay_id, kept if bay_id else None)


def booking(period: Period, resource_id: str = "c1", bay_id: str | None = None, member_id: str = "m2") -> Booking:
    return Booking(
        id=BookingId(f"{resource_id}-{period.start:%d%H%M}"),
        facility_id=FacilityId("salon"),
        member_id=MemberId(member_id),
        service_id="stay",
        period=period,
        resource_id=resource_id,
        kept=period,
        made_at=NOW,
        bay_id=bay_id,
        bay_kept=period if bay_id else None,
    )


FACILITY: dict[str, Any] = {
    "id": "salon",
    "name": "Salon Kanda",
    "zone": "Asia/Tokyo",
    "opens": "10:00",
    "closes": "22:00",
    "resources": [{"id": "c1", "name": "Chair 1"}],
    "bays": [{"id": "p1", "station_id": "CP1", "evse_id": 1, "max_charge_w": 11_000, "max_discharge_w": 11_000}],
    "points_per_unit": 1,
    "currency": "JPY",
    "reserve_bays": False,
}

SHOWN: dict[str, Any] = {
    **{name: value for name, value in FACILITY.items() if name not in ("opens", "closes")},
    "hours": {day: ["10:00-22:00"] for day in WEEKDAYS},
    "closures": [],
    "services": [
        {"id": "stay", "name": "Stay", "minutes": [], "every_min": None, "before_min": 0, "after_min": 0, "nights": None}
    ],
    "resources": [{"id": "c1", "name": "Chair 1", "kind": "", "capacity": 1, "shared": False, "services": []}],
    "bays": [{**FACILITY["bays"][0], "plugs": []}],
    "rules": {**asdict(Rules()), "late_cancel": "refused"},
    "language": "en",
    "messages": {},
    "position": None,
}
"""FACILITY as the service shows it."""

MEMBER: dict[str, Any] = {
    "id": "m1",
    "number": "1001",
    "name": "Aoki Yui",
    "phone": "+81 90-1234-5678",
    "email": "yui@example.com",
    "tokens": [{"value": "ABCD1234", "type": "ISO14443"}],
    "car": {
        "model_id": None,
        "name": "",
        "battery_wh": 60_000,
        "max_charge_w": 11_000,
        "max_discharge_w": 11_000,
        "consumption_wh_per_km": 160,
        "plugs": [],
    },
    "preferences": {"dr": True, "discharge": True, "wanted_soc_pct": 80, "floor_soc_pct": 20},
    "language": None,
    "plates": [],
}


def another_member(number: int) -> dict[str, Any]:
    """A member unlike any other."""
    token = {"value": f"T{number}", "type": "ISO14443"}
    return {**MEMBER, "id": f"id{number}", "number": f"n{number}", "phone": f"0800000{number:04}", "tokens": [token]}


def stay(first: float = 11, last: float = 13, **given: Any) -> dict[str, Any]:
    """The body of a booking request from the first to the last hour of that day."""
    body = {"facility_id": "salon", "member": "1001", "start": at(first).isoformat(), "end": at(last).isoformat()}
    return {**body, "soc_pct": 60, "distance_km": 10.0, **given}
