"""What the routes of every subject need, the shape of what callers send, and how a refusal is answered."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict, Field

from dr_engine.fleet import PoolEntry
from dr_engine.forecasting import Forecasting
from dr_engine.settings import DrSettings
from dr_engine.store.errors import BadRequest, Clash, Refused, Unknown
from dr_engine.telemetry import Telemetry
from dr_engine.ven.status2b import Status2b
from dr_engine.ven.ven import Ven
from runtime.clock import Clock
from runtime.storage.database import Database

STATUS: dict[type[Refused], int] = {Unknown: 404, Clash: 409, BadRequest: 422}
Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")]


@dataclass(frozen=True, slots=True)
class Doors:
    """`changed` is called after each change that the dispatcher must see at once; `pool` is the pool as it saw it last;
    `ven` is what listens to a VTN (None: nothing does), `ven2b` how it goes with one of 2.0b."""

    settings: DrSettings
    database: Database
    clock: Clock
    telemetry: Telemetry
    pool: Callable[[], Sequence[PoolEntry]]
    changed: Callable[[], None]
    ven: Callable[[], Ven | None]
    ven2b: Callable[[], Status2b | None]
    forecasting: Forecasting


class Body(BaseModel):
    """What callers send: nothing beside the named fields."""

    model_config = ConfigDict(extra="forbid")


@contextmanager
def refusals() -> Iterator[None]:
    """Refusals of the engine as HTTP statuses, with their text as `detail` (a list of faults for a bad request)."""
    try:
        yield
    except BadRequest as error:
        raise HTTPException(STATUS[BadRequest], error.faults) from error
    except Refused as error:
        raise HTTPException(STATUS[type(error)], str(error)) from error
