"""The desk: a day's stays by resource and bay on one timeline, who is plugged in, who comes and leaves, who did not come and
who waits."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from fastapi import APIRouter, Response

from gridstay.web.day import Bar, Line
from gridstay.web.door import Refusal
from gridstay.web.guest.wording import WEEKDAYS, hours_of, lengths_of
from gridstay.web.refusals import why
from gridstay.web.site import Site, Visit, Visited, page_route, zone_of
from gridstay.web.words import instant

ONE_DAY = timedelta(days=1)
GONE = ("cancelled", "no_show")
WAITING = ("waiting", "told")
ROW = 44
"""Height of a lane, px."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A resource or a bay, and the stays that occupy it."""

    name: str
    is_bay: bool
    bars: Sequence[tuple[Bar, Mapping[str, Any]]]


def router(site: Site) -> APIRouter:
    """Routes of the desk."""
    routes = APIRouter(route_class=page_route(site))

    @routes.get("/staff")
    async def facilities(visit: Visited) -> Response:
        visit.staff()
        found = await visit.door.get("facilities")
        if len(found) == 1:
            return visit.go(f"/staff/{found[0]['id']}")
        return visit.page("staff/facilities.html", facilities=found)

    @routes.get("/staff/{facility_id}")
    async def day(visit: Visited, facility_id: str) -> Response:
        visit.staff()
        return await _day(visit, facility_id)

    @routes.post("/staff/{facility_id}/bookings/{booking_id}/{action}")
    async def act(visit: Visited, facility_id: str, booking_id: str, action: str) -> Response:
        form = await visit.form()
        visit.staff()
        try:
            await _act(visit, booking_id, action)
        except Refusal as refusal:
            if refusal.status not in (409, 422):
                raise
            return await _day(
                visit, facility_id, why(visit.words, refusal, await visit.door.get("facilities", facility_id)), 409
            )
        return visit.go(f"/staff/{facility_id}", day=form["day"])

    @routes.post("/staff/{facility_id}/check-in")
    async def check_in(visit: Visited, facility_id: str) -> Response:
        """Check in whoever shows this code, or came with this number plate."""
        form = await visit.form()
        visit.staff()
        try:
            await _check_in(visit, facility_id, form["shown"])
        except Refusal as refusal:
            if refusal.status == 404 and not refusal.reason:
                raise
            facility = await visit.door.get("facilities", facility_id)
            return await _day(visit, facility_id, why(visit.words, refusal, facility), refusal.status)
        return visit.go(f"/staff/{facility_id}", done="check-in")

    @routes.get("/staff/{facility_id}/settings")
    async def settings(visit: Visited, facility_id: str) -> Response:
        visit.staff()
        facility = await visit.door.get("facilities", facility_id)
        week = [
            {"day": visit.words.day_name(number), "times": ", ".join(facility["hours"].get(name, [])).replace("-", "–")}
            for number, name in enumerate(WEEKDAYS)
        ]
        lengths = {one["id"]: lengths_of(visit.words, one) for one in facility["services"]}
        return visit.page("staff/settings.html", facility=facility, week=week, lengths=lengths)

    return routes


async def _act(visit: Visit, booking_id: str, action: str) -> None:
    if action == "cancel":
        await visit.door.delete("bookings", booking_id, by="staff")
    elif action in ("check-in", "check-out", "no-show"):
        await visit.door.post("bookings", booking_id, action)
    else:
        raise Refusal(404, None)


async def _check_in(visit: Visit, facility_id: str, shown: str) -> None:
    try:
        await visit.door.post("facilities", facility_id, "check-in", body={"code": shown.upper().replace(" ", "")})
    except Refusal as refusal:
        if refusal.reason != "nobody_expected":
            raise
        await visit.door.post("facilities", facility_id, "check-in", body={"plate": shown})


async def _day(visit: Visit, facility_id: str, problem: str = "", status: int = 200) -> Response:
    facility = await visit.door.get("facilities", facility_id)
    zone = zone_of(facility)
    today = visit.now.astimezone(zone).date()
    day = asked_day(visit.asked("day"), today)
    begin, end = (datetime.combine(when, time(), zone) for when in (day, day + ONE_DAY))
    window = {"facility_id": facility_id, "from_": begin.isoformat(), "to": end.isoformat()}
    stays, running, wishes = await asyncio.gather(
        visit.door.get("bookings", **window),
        visit.door.get("sessions", phase="running", limit=1000),
        visit.door.get("waiting", facility_id=facility_id),
    )
    stays = [stay for stay in stays if stay["state"] != "expired"]
    waiting = [one for one in wishes if one["state"] in WAITING and _overlaps(one, max(begin, visit.now), end)]
    names = await _names(visit, [*stays, *waiting])
    shown = [_stay(visit, stay, names, facility) for stay in stays]
    standing = [stay for stay in shown if stay["state"] not in GONE]
    line = _line(standing, begin, end, facility)
    bays = {(bay["station_id"], bay["evse_id"]): bay["id"] for bay in facility["bays"]}
    guests = {stay["bay"]["id"]: stay["name"] for stay in standing if stay["bay"] and stay["state"] == "checked_in"}
    plugged = [
        _plugged(one, bays[place], guests) for one in running if (place := (one["station_id"], one["evse_id"])) in bays
    ]
    return visit.page(
        "staff/day.html",
        status,
        facility=facility,
        day=day,
        is_today=day == today,
        earlier=day - ONE_DAY,
        later=day + ONE_DAY,
        opening=hours_of(visit.words, facility, day),
        stays=[stay for stay in shown if stay["state"] != "no_show"],
        no_shows=[stay for stay in shown if stay["state"] == "no_show"],
        waiting=[_waiting(visit, one, names, facility) for one in waiting],
        lanes=_lanes(facility, standing, line),
        line=line,
        zone=zone,
        row=ROW,
        now_at=line.at(visit.now) if line.start < visit.now < line.end else None,
        plugged=plugged,
        problem=problem,
    )


async def _names(visit: Visit, stays: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Members' names by id."""
    wanted = sorted({stay["member_id"] for stay in stays})
    found = await asyncio.gather(*(visit.door.get("members", member_id) for member_id in wanted))
    return {one["id"]: one["name"] for one in found}


def _stay(visit: Visit, stay: Mapping[str, Any], names: Mapping[str, str], facility: Mapping[str, Any]) -> dict[str, Any]:
    start, end = instant(stay["start"]), instant(stay["end"])
    times = visit.words.times(start, end, zone_of(facility))
    return {
        **stay,
        "start": start,
        "end": end,
        "times": times,
        "name": names[stay["member_id"]],
        "actions": _actions(stay["state"], begun=start <= visit.now, is_near=start <= visit.now + ONE_DAY),
    }


def _actions(state: str, *, begun: bool, is_near: bool) -> list[str]:
    """What can be done with a stay where it stands; the service says no to what the facility's rules do not allow."""
    if state == "checked_in":
        return ["check-out"]
    if state != "booked":
        return []
    return (["check-in"] if is_near else []) + ["no-show" if begun else "cancel"]


def _overlaps(one: Mapping[str, Any], begin: datetime, end: datetime) -> bool:
    return instant(one["start"]) < end and begin < instant(one["end"])


def _waiting(visit: Visit, one: Mapping[str, Any], names: Mapping[str, str], facility: Mapping[str, Any]) -> dict[str, Any]:
    zone, service = zone_of(facility), {each["id"]: each["name"] for each in facility["services"]}
    told = one["free"] and visit.words.times(instant(one["free"]["start"]), instant(one["free"]["end"]), zone)
    return {
        "name": names[one["member_id"]],
        "times": visit.words.times(instant(one["start"]), instant(one["end"]), zone),
        "what": f"{service.get(one['service_id'], '')} · {visit.words.length(one['minutes'])}",
        "told": told or "",
    }


def _line(stays: Sequence[Mapping[str, Any]], begin: datetime, end: datetime, facility: Mapping[str, Any]) -> Line:
    """The hours of the day that matter: from the first stay or opening to the last, within the day."""
    spans = [(max(stay["start"], begin), min(stay["end"], end)) for stay in stays]
    return Line.around([*spans, *_open(facility, begin)], zone_of(facility)) or Line(begin, end)


def _open(facility: Mapping[str, Any], begin: datetime) -> list[tuple[datetime, datetime]]:
    times = facility["hours"].get(WEEKDAYS[begin.weekday()], [])
    spans = []
    for one in times:
        first, last = (datetime.combine(begin.date(), time.fromisoformat(part), begin.tzinfo) for part in one.split("-"))
        spans.append((first, last if last > first else begin + ONE_DAY))
    return spans


def _lanes(facility: Mapping[str, Any], stays: Sequence[Mapping[str, Any]], line: Line) -> list[Lane]:
    def bars(holds: Any) -> list[tuple[Bar, Mapping[str, Any]]]:
        found = [(line.bar(stay["start"], stay["end"]), stay) for stay in stays if holds(stay)]
        return [(bar, stay) for bar, stay in found if bar]

    resources = [
        Lane(one["name"], False, bars(lambda stay, of=one: stay["resource"]["id"] == of["id"]))
        for one in facility["resources"]
    ]
    bays = [
        Lane(one["id"], True, bars(lambda stay, of=one: bool(stay["bay"]) and stay["bay"]["id"] == of["id"]))
        for one in facility["bays"]
    ]
    return resources + bays


def _plugged(session: Mapping[str, Any], bay: str, guests: Mapping[str, str]) -> dict[str, Any]:
    power = session["power_w"]
    return {
        "bay": bay,
        "name": guests.get(bay, ""),
        "power_w": power,
        "soc_pct": session["soc_pct"],
        "started_at": instant(session["started_at"]),
        "station_id": session["station_id"],
    }


def asked_day(text: str, otherwise: date) -> date:
    """The day that an address names, or another where it names none."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return otherwise
    return found if 2000 <= found.year <= 2199 else otherwise
