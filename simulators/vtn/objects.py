"""The objects a VTN holds, and who may see which (Definition 3.1.0, "Object Privacy").

Business logic sees all. A VEN sees the vens, resources, reports and subscriptions that bear its client id; of programs and
events those without targets, and those of which it names a target that business logic has granted to its ven or resources.
It never learns of targets that it did not name. In 3.0.1 nothing is private: all see all, and a search may name targets.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import orjson

from contracts.ids import new_id
from protocols.openadr.objects import (
    Addressable,
    Event,
    Program,
    Report,
    Resource,
    Subscription,
    Ven,
)
from protocols.openadr.timeline import NotSchedulable, unroll
from protocols.openadr.wire import decode, encode
from runtime.clock import Clock
from simulators.vtn.access import Client, Grant, Role
from simulators.vtn.kinds import KINDS, Kind
from simulators.vtn.problem import Refusal

A = TypeVar("A", bound=Addressable)
Told = Callable[[str, Addressable], None]
"""Called with CREATE, READ, UPDATE or DELETE and the object."""
_INSTANT: Final = timedelta(microseconds=1)


class Objects:
    """All objects by kind and id. With a file they outlive the process."""

    def __init__(self, clock: Clock, file: Path | None = None) -> None:
        self._clock = clock
        self._file = file
        self._by_kind: dict[str, dict[str, Any]] = {path: {} for path in KINDS}
        self._changed_at = clock.now()
        self.told: Told = _nobody
        self.is_private = True
        """Whether object privacy holds."""
        if file is not None:
            self._load(file)

    # Reading ------------------------------------------------------------------------------------------------------------

    def all(self, kind: type[A]) -> list[A]:
        """All objects of a kind, the oldest first."""
        return list(self._by_kind[_path(kind)].values())

    def search(self, kind: Kind, grant: Grant, query: Mapping[str, str], targets: list[str]) -> list[Addressable]:
        """The objects that the client may see and that fit every filter, the oldest first. Raises Refusal."""
        seen = (self.seen(one, grant.client, targets) for one in self._by_kind[kind.path].values())
        found = [one for one in seen if one is not None and self._fits(one, query)]
        if targets and (grant.is_bl or not kind.is_targeted or not self.is_private):
            found = [one for one in found if set(targets) & set(getattr(one, "targets", None) or ())]
        return found

    def get(self, kind: Kind, object_id: str, grant: Grant) -> Addressable:
        """One object. Raises Refusal (404) for one that is not known, or not to this client."""
        held = self._by_kind[kind.path].get(object_id)
        found: Addressable | None = None if held is None else self.seen(held, grant.client, self.granted(grant.client))
        if found is None:
            raise Refusal(404, f"there is no {kind.object_type.lower()} {object_id}")
        return found

    def seen(self, one: Any, client: Client, named: Iterable[str]) -> Any | None:
        """The object as the client sees it that names these targets, or None."""
        if client.role is Role.BL or not self.is_private:
            return one
        if not isinstance(one, Program | Event):
            return one if getattr(one, "client_id", None) == client.client_id else None
        if not one.targets:
            return one
        matching = set(one.targets) & set(named) & set(self.granted(client))
        if not matching:
            return None
        shown = tuple(target for target in one.targets if target in matching)
        return msgspec.structs.replace(one, targets=shown)

    def granted(self, client: Client) -> list[str]:
        """The targets of the client's vens and resources."""
        return self.granted_to(client.client_id)

    def granted_to(self, client_id: str | None) -> list[str]:
        """The targets of the vens and resources that bear a client id."""
        known: list[Ven | Resource] = [*self.all(Ven), *self.all(Resource)]
        mine = [one for one in known if one.client_id == client_id]
        return sorted({target for one in mine for target in one.targets or ()})

    def program_of(self, one: Any) -> str | None:
        """The program that an object belongs to, or None."""
        if isinstance(one, Program):
            return one.id
        if isinstance(one, Report):
            event = self._by_kind["events"].get(one.event_id)
            return None if event is None else str(event.program_id)
        return getattr(one, "program_id", None)

    def _fits(self, one: Any, query: Mapping[str, str]) -> bool:
        return all(fits(self, one, query[name]) for name, fits in _FILTERS.items() if name in query)

    def is_active(self, event: Event) -> bool:
        """Whether the event's lifespan covers this moment."""
        now = self._clock.now()
        with suppress(NotSchedulable):
            return bool(unroll(event, min(event.created_date_time or now, now), now, now + _INSTANT))
        return False

    # Writing ------------------------------------------------------------------------------------------------------------

    def create(self, kind: Kind, given: Any, grant: Grant) -> Addressable:
        """Take in an object; its id, times and owner are ours. Raises Refusal."""
        self._may_write(kind, grant)
        owned = self._owned(given, grant, None)
        self._refuse_unfit(owned, grant, None)
        now = self._next_moment()
        return self._put(kind, owned, new_id(), now, now, "CREATE")

    def update(self, kind: Kind, object_id: str, given: Any, grant: Grant) -> Addressable:
        """Put another content in an object's place. Raises Refusal."""
        self._may_write(kind, grant)
        known = self.get(kind, object_id, grant)
        owned = self._owned(given, grant, known)
        self._refuse_unfit(owned, grant, known)
        created = known.created_date_time or self._clock.now()
        return self._put(kind, owned, object_id, created, self._next_moment(), "UPDATE")

    def delete(self, kind: Kind, object_id: str, grant: Grant) -> Addressable:
        """Take an object away; a program takes its events and subscriptions with it, a ven its resources. Raises Refusal."""
        self._may_write(kind, grant)
        known = self.get(kind, object_id, grant)
        self._drop_below(object_id, "events", "program_id")
        self._drop_below(object_id, "resources", "ven_id")
        self._drop(kind.path, known)
        self._drop_below(object_id, "subscriptions", "program_id")  # the last to go: its subscriber hears of the others
        self._save()
        return known

    def _drop_below(self, object_id: str, path: str, field: str) -> None:
        for inner in [one for one in self._by_kind[path].values() if getattr(one, field) == object_id]:
            self._drop(path, inner)

    def _drop(self, path: str, one: Any) -> None:
        """Those who may see it are told while it is still there."""
        held = self._by_kind[path][one.id]
        self.told("DELETE", held)
        del self._by_kind[path][one.id]

    def _put(self, kind: Kind, one: Any, object_id: str, created: Any, modified: Any, operation: str) -> Addressable:
        kept: Addressable = msgspec.structs.replace(
            one,
            id=object_id,
            created_date_time=created,
            modification_date_time=modified,
            object_type=kind.object_type,
        )
        self._by_kind[kind.path][object_id] = kept
        self._save()
        self.told(operation, kept)
        return kept

    def _may_write(self, kind: Kind, grant: Grant) -> None:
        if kind.write not in grant.scopes:
            raise Refusal(403, f"this needs the scope {kind.write}")

    def _owned(self, given: Any, grant: Grant, known: Any) -> Any:
        """The object with its owner: a VEN's is the client itself; targets of vens and resources are business logic's."""
        if isinstance(given, Ven | Resource) and self.is_private:
            _refuse_foreign_request(given, grant)
        if isinstance(given, Resource):
            given = self._with_ven(given, grant)
        if not self.is_private:
            return _with_client(given, getattr(known, "client_id", None) or grant.client.client_id)
        if grant.is_bl:
            owner = getattr(given, "client_id", None) or getattr(known, "client_id", None)
            if isinstance(given, Ven) and owner is None:
                raise Refusal(400, "clientID is missing: say whose ven it is")
            mine = isinstance(given, Subscription)
            return _with_client(given, grant.client.client_id if mine and known is None else owner)
        if isinstance(given, Ven | Resource):
            given = msgspec.structs.replace(given, targets=getattr(known, "targets", None))
        return _with_client(given, grant.client.client_id)

    def _with_ven(self, given: Resource, grant: Grant) -> Resource:
        """A resource belongs to a ven of its client's; a VEN with one ven need not name it."""
        sees_all = grant.is_bl or not self.is_private
        mine = [ven for ven in self.all(Ven) if sees_all or ven.client_id == grant.client.client_id]
        if given.ven_id is None and not grant.is_bl and len(mine) == 1:
            given = msgspec.structs.replace(given, ven_id=mine[0].id)
        ven = next((ven for ven in mine if ven.id == given.ven_id), None)
        if given.ven_id is None:
            raise Refusal(400, "venID is missing: say whose resource it is")
        if ven is None:
            raise Refusal(404, f"there is no ven {given.ven_id}")
        return msgspec.structs.replace(given, client_id=ven.client_id)

    def _refuse_unfit(self, one: Any, grant: Grant, known: Any) -> None:
        """What it newly refers to must be there, and its name must be free."""
        for field, path in (("program_id", "programs"), ("event_id", "events")):
            referred = getattr(one, field, None)
            if referred is not None and referred != getattr(known, field, None):
                self.get(KINDS[path], referred, grant)
        if (name := _unique(one)) is None:
            return
        if any(_unique(other) == name and other is not known for other in self.all(type(one))):
            raise Refusal(409, f"the name {name[-1]!r} is taken")

    def _next_moment(self) -> Any:
        """Later than any before: a change is seen by its time."""
        self._changed_at = max(self._clock.now(), self._changed_at + timedelta(milliseconds=1))
        return self._changed_at

    # The file -----------------------------------------------------------------------------------------------------------

    def _save(self) -> None:
        if self._file is None:
            return
        content = {path: [encode(one) for one in found.values()] for path, found in self._by_kind.items()}
        beside = self._file.with_suffix(f"{self._file.suffix}.part")
        beside.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
        beside.replace(self._file)

    def _load(self, file: Path) -> None:
        """Raises OSError, and ValueError for a file that is no state."""
        if not file.exists():
            return
        content = orjson.loads(file.read_bytes())
        for path, found in self._by_kind.items():
            for wire in content.get(path, ()):
                one = decode(KINDS[path].type, wire)
                found[one.id or new_id()] = one
                self._changed_at = max(self._changed_at, one.modification_date_time or self._changed_at)


_Fits = Callable[[Objects, Any, str], bool]


def _named(field: str) -> _Fits:
    return lambda _, one, wanted: getattr(one, field, None) == wanted


def _of_objects(_: Objects, one: Any, wanted: str) -> bool:
    return not isinstance(one, Subscription) or any(wanted in part.objects for part in one.object_operations)


def _is_as_active(objects: Objects, one: Any, wanted: str) -> bool:
    return not isinstance(one, Event) or objects.is_active(one) is (wanted == "true")


_FILTERS: Final[Mapping[str, _Fits]] = {
    "programName": _named("program_name"),
    "venName": _named("ven_name"),
    "resourceName": _named("resource_name"),
    "venID": _named("ven_id"),
    "eventID": _named("event_id"),
    "clientName": _named("client_name"),
    "programID": lambda objects, one, wanted: objects.program_of(one) == wanted,
    "objects": _of_objects,
    "active": _is_as_active,
}
FILTERS: Final[Mapping[str, frozenset[str]]] = {
    "programs": frozenset({"programName"}),
    "events": frozenset({"programID", "active"}),
    "reports": frozenset({"programID", "eventID", "clientName"}),
    "subscriptions": frozenset({"programID", "clientName", "objects"}),
    "vens": frozenset({"venName"}),
    "resources": frozenset({"resourceName", "venID"}),
}
"""The filters of each kind's search; others are passed over."""


def _nobody(_: str, __: Addressable) -> None:
    """Nobody is told."""


def _path(kind: type[Addressable]) -> str:
    return next(path for path, one in KINDS.items() if one.type is kind)


def _unique(one: Any) -> tuple[str, ...] | None:
    match one:
        case Program():
            return (one.program_name,)
        case Ven():
            return (one.ven_name,)
        case Resource():
            return one.ven_id or "", one.resource_name
        case _:
            return None


def _with_client(one: Any, client_id: str | None) -> Any:
    return msgspec.structs.replace(one, client_id=client_id) if hasattr(one, "client_id") else one


def _refuse_foreign_request(given: Ven | Resource, grant: Grant) -> None:
    """The request's type says who sends it; without one it is taken for its sender's."""
    kind = "VEN" if isinstance(given, Ven) else "RESOURCE"
    mine = f"{'BL' if grant.is_bl else 'VEN'}_{kind}_REQUEST"
    if given.object_type not in (None, kind, mine):
        raise Refusal(400, f"objectType must be {mine} for this client")
