"""A guest's own data: all of it to take away, and the end of the membership, with what is lost by it said before."""

import json

from fastapi import APIRouter, Response

from gridstay.web.door import Refusal
from gridstay.web.refusals import why
from gridstay.web.site import Site, Visit, Visited, page_route
from gridstay.web.words import worth


def router(site: Site) -> APIRouter:
    """Routes of a person's data. They ask for a code first: a personal link may have been passed on."""
    routes = APIRouter(route_class=page_route(site))

    @routes.get("/account/data")
    async def data(visit: Visited) -> Response:
        """All that is kept of the guest, as a file (JSON)."""
        found = await visit.door.get("members", visit.member(by_code=True, back="/account"), "data")
        named = {"Content-Disposition": 'attachment; filename="my-data.json"'}
        return Response(json.dumps(found, ensure_ascii=False, indent=2), media_type="application/json", headers=named)

    @routes.get("/account/erase")
    async def ask(visit: Visited) -> Response:
        visit.member(by_code=True)
        return await _asked(visit)

    @routes.post("/account/erase")
    async def erase(visit: Visited) -> Response:
        form = await visit.form()
        member_id = visit.member(by_code=True)
        if not form.yes("sure"):
            return await _asked(visit, visit.words("erase.say_sure"), 422)
        try:
            await visit.door.delete("members", member_id)
        except Refusal as refusal:
            if refusal.reason != "stays_to_come":
                raise
            return await _asked(visit, why(visit.words, refusal), 409)
        visit.sign_out()
        return visit.go("/", done="erased")

    return routes


async def _asked(visit: Visit, problem: str = "", status: int = 200) -> Response:
    member = await visit.me()
    held = await visit.door.get("members", member["id"], "wallet")
    lost = [
        {
            "kind": visit.words(f"benefit.of_{one['kind']}"),
            "amount": worth(visit.words, one["available"] + one["pending"], one["kind"], one["unit"]),
        }
        for one in held["balances"]
        if one["available"] + one["pending"]
    ]
    return visit.page("erase.html", status, member=member, lost=lost, problem=problem)
