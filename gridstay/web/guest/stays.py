"""A guest's stays: all of them, one with its session live, and cancelling."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response

from gridstay.web.door import Refusal
from gridstay.web.guest.live import live_of
from gridstay.web.guest.prospect import promise_told
from gridstay.web.site import Site, Visit, Visited, instant, page_route, zone_of

STANDING = ("booked", "held")


def router(site: Site) -> APIRouter:
    """Routes of stays."""
    routes = APIRouter(route_class=page_route(site))

    @routes.get("/stays")
    async def listed(visit: Visited) -> Response:
        found = await visit.door.get("bookings", member_id=visit.member())
        facilities = {one["id"]: one for one in await visit.door.get("facilities")}
        shown = [_tile(visit, stay, facilities[stay["facility_id"]]) for stay in found]
        coming = [one for one in shown if one["end"] > visit.now and one["is_standing"]]
        past = [one for one in reversed(shown) if one not in coming]
        return visit.page("stays.html", coming=coming, past=past[:50])

    @routes.get("/stays/{booking_id}")
    async def one(visit: Visited, booking_id: str) -> Response:
        stay = await visit.own_stay(booking_id)
        facility = await visit.door.get("facilities", stay["facility_id"])
        return await _page(visit, stay, facility)

    @routes.get("/stays/{booking_id}/calendar.ics")
    async def calendar(visit: Visited, booking_id: str) -> Response:
        """The stay for the guest's own calendar."""
        stay = await visit.own_stay(booking_id)
        return Response(await visit.door.text("bookings", stay["id"], "calendar"), media_type="text/calendar")

    @routes.post("/stays/{booking_id}/cancel")
    async def cancel(visit: Visited, booking_id: str) -> Response:
        await visit.form()
        stay = await visit.own_stay(booking_id)
        try:
            await visit.door.delete("bookings", stay["id"])
        except Refusal as refusal:
            if refusal.status != 409:
                raise
            facility = await visit.door.get("facilities", stay["facility_id"])
            return await _page(visit, stay, facility, visit.words("stay.too_late"), 409)
        return visit.go(f"/stays/{booking_id}", done="cancelled")

    return routes


async def _page(
    visit: Visit, stay: dict[str, Any], facility: dict[str, Any], problem: str = "", status: int = 200
) -> Response:
    zone, start, end = zone_of(facility), instant(stay["start"]), instant(stay["end"])
    standing, begun = stay["state"] in STANDING, start <= visit.now
    return visit.page(
        "stay.html",
        status,
        stay=stay,
        facility=facility,
        day=start.astimezone(zone).date(),
        times=visit.words.times(start, end, zone),
        what=_what(stay, facility),
        promise=promise_told(visit.words, stay["promise"]) if stay["promise"] and standing else None,
        live=await live_of(visit, stay, facility),
        can_change=standing and not begun,
        change_query=_change_query(stay, facility),
        problem=problem,
    )


def _tile(visit: Visit, stay: dict[str, Any], facility: dict[str, Any]) -> dict[str, Any]:
    zone, start, end = zone_of(facility), instant(stay["start"]), instant(stay["end"])
    return {
        "id": stay["id"],
        "state": stay["state"],
        "is_standing": stay["state"] not in ("cancelled", "no_show"),
        "end": end,
        "day": start.astimezone(zone).date(),
        "times": visit.words.times(start, end, zone),
        "facility": facility["name"],
        "what": _what(stay, facility),
        "by_car": stay["charging"] is not None,
    }


def _what(stay: dict[str, Any], facility: dict[str, Any]) -> str:
    service = next((one["name"] for one in facility["services"] if one["id"] == stay["service_id"]), "")
    return " · ".join(filter(None, [service, stay["resource"]["name"]]))


def _change_query(stay: dict[str, Any], facility: dict[str, Any]) -> dict[str, Any]:
    start, end = instant(stay["start"]), instant(stay["end"])
    local = start.astimezone(zone_of(facility))
    return {
        "change": stay["id"],
        "service": stay["service_id"],
        "length": _length(start, end),
        "day": local.date().isoformat(),
        "party": stay["party"],
        "car": "1" if stay["charging"] else "0",
    }


def _length(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds() // 60)
