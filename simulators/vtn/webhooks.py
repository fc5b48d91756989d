"""Subscribers are told of what happens to objects: one POST a notification, in order for each callback URL.

A callback that does not answer well is tried again a few times, with longer pauses; then the notification is dropped and
logged: polling is the truth, notifications are only faster.
"""

import asyncio
from collections import deque
from typing import Final

import httpx

from protocols.openadr.objects import Addressable, Notification, ObjectOperation, Subscription
from protocols.openadr.versions import Version
from protocols.openadr.wire import encode
from runtime.activity import Activity
from runtime.clock import Clock
from runtime.log import Log
from simulators.vtn.access import Client
from simulators.vtn.kinds import kind_of
from simulators.vtn.objects import Objects

PAUSES_S: Final = (1.0, 5.0, 25.0)
MOST_WAITING: Final = 1000
"""Notifications that wait for one callback; the oldest go first."""
TIMEOUT_S: Final = 10.0


class Webhooks:
    """Who is told, and the telling. `run` it for as long as the VTN lives."""

    def __init__(
        self,
        objects: Objects,
        clients: dict[str, Client],
        http: httpx.AsyncClient,
        clock: Clock,
        activity: Activity,
        log: Log,
        version: Version = Version.V3_1,
    ) -> None:
        self._objects = objects
        self._clients = clients
        self._http = http
        self._clock = clock
        self._activity = activity
        self._log = log
        self._version = version
        self._waiting: dict[str, deque[tuple[dict[str, str], bytes]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, operation: str, one: Addressable) -> None:
        """Put a notification on its way to each subscriber that may see the object."""
        kind = kind_of(one)
        for subscription in self._objects.all(Subscription):
            for wish in subscription.object_operations:
                if operation in wish.operations and kind.object_type in wish.objects:
                    self._tell_one(subscription, wish, operation, kind.object_type, one)

    async def close(self) -> None:
        """Stop telling."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _tell_one(
        self, subscription: Subscription, wish: ObjectOperation, operation: str, object_type: str, one: Addressable
    ) -> None:
        if subscription.program_id is not None and self._objects.program_of(one) != subscription.program_id:
            return
        client = self._clients.get(subscription.client_id or "")
        if client is None:
            return
        named = subscription.targets or self._objects.granted(client)
        seen = self._objects.seen(one, client, named)
        if seen is None:
            return
        targets = getattr(seen, "targets", None)
        if (
            not self._objects.is_private
            and subscription.targets
            and targets
            and not set(subscription.targets) & set(targets)
        ):
            return
        wire = encode(seen, self._version)
        note = Notification(object_type=object_type, operation=operation, object=wire, targets=targets)
        headers = {"Authorization": f"Bearer {wish.bearer_token}"} if wish.bearer_token else {}
        self._queue(wish.callback_url, headers, note)

    def _queue(self, url: str, headers: dict[str, str], note: Notification) -> None:
        body = httpx.Request("POST", url, json=encode(note, self._version)).content
        waiting = self._waiting.get(url)
        if waiting is not None:
            if len(waiting) == MOST_WAITING:
                self._log.warning("notification dropped", url=url, reason="too many wait")
                waiting.popleft()
            waiting.append((headers, body))
            return
        self._waiting[url] = deque([(headers, body)])
        task = asyncio.create_task(self._deliver(url), name=f"vtn webhook {url}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, url: str) -> None:
        waiting = self._waiting[url]
        try:
            while waiting:
                headers, body = waiting.popleft()
                await self._deliver_one(url, headers, body)
        finally:
            del self._waiting[url]

    async def _deliver_one(self, url: str, headers: dict[str, str], body: bytes) -> None:
        for pause_s in (*PAUSES_S, None):
            reason = await self._posted(url, headers, body)
            if reason is None:
                return
            if pause_s is None:
                self._log.warning("notification dropped", url=url, reason=reason)
                return
            await self._clock.sleep(pause_s)

    async def _posted(self, url: str, headers: dict[str, str], body: bytes) -> str | None:
        """Why it was not taken, or None."""
        with self._activity.busy("vtn webhook"):
            try:
                answer = await self._http.post(
                    url, content=body, headers={**headers, "Content-Type": "application/json"}, timeout=TIMEOUT_S
                )
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                return f"{type(error).__name__}: {error}"
        return None if answer.is_success else f"status {answer.status_code}"
