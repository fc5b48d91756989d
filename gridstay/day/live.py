"""A day under way: what its parts share."""

from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import httpx

from gridstay import compose
from gridstay.day.guests import BookedVisit
from gridstay.display import Display
from runtime.clock import SimulatedClock
from simulators.aggregator import Aggregator, Posted
from simulators.scenario import Scenario
from simulators.station import SimulatedStation

T = TypeVar("T")


@dataclass
class Day:
    """The scenario, the running system, and what has come of them so far."""

    scenario: Scenario
    clock: SimulatedClock
    system: compose.System
    http: httpx.AsyncClient
    aggregator: Aggregator
    display: Display
    stations: dict[str, SimulatedStation] = field(default_factory=dict)
    booked: list[BookedVisit] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)
    left_with_pct: dict[str, float] = field(default_factory=dict)
    """SOC at departure by booking."""

    def happened(self, text: str) -> None:
        """Tell the audience."""
        self.display.happened(self.clock.now(), text)

    def local(self, when: datetime) -> str:
        """An instant as people at the facility say it."""
        return f"{when.astimezone(ZoneInfo(self.scenario.zone)):%H:%M}"

    async def asking(self, work: Coroutine[Any, Any, T]) -> T:
        """A request of ours, during which the clock stands still."""
        with self.system.activity.busy("day"):
            return await work

    async def get(self, path: str, **query: Any) -> Any:
        """What an API path answers."""
        answer = await self.http.get(path, params=query)
        answer.raise_for_status()
        return answer.json()
