"""What a guest's car does at this moment: SOC, power, what it has given and earned so far."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Response

from gridstay.web.door import Refusal
from gridstay.web.site import Site, Visit, Visited, instant, page_route, zone_of

STILL_W = 100.0
"""Below it a car neither charges nor gives: what flows keeps its electronics awake."""


@dataclass(frozen=True, slots=True)
class Live:
    """The car now. `doing` is one of charging, giving, waiting. Texts are in the guest's language, "" for not known."""

    plugged_in: bool
    soc_pct: float | None
    wanted_soc_pct: int
    doing: str
    power: str
    delivered: str
    earned: str
    settled: bool
    at: str


async def live_of(visit: Visit, stay: dict[str, Any], facility: dict[str, Any]) -> Live | None:
    """The stay's car; None for a stay without one, or one where there is nothing to see yet or any more."""
    if stay["charging"] is None or stay["state"] in ("cancelled", "no_show"):
        return None
    try:
        now = await visit.door.get("dr", "stays", stay["id"])
    except Refusal as refusal:
        if refusal.status == 404:
            return None
        raise
    if now["session_id"] is None:
        return None
    amounts = [one["amount_minor"] for one in now["helped"] if one["amount_minor"] is not None]
    currency = next((one["currency"] for one in now["helped"] if one["currency"]), facility["currency"])
    w = visit.words
    return Live(
        plugged_in=now["plugged_in"],
        soc_pct=now["soc_pct"],
        wanted_soc_pct=now["wanted_soc_pct"],
        doing=_doing(now["power_w"]),
        power=w.power(now["power_w"]) if now["power_w"] is not None else "",
        delivered=w.energy(now["delivered_wh"]) if now["helped"] else "",
        earned=w.money(sum(amounts), currency) if amounts else "",
        settled=bool(amounts) and len(amounts) == len(now["helped"]),
        at=w.time(instant(now["metered_at"]), zone_of(facility)) if now["metered_at"] else "",
    )


def router(site: Site) -> APIRouter:
    """The part of a stay's page that is fetched again and again."""
    routes = APIRouter(route_class=page_route(site))

    @routes.get("/stays/{booking_id}/live")
    async def live(visit: Visited, booking_id: str) -> Response:
        stay = await visit.own_stay(booking_id)
        facility = await visit.door.get("facilities", stay["facility_id"])
        return visit.page("live_only.html", live=await live_of(visit, stay, facility), stay=stay)

    return routes


def _doing(power_w: float | None) -> str:
    if power_w is None or abs(power_w) < STILL_W:
        return "waiting"
    return "charging" if power_w > 0 else "giving"
