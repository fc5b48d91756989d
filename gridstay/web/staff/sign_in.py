"""Staff sign in with the operator's token."""

from fastapi import APIRouter, Response

from gridstay.web.site import Site, Visited, page_route


def router(site: Site) -> APIRouter:
    """Routes of the staff's door."""
    routes = APIRouter(route_class=page_route(site))

    @routes.get("/staff/sign-in")
    async def ask(visit: Visited) -> Response:
        return visit.page("staff/sign_in.html", next=visit.asked("next"), problem="")

    @routes.post("/staff/sign-in")
    async def enter(visit: Visited) -> Response:
        form = await visit.form()
        if not visit.is_slow_enough():
            return visit.page("staff/sign_in.html", 429, next=form["next"], problem=visit.words("sign_in.too_often"))
        session = site.passes.of_staff(form["operator_token"])
        if session is None:
            return visit.page("staff/sign_in.html", 422, next=form["next"], problem=visit.words("staff.wrong_token"))
        visit.sign_in(session)
        return visit.back(form["next"], "/staff")

    @routes.post("/staff/sign-out")
    async def leave(visit: Visited) -> Response:
        await visit.form()
        visit.sign_out()
        return visit.go("/staff/sign-in")

    return routes
