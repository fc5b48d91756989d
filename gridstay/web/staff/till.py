"""The till: payments with the benefits and gifts spent on them, refunds, pay-outs, gifts counted, the day closed.

Each form brings a key of its own, so that what is sent twice on a slow line is done once.
"""

import asyncio
from collections.abc import Callable, Mapping
from secrets import token_urlsafe
from typing import Any

from fastapi import APIRouter, Response

from contracts.units import MINOR_DIGITS
from gridstay.web.door import Refusal
from gridstay.web.refusals import why
from gridstay.web.site import Site, Visit, Visited, number, page_route, zone_of
from gridstay.web.words import instant, worth

METHODS = ("cash", "card", "emoney", "qr", "other")
REFUSED = (404, 409, 422)
MOST_RECEIPTS = 200
Fields = Mapping[str, str]
Facility = Mapping[str, Any]


def router(site: Site) -> APIRouter:
    """Routes of the till."""
    routes = APIRouter(route_class=page_route(site))

    @routes.get("/staff/{facility_id}/till")
    async def show(visit: Visited, facility_id: str) -> Response:
        visit.staff()
        return await _till(visit, facility_id, visit.request.query_params)

    @routes.post("/staff/{facility_id}/till/{deed}")
    async def do(visit: Visited, facility_id: str, deed: str) -> Response:
        form = await visit.form()
        visit.staff()
        facility = await visit.door.get("facilities", facility_id)
        if deed not in DEEDS:
            return visit.trouble(404, "trouble.not_found")
        door, body = DEEDS[deed]
        try:
            done = await visit.door.post("register", door, body=body(facility, form), key=form["key"])
        except Refusal as refusal:
            if refusal.status not in REFUSED:
                raise
            given = form if deed in ("pay", "pay-out") else {}
            return await _till(visit, facility_id, given, _why(visit, facility, refusal), refusal.status)
        if "discounts" in done:
            return visit.go(f"/staff/{facility_id}/till", receipt=done["id"])
        return visit.go(f"/staff/{facility_id}/till", done=deed)

    return routes


async def _till(visit: Visit, facility_id: str, given: Fields, problem: str = "", status: int = 200) -> Response:
    facility = await visit.door.get("facilities", facility_id)
    day, stock, last = await asyncio.gather(
        visit.door.get("register", "days", facility_id, "today"),
        visit.door.get("register", "stock", facility_id=facility_id),
        _last(visit, given.get("receipt", "")),
    )
    receipts = await visit.door.get("register", "receipts", facility_id=facility_id, day=day["day"], limit=MOST_RECEIPTS)
    member, held, who_problem = await _customer(visit, facility_id, given.get("member", ""))
    bill = None
    if given.get("amount") and not problem and not who_problem:
        bill, problem = await _bill(visit, facility, given)
    named = {one["item_id"]: one["name"] for one in stock}
    gifts = [_gift(visit, facility, one, held, given) for one in stock]
    return visit.page(
        "staff/till.html",
        status,
        facility=facility,
        given={name: given.get(name, "") for name in ("member", "amount", "booking", *_SPENT)},
        member=member,
        held=held,
        cash=_most(held, "cash"),
        gifts=gifts,
        bill=bill,
        worth=lambda one: worth(visit.words, one["amount"], one["kind"], facility["currency"]),
        day=day,
        receipts=[receipt_told(visit, facility, one, named) for one in reversed(receipts)],
        last=receipt_told(visit, facility, last, named) if last else None,
        named=named,
        methods=METHODS,
        key=token_urlsafe(16),
        problem=problem or who_problem,
    )


_SPENT = ("points", "amount_off", "cash", "rate_off", "method")


async def _customer(visit: Visit, facility_id: str, who: str) -> tuple[Any, Any, str]:
    """The member who pays, what they have here, and what is wrong with the name that was given."""
    if not who:
        return None, None, ""
    try:
        member = await visit.door.get("members", who)
    except Refusal as refusal:
        if refusal.status not in REFUSED:
            raise
        return None, None, visit.words("till.no_member", who=who)
    return member, await visit.door.get("members", member["id"], "wallet", facility_id=facility_id), ""


async def _bill(visit: Visit, facility: Facility, given: Fields) -> tuple[Any, str]:
    """What the payment comes to, or why it cannot be."""
    try:
        return await visit.door.post("register", "quotes", body=_payment(facility, given)), ""
    except Refusal as refusal:
        if refusal.status not in REFUSED:
            raise
        return None, _why(visit, facility, refusal)


def _why(visit: Visit, facility: Facility, refusal: Refusal) -> str:
    return visit.words("till.wrong") if refusal.faults else why(visit.words, refusal, facility)


async def _last(visit: Visit, receipt_id: str) -> Any:
    """The receipt that was just made."""
    if not receipt_id:
        return None
    return await visit.door.get("register", "receipts", receipt_id)


def receipt_told(visit: Visit, facility: Facility, one: Mapping[str, Any], named: Mapping[str, str]) -> dict[str, Any]:
    """A receipt with its time and amounts as they are written, and its gifts by their names."""
    w, off = visit.words, one["gross_minor"] - one["due_minor"]
    return {
        **one,
        "time": w.time(instant(one["at"]), zone_of(facility)),
        "gross": w.money(one["gross_minor"], one["currency"]),
        "due": w.money(one["due_minor"], one["currency"]),
        "off": w.money(off, one["currency"]) if off else "",
        "gifts": [named.get(discount["item"], discount["item"]) for discount in one["discounts"] if discount["item"]],
    }


def _most(held: Any, kind: str) -> int:
    """How much of a kind the member can spend."""
    return sum(one["available"] for one in held["balances"] if one["kind"] == kind) if held else 0


def _gift(visit: Visit, facility: Facility, one: Mapping[str, Any], held: Any, given: Fields) -> dict[str, Any]:
    """A gift: how many there are, and whether the member has the credit for one."""
    threshold = one["threshold_minor"]
    return {
        **one,
        "field": f"item-{one['item_id']}",
        "credit": visit.words.money(threshold, facility["currency"]) if threshold else "",
        "can_be_had": bool(threshold and one["at_hand"] and _most(held, "item") >= threshold),
        "is_chosen": bool(given.get(f"item-{one['item_id']}")),
    }


def _payment(facility: Facility, given: Fields) -> dict[str, Any]:
    """The payment as the register takes it; an amount that is no number goes on as it is, so that the register says so."""
    redeem = {
        "points": number(given.get("points", "")),
        "amount_off_minor": _minor(facility, given.get("amount_off", "")),
        "cash_minor": _minor(facility, given.get("cash", "")),
        "rate_off": given.get("rate_off") or None,
        "items": [name.removeprefix("item-") for name in given if name.startswith("item-") and given[name]] or None,
    }
    return {
        "facility_id": facility["id"],
        "amount_minor": _minor(facility, given.get("amount", "")),
        "method": given.get("method") or METHODS[0],
        "member": given.get("member") or None,
        "booking_id": given.get("booking") or None,
        "redeem": {name: value for name, value in redeem.items() if value is not None},
    }


def _refund(facility: Facility, form: Fields) -> dict[str, Any]:
    """Of all that is left, or of the amount that is given."""
    return {"receipt_id": form["receipt_id"], "amount_minor": _minor(facility, form["amount"])}


def _payout(facility: Facility, form: Fields) -> dict[str, Any]:
    return {"facility_id": facility["id"], "member": form["member"], "amount_minor": _minor(facility, form["payout"])}


def _stock(facility: Facility, form: Fields) -> dict[str, Any]:
    return {"facility_id": facility["id"], "item_id": form["item_id"], "count": number(form["count"])}


def _closing(facility: Facility, form: Fields) -> dict[str, Any]:
    return {"facility_id": facility["id"], "counted_cash_minor": _minor(facility, form["counted"])}


DEEDS: Mapping[str, tuple[str, Callable[[Facility, Fields], dict[str, Any]]]] = {
    "pay": ("payments", _payment),
    "refund": ("refunds", _refund),
    "pay-out": ("payouts", _payout),
    "stock": ("stock", _stock),
    "close": ("closings", _closing),
}
"""What a form of the till does: at which of the register's doors, and how it is said there."""


def _minor(facility: Facility, text: str) -> int | str | None:
    """An amount as it is typed (12.50) in minor units."""
    value = number(text)
    return round(value * 10 ** MINOR_DIGITS[facility["currency"]]) if isinstance(value, int | float) else value
