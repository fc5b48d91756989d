"""The VTN, running: door, objects and webhooks together."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from runtime.activity import Activity
from runtime.clock import Clock
from runtime.http import serving
from runtime.log import Log
from simulators.vtn.access import Access, Client
from simulators.vtn.api import BASE, Trouble, application
from simulators.vtn.objects import Objects
from simulators.vtn.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Vtn:
    """A VTN that serves at `url`. `access.revoke_all` and `trouble` make it a difficult one."""

    url: str
    access: Access
    objects: Objects
    trouble: Trouble


@asynccontextmanager
async def running(
    clients: Iterable[Client],
    *,
    clock: Clock,
    activity: Activity,
    log: Log,
    host: str = "127.0.0.1",
    port: int = 0,
    objects: Objects | None = None,
    file: Path | None = None,
    token_s: float = 3600,
    trouble: Trouble | None = None,
) -> AsyncIterator[Vtn]:
    """Serve until the block ends. `objects` are those of an earlier run, `file` keeps them. Raises OSError when the port is
    taken or the file cannot be used, ValueError for a file that is no state."""
    known = list(clients)
    held, trouble = objects or Objects(clock, file), trouble or Trouble()
    access = Access(known, clock, token_s)
    async with httpx.AsyncClient() as http:
        webhooks = Webhooks(held, {one.client_id: one for one in known}, http, clock, activity, log)
        held.told = webhooks.tell
        async with serving(application(access, held, trouble), host, port) as bound:
            try:
                yield Vtn(f"http://{host}:{bound}{BASE}", access, held, trouble)
            finally:
                await webhooks.close()
