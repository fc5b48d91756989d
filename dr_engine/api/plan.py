"""The plan of a facility: what its fleet shall do slot by slot, and each car's part."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from dr_engine import views
from dr_engine.api.doors import Doors, refusals
from dr_engine.store import plans


class PlanSlotView(views.View):
    """`target_w` is what is asked (None: nothing), to be met within `band_w`; `value`: what one kWh less would save. `sold`:
    it is not asked yet, but sold; what is planned of it is done only when it is called."""

    start: datetime
    end: datetime
    target_w: int | None
    band_w: int
    planned_w: int
    cars: int
    missed_wh: int
    over_wh: int
    value: float
    sold: bool


class PlanCarView(views.View):
    """A car's mean power in each slot from number `first` on, and its energy at their ends (empty: it is not planned)."""

    booking_id: str
    session_id: str | None
    standing: str
    first: int
    power_w: list[int]
    energy_wh: list[int]


class PlanView(views.View):
    """A plan. No plan could cost less than `bound`; `reason` says why the solver gave none, if so."""

    facility_id: str
    made_at: datetime
    method: str
    reason: str
    cost: float
    bound: float | None
    slots: list[PlanSlotView]
    cars: list[PlanCarView]


def router(doors: Doors) -> APIRouter:
    """Routes of plans."""
    routes = APIRouter()

    @routes.get("/plan")
    async def show_plan(facility_id: Annotated[str, Query(min_length=1, max_length=64)]) -> PlanView:
        """The facility's plan as it was made last (S306)."""
        with refusals():
            found = await doors.database.read(lambda connection: plans.get(connection, facility_id))
        return PlanView.model_validate(found, from_attributes=True)

    return routes
