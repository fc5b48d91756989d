"""When a stay can begin, and which periods are paid: as the services tell it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gridstay.web.guest.choice import Choice
from gridstay.web.site import Visit
from gridstay.web.words import instant

ONE_DAY = timedelta(days=1)
MOST = 500
"""Periods that the API gives at once."""
Member = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Start:
    """A stay that could be booked, and whether a part of it is paid."""

    at: datetime
    until: datetime
    paid: bool = False

    def day(self, zone: ZoneInfo) -> date:
        """The local day on which it begins."""
        return self.at.astimezone(zone).date()


@dataclass(frozen=True, slots=True)
class Paid:
    """A period in which cars that help are paid so much for a kWh; `most_minor` is what the guest's car can earn at most."""

    start: datetime
    end: datetime
    minor_per_kwh: int = 0
    currency: str = "JPY"
    most_minor: int | None = None

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Whether the stay shares time with it."""
        return self.start < end and start < self.end

    def part_of(self, start: datetime, end: datetime) -> float:
        """The part of it, 0 to 1, that the stay is there."""
        there = min(self.end, end) - max(self.start, start)
        return max(0.0, there / (self.end - self.start))

    def touches(self, day: date, zone: ZoneInfo) -> bool:
        """Whether it shares time with that local day."""
        begin = datetime.combine(day, time(), zone)
        return self.overlaps(begin, begin + ONE_DAY)


def end_of(choice: Choice, start: datetime) -> datetime:
    """When a stay that begins then is over: so many minutes later, or at check-out so many nights later."""
    if not choice.by_night or choice.service is None:
        return start + timedelta(minutes=choice.length)
    leaves = time.fromisoformat(choice.service["nights"]["check_out"])
    last = start.astimezone(choice.zone).date() + timedelta(days=choice.length)
    return datetime.combine(last, leaves, choice.zone).astimezone(start.tzinfo)


async def free_starts(
    visit: Visit, choice: Choice, first: date, last: date, member: Member | None, but: str = ""
) -> list[Start]:
    """Every stay of that choice that could be booked on these days, by start; at most as many as the API gives at once. The
    booking `but` is not in the way."""
    begin, end = (datetime.combine(day, time(), choice.zone) for day in (first, last + ONE_DAY))
    span = {"from_": begin.isoformat(), "to": (end + _about(choice)).isoformat(), "limit": MOST}
    query = _asked(choice, member) | span | {"but": but or None}
    found = await visit.door.get("facilities", choice.facility["id"], "free", **query)
    starts = [Start(instant(one["start"]), instant(one["end"])) for one in found]
    return [start for start in starts if start.at < end]


async def free_stay(visit: Visit, choice: Choice, start: datetime, member: Member, car: Mapping[str, Any], but: str) -> Any:
    """The stay that begins then as the API has it: free resources, free bays, the promise; None when it is not free."""
    end = end_of(choice, start)
    query = (
        _asked(choice, member)
        | dict(car)
        | {"from_": start.isoformat(), "to": end.isoformat(), "limit": 1, "but": but or None}
    )
    found = await visit.door.get("facilities", choice.facility["id"], "free", **query)
    return next((one for one in found if instant(one["start"]) == start), None)


def most_earned(paid: Iterable[Paid], start: datetime, end: datetime) -> int | None:
    """What the guest's car can earn at most in a stay, in minor units: its part of each period. None where nobody knows."""
    amounts = [one.most_minor * one.part_of(start, end) for one in paid if one.most_minor is not None]
    return int(sum(amounts)) if amounts else None


async def paid_periods(visit: Visit, facility_id: str, member: Member | None) -> list[Paid]:
    """The paid periods that are not over (M6), with what the member's car can earn in each."""
    who = member["id"] if member else None
    found = await visit.door.get("facilities", facility_id, "paid-periods", member=who)
    return [
        Paid(instant(one["start"]), instant(one["end"]), one["minor_per_kwh"], one["currency"], one["most_minor"])
        for one in found
    ]


def _about(choice: Choice) -> timedelta:
    """How long after its start a stay ends at the latest."""
    return timedelta(days=choice.length + 1) if choice.by_night else timedelta(minutes=choice.length)


def _asked(choice: Choice, member: Member | None) -> dict[str, Any]:
    """Bays are asked for where the car is known."""
    length = "nights" if choice.by_night else "minutes"
    return {
        "service_id": choice.service["id"] if choice.service else None,
        length: choice.length,
        "party": choice.party,
        "member": member["id"] if member else None,
        "by_car": choice.by_car and member["car"] is not None if member else None,
    }
