"""A guest signs in: by a code that is sent to them, or by the personal link in a confirmation."""

from datetime import timedelta

from fastapi import APIRouter, Response

from gridstay.web.door import Refusal
from gridstay.web.limits import CODE_S
from gridstay.web.site import Site, Visit, Visited, page_route
from gridstay.web.words import instant

LINKS_HOLD = timedelta(days=30)
"""For how long after the stay the link in its confirmation opens the guest's pages."""


def router(site: Site) -> APIRouter:
    """Routes of signing in and out."""
    routes = APIRouter(route_class=page_route(site))

    @routes.get("/sign-in")
    async def ask(visit: Visited) -> Response:
        return _asked(visit)

    @routes.post("/sign-in")
    async def send(visit: Visited) -> Response:
        form = await visit.form()
        who = form["who"]
        if not who:
            return visit.go("/sign-in", next=form["next"])
        if not visit.is_slow_enough() or not site.asking.lets(who.casefold(), site.clock.monotonic()):
            return _asked(visit, who, form["next"], "sign_in.too_often", 429)
        await _send_code(visit, who)
        return visit.go("/sign-in/code", who=who, next=form["next"])

    @routes.get("/sign-in/code")
    async def ask_code(visit: Visited) -> Response:
        return visit.page("code.html", who=visit.asked("who"), next=visit.asked("next"), problem="")

    @routes.post("/sign-in/code")
    async def enter(visit: Visited) -> Response:
        form = await visit.form()
        who, code = form["who"], "".join(form["code"].split())
        if not visit.is_slow_enough():
            problem = visit.words("sign_in.too_often")
            return visit.page("code.html", 429, who=who, next=form["next"], problem=problem)
        member_id = site.codes.redeem(who.casefold(), code, site.clock.monotonic())
        if member_id is None:
            return visit.page("code.html", 422, who=who, next=form["next"], problem=visit.words("code.wrong"))
        visit.sign_in(site.passes.of_member(member_id, by_code=True))
        return visit.back(form["next"], "/stays")

    @routes.get("/s/{link}")
    async def by_link(visit: Visited, link: str) -> Response:
        """The personal link that a confirmation carries."""
        named = site.passes.of_link(link)
        if named is None:
            return visit.trouble(404, "trouble.old_link")
        member_id, booking_id = named
        stay = await visit.door.get("bookings", booking_id)
        if stay["member_id"] != member_id or instant(stay["end"]) + LINKS_HOLD < visit.now:
            return visit.trouble(404, "trouble.old_link")
        if visit.session.member_id != member_id:
            visit.sign_in(site.passes.of_member(member_id, by_code=False))
        return visit.go(f"/stays/{booking_id}")

    @routes.post("/sign-out")
    async def leave(visit: Visited) -> Response:
        await visit.form()
        visit.sign_out()
        return visit.go("/")

    return routes


def _asked(visit: Visit, who: str = "", after: str | None = None, problem: str = "", status: int = 200) -> Response:
    text = visit.words(problem) if problem else ""
    return visit.page("sign_in.html", status, who=who, next=visit.asked("next") if after is None else after, problem=text)


async def _send_code(visit: Visit, who: str) -> None:
    """Send a code if we know who that is; the guest is told the same if not, so that nobody learns who our members are."""
    try:
        member = await visit.door.get("members", who)
    except Refusal as refusal:
        if refusal.status == 404:
            return
        raise
    code = visit.site.codes.issue(who.casefold(), member["id"], visit.site.clock.monotonic())
    await visit.door.post("members", member["id"], "messages", body=_message(visit, code))


def _message(visit: Visit, code: str) -> dict[str, object]:
    text = visit.words("code.message", code=code)
    return {"subject": visit.words("code.subject"), "text": text, "minutes": int(CODE_S // 60)}
