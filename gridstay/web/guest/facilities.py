"""Where guests come in: the facilities, and one facility's day with what is free and what is paid on one picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any

from fastapi import APIRouter, Response

from gridstay.web.day import Bar, Line, merged
from gridstay.web.guest import holds
from gridstay.web.guest.choice import DAYS_SHOWN, Choice, choice_of, days_from, query_of
from gridstay.web.guest.times import MOST, Paid, Start, free_starts, most_earned, paid_periods
from gridstay.web.guest.wording import hours_of, lengths_of
from gridstay.web.site import Site, Visit, Visited, page_route, zone_of
from gridstay.web.words import Words, instant

Span = tuple[datetime, datetime]
PARTS = (("morning", 0, 12), ("afternoon", 12, 17), ("evening", 17, 24))


@dataclass(frozen=True, slots=True)
class View:
    """The picture of a day. `said` is the picture in words."""

    line: Line
    free: Sequence[Bar]
    paid: Sequence[Bar]
    said: str
    mine: Bar | None = None


def router(site: Site) -> APIRouter:
    """Routes of facilities."""
    routes = APIRouter(route_class=page_route(site))

    @routes.get("/")
    async def home(visit: Visited) -> Response:
        facilities = await visit.door.get("facilities")
        opening = {one["id"]: hours_of(visit.words, one, visit.now.astimezone(zone_of(one)).date()) for one in facilities}
        return visit.page("facilities.html", facilities=facilities, opening=opening)

    @routes.get("/f/{facility_id}")
    async def day(visit: Visited, facility_id: str) -> Response:
        facility = await visit.door.get("facilities", facility_id)
        member = await visit.known_member()
        choice = choice_of(facility, visit.request.query_params, visit.now, has_car=bool(member and member["car"]))
        changed = await _changed(visit, choice)
        held = await holds.held_by(visit, member["id"], facility_id) if member and not choice.change else []
        but = choice.change or (held[0]["id"] if held else "")
        shown = await _day(visit, choice, member, but, changed) if choice.service else {}
        opening = hours_of(visit.words, facility, choice.day)
        lengths = {one["id"]: lengths_of(visit.words, one) for one in facility["services"]}
        return visit.page(
            "facility.html",
            facility=facility,
            choice=choice,
            opening=opening,
            lengths=lengths,
            changing=visit.words.span(*changed, choice.zone) if changed else "",
            held=[_held(visit.words, choice, one) for one in held],
            can_hold=bool(member and not choice.change and (member["car"] or not choice.by_car)),
            member=member,
            key=token_urlsafe(16),
            **shown,
        )

    return routes


async def _changed(visit: Visit, choice: Choice) -> Span | None:
    """When the stay is now that is to be changed; None for a new one."""
    if not choice.change:
        return None
    stay = await visit.own_stay(choice.change)
    return instant(stay["start"]), instant(stay["end"])


def _held(words: Words, choice: Choice, stay: Mapping[str, Any]) -> dict[str, Any]:
    """What the guest holds here: when, until when, and the query of the page that books it."""
    return {
        "id": stay["id"],
        "when": words.span(instant(stay["start"]), instant(stay["end"]), choice.zone),
        "until": words.time(instant(stay["expires_at"]), choice.zone),
        "query": {**query_of(stay, choice.facility), "start": stay["start"]},
    }


async def _day(
    visit: Visit, choice: Choice, member: Mapping[str, Any] | None, but: str, changed: Span | None
) -> dict[str, Any]:
    today = visit.now.astimezone(choice.zone).date()
    first = max(today, choice.day - timedelta(days=(choice.day - today).days % DAYS_SHOWN))
    days = days_from(first)
    starts = await free_starts(visit, choice, days[0], days[-1], member, but)
    paid = await paid_periods(visit, choice.facility["id"], member)
    of_day = [start for start in starts if start.day(choice.zone) == choice.day]
    free_days = {start.day(choice.zone) for start in starts}
    known_to = days[-1] if len(starts) < MOST else max(free_days)
    paid_days = {period.start.astimezone(choice.zone).date() for period in paid}
    marked = [Start(one.at, one.until, any(period.overlaps(one.at, one.until) for period in paid)) for one in of_day]
    return {
        "days": [{"date": day, "free": day in free_days or day > known_to, "paid": day in paid_days} for day in days],
        "earlier": choice.day - timedelta(days=DAYS_SHOWN) if choice.day - timedelta(days=DAYS_SHOWN) >= today else None,
        "later": choice.day + timedelta(days=DAYS_SHOWN),
        "next_free": min((day for day in free_days if day > choice.day), default=None),
        "parts": _parts(marked, choice),
        "view": view_of(
            visit.words, choice, of_day, [one for one in paid if one.touches(choice.day, choice.zone)], mine=changed
        ),
        "earn": _earn(visit.words, choice, [one for one in paid if one.touches(choice.day, choice.zone)]),
    }


def _earn(words: Words, choice: Choice, paid: Sequence[Paid]) -> str:
    """What the paid periods of the day mean to who comes by car."""
    if not paid or not choice.by_car:
        return ""
    most = most_earned(paid, min(one.start for one in paid), max(one.end for one in paid))
    if most:
        return words("day.earn_most", amount=words.money(most, paid[0].currency)) + " " + words("day.earn")
    return words("day.earn")


def _parts(starts: Sequence[Start], choice: Choice) -> list[tuple[str, list[Start]]]:
    """The starts of morning, afternoon and evening; what is empty is left out."""
    by_part = [
        (name, [one for one in starts if first <= one.at.astimezone(choice.zone).hour < last]) for name, first, last in PARTS
    ]
    return [(name, found) for name, found in by_part if found]


def view_of(
    words: Words, choice: Choice, starts: Sequence[Start], paid: Sequence[Paid], *, mine: Span | None = None
) -> View | None:
    """The picture of a day with these starts and paid periods, and the guest's own stay if it is on that day; None where
    nothing is free."""
    free = merged((start.at, start.until) for start in starts)
    line = Line.around([*free, *((one.start, one.end) for one in paid if free)], choice.zone)
    if line is None:
        return None
    said = [words("day.free_said", times=_joined(words, free, choice))]
    if paid:
        said.append(words("day.paid_said", times=_joined(words, [(one.start, one.end) for one in paid], choice)))
    bars = [line.bar(*span) for span in free]
    paid_bars = [line.bar(one.start, one.end) for one in paid]
    return View(
        line,
        [bar for bar in bars if bar],
        [bar for bar in paid_bars if bar],
        " ".join(said),
        line.bar(*mine) if mine else None,
    )


def _joined(words: Words, spans: Sequence[tuple[datetime, datetime]], choice: Choice) -> str:
    return ", ".join(words.times(start, end, choice.zone) for start, end in spans)
