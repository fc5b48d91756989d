"""What a guest's car does at this moment: SOC, power, what it has given and earned so far."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Response

from gridstay.web.door import Refusal
from gridstay.web.guest.times import Paid, paid_periods
from gridstay.web.site import Site, Visit, Visited, page_route, zone_of
from gridstay.web.words import instant

STILL_W = 100.0
"""Below it a car neither charges nor gives: what flows keeps its electronics awake."""
BEFORE, AFTER = timedelta(hours=1), timedelta(hours=12)
"""How long before and after a stay its car is followed: some come early, and money is settled later."""
FOLLOWED = ("booked", "checked_in", "checked_out")


@dataclass(frozen=True, slots=True)
class Live:
    """The car now. `doing` is one of charging, giving, waiting. Texts are in the guest's language, "" for not known:
    `so_far` is what it has about earned in events that are not settled yet."""

    plugged_in: bool
    soc_pct: float | None
    wanted_soc_pct: int
    doing: str
    power: str
    delivered: str
    earned: str
    so_far: str
    at: str


def is_followed(visit: Visit, stay: Mapping[str, Any]) -> bool:
    """Whether there is, or will soon be, a car to follow."""
    around = instant(stay["start"]) - BEFORE <= visit.now <= instant(stay["end"]) + AFTER
    return stay["charging"] is not None and stay["state"] in FOLLOWED and around


async def live_of(visit: Visit, stay: Mapping[str, Any], facility: Mapping[str, Any]) -> Live | None:
    """The stay's car; None for a stay without one, or one where there is nothing to see yet or any more."""
    if stay["charging"] is None or stay["state"] not in FOLLOWED:
        return None
    try:
        now = await visit.door.get("dr", "stays", stay["id"])
    except Refusal as refusal:
        if refusal.status == 404:
            return None
        raise
    if now["session_id"] is None:
        return None
    w, settled = visit.words, [one for one in now["helped"] if one["amount_minor"] is not None]
    open_events = [one for one in now["helped"] if one["amount_minor"] is None]
    paid = await paid_periods(visit, facility["id"], None) if open_events else []
    so_far = about_earned(open_events, paid)
    currency = settled[0]["currency"] if settled else facility["currency"]
    return Live(
        plugged_in=now["plugged_in"],
        soc_pct=now["soc_pct"],
        wanted_soc_pct=now["wanted_soc_pct"],
        doing=_doing(now["power_w"]),
        power=w.power(now["power_w"]) if now["power_w"] is not None else "",
        delivered=w.energy(now["delivered_wh"]) if now["helped"] else "",
        earned=w.money(sum(one["amount_minor"] for one in settled), currency) if settled else "",
        so_far=w.money(so_far, facility["currency"]) if so_far else "",
        at=w.time(instant(now["metered_at"]), zone_of(facility)) if now["metered_at"] else "",
    )


def about_earned(events: Iterable[Mapping[str, Any]], paid: Sequence[Paid]) -> int:
    """What the energy that was delivered in these events comes to by the paid periods that they lie in, minor units."""
    earned = 0.0
    for event in events:
        start, end = instant(event["start"]), instant(event["end"])
        rate = max((one.minor_per_kwh for one in paid if one.overlaps(start, end)), default=0)
        earned += event["delivered_wh"] * rate / 1000
    return int(earned)


def router(site: Site) -> APIRouter:
    """The car as a stream: the part of a stay's page that shows it, whenever it has changed."""
    routes = APIRouter(route_class=page_route(site))

    @routes.get("/stays/{booking_id}/events")
    async def events(visit: Visited, booking_id: str) -> Response:
        stay = await visit.own_stay(booking_id)
        facility = await visit.door.get("facilities", stay["facility_id"])

        async def look() -> str | None:
            now = await visit.door.get("bookings", booking_id)
            if not is_followed(visit, now):
                return None
            return visit.part("live.html", live=await live_of(visit, now, facility))

        return site.streams.answer(stay["member_id"], look)

    return routes


def _doing(power_w: float | None) -> str:
    if power_w is None or abs(power_w) < STILL_W:
        return "waiting"
    return "charging" if power_w > 0 else "giving"
