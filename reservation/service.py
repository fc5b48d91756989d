"""The door of the reservation service: what a process is given to run it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, field_validator
from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ArgumentError

from contracts.csms import SessionChanged
from contracts.dr import CompensationAllocated, IncentiveWindowsPublished
from reservation import api, courier
from reservation.caretaker import Caretaker
from reservation.domain.booking import BookingState
from reservation.handlers import arrivals, compensation, offers
from reservation.store import audit, bookings, inbox, ledger, mailboxes, metadata
from reservation.sweeper import Sweeper
from runtime.service import Host
from runtime.storage import migrate
from runtime.storage.database import Database
from runtime.storage.outbox import Relay

NAME = "reservation"
DRIVER = "postgresql+psycopg"


class ReservationSettings(BaseModel):
    """`public_url`: where guests find our pages, for the links in what they are told; without it there are none.

    `channels`: how members are reached (S106), by a name of the operator's, each an apprise URL with `{address}` where
    the member's address belongs. The channel `email` is for members' e-mail addresses and `sms` for their phone numbers; for
    the others members say their address themselves. Without any, what members are told is in their inbox and in the log.

    `database_url`: a database of a PostgreSQL server (`postgresql://user:password@host/name`) in place of a file in the data
    folder; it needs `pip install 'gridstay[postgres]'`.
    """

    model_config = ConfigDict(extra="forbid")

    public_url: HttpUrl | None = None
    channels: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")], SecretStr] = {}
    database_url: SecretStr | None = None

    @field_validator("channels")
    @classmethod
    def _usable(cls, given: dict[str, SecretStr]) -> dict[str, SecretStr]:
        courier.check({name: url.get_secret_value() for name, url in given.items()})
        return given

    @field_validator("database_url")
    @classmethod
    def _of_postgresql(cls, given: SecretStr | None) -> SecretStr | None:
        if given is None:
            return None
        try:
            url = make_url(given.get_secret_value())
        except ArgumentError as error:
            raise ValueError("a database's URL is postgresql://user:password@host/name") from error
        if url.drivername not in ("postgresql", DRIVER) or not url.database:
            raise ValueError("a database's URL is postgresql://user:password@host/name")
        if find_spec("psycopg") is None:
            raise ValueError("a PostgreSQL database needs a driver: pip install 'gridstay[postgres]'")
        return SecretStr(url.set(drivername=DRIVER).render_as_string(hide_password=False))


class ReservationService:
    """Bookings, members and their points. `running` it, mount its `router`. `link` makes a guest's own link to a stay."""

    def __init__(
        self, settings: ReservationSettings, database: Database, host: Host, link: courier.PersonalLink | None = None
    ) -> None:
        self._link = link
        self._settings = settings
        self._database = database
        self._host = host
        self.desk = api.Desk(database, host.clock, _address(settings.public_url))
        """What the HTTP routes work with."""
        self._plugged_in = mailboxes.once(arrivals.plugged_in, host.clock)
        self._grant = compensation.granting(host.clock)
        self._hear = offers.hearing(host.clock, offers.Links(self.desk.public_url))

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ReservationService"]:
        """The service at work until the block ends: tables brought up to date, messages taken, the outbox sent."""
        await migrate.upgrade(self._database, NAME, metadata)
        host = self._host
        async with AsyncExitStack() as stack:
            host.bus.subscribe(CompensationAllocated, NAME, self._allocated)
            host.bus.subscribe(SessionChanged, NAME, self._session_changed)
            host.bus.subscribe(IncentiveWindowsPublished, NAME, self._published)
            relay = Relay(mailboxes, self._database, host.bus, clock=host.clock, activity=host.activity, log=host.log)
            host.supervisor.spawn(stack, f"{NAME} outbox", relay.run())
            host.supervisor.spawn(stack, f"{NAME} courier", self._courier().run())
            host.supervisor.spawn(stack, f"{NAME} expiry", Sweeper(self._database, host).run())
            host.supervisor.spawn(stack, f"{NAME} caretaker", Caretaker(self._database, host).run())
            yield self

    def router(self) -> APIRouter:
        """The HTTP API, without prefix and authentication."""
        return api.router(self.desk)

    def open_router(self) -> APIRouter:
        """Routes for whoever has a secret of their own, without prefix."""
        return api.open_router(self.desk)

    async def figures(self) -> dict[str, Any]:
        """The service in numbers, for reports: `bookings` (standing), `cancelled`, `points_granted`, `ledger_balanced`,
        `ledger_faults`, `unsent` (outbox) and `inbox` (messages handled, by kind)."""
        return await self._database.read(_figures)

    async def waiting(self) -> dict[str, int]:
        """How many events wait in the outbox, counted by an index."""
        return {"outbox": await self._database.read(mailboxes.unsent)}

    async def _published(self, event: IncentiveWindowsPublished) -> None:
        await self._database.write(lambda connection: self._hear(connection, event))

    def _courier(self) -> courier.Courier:
        channels = {name: url.get_secret_value() for name, url in self._settings.channels.items()}
        host = self._host
        return courier.Courier(
            channels, self._database, clock=host.clock, activity=host.activity, log=host.log, link=self._link
        )

    async def _allocated(self, event: CompensationAllocated) -> None:
        await self._database.write(lambda connection: self._grant(connection, event))

    async def _session_changed(self, event: SessionChanged) -> None:
        """A car that is plugged in checks its guest in."""
        await self._database.write(lambda connection: self._plugged_in(connection, event))


def _figures(connection: Connection) -> dict[str, Any]:
    found = audit.verdict(connection).faults
    return {
        "bookings": bookings.count_made(connection),
        "cancelled": bookings.count_by_state(connection)[BookingState.CANCELLED],
        "points_granted": ledger.points_granted(connection),
        "ledger_balanced": not found,
        "ledger_faults": list(found),
        "unsent": mailboxes.unsent(connection),
        "inbox": inbox.handled_by_kind(connection),
    }


def _address(url: HttpUrl | None) -> str | None:
    return None if url is None else str(url).rstrip("/")
