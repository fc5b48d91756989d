"""Benefits expire as time passes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from reservation.domain.benefit import BenefitPolicy, Kind
from reservation.handlers import register
from reservation.store import audit, ledger, notices
from reservation.sweeper import Sweeper
from runtime.clock import SimulatedClock
from runtime.service import Host
from runtime.storage.database import Database
from tests.reservation.handlers.test_register import Place


@pytest.fixture
async def swept(database: Database, host: Host) -> AsyncIterator[Database]:
    """A database that a sweeper looks after, with nothing beside it that wakes while time passes."""
    task = asyncio.create_task(Sweeper(database, host).run())
    yield database
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def earned(connection: Connection, kind: Kind, days: int) -> Place:
    """A member with 500 of a benefit that expires so many days after the tests' present, and 100 of it spent
    on a payment that earned 40 points for two days."""
    salon = Place(connection)
    salon.policy(BenefitPolicy(kind, expires_days=days))
    salon.revise("a", 500, False)
    salon.pay(500, f"{kind.value}_minor", 100)
    return salon


async def held(database: Database) -> dict[str, int]:
    return {one.account: one.amount for one in await database.read(ledger.balances)}


async def told(database: Database) -> list[str]:
    return [one.text for one in await database.read(lambda connection: notices.of_member(connection, "m1"))]


async def passes(clock: SimulatedClock, host: Host, **time: int) -> None:
    await clock.run_until(clock.now() + timedelta(**time), host.activity.settled)


async def test_S502_S504_what_is_not_spent_in_time_expires_and_the_member_is_told(
    swept: Database, host: Host, clock: SimulatedClock
) -> None:
    await swept.write(lambda connection: earned(connection, Kind.AMOUNT_OFF, 30))
    await passes(clock, host, days=29, hours=23)
    assert (await held(swept))["member/m1/amount_off/salon"] == 400
    await passes(clock, host, hours=3)
    after = await held(swept)
    assert (after["member/m1/amount_off/salon"], after["expired/amount_off/salon"]) == (0, 400)
    await passes(clock, host, days=2)
    assert (await told(swept))[1:] == [
        "40 points of Salon Kanda were not spent in time and have expired.",
        "400 JPY off your next payment of Salon Kanda were not spent in time and have expired.",
    ]
    assert (await swept.read(audit.verdict)).faults == ()


async def test_S502_what_a_refund_gives_back_to_an_expired_benefit_expires_again(
    swept: Database, host: Host, clock: SimulatedClock
) -> None:
    salon = await swept.write(lambda connection: earned(connection, Kind.AMOUNT_OFF, 1))
    await passes(clock, host, days=2)
    salon.now = clock.now()

    def refunded(connection: Connection) -> bool:
        salon.connection = connection
        salon.refund(0, None)
        return bool(register.purse_of(connection, "m1", "salon", salon.now).held)

    assert not await swept.write(refunded)
    await passes(clock, host, hours=2)
    assert (await held(swept))["expired/amount_off/salon"] == 500
    assert (await swept.read(audit.verdict)).faults == ()
