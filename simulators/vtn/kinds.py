"""The kinds of objects of OpenADR 3.1: where they are, what they are, and who may write them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from protocols.openadr.objects import Addressable, Event, Program, Report, Resource, Subscription, Ven


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object: its path, its type, and the scope that may write it."""

    path: str
    type: type[Addressable]
    object_type: str
    write: str

    @property
    def is_targeted(self) -> bool:
        """Whether targets decide who sees it; else the client id does."""
        return self.type in (Program, Event)


KINDS: Final[Mapping[str, Kind]] = {
    kind.path: kind
    for kind in (
        Kind("programs", Program, "PROGRAM", "write_programs"),
        Kind("events", Event, "EVENT", "write_events"),
        Kind("reports", Report, "REPORT", "write_reports"),
        Kind("subscriptions", Subscription, "SUBSCRIPTION", "write_subscriptions"),
        Kind("vens", Ven, "VEN", "write_vens"),
        Kind("resources", Resource, "RESOURCE", "write_vens"),
    )
}


def kind_of(one: Addressable) -> Kind:
    """What kind an object is."""
    return next(kind for kind in KINDS.values() if isinstance(one, kind.type))
