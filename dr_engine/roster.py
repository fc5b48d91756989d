"""Who is to be planned at a facility: the cars that stand there and those that are still to come, as a problem."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from contracts.dr import Direction
from dr_engine.domain.car import Car, Cars, Floats, Physics
from dr_engine.domain.live import soc_now
from dr_engine.domain.offer import Hold
from dr_engine.domain.planner.problem import Problem
from dr_engine.domain.request import power_at
from dr_engine.fleet import car_of
from dr_engine.settings import DrSettings, SiteLimits
from dr_engine.store import bids, bookings, events, sessions, stations
from dr_engine.store.bookings import Booking
from dr_engine.store.events import DrEvent
from dr_engine.store.plans import KeptPlan
from dr_engine.store.sessions import Plugged
from dr_engine.telemetry import Telemetry

SLOT_S = 900
LONGEST = timedelta(hours=24)
LATER_A_DAY = 0.05
_LEAST_S = 60
"""A quarter hour's edge that is nearer than this to now opens no slot of its own."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A car with when it comes, what it then has in Wh (None: nobody knows), and its session if it is here."""

    booking_id: str
    session_id: str | None
    car: Car
    arrive: datetime
    energy_wh: float | None


@dataclass(frozen=True, slots=True)
class Roster:
    """A facility's cars of the next hours and what is asked of them."""

    facility_id: str
    cars: tuple[Expected, ...]
    events: tuple[DrEvent, ...]
    sold: tuple[Hold, ...]

    def problem(self, now: datetime, settings: DrSettings, price: float) -> Problem:
        """The planner's arrays, from now to the last departure."""
        edges = _edges(now, self.cars, self.events, self.sold)
        starts = [datetime.fromtimestamp(edge, now.tzinfo) for edge in edges[:-1]]
        asked = [_asked_w(self.events, start) for start in starts]
        target = np.array([np.nan if power is None else power for power in asked], dtype=np.float64)
        limits = settings.sites.get(self.facility_id, SiteLimits())
        load = np.array([limits.load_at(start) for start in starts])
        return Problem(
            edges_s=edges,
            target_w=target,
            band_w=settings.plan_band * np.abs(np.nan_to_num(target)),
            price=price * (1 + _later(edges) * settings.follows(self.facility_id)),
            cars=Cars.of([one.car for one in self.cars]),
            arrive_s=np.array([one.arrive.timestamp() for one in self.cars]),
            energy_wh=np.array([np.nan if one.energy_wh is None else one.energy_wh for one in self.cars], dtype=np.float64),
            site=np.zeros(len(self.cars), dtype=np.int64),
            import_w=_room(limits.import_w, -load),
            export_w=_room(limits.export_w, load),
            sold_w=np.array([_sold_w(self.sold, start) for start in starts]),
        )

    def known_wh(self, last: KeptPlan | None, edges_s: Floats) -> Floats | None:
        """The energies that the last plan foresaw for these cars at the ends of these slots; NaN where it knew nothing."""
        if last is None:
            return None
        by_booking = {car.booking_id: car for car in last.cars if car.energy_wh}
        ends = np.array([slot.end.timestamp() for slot in last.slots])
        found = np.full((len(self.cars), len(edges_s) - 1), np.nan)
        for place, one in enumerate(self.cars):
            car = by_booking.get(one.booking_id)
            if car is not None:
                known = ends[car.first : car.first + len(car.energy_wh)]
                found[place] = np.interp(edges_s[1:], known, car.energy_wh, left=np.nan)
        return found


def facilities(connection: Connection, now: datetime) -> list[str]:
    """The facilities that have something to plan."""
    return bookings.willing_facilities(connection, now, now + LONGEST)


def roster(connection: Connection, facility_id: str, now: datetime, telemetry: Telemetry, physics: Physics) -> Roster:
    """The cars of a facility: with their true SOC where they are plugged in, else with the one expected (M1)."""
    here = {one.booking.booking_id: one for one in sessions.plugged(connection)}
    limits, gone = stations.limits(connection), sessions.gone(connection, now - LONGEST)
    found = bookings.willing_between(connection, facility_id, now, now + LONGEST)
    return Roster(
        facility_id,
        tuple(
            _expected(booking, here, limits, now, telemetry, physics)
            for booking in sorted(found, key=lambda one: one.booking_id)
            if booking.booking_id not in gone
        ),
        tuple(event for event in events.open_events(connection, now) if event.facility_id == facility_id),
        bids.sold_between(connection, now, now + LONGEST).get(facility_id, ()),
    )


def _expected(
    booking: Booking,
    here: Mapping[str, Plugged],
    limits: stations.Limits,
    now: datetime,
    telemetry: Telemetry,
    physics: Physics,
) -> Expected:
    arrive, plugged = max(now, booking.control_start), here.get(booking.booking_id)
    if plugged is None:
        charge_w, discharge_w = limits.of(booking.station_id)
        expected = Plugged("", booking.station_id or "", booking.control_start, True, charge_w, discharge_w, booking)
        car = car_of(expected, None)
        return Expected(booking.booking_id, None, car, arrive, _energy(car, booking.arrival_soc_pct))
    car, live = car_of(plugged, None), telemetry.of(plugged.session_id)
    soc = soc_now(live, car, now, None, physics)
    if plugged.priority:
        return Expected(booking.booking_id, plugged.session_id, car, arrive, None)
    return Expected(
        booking.booking_id, plugged.session_id, car, arrive, _energy(car, booking.arrival_soc_pct if soc is None else soc)
    )


def _energy(car: Car, soc_pct: float | None) -> float | None:
    return None if soc_pct is None else car.wh(soc_pct)


def _edges(now: datetime, cars: Sequence[Expected], asked: Sequence[DrEvent], sold: Sequence[Hold]) -> Floats:
    """Now, each quarter hour, each edge of a request and of what is sold, and the end."""
    first = now.timestamp()
    last = max((one.car.depart.timestamp() for one in cars), default=first + SLOT_S)
    last = min(max(last, first + _LEAST_S), first + LONGEST.total_seconds())
    quarters = np.arange(np.ceil((first + _LEAST_S) / SLOT_S) * SLOT_S, last, SLOT_S)
    requests = [when.timestamp() for event in asked for one in event.intervals for when in (one.start, one.end)]
    blocks = [when.timestamp() for hold in sold for when in (hold.start, hold.end)]
    edges = np.unique(np.concatenate([[first, last], quarters, requests, blocks]))
    return edges[(edges >= first) & (edges <= last)]


def _asked_w(asked: Sequence[DrEvent], when: datetime) -> int | None:
    return next((power for event in asked if (power := power_at(event.intervals, when)) is not None), None)


def _sold_w(sold: Sequence[Hold], when: datetime) -> float:
    """What is sold of that moment, as a change of the fleet's power, W."""
    here = [hold for hold in sold if hold.start <= when < hold.end]
    return sum((-1000.0 if hold.direction is Direction.UP else 1000.0) * hold.kw for hold in here)


def _later(edges_s: Floats) -> Floats:
    """What energy costs more the later it is taken, as a share: of what costs the same the earlier is chosen."""
    later: Floats = LATER_A_DAY * (edges_s[:-1] - edges_s[0]) / LONGEST.total_seconds()
    return later


def _room(limit_w: float | None, change_w: Floats) -> Floats:
    """What the cars may use of a site's limit in each slot (one row); a load beyond the limit leaves them nothing."""
    return np.maximum((np.inf if limit_w is None else limit_w) + change_w, 0.0)[None, :]
