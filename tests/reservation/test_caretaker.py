"""What looks after bookings sleeps until something is due, and goes on when its database fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from reservation.caretaker import AGAIN_S, LONGEST_S, Caretaker
from reservation.domain.booking import BookingState
from reservation.domain.facility import Rules
from reservation.handlers import upkeep
from reservation.store import bookings, facilities, members
from runtime.clock import SimulatedClock
from runtime.service import Host
from runtime.storage.database import Database
from tests.conftest import START
from tests.reservation.samples import at, booking, facility, hours, member


@asynccontextmanager
async def at_work(database: Database, host: Host) -> AsyncIterator[None]:
    task = asyncio.create_task(Caretaker(database, host).run())
    await host.activity.settled()
    yield
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """When it looked."""
    found: list[datetime] = []
    real = upkeep.look

    def look(connection: Connection, now: datetime) -> None:
        found.append(now)
        real(connection, now)

    monkeypatch.setattr(upkeep, "look", look)
    return found


async def test_a_database_that_fails_once_is_asked_again(
    database: Database, host: Host, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def look(_: object, now: object) -> None:
        asked.append(now)
        if len(asked) < 3:  # a write that fails is run once more by itself
            raise OperationalError("disk full", None, Exception("disk full"))

    monkeypatch.setattr(upkeep, "look", look)
    async with at_work(database, host):
        assert set(asked) == {START}
        await clock.run_until(START + timedelta(seconds=AGAIN_S), host.activity.settled)
        assert asked[-1] == START + timedelta(seconds=AGAIN_S)


async def test_it_sleeps_until_something_is_due_and_hears_of_what_is_due_sooner(
    database: Database, host: Host, clock: SimulatedClock, looks: list[datetime]
) -> None:
    house = replace(facility(), rules=Rules(no_show_min=20))
    awaited = booking(hours(11, 12), member_id="m1")
    held = replace(
        booking(hours(13, 14), "c2", member_id="m1"), state=BookingState.HELD, expires_at=at(9) + timedelta(minutes=7)
    )

    def settle(connection: Connection) -> None:
        facilities.add(connection, house)
        members.add(connection, member())
        bookings.add(connection, awaited)

    async with at_work(database, host):
        await clock.run_until(at(9.05), host.activity.settled)
        await database.write(settle)
        await database.write(lambda connection: bookings.add(connection, held))
        await clock.run_until(at(12), host.activity.settled)
        states = {
            one.id: one.state
            for one in await database.read(lambda connection: bookings.listed(connection, facility_id=house.id))
        }
    assert looks == [START, at(9) + timedelta(minutes=7), at(11) + timedelta(minutes=20)]
    assert states == {awaited.id: BookingState.NO_SHOW, held.id: BookingState.EXPIRED}


async def test_where_nothing_is_due_it_only_looks_up_now_and_then(
    database: Database, host: Host, clock: SimulatedClock, looks: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    reckoned: list[datetime] = []
    real = upkeep.next_due

    def next_due(connection: Connection, looked_at: datetime) -> datetime | None:
        reckoned.append(clock.now())
        return real(connection, looked_at)

    monkeypatch.setattr(upkeep, "next_due", next_due)
    async with at_work(database, host):
        await clock.run_until(START + timedelta(days=1), host.activity.settled)
    assert looks == [START]
    assert len(reckoned) <= 2 + timedelta(days=1) / timedelta(seconds=LONGEST_S)


async def test_what_a_look_leaves_undone_is_not_looked_at_without_a_pause(
    database: Database, host: Host, clock: SimulatedClock, looks: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "next_due", lambda *_: START)
    async with at_work(database, host):
        await clock.run_until(START + timedelta(minutes=10), host.activity.settled)
    assert 2 <= len(looks) <= 11
