"""A day of the register: its receipts, sums and closings, and the journal as a file for bookkeeping."""

import asyncio
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Response

from gridstay.web.site import Site, Visit, Visited, page_route, zone_of
from gridstay.web.staff.till import receipt_told
from gridstay.web.staff.today import asked_day
from gridstay.web.words import instant

MOST_RECEIPTS = 1_000
ONE_DAY = timedelta(days=1)


def router(site: Site) -> APIRouter:
    """Routes of the journal."""
    routes = APIRouter(route_class=page_route(site))

    @routes.get("/staff/{facility_id}/till/journal")
    async def show(visit: Visited, facility_id: str) -> Response:
        visit.staff()
        facility = await visit.door.get("facilities", facility_id)
        day = await _day(visit, facility_id)
        found, receipts, stock = await asyncio.gather(
            visit.door.get("register", "days", facility_id, day.isoformat()),
            visit.door.get("register", "receipts", facility_id=facility_id, day=day.isoformat(), limit=MOST_RECEIPTS),
            visit.door.get("register", "stock", facility_id=facility_id),
        )
        named = {one["item_id"]: one["name"] for one in stock}
        numbers = {one["id"]: one["number"] for one in receipts}
        return visit.page(
            "staff/journal.html",
            facility=facility,
            day=day,
            earlier=day - ONE_DAY,
            later=day + ONE_DAY,
            found=found,
            receipts=[
                {**receipt_told(visit, facility, one, named), "of": numbers.get(one["refund_of"], "")} for one in receipts
            ],
            closings=[_closing(visit, facility, one) for one in found["closings"]],
        )

    @routes.get("/staff/{facility_id}/till/journal.csv")
    async def journal(visit: Visited, facility_id: str) -> Response:
        visit.staff()
        day = await _day(visit, facility_id)
        text = await visit.door.text("register", "journal", facility_id=facility_id, day=day.isoformat())
        named = {"Content-Disposition": f'attachment; filename="journal-{day}.csv"'}
        return Response(text, media_type="text/csv; charset=utf-8", headers=named)

    return routes


async def _day(visit: Visit, facility_id: str) -> date:
    """The day that is asked for, else the register's present one."""
    today = await visit.door.get("register", "days", facility_id, "today")
    return asked_day(visit.asked("day"), date.fromisoformat(today["day"]))


def _closing(visit: Visit, facility: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    w, difference = visit.words, one["difference_minor"]
    return {
        "number": one["number"],
        "time": w.time(instant(one["at"]), zone_of(facility)),
        "due": w.money(one["totals"]["due_minor"], one["currency"]),
        "difference": "–" if difference is None else w.money(difference, one["currency"]),
        "is_off": bool(difference),
    }
