"""Lets benefits expire as time passes, for ever."""

from sqlalchemy.exc import SQLAlchemyError

from reservation.handlers import expiry
from runtime.service import Host
from runtime.storage.database import Database

EVERY_S = 3_600.0


class Sweeper:
    """`run` for ever as a task."""

    def __init__(self, database: Database, host: Host) -> None:
        self._database = database
        self._host = host

    async def run(self) -> None:
        """Look at once, then each hour. A database that fails is left alone until the next time."""
        while True:
            with self._host.activity.busy("expiry"):
                try:
                    await self.look()
                except SQLAlchemyError as error:
                    self._host.log.error("benefits not swept; trying again later", exc_info=error)
            await self._host.clock.sleep(EVERY_S)

    async def look(self) -> int:
        """Let all expire whose time is over; how many."""
        gone = 0
        while found := await self._database.write(lambda connection: expiry.sweep(connection, self._host.clock.now())):
            gone += found
        if gone:
            self._host.log.info("benefits expired", count=gone)
        return gone
