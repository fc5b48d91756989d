"""The till: a payment with the benefits that the member spends on it, refunds, and the day's closing."""

import asyncio
from collections.abc import Mapping
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


def router(site: Site) -> APIRouter:
    """Routes of the till."""
    routes = APIRouter(route_class=page_route(site))

    @routes.get("/staff/{facility_id}/till")
    async def show(visit: Visited, facility_id: str) -> Response:
        visit.staff()
        return await _till(visit, facility_id, visit.request.query_params)

    @routes.post("/staff/{facility_id}/till/pay")
    async def pay(visit: Visited, facility_id: str) -> Response:
        form = await visit.form()
        visit.staff()
        facility = await visit.door.get("facilities", facility_id)
        try:
            receipt = await visit.door.post("register", "payments", body=_payment(facility, form), key=form["key"])
        except Refusal as refusal:
            return await _refused(visit, facility_id, form, refusal)
        return visit.go(f"/staff/{facility_id}/till", receipt=receipt["id"])

    @routes.post("/staff/{facility_id}/till/refund")
    async def refund(visit: Visited, facility_id: str) -> Response:
        form = await visit.form()
        visit.staff()
        try:
            receipt = await visit.door.post("register", "refunds", body={"receipt_id": form["receipt_id"]}, key=form["key"])
        except Refusal as refusal:
            return await _refused(visit, facility_id, {}, refusal)
        return visit.go(f"/staff/{facility_id}/till", receipt=receipt["id"])

    @routes.post("/staff/{facility_id}/till/close")
    async def close(visit: Visited, facility_id: str) -> Response:
        form = await visit.form()
        visit.staff()
        facility = await visit.door.get("facilities", facility_id)
        body = {"facility_id": facility_id, "counted_cash_minor": _minor(facility, form["counted"])}
        try:
            await visit.door.post("register", "closings", body=body, key=form["key"])
        except Refusal as refusal:
            return await _refused(visit, facility_id, {}, refusal)
        return visit.go(f"/staff/{facility_id}/till")

    return routes


async def _refused(visit: Visit, facility_id: str, given: Mapping[str, str], refusal: Refusal) -> Response:
    if refusal.status not in REFUSED:
        raise refusal
    problem = why(visit.words, refusal, await visit.door.get("facilities", facility_id))
    return await _till(visit, facility_id, given, problem, refusal.status)


async def _till(visit: Visit, facility_id: str, given: Mapping[str, str], problem: str = "", status: int = 200) -> Response:
    facility = await visit.door.get("facilities", facility_id)
    day, receipts, last = await asyncio.gather(
        visit.door.get("register", "days", facility_id, "today"),
        _receipts(visit, facility_id),
        _last(visit, given.get("receipt", "")),
    )
    member, held, who_problem = await _customer(visit, facility_id, given.get("member", ""))
    bill = None
    if given.get("amount") and not problem and not who_problem:
        bill, problem = await _bill(visit, facility, given)
    return visit.page(
        "staff/till.html",
        status,
        facility=facility,
        given={name: given.get(name, "") for name in ("member", "amount", "booking", *_SPENT)},
        member=member,
        held=held,
        bill=bill,
        worth=lambda one: worth(visit.words, one["amount"], one["kind"], facility["currency"]),
        day=day,
        receipts=[_receipt(visit, facility, one) for one in reversed(receipts)],
        last=_receipt(visit, facility, last) if last else None,
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


async def _bill(visit: Visit, facility: Mapping[str, Any], given: Mapping[str, str]) -> tuple[Any, str]:
    """What the payment comes to, or why it cannot be."""
    try:
        return await visit.door.post("register", "quotes", body=_payment(facility, given)), ""
    except Refusal as refusal:
        if refusal.status not in REFUSED:
            raise
        return None, why(visit.words, refusal, facility)


async def _receipts(visit: Visit, facility_id: str) -> list[dict[str, Any]]:
    day = await visit.door.get("register", "days", facility_id, "today")
    found: list[dict[str, Any]] = await visit.door.get(
        "register", "receipts", facility_id=facility_id, day=day["day"], limit=200
    )
    return found


async def _last(visit: Visit, receipt_id: str) -> Any:
    """The receipt that was just made."""
    if not receipt_id:
        return None
    return await visit.door.get("register", "receipts", receipt_id)


def _receipt(visit: Visit, facility: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, Any]:
    w, off = visit.words, one["gross_minor"] - one["due_minor"]
    return {
        **one,
        "time": w.time(instant(one["at"]), zone_of(facility)),
        "gross": w.money(one["gross_minor"], one["currency"]),
        "due": w.money(one["due_minor"], one["currency"]),
        "off": w.money(off, one["currency"]) if off else "",
    }


def _payment(facility: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """The payment as the register takes it; an amount that is no number goes on as it is, so that the register says so."""
    redeem = {
        "points": number(given.get("points", "")),
        "amount_off_minor": _minor(facility, given.get("amount_off", "")),
        "cash_minor": _minor(facility, given.get("cash", "")),
        "rate_off": given.get("rate_off") or None,
    }
    return {
        "facility_id": facility["id"],
        "amount_minor": _minor(facility, given.get("amount", "")),
        "method": given.get("method") or METHODS[0],
        "member": given.get("member") or None,
        "booking_id": given.get("booking") or None,
        "redeem": {name: value for name, value in redeem.items() if value is not None},
    }


def _minor(facility: Mapping[str, Any], text: str) -> int | str | None:
    """An amount as it is typed (12.50) in minor units."""
    value = number(text)
    return round(value * 10 ** MINOR_DIGITS[facility["currency"]]) if isinstance(value, int | float) else value
