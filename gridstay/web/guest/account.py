"""Sign-up with consent, and what a member can change later: car, wishes, how to reach them."""

from collections.abc import Mapping
from secrets import randbelow
from typing import Any

from fastapi import APIRouter, Response

from gridstay.web.door import Refusal
from gridstay.web.site import Form, Site, Visit, Visited, page_route

CARD_TYPE = "ISO14443"
FIELDS = {"battery_wh": "battery_kwh", "max_charge_w": "charge_kw", "max_discharge_w": "discharge_kw", "value": "card"}
"""The API's fields that have other names, or units, on the page."""
NEW: Mapping[str, Any] = {
    "name": "",
    "phone": "",
    "email": "",
    "battery_kwh": "",
    "charge_kw": "",
    "discharge_kw": "",
    "card": "",
    "dr": False,
    "discharge": False,
    "wanted_soc_pct": 80,
    "floor_soc_pct": 30,
    "data": False,
}


def router(site: Site) -> APIRouter:
    """Routes of sign-up and account."""
    routes = APIRouter(route_class=page_route(site))

    @routes.get("/join")
    async def ask(visit: Visited) -> Response:
        return visit.page("join.html", given=NEW, next=visit.asked("next"), wrong={}, problem="")

    @routes.post("/join")
    async def join(visit: Visited) -> Response:
        form = await visit.form()
        if not form.yes("data"):
            return _again(visit, form, {"data": visit.words("consent.needed")})
        if not visit.is_slow_enough():
            return _again(visit, form, {}, visit.words("sign_in.too_often"), 429)
        body = {"number": _new_number(), "language": visit.words.language, **_details(form), **_car(form, [])}
        try:
            member = await visit.door.post("members", body=body)
        except Refusal as refusal:
            return _again(visit, form, *_faults(visit, refusal))
        visit.sign_in(site.passes.of_member(member["id"], by_code=False))
        return visit.back(form["next"], "/stays")

    @routes.get("/account")
    async def show(visit: Visited) -> Response:
        member = await visit.me()
        return visit.page("account.html", member=member, given=_given(member), wrong={}, problem="")

    @routes.post("/account/car")
    async def change_car(visit: Visited) -> Response:
        form = await visit.form()
        member = await visit.me()
        return await _change(visit, form, member, _car(form, member["tokens"]))

    @routes.post("/account/details")
    async def change_details(visit: Visited) -> Response:
        form = await visit.form()
        visit.member(by_code=True)
        member = await visit.me()
        return await _change(visit, form, member, _details(form))

    return routes


async def _change(visit: Visit, form: Form, member: dict[str, Any], body: dict[str, Any]) -> Response:
    try:
        await visit.door.patch("members", member["id"], body=body)
    except Refusal as refusal:
        wrong, problem = _faults(visit, refusal)
        given = {**_given(member), **form, "dr": form.yes("dr"), "discharge": form.yes("discharge")}
        return visit.page("account.html", 422, member=member, given=given, wrong=wrong, problem=problem)
    return visit.go("/account", saved="1")


def _again(visit: Visit, form: Form, wrong: dict[str, str], problem: str = "", status: int = 422) -> Response:
    ticked = {name: form.yes(name) for name in ("dr", "discharge", "data")}
    return visit.page("join.html", status, given={**NEW, **form, **ticked}, next=form["next"], wrong=wrong, problem=problem)


def _details(form: Form) -> dict[str, Any]:
    return {"name": form["name"], "phone": form["phone"] or None, "email": form["email"] or None}


def _car(form: Form, tokens: list[dict[str, str]]) -> dict[str, Any]:
    """Car, wishes and tokens as the API takes them. `tokens` are those that the member has: all but the card stay."""
    battery, charge, discharge = (_thousand(form.number(name)) for name in ("battery_kwh", "charge_kw", "discharge_kw"))
    car = {"battery_wh": battery, "max_charge_w": charge, "max_discharge_w": discharge or 0}
    card = [{"value": form["card"], "type": CARD_TYPE}] if form["card"] else []
    return {
        "car": car if battery is not None or charge is not None else None,
        "tokens": [token for token in tokens if token["type"] != CARD_TYPE] + card,
        "preferences": {
            "dr": form.yes("dr"),
            "discharge": form.yes("discharge"),
            "wanted_soc_pct": form.number("wanted_soc_pct"),
            "floor_soc_pct": form.number("floor_soc_pct"),
        },
    }


def _given(member: dict[str, Any]) -> dict[str, Any]:
    """A member as the form's fields have it."""
    car = member["car"] or {}
    kilo = {name: car[of] / 1000 if of in car else "" for of, name in FIELDS.items() if of != "value"}
    card = next((token["value"] for token in member["tokens"] if token["type"] == CARD_TYPE), "")
    return {
        **NEW,
        **{name: member[name] or "" for name in ("name", "phone", "email")},
        **{name: f"{value:g}" if value != "" else "" for name, value in kilo.items()},
        **member["preferences"],
        "card": card,
    }


def _faults(visit: Visit, refusal: Refusal) -> tuple[dict[str, str], str]:
    """What is wrong, by field, and in all."""
    if refusal.status == 409:
        return {}, visit.words("join.taken")
    if refusal.status != 422:
        raise refusal
    named = {FIELDS.get(name, name) for name in refusal.faults} & set(NEW)
    texts = {name: visit.words(f"wrong.{name}" if visit.words.has(f"wrong.{name}") else "wrong.field") for name in named}
    return texts, visit.words("wrong.some") if named else visit.words("wrong.soc")


def _thousand(value: int | float | str | None) -> int | str | None:
    return round(value * 1000) if isinstance(value, int | float) else value


def _new_number() -> str:
    return f"W{randbelow(10**9):09}"
