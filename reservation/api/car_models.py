"""Routes of the car models that members choose from."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from reservation.api.desk import Desk
from reservation.api.fields import Answer, Asked, Consumption, Plugs, PositiveWatts, Text, WattHours, Watts, Yes
from reservation.api.refusals import RefusalAnswer, RefusingRoute
from reservation.domain.car_model import CarModel, distinct
from reservation.handlers import known
from reservation.store import car_models as store

Sought = Annotated[str, Query(max_length=100, description="words that begin words of make and model")]
AtMost = Annotated[int, Query(ge=1, le=100)]


class CarModelBody(Asked, Answer):
    """A model in one of its versions: usable battery in Wh, power of charging with AC in W. null: not known.
    `bidirectional`: whether power can be had out of it, `max_discharge_w` how much."""

    make: Text = Field(max_length=100)
    model: Text = Field(max_length=150)
    battery_wh: WattHours
    max_charge_w: PositiveWatts
    year: int | None = Field(default=None, strict=True, ge=1990, le=2199)
    max_discharge_w: Watts | None = None
    bidirectional: Yes | None = None
    consumption_wh_per_km: Consumption | None = None
    plugs: Plugs = Field(default=[])

    def car_model(self) -> CarModel:
        """The model that is meant."""
        return CarModel(**self.model_dump() | {"plugs": tuple(dict.fromkeys(self.plugs))})


class CarModelsBody(Asked):
    """The whole list."""

    models: list[CarModelBody] = Field(max_length=20_000)


class CarModelAnswer(CarModelBody):
    """A model, by what it is referred to and what it is called."""

    id: str
    name: str


class CarModelsKept(Answer):
    """How many models are kept now; the same one given twice counts once."""

    models: int


def router(desk: Desk) -> APIRouter:
    """The routes under /car-models."""
    routes = APIRouter(prefix="/car-models", tags=["members"], route_class=RefusingRoute)

    @routes.put("")
    async def replace(body: CarModelsBody) -> CarModelsKept:
        """Keep these models and no others. Members' cars stay as they are."""
        models = distinct([one.car_model() for one in body.models])
        await desk.write(lambda connection, _: store.replace(connection, models))
        return CarModelsKept(models=len(models))

    @routes.get("")
    async def search(q: Sought = "", limit: AtMost = 20) -> list[CarModelAnswer]:
        """Models in whose make and model each word begins a word, by name."""
        found = await desk.read(lambda connection: store.search(connection, q, limit))
        return [CarModelAnswer.model_validate(model) for model in found]

    @routes.get("/{model_id}", responses={404: {"model": RefusalAnswer}})
    async def one(model_id: str) -> CarModelAnswer:
        """One model."""
        return CarModelAnswer.model_validate(await desk.read(lambda connection: known.car_model(connection, model_id)))

    return routes
