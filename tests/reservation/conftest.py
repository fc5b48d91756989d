"""A reservation service at work on a real database, and its HTTP API."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from reservation import api
from reservation.service import ReservationService, ReservationSettings
from reservation.store import metadata
from runtime.activity import Activity
from runtime.service import Host
from runtime.storage.database import Database
from tests import postgres
from tests.conftest import OpenDatabase
from tests.reservation.samples import FACILITY, MEMBER
from tests.reuse import Routes, with_tables


def http_door(desk: api.Desk) -> FastAPI:
    app = FastAPI()
    app.include_router(api.router(desk), prefix="/api")
    return app


ROUTES = Routes(http_door)


@pytest.fixture
async def open_database(open_database: OpenDatabase, tmp_path: Path, activity: Activity) -> AsyncIterator[OpenDatabase]:
    """As for all tests, but a database that is not there yet begins with the tables. Where the environment names a
    PostgreSQL server, it is one of that server's."""
    server = os.environ.get(postgres.SERVER)
    if server is None:
        yield with_tables(open_database, tmp_path, "reservation", metadata)
        return
    urls: dict[str, str] = {}
    async with AsyncExitStack() as stack:

        async def opened(name: str) -> Database:
            if name not in urls:
                urls[name] = stack.enter_context(postgres.new_database(server, "reservation"))
            return await stack.enter_async_context(Database.open(urls[name], activity=activity))

        yield opened


@pytest.fixture
async def database(open_database: OpenDatabase) -> Database:
    return await open_database("reservation")


@pytest.fixture
async def service(database: Database, host: Host) -> AsyncIterator[ReservationService]:
    async with ReservationService(ReservationSettings(), database, host).running() as running:
        yield running
        await host.activity.settled()


@pytest.fixture
async def http(service: ReservationService) -> AsyncIterator[httpx.AsyncClient]:
    with ROUTES.of(service.desk) as app:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test/api") as client:
            yield client


@pytest.fixture
async def salon(http: httpx.AsyncClient) -> httpx.AsyncClient:
    """The API with one facility and one member."""
    assert (await http.post("/facilities", json=FACILITY)).status_code == 201
    assert (await http.post("/members", json=MEMBER)).status_code == 201
    return http
