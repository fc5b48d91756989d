"""Sign-up with consent, and what a member can change later: car, consent and wishes, how to reach them."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Response

from gridstay.web.door import Refusal
from gridstay.web.guest.cars import FIGURES, car_of, choice_of_car, given_of_car
from gridstay.web.guest.consent import CHARGING, OFFERS, STAYS, agreed, consent_of, text_to_agree
from gridstay.web.refusals import why
from gridstay.web.site import Form, Site, Visit, Visited, page_route

CARD_TYPE = "ISO14443"
FIELDS = {**FIGURES, "value": "card"}
"""The API's fields that have other names, or units, on the page."""
TICKS = ("dr", "discharge", "data", CHARGING, OFFERS)
SOC = ("wanted_soc_pct", "floor_soc_pct")
NEW: Mapping[str, Any] = {
    **dict.fromkeys(("name", "phone", "email", "card"), ""),
    **given_of_car(None),
    **dict.fromkeys(TICKS, False),
    "wanted_soc_pct": 80,
    "floor_soc_pct": 30,
}


def router(site: Site) -> APIRouter:
    """Routes of sign-up and account."""
    routes = APIRouter(route_class=page_route(site))

    @routes.get("/join")
    async def ask(visit: Visited) -> Response:
        return await _asked(visit, NEW, visit.asked("next"))

    @routes.post("/join")
    async def join(visit: Visited) -> Response:
        form = await visit.form()
        if "find" in form:
            return await _again(visit, form, {}, status=200)
        car = car_of(form, None)
        by_car = car is not None or bool(form["card"])
        needed = {name: visit.words(f"consent.needed_{name}") for name in _unticked(form, by_car=by_car)}
        if needed:
            return await _again(visit, form, needed)
        if not visit.is_slow_enough():
            return await _again(visit, form, {}, visit.words("sign_in.too_often"), 429)
        purposes = [STAYS] + [CHARGING] * form.yes(CHARGING) + [OFFERS] * form.yes(OFFERS)
        body = {
            "number": site.passes.new_number(visit.session),
            "language": visit.words.language,
            "car": car,
            "tokens": _tokens(form, []),
            "preferences": _preferences(form) if car else {},
            "consent": await agreed(visit, form, purposes),
        }
        try:
            member = await visit.door.post("members", body=body | _details(form))
        except Refusal as refusal:
            return await _again(visit, form, *_faults(visit, refusal))
        visit.sign_in(site.passes.of_member(member["id"], by_code=False))
        return visit.back(form["next"], "/stays")

    @routes.get("/account")
    async def show(visit: Visited) -> Response:
        return await _account(visit, await visit.me())

    @routes.post("/account/car")
    async def change_car(visit: Visited) -> Response:
        form = await visit.form()
        member = await visit.me()
        consent = await consent_of(visit, member)
        if "find" in form:
            return await _account(visit, member, form)
        car = car_of(form, member["car"])
        body: dict[str, Any] = {"car": car, "tokens": _tokens(form, member["tokens"])}
        if (car or form["card"]) and not consent[CHARGING]:
            if not form.yes(CHARGING):
                needed = {CHARGING: visit.words(f"consent.needed_{CHARGING}")}
                return await _account(visit, member, form, needed, visit.words("wrong.some"), 422)
            body["consent"] = await agreed(visit, form, [STAYS, CHARGING] + [OFFERS] * consent[OFFERS])
        return await _change(visit, form, member, body)

    @routes.post("/account/consent")
    async def change_consent(visit: Visited) -> Response:
        form = await visit.form()
        member = await visit.me()
        charging = form.yes(CHARGING)
        purposes = [STAYS] + [CHARGING] * charging + [OFFERS] * form.yes(OFFERS)
        wishes = _preferences(form) if charging else {"dr": False, "discharge": False}
        body = wishes | await agreed(visit, form, purposes)
        try:
            await visit.door.post("members", member["id"], "consents", body=body)
        except Refusal as refusal:
            return await _account(visit, member, form, *_faults(visit, refusal), refusal.status, ticks=TICKS)
        return visit.go("/account", saved="1")

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
        return await _account(visit, member, form, *_faults(visit, refusal), 422)
    return visit.go("/account", saved="1")


async def _account(
    visit: Visit,
    member: dict[str, Any],
    form: Form | None = None,
    wrong: Mapping[str, str] | None = None,
    problem: str = "",
    status: int = 200,
    *,
    ticks: Sequence[str] = (CHARGING,),
) -> Response:
    """The member's page, with what a form of it sent; `ticks` are the boxes of that form."""
    consent = await consent_of(visit, member)
    given = {**_given(member), **{name: consent[name] for name in (CHARGING, OFFERS)}}
    choice = await choice_of_car(visit, form if form is not None else {}, member["car"])
    if form is not None:
        given |= _sent(form, ticks)
    text = await text_to_agree(visit)
    return visit.page(
        "account.html",
        status,
        member=member,
        given=given,
        consent=consent,
        choice=choice,
        text=text,
        wrong=wrong or {},
        problem=problem,
    )


async def _asked(
    visit: Visit,
    given: Mapping[str, Any],
    after: str,
    wrong: Mapping[str, str] | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    choice, text = await choice_of_car(visit, given, None), await text_to_agree(visit)
    return visit.page(
        "join.html", status, given=given, choice=choice, text=text, next=after, wrong=wrong or {}, problem=problem
    )


async def _again(visit: Visit, form: Form, wrong: Mapping[str, str], problem: str = "", status: int = 422) -> Response:
    return await _asked(visit, {**NEW, **_sent(form, TICKS)}, form["next"], wrong, problem, status)


def _sent(form: Form, ticks: Sequence[str]) -> dict[str, Any]:
    """The form's fields as they were sent, and its boxes, of which only those that are ticked were."""
    return {**form, **{name: form.yes(name) for name in ticks}}


def _unticked(form: Form, *, by_car: bool) -> list[str]:
    """What nobody can be a member without agreeing to, or be with a car."""
    return [name for name in ("data", *([CHARGING] if by_car else [])) if not form.yes(name)]


def _details(form: Form) -> dict[str, Any]:
    return {"name": form["name"], "phone": form["phone"] or None, "email": form["email"] or None}


def _tokens(form: Form, had: list[dict[str, str]]) -> list[dict[str, str]]:
    """The member's tokens with the card that the form names: all others stay."""
    card = [{"value": form["card"], "type": CARD_TYPE}] if form["card"] else []
    return [token for token in had if token["type"] != CARD_TYPE] + card


def _preferences(form: Form) -> dict[str, Any]:
    return {
        "dr": form.yes("dr"),
        "discharge": form.yes("discharge"),
        **{name: form.number(name) for name in SOC},
    }


def _given(member: dict[str, Any]) -> dict[str, Any]:
    """A member as the form's fields have it."""
    card = next((token["value"] for token in member["tokens"] if token["type"] == CARD_TYPE), "")
    return {
        **NEW,
        **{name: member[name] or "" for name in ("name", "phone", "email")},
        **given_of_car(member["car"]),
        **member["preferences"],
        "card": card,
    }


def _faults(visit: Visit, refusal: Refusal) -> tuple[dict[str, str], str]:
    """What is wrong, by field, and in all."""
    if refusal.reason in ("name_taken", "token_taken"):
        return {}, visit.words("join.taken")
    if refusal.status not in (409, 422):
        raise refusal
    if "preferences" in refusal.faults and not refusal.faults & set(SOC):
        return {}, visit.words("wrong.soc")
    named = {FIELDS.get(name, name) for name in refusal.faults} & set(NEW)
    texts = {name: visit.words(f"wrong.{name}" if visit.words.has(f"wrong.{name}") else "wrong.field") for name in named}
    return texts, visit.words("wrong.some") if named else why(visit.words, refusal)
