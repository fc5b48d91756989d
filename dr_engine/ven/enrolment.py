"""Our place at the VTN: its programmes, our ven with a resource for each facility, and subscriptions by which it calls us.

All of it is found again by name before it is made, so that a restart on either side makes nothing twice.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from dr_engine.ven.client import NOT_THERE, Declined, VtnClient
from dr_engine.ven.mqtt import Broker, NoBroker, broker_of
from dr_engine.ven.settings import VenSettings
from protocols.openadr.objects import (
    Addressable,
    Notifiers,
    NotifierTopics,
    ObjectOperation,
    Program,
    Resource,
    Subscription,
    Ven,
)
from protocols.openadr.power import units_of
from protocols.openadr.versions import Version
from protocols.openadr.wire import NotOpenAdr, decode

A = TypeVar("A", bound=Addressable)
_NOT_OURS: Final = (400, 403, 404, 405)
_HEARD: Final = ("CREATE", "UPDATE", "DELETE")


@dataclass(frozen=True, slots=True)
class Enrolled:
    """How we stand at the VTN. `targets` are those by which each facility is asked; `all_targets` also those of our ven."""

    ven_id: str | None
    programs: Mapping[str, Program]
    targets: Mapping[str, frozenset[str]]
    all_targets: tuple[str, ...]
    resources: Mapping[str, str]
    version: Version
    is_whole: bool = True
    """Whether the VTN has all of our programmes."""
    hears_by_webhook: bool = False
    broker: Broker | None = None
    notes: tuple[str, ...] = ()

    def units(self, name: str) -> dict[str, str]:
        """The units of a programme, by payload type."""
        return units_of(self.programs[name].payload_descriptors or ())


@dataclass(frozen=True, slots=True)
class Listed:
    """A programme that the VTN shows us, taken part in or not."""

    program: Program
    is_ours: bool


@dataclass
class Enrolment:
    """Makes and keeps our place. `secret` is what the VTN bears when it calls us."""

    settings: VenSettings
    client: VtnClient
    secret: str
    listed: list[Listed] = field(default_factory=list)

    async def look(self) -> Enrolled:
        """Find our place, or make what is missing of it; a VTN that keeps no vens for us is listened to all the same. Raises
        VtnError."""
        version = self.client.version = await self._spoken()
        ven, resources, registering = await self._registered()
        granted = {one.resource_name: frozenset(one.targets or ()) for one in resources.values()}
        targets: dict[str, frozenset[str]] = {}
        for resource in self.settings.resources:
            mine = granted.get(resource.name, frozenset()) | self._by_name(resource.name)
            targets[resource.facility] = targets.get(resource.facility, frozenset()) | mine
        ours = frozenset((ven.targets if ven else None) or ()) | self._by_name(self.settings.name)
        everything = ours.union(*granted.values(), *targets.values())
        programs = await self._programs(sorted(everything))
        unfound = [one.name for one in self.settings.programs if one.name not in programs]
        hears, broker, subscribing = await self._notified(programs, ven)
        return Enrolled(
            ven_id=ven.id or "" if ven else None,
            programs=programs,
            targets=targets,
            all_targets=tuple(sorted(everything)),
            resources={name: one.id or "" for name, one in resources.items()},
            version=version,
            hears_by_webhook=hears,
            broker=broker,
            is_whole=not unfound,
            notes=(*(f"the VTN has no program {name} for us" for name in unfound), *registering, *subscribing),
        )

    async def _spoken(self) -> Version:
        """What the VTN speaks: in 3.1 resources have a path of their own, seen by us or not."""
        if self.settings.version is not None:
            return self.settings.version
        try:
            await self.client.get_json("/resources?limit=1")
        except Declined as error:
            return Version.V3_0_1 if error.status in NOT_THERE else Version.V3_1
        return Version.V3_1

    def _by_name(self, name: str) -> frozenset[str]:
        """In 3.0.1 vens and resources are asked by their names too."""
        return frozenset({name}) if self.client.version is Version.V3_0_1 else frozenset()

    async def _registered(self) -> tuple[Ven | None, dict[str, Resource], list[str]]:
        """Our ven and resources, and why there are none: business logic may keep them to itself."""
        ven = None
        try:
            ven = await self._ven()
            return ven, await self._resources(ven.id or ""), []
        except Declined as error:
            if error.status not in _NOT_OURS:
                raise
            return ven, {}, [f"not registered: {error}"]

    async def _ven(self) -> Ven:
        for found in await self._all(Ven, "/vens", {"venName": self.settings.name}):
            if found.ven_name == self.settings.name:
                return found
        request = Ven(ven_name=self.settings.name, object_type="VEN_VEN_REQUEST")
        return await self.client.post("/vens", request, Ven)

    async def _resources(self, ven_id: str) -> dict[str, Resource]:
        is_older = self.client.version is Version.V3_0_1
        path, query = (f"/vens/{ven_id}/resources", {}) if is_older else ("/resources", {"venID": ven_id})
        found = {one.resource_name: one for one in await self._all(Resource, path, query)}
        for name in (one.name for one in self.settings.resources):
            if name not in found:
                request = Resource(resource_name=name, ven_id=ven_id, object_type="VEN_RESOURCE_REQUEST")
                found[name] = await self.client.post(path, request, Resource)
        return found

    async def _programs(self, targets: list[str]) -> dict[str, Program]:
        ours = {one.name for one in self.settings.programs}
        query = {"targets": targets} if targets and self.client.version is Version.V3_1 else {}
        found = await self._all(Program, "/programs", query)
        self.listed = [Listed(one, one.program_name in ours) for one in found]
        return {one.program_name: one for one in found if one.program_name in ours and one.id}

    async def _notified(self, programs: Mapping[str, Program], ven: Ven | None) -> tuple[bool, Broker | None, list[str]]:
        """How the VTN tells us of changes: whether it calls us, its broker, and why not. One that does neither is polled,
        which is enough."""
        if self.client.version is Version.V3_0_1:  # which has webhooks, and no word on how it tells
            hears, notes = await self._called(Notifiers(webhook=True), programs)
            return hears, None, notes
        if self.settings.callback_url is None and not self.settings.mqtt:
            return False, None, []
        try:
            offered = decode(Notifiers, await self.client.get_json("/notifiers"))
        except (Declined, NotOpenAdr) as error:
            return False, None, [f"no notifications: {error}"] if self.settings.callback_url else []
        hears, notes = await self._called(offered, programs)
        broker = None
        if self.settings.mqtt and offered.mqtt is not None and programs:
            try:
                broker = broker_of(offered.mqtt, self.settings.client_id, await self._topics(programs, ven))
            except (Declined, NotOpenAdr, NoBroker) as error:
                notes.append(f"no MQTT: {error}")
        return hears, broker, notes

    async def _topics(self, programs: Mapping[str, Program], ven: Ven | None) -> tuple[str, ...]:
        """Where the events of our programmes are told, and those for us alone."""
        paths = [f"programs/{program.id}/events" for program in programs.values()]
        found: list[str] = []
        for path in [*paths, *([f"vens/{ven.id}/events"] if ven else [])]:
            told = decode(NotifierTopics, await self.client.get_json(f"/notifiers/mqtt/topics/{path}"))
            found += told.topics.to_hear_all()
        return tuple(found)

    async def _called(self, offered: Notifiers, programs: Mapping[str, Program]) -> tuple[bool, list[str]]:
        """One subscription a programme, to our door."""
        if self.settings.callback_url is None:
            return False, []
        if not offered.webhook:
            return False, ["the VTN offers no webhooks"]
        try:
            known = await self._all(Subscription, "/subscriptions", {"clientName": self.settings.name})
            for program in programs.values():
                await self._subscribe_to(program, known)
        except Declined as error:
            return False, [f"no subscription: {error}"]
        return bool(programs), []

    async def _subscribe_to(self, program: Program, known: list[Subscription]) -> None:
        operation = ObjectOperation(
            objects=("EVENT",), operations=_HEARD, callback_url=str(self.settings.callback_url), bearer_token=self.secret
        )
        wanted = Subscription(client_name=self.settings.name, program_id=program.id, object_operations=(operation,))
        mine = next((one for one in known if one.program_id == program.id and _is_ours(one, operation)), None)
        if mine is None:
            await self.client.post("/subscriptions", wanted, Subscription)
        elif mine.object_operations != wanted.object_operations:
            await self.client.put(f"/subscriptions/{mine.id}", wanted, Subscription)

    async def _all(self, kind: type[A], path: str, query: Mapping[str, Any]) -> list[A]:
        """The objects that can be read; others' mistakes are not ours to stumble over."""
        found: list[A] = []
        for wire in await self.client.search(path, query):
            with suppress(NotOpenAdr):
                found.append(decode(kind, wire))
        return found


def _is_ours(one: Subscription, operation: ObjectOperation) -> bool:
    return any(part.callback_url == operation.callback_url for part in one.object_operations)
