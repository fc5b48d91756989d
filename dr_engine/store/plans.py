"""The last plan of each facility."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, insert, select

from dr_engine.store.errors import Unknown
from dr_engine.store.tables import plans


@dataclass(frozen=True, slots=True)
class KeptSlot:
    """One slot: what was asked (None: nothing) and planned, mean W; `value` in money per kWh; missed and over in Wh. `sold`:
    nothing is asked of it yet, but it is sold and may be called."""

    start: datetime
    end: datetime
    target_w: int | None
    band_w: int
    planned_w: int
    cars: int
    missed_wh: int
    over_wh: int
    value: float
    sold: bool = False


@dataclass(frozen=True, slots=True)
class KeptCar:
    """What one car shall do from slot `first` on: its mean power in each (W), and its energy at their ends (Wh; empty where
    it is not planned). `session_id` is None until it is plugged in."""

    booking_id: str
    session_id: str | None
    standing: str
    first: int
    power_w: list[int]
    energy_wh: list[int]


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """A plan as it is kept. `cost` and `bound` (None: not reckoned) are money under the plan's own weights."""

    facility_id: str
    made_at: datetime
    method: str
    reason: str
    cost: float
    bound: float | None
    slots: list[KeptSlot]
    cars: list[KeptCar]


def put(connection: Connection, plan: KeptPlan) -> None:
    """Keep a plan in place of the facility's last one."""
    connection.execute(delete(plans).where(plans.c.facility_id == plan.facility_id))
    content = msgspec.json.encode(plan).decode()
    connection.execute(insert(plans).values(facility_id=plan.facility_id, made_at=plan.made_at, content=content))


def get(connection: Connection, facility_id: str) -> KeptPlan:
    """A facility's last plan. Raises Unknown."""
    content = connection.execute(select(plans.c.content).where(plans.c.facility_id == facility_id)).scalar()
    if content is None:
        raise Unknown(f"there is no plan of facility {facility_id}: no willing guest is booked there for the next hours")
    return msgspec.json.decode(content, type=KeptPlan)


def all_plans(connection: Connection) -> list[KeptPlan]:
    """The last plans of all facilities."""
    return [msgspec.json.decode(content, type=KeptPlan) for content in connection.execute(select(plans.c.content)).scalars()]
