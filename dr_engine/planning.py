"""Keeps a plan for every facility: made anew when something has changed, and every few minutes.

What has changed is gathered for a moment first. The solver runs in a thread of its own with a limit on its time, so that
nothing else waits for it; if it gives no plan, the last one goes on. The last plans are in the store: they are followed
after a restart.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from dr_engine.domain.planner.policy import plan
from dr_engine.domain.planner.problem import Plan, Problem, Standing
from dr_engine.roster import Roster, facilities, roster
from dr_engine.settings import DrSettings
from dr_engine.store import plans
from dr_engine.store.plans import KeptCar, KeptPlan, KeptSlot
from dr_engine.telemetry import Telemetry
from runtime.activity import Bell
from runtime.service import Host
from runtime.storage.database import Database

ACTIVITY = "planning"
BY_DEFAULT = "default"
"""The method of a plan in which cars do what they do anyway."""
Planner = Callable[..., Plan]


class Planning:
    """`run` for ever as a task; `wake` when something has changed."""

    def __init__(
        self, settings: DrSettings, database: Database, host: Host, telemetry: Telemetry, planner: Planner = plan
    ) -> None:
        self._settings = settings
        self._database = database
        self._host = host
        self._telemetry = telemetry
        self._planner = planner
        self._bell = Bell(host.activity, ACTIVITY)
        self._alarm: asyncio.Task[None] | None = None
        self._due: float | None = None
        self._kept: dict[str, KeptPlan] = {}
        self._powers: Mapping[str, _Course] = {}

    def wake(self) -> None:
        """Something has changed: plan soon."""
        self._ring_in(self._settings.plan_pause_s)

    def planned_w(self, car: str, at: datetime) -> float | None:
        """What the plan has a car do at that moment, W; by session or booking id. None where there is no plan for it, or one
        by which cars do what they do anyway."""
        course = self._powers.get(car)
        return None if course is None else course.at(at)

    async def run(self) -> None:
        """Plan for ever."""
        with self._bell:
            try:
                self._remember(await self._database.read(plans.all_plans))
                self._ring_in(0.0)
                while True:
                    await self._bell.heard()
                    with self._bell.seen_to():
                        await self._plan_all()
                        self._ring_in(self._settings.plan_every_s)
            finally:
                await self._silence()

    def _ring_in(self, seconds: float) -> None:
        """Ring after that time, unless it rings sooner anyway."""
        due = self._host.clock.monotonic() + seconds
        if self._due is not None and self._due <= due:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._due = due
        self._alarm = asyncio.create_task(self._ring(seconds), name="planning alarm")

    async def _ring(self, seconds: float) -> None:
        await self._host.clock.sleep(seconds)
        self._due, self._alarm = None, None
        self._bell.ring()

    async def _silence(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            with suppress(asyncio.CancelledError):
                await self._alarm

    async def _plan_all(self) -> None:
        """Plan each facility that has something to plan."""
        now = self._host.clock.now()
        for facility_id in await self._database.read(lambda connection: facilities(connection, now)):
            await self._plan(facility_id, now)

    async def _plan(self, facility_id: str, now: datetime) -> None:
        physics, last = self._settings.physics(), self._kept.get(facility_id)
        found = await self._database.read(lambda connection: roster(connection, facility_id, now, self._telemetry, physics))
        problem = found.problem(now, self._settings, self._settings.plan_price)
        known = found.known_wh(last, problem.edges_s)
        made = await asyncio.to_thread(self._planner, problem, physics, self._settings.plan_rules(), known_wh=known)
        if made.reason:
            self._host.log.warning("planned without the solver", facility=facility_id, plan=made.method, reason=made.reason)
        kept = _kept(found, problem, made, now)
        await self._database.write(lambda connection: plans.put(connection, kept))
        self._remember([kept])

    def _remember(self, found: list[KeptPlan]) -> None:
        self._kept |= {kept.facility_id: kept for kept in found}
        self._powers = {
            name: _Course.of(kept, car)
            for kept in self._kept.values()
            for car in kept.cars
            if car.power_w and kept.method != BY_DEFAULT
            for name in (car.booking_id, car.session_id)
            if name is not None
        }


@dataclass(frozen=True, slots=True)
class _Course:
    """A car's planned powers, W, from moment to moment; None where what is planned waits for a call."""

    edges: list[datetime]
    power_w: Sequence[float | None]

    @classmethod
    def of(cls, kept: KeptPlan, car: KeptCar) -> "_Course":
        slots = kept.slots[car.first : car.first + len(car.power_w)]
        powers = [None if slot.sold else power for slot, power in zip(slots, car.power_w, strict=True)]
        return cls([*(slot.start for slot in slots), slots[-1].end], powers)

    def at(self, when: datetime) -> float | None:
        place = bisect_right(self.edges, when) - 1
        return self.power_w[place] if 0 <= place < len(self.power_w) else None


def _kept(found: Roster, problem: Problem, made: Plan, now: datetime) -> KeptPlan:
    """A plan as the store keeps it."""
    edges = [datetime.fromtimestamp(edge, now.tzinfo) for edge in problem.edges_s]
    cars = np.bincount(made.slot, minlength=len(edges) - 1)
    change = np.zeros(len(problem.target_w)) if problem.sold_w is None else problem.sold_w
    sold = np.isnan(problem.target_w) & (change != 0)
    return KeptPlan(
        facility_id=found.facility_id,
        made_at=now,
        method=made.method,
        reason=made.reason,
        cost=round(made.cost, 3),
        bound=None if made.bound is None else round(made.bound, 3),
        slots=[
            KeptSlot(
                start=edges[slot],
                end=edges[slot + 1],
                target_w=None if np.isnan(problem.target_w[slot]) else round(problem.target_w[slot]),
                band_w=round(problem.band_w[slot]),
                sold=bool(sold[slot]),
                planned_w=round(made.planned_w[slot]),
                cars=int(cars[slot]),
                missed_wh=round(made.missed_wh[slot]),
                over_wh=round(made.over_wh[slot]),
                value=round(float(made.value[slot]), 2),
            )
            for slot in range(len(edges) - 1)
        ],
        cars=[_car(found, made, place) for place in range(len(found.cars))],
    )


def _car(found: Roster, made: Plan, place: int) -> KeptCar:
    one, entries = found.cars[place], np.flatnonzero(made.car == place)
    energy = made.energy_wh[entries]
    return KeptCar(
        booking_id=one.booking_id,
        session_id=one.session_id,
        standing=Standing(int(made.standing[place])).name.lower(),
        first=int(made.slot[entries[0]]) if entries.size else 0,
        power_w=[round(power) for power in made.power_w[entries].tolist()],
        energy_wh=[round(wh) for wh in energy.tolist()] if np.isfinite(energy).all() else [],
    )
