"""The VTN's broker: what comes there makes us look at the VTN at once. Only that it comes counts, not what it says."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import aiomqtt

from dr_engine.ven.client import VtnClient, VtnError
from dr_engine.ven.settings import VenSettings
from protocols.openadr.objects import MqttBinding
from runtime.service import Host

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
ACTIVITY: Final = "ven mqtt"
AGAIN_S: Final = 30.0
ANONYMOUS: Final = "ANONYMOUS"
BEARER: Final = "OAUTH2_BEARER_TOKEN"


class NoBroker(ValueError):
    """A binding that we cannot use; the text says why."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to listen, and to what."""

    host: str
    port: int
    is_tls: bool
    username: str | None
    topics: tuple[str, ...]


def broker_of(binding: MqttBinding, client_id: str, topics: tuple[str, ...]) -> Broker:
    """The first address of a binding that we can use. Raises NoBroker."""
    method = binding.authentication.method if binding.authentication else ANONYMOUS
    if method not in (ANONYMOUS, BEARER):
        raise NoBroker(f"its broker wants {method[:40]}, which we do not have")
    username = None
    if method == BEARER and binding.authentication is not None:
        username = (binding.authentication.username or "{clientID}").replace("{clientID}", client_id)
    for uri in binding.uris:
        parts = urlsplit(uri)
        try:
            port = parts.port
        except ValueError:
            continue
        if parts.scheme in PORTS and parts.hostname:
            return Broker(parts.hostname, port or PORTS[parts.scheme], parts.scheme == "mqtts", username, topics)
    raise NoBroker("its broker has no address of mqtt:// or mqtts://")


class MqttEar:
    """Listens at one broker at a time."""

    def __init__(self, settings: VenSettings, client: VtnClient, heard: Callable[[], None], host: Host) -> None:
        self._settings = settings
        self._client = client
        self._heard = heard
        self._host = host
        self._log = host.log.bind(part="ven")
        self._broker: Broker | None = None
        self._task: asyncio.Task[None] | None = None
        self.is_connected = False

    async def turn_to(self, broker: Broker | None) -> None:
        """Listen there from now on (None: nowhere)."""
        if broker == self._broker:
            return
        await self.close()
        self._broker = broker
        if broker is not None:
            self._task = asyncio.create_task(self._listen(broker), name="ven mqtt")

    async def close(self) -> None:
        """Listen no more."""
        self._broker, task, self._task = None, self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen(self, broker: Broker) -> None:
        """For ever; a broker that is away is tried again, which is no haste: we poll."""
        told = ""
        while True:
            try:
                await self._hear(broker)
            except (aiomqtt.MqttError, VtnError, OSError) as error:
                if str(error) != told:
                    self._log.warning("the VTN's broker cannot be listened to", reason=str(error))
                told = str(error)
            finally:
                self.is_connected = False
            await self._host.clock.sleep(AGAIN_S)

    async def _hear(self, broker: Broker) -> None:
        async with AsyncExitStack() as stack:
            with self._host.activity.busy(ACTIVITY):
                client = await stack.enter_async_context(await self._dialled(broker))
                for topic in broker.topics:
                    await client.subscribe(topic)
                self.is_connected = True
                self._heard()  # what came while nobody listened
            async for _ in client.messages:
                self._heard()

    async def _dialled(self, broker: Broker) -> aiomqtt.Client:
        password = await self._client.bearer() if broker.username is not None else None
        tls = aiomqtt.TLSParameters(ca_certs=self._settings.ca_file) if broker.is_tls else None
        return aiomqtt.Client(broker.host, broker.port, username=broker.username, password=password, tls_params=tls)
