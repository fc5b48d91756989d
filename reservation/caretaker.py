"""Looks after bookings as time passes, for ever: holds, no-shows, ends of stays, the waiting list, what is gathered."""

from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from reservation.handlers import upkeep
from reservation.store import changes
from runtime.activity import Bell
from runtime.service import Host
from runtime.storage.database import Database

AGAIN_S = 60.0
"""Until a database that has failed is asked again, and what a look has left undone is looked at again."""
LONGEST_S = 900.0
"""It looks up so often in any case: clocks are set, and other processes change things (PostgreSQL)."""
ACTIVITY = "bookings' upkeep"


class Caretaker:
    """`run` for ever as a task. It sleeps until the next thing is due, and reckons that anew when bookings change."""

    def __init__(self, database: Database, host: Host) -> None:
        self._database = database
        self._host = host
        self._bell = Bell(host.activity, ACTIVITY)
        database.after_commit(changes.BOOKINGS, self._bell.ring)
        self._looked_at: datetime | None = None
        self._left_undone: datetime | None = None
        self._bell.ring()

    async def run(self) -> None:
        """Look at once, then whenever something is due. A database that fails is asked again after a minute."""
        alarm = None
        try:
            with self._bell:
                while True:
                    await self._bell.heard()
                    if alarm is not None:
                        alarm.cancel()
                    with self._bell.seen_to():
                        wait_s = await self._see_to_it()
                    alarm = self._host.clock.ring(wait_s, self._bell.ring)
        finally:
            if alarm is not None:
                alarm.cancel()

    async def _see_to_it(self) -> float:
        """Look if something is due; in how many seconds something will be."""
        now = self._host.clock.now()
        try:
            due = now if self._looked_at is None else await self._next_due(self._looked_at)
            if due is not None and due <= now and due != self._left_undone:
                await self.look()
                self._looked_at = now
                due = await self._next_due(now)
        except SQLAlchemyError as error:
            self._host.log.error("bookings not looked after; trying again", exc_info=error)
            return AGAIN_S
        undone = due is not None and due <= now
        self._left_undone = due if undone and due != self._left_undone else None
        if undone:
            return AGAIN_S
        return LONGEST_S if due is None else min((due - now).total_seconds(), LONGEST_S)

    async def look(self) -> None:
        """Once."""
        await self._database.write(lambda connection: upkeep.look(connection, self._host.clock.now()))

    async def _next_due(self, looked_at: datetime) -> datetime | None:
        return await self._database.read(lambda connection: upkeep.next_due(connection, looked_at))
