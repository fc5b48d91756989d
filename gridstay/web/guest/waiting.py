"""Guests who wait for a period that is taken: they put themselves on the list, see what has become free, and leave it."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from fastapi import APIRouter, Response

from gridstay.web.door import Refusal
from gridstay.web.guest.choice import Choice, choice_of
from gridstay.web.guest.times import end_of
from gridstay.web.refusals import why
from gridstay.web.site import Form, Site, Visit, Visited, page_route, zone_of
from gridstay.web.words import instant

OPEN = ("waiting", "told")
ONE_DAY = timedelta(days=1)


def router(site: Site) -> APIRouter:
    """Routes of the waiting list."""
    routes = APIRouter(route_class=page_route(site))

    @routes.post("/f/{facility_id}/wait")
    async def join(visit: Visited, facility_id: str) -> Response:
        """Wait for the period that the form names, or for any time of its day."""
        form = await visit.form()
        member = await visit.me()
        choice = choice_of(await visit.door.get("facilities", facility_id), form, visit.now)
        if choice.service is None:
            return visit.go(f"/f/{facility_id}")
        wish = _wish(choice, form, member)
        if not any(_is_same(one, wish) for one in await _open(visit, member["id"])):
            try:
                await visit.door.post("waiting", body=wish)
            except Refusal as refusal:
                if refusal.reason == "free_already":
                    return visit.go(f"/f/{facility_id}", **choice.at(), free="1")
                text = why(visit.words, refusal, choice.facility)
                return visit.page("trouble.html", refusal.status, text=text)
        return visit.go("/stays", done="waiting")

    @routes.post("/waiting/{wish_id}/leave")
    async def leave(visit: Visited, wish_id: str) -> Response:
        await visit.form()
        if any(one["id"] == wish_id for one in await _open(visit, visit.member())):
            try:
                await visit.door.delete("waiting", wish_id)
            except Refusal as refusal:
                if refusal.reason != "not_possible":  # it has just been left, or served
                    raise
        return visit.go("/stays", done="left")

    return routes


async def waiting_of(visit: Visit, member_id: str, facilities: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the member waits for, as it is shown."""
    return [_shown(visit, one, facilities[one["facility_id"]]) for one in await _open(visit, member_id)]


async def _open(visit: Visit, member_id: str) -> list[dict[str, Any]]:
    found = await visit.door.get("waiting", member_id=member_id)
    return [one for one in found if one["state"] in OPEN and instant(one["end"]) > visit.now]


def _wish(choice: Choice, form: Form, member: Mapping[str, Any]) -> dict[str, Any]:
    assert choice.service is not None
    midnight = datetime.combine(choice.day, time(), choice.zone)
    arrives = time.fromisoformat(choice.service["nights"]["check_in"]) if choice.by_night else time()
    start = datetime.combine(choice.day, arrives, choice.zone)
    length = end_of(choice, start) - start
    try:
        within = instant(form["start"]), instant(form["end"])
    except ValueError:
        within = midnight, midnight + (length + ONE_DAY if choice.by_night else ONE_DAY)
    return {
        "facility_id": choice.facility["id"],
        "member": member["id"],
        "service_id": choice.service["id"],
        "start": within[0].isoformat(),
        "end": within[1].isoformat(),
        "minutes": int(length.total_seconds() // 60),
        "party": choice.party,
        "by_car": choice.by_car and bool(member["car"]),
    }


def _is_same(one: Mapping[str, Any], wish: Mapping[str, Any]) -> bool:
    same = all(one[name] == wish[name] for name in ("facility_id", "service_id", "minutes", "party"))
    return same and all(instant(one[name]) == instant(wish[name]) for name in ("start", "end"))


def _shown(visit: Visit, one: Mapping[str, Any], facility: Mapping[str, Any]) -> dict[str, Any]:
    zone = zone_of(facility)
    start = instant(one["start"]).astimezone(zone)
    service = next((service for service in facility["services"] if service["id"] == one["service_id"]), None)
    free = one["free"] and (instant(one["free"]["start"]), instant(one["free"]["end"]))
    return {
        "id": one["id"],
        "facility": facility["name"],
        "service": service["name"] if service else "",
        "day": visit.words.day(start.date()),
        "length": visit.words.length(one["minutes"]),
        "free": visit.words.times(*free, zone) if free else "",
        "book": _book(one, facility, service) if free and service else None,
    }


def _book(one: Mapping[str, Any], facility: Mapping[str, Any], service: Mapping[str, Any]) -> dict[str, Any]:
    """Where what has become free can be booked: the facility, and the choice that a form brings there."""
    start, end = instant(one["free"]["start"]), instant(one["free"]["end"])
    local = start.astimezone(zone_of(facility)).date(), end.astimezone(zone_of(facility)).date()
    return {
        "facility_id": facility["id"],
        "choice": {
            "service": service["id"],
            "length": (local[1] - local[0]).days if service["nights"] else one["minutes"],
            "day": local[0].isoformat(),
            "party": one["party"],
            "car": "1" if one["by_car"] else "0",
            "start": start.isoformat(),
        },
    }
