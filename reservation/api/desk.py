"""What every route is given: the database and the clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from reservation.domain.refusal import Refused
from runtime.clock import Clock
from runtime.storage.database import Database

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """Runs a request's work in one transaction."""

    database: Database
    clock: Clock
    public_url: str | None = None
    """Where guests find our pages; what they are told leads there."""

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What the function returns, of committed state."""
        return await self.database.read(work)

    async def write(self, work: Callable[[Connection, datetime], T]) -> T:
        """What the function of a connection and the instant returns, once committed. A refusal undoes the function's own
        changes only: raised through the database it would make every write that shares the commit run again."""
        outcome = await self.database.write(lambda connection: self._attempt(connection, work))
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    def _attempt(self, connection: Connection, work: Callable[[Connection, datetime], T]) -> T | Refused:
        try:
            with connection.begin_nested():
                return work(connection, self.clock.now())
        except Refused as refusal:
            return refusal
