"""Looks after bookings as time passes, for ever: holds, no-shows, ends of stays, the waiting list, what is gathered."""

from sqlalchemy.exc import SQLAlchemyError

from reservation.handlers import upkeep
from runtime.service import Host
from runtime.storage.database import Database

EVERY_S = 60.0
ACTIVITY = "bookings' upkeep"


class Caretaker:
    """`run` for ever as a task."""

    def __init__(self, database: Database, host: Host) -> None:
        self._database = database
        self._host = host

    async def run(self) -> None:
        """Look each minute. A database that fails is left alone until the next time."""
        while True:
            with self._host.activity.busy(ACTIVITY):
                try:
                    await self.look()
                except SQLAlchemyError as error:
                    self._host.log.error("bookings not looked after; trying again", exc_info=error)
            await self._host.clock.sleep(EVERY_S)

    async def look(self) -> None:
        """Once."""
        await self._database.write(lambda connection: upkeep.look(connection, self._host.clock.now()))
