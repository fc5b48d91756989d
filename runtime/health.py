"""Whether the process can do its work: a handful of looks at the world, each bounded in time, whatever hangs."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from runtime.service import Supervisor
from runtime.storage.database import Database

Look = Callable[[], Awaitable[str]]
"""Why something is not well, in one sentence; "" when it is. May raise: then that is why."""

PATIENCE_S = 2.0
"""How long a look may take. It is real time: a monitor does not wait by a simulated clock."""
FRESH_S = 1.0
"""How long a verdict is good for: however often somebody asks, the disk is written to once a second at most."""


class Health:
    """The looks by name, and what they said last. `concerns` are looks at others that the process works with: it does its
    own work without them."""

    def __init__(
        self,
        looks: Mapping[str, Look],
        concerns: Mapping[str, Look] | None = None,
        *,
        patience_s: float = PATIENCE_S,
        fresh_s: float = FRESH_S,
    ) -> None:
        self._own = frozenset(looks)
        self._probes = {name: _Probe(name, look) for name, look in {**looks, **(concerns or {})}.items()}
        self._patience_s = patience_s
        self._fresh_s = fresh_s
        self._looked_at = float("-inf")
        self._stopping = False
        self._reasons: dict[str, str] = {}

    async def reasons(self) -> dict[str, str]:
        """Why the process is not ready, by what is not well; empty when it is. Never takes longer than the patience."""
        found = await self._look()
        own = {name: why for name, why in found.items() if name in self._own}
        return own | ({"service": "it is stopping"} if self._stopping else {})

    async def concerns(self) -> dict[str, str]:
        """What is not well beside, though the process is ready."""
        return {name: why for name, why in (await self._look()).items() if name not in self._own}

    async def _look(self) -> dict[str, str]:
        now = asyncio.get_running_loop().time()
        if now - self._looked_at >= self._fresh_s:
            whys = await asyncio.gather(*(probe.why(self._patience_s) for probe in self._probes.values()))
            self._reasons = {name: why for name, why in zip(self._probes, whys, strict=True) if why}
            self._looked_at = now
        return self._reasons

    def stop(self) -> None:
        """The process is about to end: it is not ready any more, and looks that hang are given up."""
        self._stopping = True
        for probe in self._probes.values():
            probe.give_up()


class _Probe:
    """One look at a time: while one hangs, those who ask wait for the same one, and nothing piles up behind it."""

    def __init__(self, name: str, look: Look) -> None:
        self._name = name
        self._look = look
        self._task: asyncio.Task[str] | None = None

    async def why(self, patience_s: float) -> str:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._told(), name=f"look at {self._name}")
        task = self._task  # the next who asks may begin another before this one goes on
        done, _ = await asyncio.wait({task}, timeout=patience_s)
        if not done:
            return f"no answer within {patience_s:g} s"
        return "given up" if task.cancelled() else task.result()

    def give_up(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _told(self) -> str:
        try:
            return await self._look()
        except DBAPIError as error:  # without the statement, which is nobody's business outside
            return str(error.orig)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is why
            return f"{type(error).__name__}: {error}"


def writable(database: Database) -> Look:
    """Whether the database takes a write: one through its writer, in the queue behind all others, to the disk."""

    async def look() -> str:
        await database.write(_touch)
        return ""

    return look


def _touch(connection: Connection) -> None:
    """The smallest change that reaches the disk: SQLite's number for applications, which is part of a transaction and which
    nothing here uses; elsewhere, a transaction of its own number."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("SELECT pg_current_xact_id()").close()
        return
    number = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    connection.exec_driver_sql(f"PRAGMA user_version = {(number + 1) % 2**31}").close()


def has_space(folder: Path, at_least_octets: int) -> Look:
    """Whether the folder's disk has that much left."""

    async def look() -> str:
        free = (await asyncio.to_thread(shutil.disk_usage, folder)).free
        return "" if free >= at_least_octets else f"{free:,} octets are left on the disk; {at_least_octets:,} are asked for"

    return look


def alive(supervisor: Supervisor) -> Look:
    """Whether all background tasks live."""

    async def look() -> str:
        return f"died: {', '.join(supervisor.dead)}" if supervisor.dead else ""

    return look
