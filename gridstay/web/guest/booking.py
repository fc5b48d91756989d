"""The last tap: a stay is held and shown whole, with what the car gets and earns, and booked, once or week after week; or
it is refused with near free periods."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from secrets import token_urlsafe
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response

from gridstay.web.door import Refusal
from gridstay.web.guest import holds
from gridstay.web.guest.choice import Choice, choice_of
from gridstay.web.guest.prospect import Prospect, prospect_of
from gridstay.web.guest.times import end_of
from gridstay.web.refusals import why
from gridstay.web.site import Form, Site, Stop, Visit, Visited, number, page_route
from gridstay.web.words import Words, instant

OF_CAR = ("soc_pct", "distance_km", "wanted_soc_pct")
WEEKS = (1, 2, 4, 8, 12, 26)
"""For how many weeks a stay can be booked at once."""
LEADS_ON = ("own_stay", "no_bay", "no_fitting_bay")
"""Reasons for which something is not free that are said as such."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A free period that is offered instead; `day` is its local day."""

    start: datetime
    day: date
    times: str


def router(site: Site) -> APIRouter:
    """Routes of booking."""
    routes = APIRouter(route_class=page_route(site))

    @routes.post("/f/{facility_id}/hold")
    async def hold(visit: Visited, facility_id: str) -> Response:
        """The time that was tapped, held while the guest looks at it."""
        form = await visit.form()
        member = await visit.me()
        choice = choice_of(await visit.door.get("facilities", facility_id), form, visit.now)
        start = _start(visit, choice, form["start"])
        if not choice.by_car or member["car"]:
            try:
                key = f"{form['key'] or token_urlsafe(16)}/{int(start.timestamp())}"
                await holds.hold(visit, choice, member["id"], _body(choice, start), key)
            except Refusal as refusal:
                return await _refused(visit, choice, start, form, refusal)
        there = choice.at(day=start.astimezone(choice.zone).date())
        return visit.go(f"/f/{facility_id}/book", **there, start=start.isoformat(), **_kept(form))

    @routes.get("/f/{facility_id}/book")
    async def show(visit: Visited, facility_id: str) -> Response:
        facility, asked = await visit.door.get("facilities", facility_id), visit.request.query_params
        choice = choice_of(facility, asked, visit.now)
        return await _shown(visit, choice, _start(visit, choice, asked.get("start", "")), asked)

    @routes.post("/f/{facility_id}/book")
    async def book(visit: Visited, facility_id: str) -> Response:
        form = await visit.form()
        member_id = visit.member()
        choice = choice_of(await visit.door.get("facilities", facility_id), form, visit.now)
        start = _start(visit, choice, form["start"])
        try:
            return await _book(visit, choice, start, form, member_id)
        except Refusal as refusal:
            return await _refused(visit, choice, start, form, refusal)

    return routes


async def _book(visit: Visit, choice: Choice, start: datetime, form: Form, member_id: str) -> Response:
    """Book what the form says: the stay that is to be changed, a series, what is held, or a new stay. Raises Refusal."""
    said = _said_of_car(form, choice)
    body = _body(choice, start) | said
    if choice.change:
        await visit.own_stay(choice.change)
        changed = await visit.door.patch("bookings", choice.change, body=body)
        return visit.go(f"/stays/{changed['id']}", done="changed")
    asked = {**body, "facility_id": choice.facility["id"], "member": member_id}
    weeks, held = form.number("weeks") or 1, await _held(visit, form["hold"])
    if weeks != 1:
        await holds.let_go(visit, await holds.held_by(visit, member_id, choice.facility["id"]))
        made = await visit.door.post("series", body={**asked, "weeks": weeks, "take": "free"}, key=form["key"] or None)
        return visit.go(f"/series/{made['id']}", weeks=weeks)
    booked = await holds.confirmed(visit, held, said) if held else None
    if booked is None:
        await holds.let_go(visit, await holds.held_by(visit, member_id, choice.facility["id"]))
        booked = await visit.door.post("bookings", body=asked, key=form["key"] or None)
    return visit.go(f"/stays/{booked['id']}", done="booked")


async def _held(visit: Visit, booking_id: str) -> holds.Stay | None:
    return await visit.own_stay(booking_id) if booking_id else None


async def _shown(
    visit: Visit,
    choice: Choice,
    start: datetime,
    asked: Mapping[str, str],
    *,
    wrong: Mapping[str, str] | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    member, prospect, held = await visit.known_member(), Prospect(), None
    given = _given(asked, member)
    if member and not choice.change:
        held = holds.the_one(await holds.held_by(visit, member["id"], choice.facility["id"]), choice, _body(choice, start))
    if member and choice.by_car and member["car"]:
        but = choice.change or (held["id"] if held else "")
        prospect = await prospect_of(visit, choice, start, member, {**_car(given), "dr": given["dr"]}, but)
    end = end_of(choice, start)
    return visit.page(
        "book.html",
        status,
        facility=choice.facility,
        choice=choice,
        start=start,
        day=start.astimezone(choice.zone).date(),
        times=visit.words.times(start, end, choice.zone),
        member=member,
        given=given,
        prospect=prospect,
        held=held,
        held_until=_until(visit.words, held, choice.zone),
        weeks=WEEKS,
        key=asked.get("key") or token_urlsafe(16),
        wrong=wrong or {},
        problem=problem,
    )


def _until(words: Words, held: holds.Stay | None, zone: ZoneInfo) -> str:
    return words.time(instant(held["expires_at"]), zone) if held else ""


async def _refused(visit: Visit, choice: Choice, start: datetime, form: Form, refusal: Refusal) -> Response:
    """The refusal on a page that leads on: to free periods if this one is taken, to the wrong fields if it is those."""
    if refusal.is_not_free:
        end = end_of(choice, start)
        when = visit.words.span(start, end, choice.zone)
        lead = why(visit.words, refusal) if refusal.reason in LEADS_ON else visit.words("taken.lead", when=when)
        return visit.page(
            "taken.html",
            409,
            facility=choice.facility,
            choice=choice,
            start=start,
            end=end,
            lead=lead,
            alternatives=[_alternative(visit, choice, one) for one in refusal.alternatives],
            kept=_kept(form),
            key=token_urlsafe(16),
            without_car=choice.by_car and refusal.reason in LEADS_ON,
            member_id=visit.session.member_id,
        )
    if refusal.status not in (409, 422):
        raise refusal
    wrong = {name: visit.words(f"wrong.{name}") for name in OF_CAR if name in refusal.faults}
    problem = visit.words("wrong.some") if wrong else why(visit.words, refusal, choice.facility)
    return await _shown(visit, choice, start, form, wrong=wrong, problem=problem, status=422)


def _kept(form: Form) -> dict[str, str]:
    """What was said of the car, for the next page to say again."""
    return {name: form[name] for name in (*OF_CAR, "dr") if form[name]}


def _alternative(visit: Visit, choice: Choice, period: Mapping[str, str]) -> Alternative:
    start, end = instant(period["start"]), instant(period["end"])
    return Alternative(start, start.astimezone(choice.zone).date(), visit.words.times(start, end, choice.zone))


def _start(visit: Visit, choice: Choice, text: str) -> datetime:
    """When the stay begins. Stops for an address that is not whole."""
    if choice.service is None:
        raise Stop(visit.go(f"/f/{choice.facility['id']}"))
    try:
        return instant(text)
    except ValueError as error:
        raise Stop(visit.go(f"/f/{choice.facility['id']}", **choice.at())) from error


def _body(choice: Choice, start: datetime) -> dict[str, Any]:
    return {
        "service_id": choice.service["id"] if choice.service else None,
        "start": start.isoformat(),
        "end": end_of(choice, start).isoformat(),
        "party": choice.party,
        "by_car": choice.by_car,
    }


def _said_of_car(form: Form, choice: Choice) -> dict[str, Any]:
    """What the form says of the car, as the API takes it; nothing for a guest without one."""
    return _car(form) | {"dr": form.yes("dr")} if choice.by_car else {}


def _car(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of the car, as the API takes it; what is left empty is left out."""
    said = {name: number(given.get(name, "")) for name in OF_CAR}
    return {name: value for name, value in said.items() if value is not None}


def _given(asked: Mapping[str, str], member: Mapping[str, Any] | None) -> dict[str, Any]:
    """The form's fields: what was sent, else what the member prefers."""
    prefers = member["preferences"] if member else {"wanted_soc_pct": "", "dr": False}
    sent = "soc_pct" in asked or "wanted_soc_pct" in asked
    return {
        "soc_pct": asked.get("soc_pct", ""),
        "distance_km": asked.get("distance_km", ""),
        "wanted_soc_pct": asked.get("wanted_soc_pct", "") or prefers["wanted_soc_pct"],
        "dr": asked.get("dr", "") in ("1", "on") if sent else prefers["dr"],
        "weeks": asked.get("weeks", "1"),
    }
