"""A stay week after week: all of it on one page, one or all of it cancelled."""

from typing import Any

from fastapi import APIRouter, Response

from gridstay.web.guest.stays import tile
from gridstay.web.site import Site, Stop, Visit, Visited, page_route
from gridstay.web.words import instant

CAN_CANCEL = ("booked", "held")


def router(site: Site) -> APIRouter:
    """Routes of series."""
    routes = APIRouter(route_class=page_route(site))

    @routes.get("/series/{series_id}")
    async def show(visit: Visited, series_id: str) -> Response:
        stays = await _own(visit, series_id)
        facility = await visit.door.get("facilities", stays[0]["facility_id"])
        to_come = [one for one in stays if one["state"] in CAN_CANCEL and instant(one["start"]) > visit.now]
        return visit.page(
            "series.html",
            facility=facility,
            series_id=series_id,
            stays=[tile(visit, one, facility) for one in stays],
            to_come=len(to_come),
            left_out=max(0, _count(visit.asked("weeks")) - len(stays)),
            too_late=_count(visit.asked("too_late")),
        )

    @routes.post("/series/{series_id}/cancel")
    async def cancel(visit: Visited, series_id: str) -> Response:
        await visit.form()
        await _own(visit, series_id)
        gone = await visit.door.delete("series", series_id)
        return visit.go(f"/series/{series_id}", done="cancelled", too_late=len(gone["left"]) or "")

    return routes


async def _own(visit: Visit, series_id: str) -> list[dict[str, Any]]:
    """The series' stays by start. Stops for another's as for one that is not there."""
    member_id = (await visit.me())["id"]
    stays: list[dict[str, Any]] = await visit.door.get("bookings", series_id=series_id)
    if not stays or any(one["member_id"] != member_id for one in stays):
        raise Stop(visit.trouble(404, "trouble.not_found"))
    return stays


def _count(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 else 0
