"""A member's car on a form: chosen from the operator's list of models, or described by its own figures."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from gridstay.web.door import Refusal
from gridstay.web.site import Form, Site, Visit, Visited, page_route
from gridstay.web.words import Words

FOUND_AT_MOST = 12
LONGEST_SEARCH = 100
FIGURES = {"battery_wh": "battery_kwh", "max_charge_w": "charge_kw", "max_discharge_w": "discharge_kw"}
"""The API's names of a car's figures, and those on the page, which are in thousands."""
Car = Mapping[str, Any]


def router(site: Site) -> APIRouter:
    """The models that are found while somebody types."""
    routes = APIRouter(route_class=page_route(site))

    @routes.get("/cars")
    async def found(visit: Visited) -> Response:
        choice = await choice_of_car(visit, visit.request.query_params, None)
        return visit.page("models.html", choice=choice)

    return routes


async def choice_of_car(visit: Visit, asked: Mapping[str, str], car: Car | None) -> dict[str, Any]:
    """What the form shows: whether there is a list, what was looked for in it, and the models to choose from,
    first the one that is chosen, or the car's."""
    sought = asked.get("q", "")[:LONGEST_SEARCH]
    chosen = asked["model_id"] if "model_id" in asked else (car and car["model_id"]) or ""
    found = await visit.door.get("car-models", q=sought, limit=FOUND_AT_MOST) if sought.strip() else []
    first = await _model(visit, chosen, car)
    models = ([first] if first else []) + [one for one in found if one["id"] != chosen]
    return {
        "has_list": bool(models or await visit.door.get("car-models", limit=1)),
        "sought": sought,
        "found": len(found),
        "chosen": chosen if first else "",
        "models": [{**one, "facts": _facts(visit.words, one)} for one in models],
    }


async def _model(visit: Visit, model_id: str, car: Car | None) -> dict[str, Any] | None:
    """The model that is chosen. One that has left the list is known by the car that was chosen from it."""
    if not model_id:
        return None
    try:
        found: dict[str, Any] = await visit.door.get("car-models", model_id)
    except Refusal as refusal:
        if refusal.status != 404:
            raise
        return {**car, "id": model_id} if car and car["model_id"] == model_id else None
    return found


def _facts(words: Words, model: Car) -> str:
    gives = model["max_discharge_w"] or model.get("bidirectional")
    told = [words.energy(model["battery_wh"]), words.power(model["max_charge_w"]), words("car.gives") if gives else ""]
    return " · ".join(filter(None, told))


def car_of(form: Form, had: Car | None) -> dict[str, Any] | None:
    """The car as the API takes it; None for none. A model that is newly chosen brings its own figures, but for those that
    were typed."""
    model_id, name = form["model_id"], form["car_name"]
    figures = {to: _thousand(form.number(field)) for to, field in FIGURES.items() if form[field]}
    if had and model_id != (had["model_id"] or ""):
        name = "" if name == had["name"] else name
        if model_id:
            figures = {to: value for to, value in figures.items() if value != had[to]}
    elif had and figures:
        figures |= {"consumption_wh_per_km": had["consumption_wh_per_km"], "plugs": had["plugs"]}
    if not model_id and not figures and not name:
        return None
    return {"model_id": model_id or None, "name": name, **figures}


def given_of_car(car: Car | None) -> dict[str, Any]:
    """A car as the form's fields have it."""
    kilo = {field: f"{car[of] / 1000:g}" if car else "" for of, field in FIGURES.items()}
    return {**kilo, "car_name": car["name"] if car else ""}


def _thousand(value: int | float | str | None) -> int | str | None:
    return round(value * 1000) if isinstance(value, int | float) else value
