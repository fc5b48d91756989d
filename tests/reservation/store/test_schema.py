"""The migrations, and what the database itself forbids."""

from datetime import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, delete, text, update
from sqlalchemy.exc import IntegrityError

from reservation.domain.facility import Resource, Rules
from reservation.domain.hours import Hours
from reservation.domain.ledger import POINTS, Entry, Posted, transfer
from reservation.domain.service import ANY_STAY
from reservation.store import facilities, ledger, metadata
from reservation.store.tables import ledger_entries, ledger_lines
from runtime.storage import migrate
from runtime.storage.database import Database
from tests.reservation.samples import NOW

ENTRY = Entry("k", NOW, "memo", POINTS, transfer("a", "b", 1))

POSTED = Posted(1, ENTRY.id, ENTRY.key, ENTRY.at, ENTRY.memo, ENTRY.unit, ENTRY.lines)


@pytest.fixture
async def upgraded(database: Database) -> Database:
    await migrate.upgrade(database, "reservation", metadata)
    return database


async def test_the_migrations_make_exactly_the_declared_tables(upgraded: Database) -> None:
    assert await upgraded.read(lambda connection: migrate.difference(connection, metadata)) == []


async def test_the_migrations_run_twice_change_nothing(upgraded: Database) -> None:
    await upgraded.write(lambda connection: ledger.post(connection, ENTRY))
    await migrate.upgrade(upgraded, "reservation", metadata)
    assert await upgraded.read(ledger.posted) == [POSTED]


async def test_a_facility_from_before_weekdays_is_open_the_same_each_day(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'old.sqlite'}")
    columns = "id, name, zone, opens, closes, points_per_unit, currency"
    with engine.begin() as connection:
        migrate.upgrade_on(connection, "reservation", metadata, "0002")
        values = "'salon', 'Salon', 'Asia/Tokyo', '10:00:00.000000', '22:30:00.000000', 1, 'JPY'"
        connection.execute(text(f"INSERT INTO facilities ({columns}) VALUES ({values})"))
        connection.execute(
            text("INSERT INTO resources (facility_id, id, position, name) VALUES ('salon', 'c1', 0, 'Chair')")
        )
    with engine.begin() as connection:
        migrate.upgrade_on(connection, "reservation", metadata)
        found = facilities.find(connection, "salon")
    engine.dispose()
    assert found is not None
    assert (found.hours, found.services, found.rules) == (Hours.daily(time(10), time(22, 30)), (ANY_STAY,), Rules())
    assert found.resources == (Resource("c1", "Chair"),)


async def test_X3_a_key_is_posted_once(upgraded: Database) -> None:
    posted = [await upgraded.write(lambda connection: ledger.post(connection, ENTRY)) for _ in range(3)]
    assert posted == [True, False, False]
    assert len(await upgraded.read(ledger.posted)) == 1


@pytest.mark.parametrize(
    "change",
    [
        update(ledger_entries).values(memo="another"),
        delete(ledger_entries),
        update(ledger_lines).values(amount=5),
        delete(ledger_lines),
    ],
)
async def test_X3_the_ledger_is_append_only_in_the_database_too(upgraded: Database, change: object) -> None:
    await upgraded.write(lambda connection: ledger.post(connection, ENTRY))

    def spoil(connection: Connection) -> None:
        connection.execute(change)  # type: ignore[call-overload]

    with pytest.raises(IntegrityError, match="append only"):
        await upgraded.write(spoil)
    assert await upgraded.read(ledger.posted) == [POSTED]
