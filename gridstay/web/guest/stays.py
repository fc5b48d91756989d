"""A guest's stays: all of them with what the guest waits for, one with its session live, and cancelling."""

from typing import Any

from fastapi import APIRouter, Response

from gridstay.web.door import Refusal
from gridstay.web.guest import holds
from gridstay.web.guest.choice import query_of
from gridstay.web.guest.live import is_followed, live_of
from gridstay.web.guest.prospect import promise_told
from gridstay.web.guest.waiting import waiting_of
from gridstay.web.refusals import why
from gridstay.web.site import Site, Visit, Visited, page_route, zone_of
from gridstay.web.words import instant

STANDING = ("booked", "held")


def router(site: Site) -> APIRouter:
    """Routes of stays."""
    routes = APIRouter(route_class=page_route(site))

    @routes.get("/stays")
    async def listed(visit: Visited) -> Response:
        member_id = (await visit.me())["id"]
        found = await visit.door.get("bookings", member_id=member_id)
        facilities = {one["id"]: one for one in await visit.door.get("facilities")}
        shown = [tile(visit, stay, facilities[stay["facility_id"]]) for stay in found if _is_told(visit, stay)]
        coming = [one for one in shown if one["end"] > visit.now and one["is_standing"]]
        past = [one for one in reversed(shown) if one not in coming]
        waiting = await waiting_of(visit, member_id, facilities)
        return visit.page("stays.html", coming=coming, past=past[:50], waiting=waiting)

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
            return await _refused(visit, stay, refusal)
        if stay["state"] == "held":
            facility = await visit.door.get("facilities", stay["facility_id"])
            return visit.go(f"/f/{facility['id']}", **query_of(stay, facility))
        return visit.go(f"/stays/{booking_id}", done="cancelled")

    @routes.post("/stays/{booking_id}/charge-now")
    async def charge_now(visit: Visited, booking_id: str) -> Response:
        """The driver takes the car back from the grid."""
        await visit.form()
        stay = await visit.own_stay(booking_id)
        try:
            await visit.door.post("bookings", stay["id"], "charge-now")
        except Refusal as refusal:
            return await _refused(visit, stay, refusal)
        return visit.go(f"/stays/{booking_id}", done="charging")

    return routes


async def _refused(visit: Visit, stay: dict[str, Any], refusal: Refusal) -> Response:
    if refusal.status != 409:
        raise refusal
    stay, facility = await visit.own_stay(stay["id"]), await visit.door.get("facilities", stay["facility_id"])
    return await _page(visit, stay, facility, why(visit.words, refusal, facility), 409)


async def _page(
    visit: Visit, stay: dict[str, Any], facility: dict[str, Any], problem: str = "", status: int = 200
) -> Response:
    zone, start, end = zone_of(facility), instant(stay["start"]), instant(stay["end"])
    standing, begun, held = stay["state"] in STANDING, start <= visit.now, holds.is_held(stay, visit)
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
        is_followed=is_followed(visit, stay),
        can_change=standing and not begun and stay["state"] != "held",
        can_take_back=_can_take_back(visit, stay),
        change_query={"change": stay["id"], **query_of(stay, facility)},
        held_until=visit.words.time(instant(stay["expires_at"]), zone) if held else "",
        book_query={**query_of(stay, facility), "start": start.isoformat()},
        problem=problem,
    )


def _can_take_back(visit: Visit, stay: dict[str, Any]) -> bool:
    """Whether the car is, or may be, at the grid's service now."""
    here = stay["state"] in ("booked", "checked_in") and instant(stay["start"]) <= visit.now < instant(stay["end"])
    return here and stay["charging"] is not None and stay["charging"]["dr"]


def _is_told(visit: Visit, stay: dict[str, Any]) -> bool:
    """Whether it is a stay: what was held and let go never became one."""
    if stay["state"] == "held":
        return holds.is_held(stay, visit)
    return stay["state"] != "expired" and not (stay["state"] == "cancelled" and stay["expires_at"])


def tile(visit: Visit, stay: dict[str, Any], facility: dict[str, Any]) -> dict[str, Any]:
    """A stay as one of a list shows it."""
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
