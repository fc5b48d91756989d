"""The widget: a facility's next days, free and paid, for a frame in somebody else's page (M6)."""

from dataclasses import replace
from datetime import timedelta

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from gridstay.web.guest.choice import choice_of
from gridstay.web.guest.facilities import view_of
from gridstay.web.guest.times import free_starts, paid_periods
from gridstay.web.site import STATIC, Site, Visited, page_route

DAYS = 3
HOUR_S = 3_600


def router(site: Site) -> APIRouter:
    """The frame's page, and the script that puts the frame in."""
    routes = APIRouter(route_class=page_route(site, frames="*"))

    @routes.get("/embed/{facility_id}")
    async def embed(visit: Visited, facility_id: str) -> Response:
        facility = await visit.door.get("facilities", facility_id)
        choice = choice_of(facility, visit.request.query_params, visit.now)
        if choice.service is None:
            named = {**visit.request.query_params, "service": facility["services"][0]["id"]}
            choice = choice_of(facility, named, visit.now)
        first, last = choice.day, choice.day + timedelta(days=DAYS - 1)
        starts = await free_starts(visit, choice, first, last, None)
        paid = await paid_periods(visit, facility_id, None)
        days = []
        for number in range(DAYS):
            day = first + timedelta(days=number)
            of_day = [start for start in starts if start.day(choice.zone) == day]
            view = view_of(visit.words, choice, of_day, [one for one in paid if one.touches(day, choice.zone)])
            days.append({"date": day, "view": view, "query": replace(choice, day=day).at()})
        return visit.page("embed.html", facility=facility, choice=choice, days=days)

    @routes.get("/embed.js")
    async def script() -> Response:
        return FileResponse(
            STATIC / "embed.js", media_type="text/javascript", headers={"Cache-Control": f"public, max-age={HOUR_S}"}
        )

    return routes
