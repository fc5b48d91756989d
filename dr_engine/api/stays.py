"""A guest's stay, live: for the page that the guest follows it on."""

from datetime import datetime

from fastapi import APIRouter
from sqlalchemy import Connection

from contracts.units import whole_watt_hours
from dr_engine import views
from dr_engine.api.doors import Doors, refusals
from dr_engine.domain.request import EventState
from dr_engine.settling import terms_for
from dr_engine.store import stays
from dr_engine.store.stays import Helped, StayOf


class HelpedView(views.View):
    """What the car delivered in an event so far (S402's figure), and its money once it is settled, in minor units."""

    event_id: str
    start: datetime
    end: datetime
    state: EventState
    delivered_wh: int
    amount_minor: int | None
    currency: str | None


class StayView(views.View):
    """A guest's car now. `power_w` is signed, + charges; what is not known is null. Energies are the session's so far."""

    booking_id: str
    session_id: str | None
    plugged_in: bool
    plugged_in_at: datetime | None
    soc_pct: float | None
    power_w: float | None
    metered_at: datetime | None
    wanted_soc_pct: int
    floor_soc_pct: int
    battery_wh: int
    imported_wh: int
    exported_wh: int
    delivered_wh: int
    helped: list[HelpedView]


def router(doors: Doors) -> APIRouter:
    """The one route."""
    routes = APIRouter()

    @routes.get("/stays/{booking_id}")
    async def show_stay(booking_id: str) -> StayView:
        """The stay's car: plugged in or not, its SOC and power, and what it has delivered."""
        now = doors.clock.now()

        def read(connection: Connection) -> StayOf:
            return stays.of_booking(connection, booking_id, lambda event: terms_for(connection, doors.settings, event))

        with refusals():
            stay = await doors.database.read(read)
        live = doors.telemetry.of(stay.session_id or "")
        seen = next((entry for entry in doors.pool() if entry.session_id == stay.session_id), None)
        return StayView(
            booking_id=booking_id,
            session_id=stay.session_id,
            plugged_in=stay.running,
            plugged_in_at=stay.started_at,
            soc_pct=seen.soc_pct if seen and seen.soc_pct is not None else live.soc_pct,
            power_w=live.sample.power_w if live.sample and stay.running else None,
            metered_at=live.sample.at if live.sample else None,
            wanted_soc_pct=stay.booking.wanted_soc_pct,
            floor_soc_pct=stay.booking.floor_soc_pct,
            battery_wh=stay.booking.battery_wh,
            imported_wh=whole_watt_hours(stay.imported_wh),
            exported_wh=whole_watt_hours(stay.exported_wh),
            delivered_wh=sum(one.delivered_wh for one in stay.helped),
            helped=[_helped(one, now) for one in stay.helped],
        )

    return routes


def _helped(one: Helped, now: datetime) -> HelpedView:
    return HelpedView(
        event_id=one.event.event_id,
        start=one.event.start,
        end=one.event.end,
        state=one.event.state(now),
        delivered_wh=one.delivered_wh,
        amount_minor=one.amount_minor,
        currency=one.currency,
    )
