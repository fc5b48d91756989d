"""Live telemetry: what meters have just said, told to the other services; nothing of it is kept for them."""

import asyncio
from collections.abc import Iterable

from contracts.csms import PowerSample, PowerSampled
from runtime.activity import Activity, Bell
from runtime.bus.ports import Bus
from runtime.clock import Clock

GATHER_S = 0.1
MOST = 1_000
"""Samples in one event."""


class LiveSamples:
    """Publishes samples; `run` as a task. What comes while some are delivered goes along together with the next."""

    def __init__(self, bus: Bus, clock: Clock, activity: Activity) -> None:
        self._bus = bus
        self._clock = clock
        self._waiting: list[PowerSample] = []
        self._bell = Bell(activity, "live")

    def add(self, samples: Iterable[PowerSample]) -> None:
        """Tell these soon."""
        self._waiting.extend(samples)
        if self._waiting:
            self._bell.ring()

    async def run(self) -> None:
        """Publish for ever."""
        with self._bell:
            while True:
                await self._bell.heard()
                await asyncio.sleep(self._clock.linger(GATHER_S))
                with self._bell.seen_to():
                    now, samples, self._waiting = self._clock.now(), self._waiting, []
                    for begin in range(0, len(samples), MOST):
                        await self._bus.publish(PowerSampled(at=now, samples=tuple(samples[begin : begin + MOST])))
