"""The last tap: a stay is shown whole, with what the car gets and earns, and booked, or refused with near free periods."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from secrets import token_urlsafe
from typing import Any

from fastapi import APIRouter, Response

from gridstay.web.door import Refusal
from gridstay.web.guest.choice import Choice, choice_of
from gridstay.web.guest.prospect import Prospect, prospect_of
from gridstay.web.guest.times import end_of
from gridstay.web.site import Form, Site, Stop, Visit, Visited, instant, number, page_route

OF_CAR = ("soc_pct", "distance_km", "wanted_soc_pct")


@dataclass(frozen=True, slots=True)
class Alternative:
    """A free period that is offered instead; `day` is its local day."""

    start: datetime
    day: date
    times: str


def router(site: Site) -> APIRouter:
    """Routes of booking."""
    routes = APIRouter(route_class=page_route(site))

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
        body = _body(choice, start, form)
        try:
            if choice.change:
                await visit.own_stay(choice.change)
                booking = await visit.door.patch("bookings", choice.change, body=body)
            else:
                body |= {"facility_id": facility_id, "member": member_id}
                booking = await visit.door.post("bookings", body=body, key=form["key"] or None)
        except Refusal as refusal:
            return await _refused(visit, choice, start, form, refusal)
        return visit.go(f"/stays/{booking['id']}", done="changed" if choice.change else "booked")

    return routes


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
    member, prospect = await visit.known_member(), Prospect()
    given = _given(asked, member)
    if member and choice.by_car and member["car"]:
        prospect = await prospect_of(visit, choice, start, member, {**_car(given), "dr": given["dr"]})
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
        key=asked.get("key") or token_urlsafe(16),
        wrong=wrong or {},
        problem=problem,
    )


async def _refused(visit: Visit, choice: Choice, start: datetime, form: Form, refusal: Refusal) -> Response:
    """The refusal on a page that leads on: to free periods if this one is taken, to the wrong fields if it is those."""
    if refusal.is_not_free:
        end = end_of(choice, start)
        when = f"{visit.words.day(start.astimezone(choice.zone).date())}, {visit.words.times(start, end, choice.zone)}"
        kept = {name: form[name] for name in (*OF_CAR, "dr") if form[name]}
        found = [_alternative(visit, choice, one) for one in refusal.alternatives]
        return visit.page(
            "taken.html", 409, facility=choice.facility, choice=choice, when=when, alternatives=found, kept=kept
        )
    if refusal.status not in (409, 422):
        raise refusal
    wrong = {name: visit.words(f"wrong.{name}") for name in OF_CAR if name in refusal.faults}
    problem = visit.words("wrong.some") if wrong else visit.words("book.refused", detail=refusal.detail)
    return await _shown(visit, choice, start, form, wrong=wrong, problem=problem, status=422)


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


def _body(choice: Choice, start: datetime, form: Form) -> dict[str, Any]:
    body = {
        "service_id": choice.service["id"] if choice.service else None,
        "start": start.isoformat(),
        "end": end_of(choice, start).isoformat(),
        "party": choice.party,
        "by_car": choice.by_car,
    }
    return body | _car(form) | {"dr": form.yes("dr")} if choice.by_car else body


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
    }
