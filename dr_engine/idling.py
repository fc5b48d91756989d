"""What the cars are told that no event uses: the plan's power where plans are followed, else they charge and then wait."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from dr_engine.commander import Commander, Order
from dr_engine.domain.car import Cars, Floats
from dr_engine.domain.course import on_course
from dr_engine.domain.default_plan import default_plan
from dr_engine.fleet import PoolCar, World, may_discharge
from dr_engine.settings import DrSettings

Planned = Callable[[str, datetime], float | None]
"""What the plan has a session do at that moment, W; None: it has none."""


class Idling:
    """Sends through the commander. `planned` is asked at each look, so that a new plan counts at once."""

    def __init__(self, settings: DrSettings, commander: Commander, planned: Planned) -> None:
        self._settings = settings
        self._rules = settings.rules()
        self._physics = settings.physics()
        self._commander = commander
        self._planned = planned

    def tell(self, cars: list[PoolCar], world: World, now: datetime) -> dict[str, str]:
        """Tell them; nothing of ours is left outside control periods. Returns how each stands."""
        standing, planned, others = {}, [], []
        for car in cars:
            session = car.session_id
            if not car.plugged.connected or self._commander.resting(session, now):
                standing[session] = "offline" if not car.plugged.connected else "refused"
            elif not car.controllable(now):
                standing[session] = "default"
                if self._commander.told(session) is not None:
                    self._commander.release(session)
            elif self._follows(car, now):
                standing[session] = "planned"
                planned.append(car)
            else:
                standing[session] = "held" if self._commander.living(session, now) else "default"
                others.append(car)
        if planned:
            self._by_plan(planned, now)
        if others:
            self._by_default(others, world, now)
        return standing

    def _follows(self, car: PoolCar, now: datetime) -> bool:
        wanted = self._settings.follows(car.booking.facility_id)
        return wanted and car.now.soc_pct is not None and self._planned(car.session_id, now) is not None

    def _by_plan(self, cars: list[PoolCar], now: datetime) -> None:
        names, fleet = [car.session_id for car in cars], Cars.of([car.now.car for car in cars])
        planned_w = np.array([self._planned(name, now) for name in names], dtype=np.float64)
        controls = self._commander.take(names)
        course = on_course(fleet, _soc(cars), planned_w, controls, now, self._settings.idle_s, self._rules, self._physics)
        for place, power_w, until_s in zip(course.who, course.power_w, course.until_s, strict=True):
            self._commander.send(Order(names[place], round(power_w), datetime.fromtimestamp(until_s, UTC)), None)
        for place in course.release:
            self._commander.release(names[place])

    def _by_default(self, cars: list[PoolCar], world: World, now: datetime) -> None:
        controls = self._commander.take([car.session_id for car in cars])
        preparing = np.array([may_discharge(car, world, now) for car in cars])
        fleet = Cars.of([car.now.car for car in cars])
        plan = default_plan(fleet, _soc(cars), controls, now.timestamp(), self._physics, preparing)
        for car, hold, release in zip(cars, plan.hold, plan.release, strict=True):
            if hold:
                self._commander.send(Order(car.session_id, 0, car.now.car.depart), None)
            elif release:
                self._commander.release(car.session_id)


def _soc(cars: list[PoolCar]) -> Floats:
    return np.array([np.nan if car.now.soc_pct is None else car.now.soc_pct for car in cars], dtype=np.float64)
