"""What a monitor sees of the running system: whether it lives, whether it is ready, its metrics. Open to all: it tells
numbers, names of parts and of vendors, and why a part is not well."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from runtime.health import PATIENCE_S, Health
from runtime.log import Log
from runtime.metrics import CONTENT_TYPE, Levels, exposition


class Counted(Protocol):
    """What each service tells."""

    async def figures(self) -> dict[str, Any]:
        """Counts of everything it keeps, for reports. May take long."""
        ...

    async def waiting(self) -> dict[str, int]:
        """How much waits in it, by what it is: `outbox`, and its own. Cheap: in memory or by an index."""
        ...


class Observed:
    """The metrics of the whole, and the routes."""

    def __init__(self, services: Mapping[str, Counted], health: Health, registry: CollectorRegistry, log: Log) -> None:
        self._services = services
        self._health = health
        self._registry = registry
        self._log = log
        self.ready = Levels("gridstay_ready", "Whether the system can do its work: 1 or 0")
        self.waiting = Levels("gridstay_waiting", "How much waits in a service: events, commands, frames", "service", "what")

    def collect(self) -> Iterator[Metric]:
        """See `runtime.metrics.Collector`."""
        yield from self.ready.collect()
        yield from self.waiting.collect()

    def router(self) -> APIRouter:
        """`/metrics` stands where Prometheus looks for it, the rest below /api."""
        routes = APIRouter(tags=["health"])

        @routes.get("/api/health")
        async def health() -> dict[str, Any]:
            """Whether the process lives: whoever gets an answer knows. `degraded` says that it does not do all of its work,
            and why, or that others it works with (a VTN) are away; to start it again would not mend that."""
            reasons = await self._health.reasons() | await self._health.concerns()
            return {"status": "degraded" if reasons else "ok", "reasons": reasons}

        @routes.get("/api/ready", responses={503: {"description": "It is not ready; `reasons` says why"}})
        async def ready() -> JSONResponse:
            """Whether it can do its work: every database takes a write, the disk has space, all parts live, nobody has told
            it to stop. Answered within seconds, whatever hangs."""
            reasons = await self._health.reasons()
            return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

        @routes.get("/metrics", response_class=Response, include_in_schema=False)
        async def metrics() -> Response:
            """The metrics in Prometheus' text format. Not part of the described API, as it is not below /api."""
            await self._measure()
            return Response(exposition(self._registry), media_type=CONTENT_TYPE)

        return routes

    def operator_router(self) -> APIRouter:
        """What only the operator may ask, since counting it takes its time."""
        routes = APIRouter(tags=["health"])

        @routes.get("/figures")
        async def figures() -> dict[str, Any]:
            """Counts of all that each service keeps, for reports."""
            return {"services": {name: await service.figures() for name, service in self._services.items()}}

        return routes

    async def _measure(self) -> None:
        """Bring up to date what is only known by asking."""
        counting = (self._count(name, service) for name, service in self._services.items())
        reasons, counts = await asyncio.gather(self._health.reasons(), asyncio.gather(*counting))
        self.ready.set(0 if reasons else 1)
        self.waiting.clear()
        for name, waiting in zip(self._services, counts, strict=True):
            for what, count in waiting.items():
                self.waiting.set(count, name, what)

    async def _count(self, name: str, service: Counted) -> dict[str, int]:
        """A service that cannot count has no number in this scrape: it must not hold up the others'."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await service.waiting()
        except Exception as error:  # noqa: BLE001 - the rest of the scrape matters more
            self._log.warning("not measured", service=name, exc_info=error)
            return {}
