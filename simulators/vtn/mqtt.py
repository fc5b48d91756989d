"""Notifications through a broker (OpenADR 3.1): which topics there are, and the publishing.

What is for all is told below programs and events; an event with targets only to the vens that they were granted to, below
vens. The broker is the user's own, and who may read which topic is its business.
"""

import asyncio
from contextlib import AsyncExitStack
from typing import Final
from urllib.parse import urlsplit

import aiomqtt
import orjson

from protocols.openadr.objects import Addressable, Event, Notification, Program, Ven
from protocols.openadr.wire import encode
from runtime.activity import Activity
from runtime.clock import Clock
from runtime.log import Log
from simulators.vtn.kinds import kind_of
from simulators.vtn.objects import Objects

MOST_WAITING: Final = 1000
AGAIN_S: Final = 5.0
OPERATIONS: Final = ("CREATE", "UPDATE", "DELETE")


class NoAddress(ValueError):
    """An address that is no broker's."""


def topics_below(base: str) -> dict[str, dict[str, str]]:
    """The answer to a question for the topics of some objects."""
    return {"topics": {operation: f"{base}/{operation.lower()}" for operation in OPERATIONS} | {"ALL": f"{base}/+"}}


class Publisher:
    """Tells a broker, in order; while it is away the newest wait."""

    def __init__(self, uri: str, objects: Objects, clock: Clock, activity: Activity, log: Log) -> None:
        """Raises NoAddress."""
        parts = urlsplit(uri)
        if parts.scheme != "mqtt" or not parts.hostname:
            raise NoAddress(f"{uri!r} is no address of a broker, such as mqtt://127.0.0.1:1883")
        self.uri = uri
        self._host, self._port = parts.hostname, parts.port or 1883
        self._objects = objects
        self._clock = clock
        self._activity = activity
        self._log = log
        self._waiting: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(MOST_WAITING)

    def tell(self, operation: str, one: Addressable) -> None:
        """Put a notification on its way."""
        if operation not in OPERATIONS:
            return
        note = Notification(
            object_type=kind_of(one).object_type,
            operation=operation,
            object=encode(one),
            targets=getattr(one, "targets", None),
        )
        for base in self._bases(one):
            if self._waiting.full():
                self._waiting.get_nowait()
            self._waiting.put_nowait((f"{base}/{operation.lower()}", orjson.dumps(encode(note))))

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            try:
                async with AsyncExitStack() as stack:
                    with self._activity.busy("vtn mqtt"):
                        client = await stack.enter_async_context(aiomqtt.Client(self._host, self._port))
                    while True:
                        topic, content = await self._waiting.get()
                        with self._activity.busy("vtn mqtt"):
                            await client.publish(topic, content)
            except aiomqtt.MqttError as error:
                self._log.warning("the broker cannot be told", reason=str(error))
            await self._clock.sleep(AGAIN_S)

    def _bases(self, one: Addressable) -> list[str]:
        kind = kind_of(one).path
        if isinstance(one, Program):
            return [kind, f"{kind}/{one.id}"]
        if not isinstance(one, Event):
            return [kind]
        if not one.targets:
            return [kind, f"programs/{one.program_id}/events"]
        return [kind, *(f"vens/{ven.id}/events" for ven in self._objects.all(Ven) if self._is_for(one, ven))]

    def _is_for(self, event: Event, ven: Ven) -> bool:
        return bool(set(event.targets or ()) & set(self._objects.granted_to(ven.client_id)))
