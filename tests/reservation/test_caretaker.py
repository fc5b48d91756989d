"""What looks after bookings goes on when its database fails."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from reservation.caretaker import EVERY_S, Caretaker
from reservation.handlers import upkeep
from runtime.clock import SimulatedClock
from runtime.service import Host
from runtime.storage.database import Database
from tests.conftest import START


async def test_a_database_that_fails_once_is_asked_again(
    database: Database, host: Host, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[object] = []

    def look(_: object, now: object) -> None:
        looks.append(now)
        if len(looks) == 1:
            raise OperationalError("disk full", None, Exception("disk full"))

    monkeypatch.setattr(upkeep, "look", look)
    task = asyncio.create_task(Caretaker(database, host).run())
    await host.activity.settled()
    assert looks[0] == START
    before = len(looks)
    await clock.run_until(START + timedelta(seconds=EVERY_S), host.activity.settled)
    assert len(looks) > before
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
