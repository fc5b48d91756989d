"""What a guest has been given: what can be spent, what is pending, when it ends, and where it came from."""

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from gridstay.web.site import Site, Visit, Visited, page_route, zone_of
from gridstay.web.words import instant, worth

NEWEST = 30


def router(site: Site) -> APIRouter:
    """The route of the wallet."""
    routes = APIRouter(route_class=page_route(site))

    @routes.get("/wallet")
    async def wallet(visit: Visited) -> Response:
        member = await visit.me()
        held, found = await asyncio.gather(visit.door.get("members", member["id"], "wallet"), visit.door.get("facilities"))
        facilities = {one["id"]: one for one in found}
        told = [
            {"text": one["text"], "day": visit.words.day(instant(one["at"]).date())}
            for one in reversed(member["notices"])
            if one["kind"] != "message"  # a code to sign in is one
        ]
        return visit.page(
            "wallet.html",
            balances=[_balance(visit, one, facilities[one["facility_id"]]) for one in held["balances"]],
            history=[_movement(visit, one, facilities[one["facility_id"]]) for one in held["history"]],
            told=told[:NEWEST],
        )

    return routes


def _balance(visit: Visit, one: Mapping[str, Any], facility: Mapping[str, Any]) -> dict[str, Any]:
    w, what = visit.words, (one["kind"], one["unit"])
    ends = one["expiring_next"]
    return {
        "facility": facility["name"],
        "kind": w(f"benefit.of_{one['kind']}"),
        "available": worth(w, one["available"], *what),
        "pending": worth(w, one["pending"], *what) if one["pending"] else "",
        "owed": worth(w, one["owed"], *what) if one["owed"] else "",
        "ends": w(
            "wallet.ends",
            amount=worth(w, ends["amount"], *what),
            day=w.day(instant(ends["at"]).astimezone(zone_of(facility)).date()),
        )
        if ends
        else "",
    }


def _movement(visit: Visit, one: Mapping[str, Any], facility: Mapping[str, Any]) -> dict[str, Any]:
    amount = one["available"] or one["pending"] or -one["owed"]
    told = worth(visit.words, abs(amount), one["kind"], one["unit"])
    return {
        "what": visit.words(f"moved.{one['what']}"),
        "amount": f"{'+' if amount > 0 else '−' if amount < 0 else ''}{told}",
        "is_gain": amount > 0,
        "is_pending": not one["available"] and bool(one["pending"]),
        "day": visit.words.day(instant(one["at"]).astimezone(zone_of(facility)).date()),
        "facility": facility["name"],
        "stay": one["source"]["booking_id"],
    }
