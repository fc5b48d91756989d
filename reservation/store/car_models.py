"""The car models that the operator has loaded."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from reservation.domain.car_model import CarModel, sought_by, words_of
from reservation.store.tables import car_models


def replace(connection: Connection, models: Sequence[CarModel]) -> None:
    """Keep these models and no others."""
    connection.execute(delete(car_models))
    if models:
        connection.execute(insert(car_models), [_columns(model) for model in models])


def find(connection: Connection, model_id: str) -> CarModel | None:
    """The model by id, or None."""
    row = connection.execute(select(car_models).where(car_models.c.id == model_id)).one_or_none()
    return None if row is None else _model(row)


def search(connection: Connection, text: str, limit: int) -> list[CarModel]:
    """So many of the models at most in whose make and model each word of the text begins a word; all for a text without
    words. By name, the newest first."""
    table = car_models.c
    query = select(car_models).where(*(table.sought_by.like(f"% {word}%") for word in words_of(text)))
    order = (table.make, table.model, table.year.desc(), table.battery_wh, table.id)
    return [_model(row) for row in connection.execute(query.order_by(*order).limit(limit))]


def _columns(model: CarModel) -> dict[str, Any]:
    return {
        "id": model.id,
        "make": model.make,
        "model": model.model,
        "year": model.year,
        "battery_wh": model.battery_wh,
        "max_charge_w": model.max_charge_w,
        "max_discharge_w": model.max_discharge_w,
        "bidirectional": model.bidirectional,
        "consumption_wh_per_km": model.consumption_wh_per_km,
        "plugs": list(model.plugs),
        "sought_by": sought_by(model),
    }


def _model(row: Row[Any]) -> CarModel:
    return CarModel(
        make=row.make,
        model=row.model,
        year=row.year,
        battery_wh=row.battery_wh,
        max_charge_w=row.max_charge_w,
        max_discharge_w=row.max_discharge_w,
        bidirectional=row.bidirectional,
        consumption_wh_per_km=row.consumption_wh_per_km,
        plugs=tuple(row.plugs),
    )
