"""What a guest has chosen so far: facility, service, length, day, persons, by car or not. It lives in the page's address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gridstay.web.site import zone_of

DAYS_SHOWN = 14
ANY_LENGTH = (60, 90, 120, 180)
"""Minutes that are offered where a service leaves its length to the guest."""


@dataclass(frozen=True, slots=True)
class Choice:
    """`service` is None where the guest still has to choose. `length` is in minutes, or in nights for a service by
    the night. `change` is the booking that is to be changed, "" for a new one."""

    facility: Mapping[str, Any]
    service: Mapping[str, Any] | None
    length: int
    day: date
    by_car: bool
    party: int
    change: str

    @property
    def zone(self) -> ZoneInfo:
        """The facility's time zone."""
        return zone_of(self.facility)

    @property
    def by_night(self) -> bool:
        """Whether the service is had over nights."""
        return bool(self.service and self.service["nights"])

    @property
    def lengths(self) -> list[int]:
        """The lengths on offer."""
        if self.service is None:
            return []
        if self.by_night:
            return list(range(1, min(self.service["nights"]["longest"], 7) + 1))
        return list(self.service["minutes"] or ANY_LENGTH)

    @property
    def most_persons(self) -> int:
        """The largest party that some resource of the service holds."""
        fitting = [
            one["capacity"]
            for one in self.facility["resources"]
            if self.service is None or not one["services"] or self.service["id"] in one["services"]
        ]
        return min(max(fitting, default=1), 20)

    @property
    def has_bays(self) -> bool:
        """Whether cars can be charged there."""
        return bool(self.facility["bays"])

    def at(self, **changes: Any) -> dict[str, Any]:
        """The query of a page with this choice, or with another."""
        then = replace(self, **changes)
        query = {
            "service": then.service["id"] if then.service else "",
            "length": then.length,
            "day": then.day.isoformat(),
            "party": then.party if then.party > 1 else "",
            "car": "1" if then.by_car else "0" if self.has_bays else "",
            "change": then.change,
        }
        return {name: value for name, value in query.items() if value != ""}


def choice_of(facility: Mapping[str, Any], asked: Mapping[str, str], now: datetime, *, has_car: bool = False) -> Choice:
    """What a page's address or form says; the only service where there is one, today where it names no day, and by car for
    a member who has one, unless it says otherwise."""
    services = facility["services"]
    named = asked.get("service", "")
    service = next((one for one in services if one["id"] == named), services[0] if len(services) == 1 else None)
    today = now.astimezone(zone_of(facility)).date()
    choice = Choice(
        facility=facility,
        service=service,
        length=0,
        day=max(_day(asked.get("day", ""), today), today),
        by_car=asked.get("car", "1" if has_car else "0") == "1" and bool(facility["bays"]),
        party=_number(asked.get("party", ""), 1),
        change=asked.get("change", ""),
    )
    wanted = _number(asked.get("length", ""), 0)
    length = wanted if wanted in choice.lengths else (choice.lengths or [0])[0]
    return replace(choice, length=length, party=min(max(choice.party, 1), choice.most_persons))


def query_of(stay: Mapping[str, Any], facility: Mapping[str, Any]) -> dict[str, Any]:
    """The query of a page with the choice that made a stay."""
    start, end = (datetime.fromisoformat(stay[name]).astimezone(zone_of(facility)) for name in ("start", "end"))
    service = next((one for one in facility["services"] if one["id"] == stay["service_id"]), None)
    nights = bool(service and service["nights"])
    return {
        "service": stay["service_id"],
        "length": (end.date() - start.date()).days if nights else int((end - start).total_seconds() // 60),
        "day": start.date().isoformat(),
        "party": stay["party"],
        "car": "1" if stay["charging"] else "0",
    }


def days_from(first: date) -> list[date]:
    """The days that are shown side by side."""
    return [first + timedelta(days=number) for number in range(DAYS_SHOWN)]


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 6 else otherwise


def _day(text: str, otherwise: date) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return otherwise
    return found if 2000 <= found.year <= 2199 else otherwise
