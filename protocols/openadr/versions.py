"""OpenADR 3.0.1 beside 3.1: the same objects, spelled otherwise.

    targets                 a type with values, {"type": "GROUP", "values": ["north"]}; in 3.1 strings
    event                   always has intervals; no duration, no reportIntervals
    report                  bears its programID
    program                 no attributes
    ven, resource           no clientID; resources are below /vens/{venID}
    notification            its operation is POST, GET, PUT, DELETE
    tokens                  at /auth/token; there are no /auth/server, /notifiers, /resources

`spoken_301` writes what 3.1 has into what 3.0.1 has. Reading needs nothing (`wire.decode` takes both), but for whoever must
not lose the types of targets: `typed_targets` keeps them in the strings, as TYPE:value.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

from protocols.openadr.objects import Event, Notification, Program, Report, Resource, Ven

UNTYPED: Final = "GROUP"
"""The type of a target of which none is known."""
_OPERATIONS: Final = {"CREATE": "POST", "READ": "GET", "UPDATE": "PUT"}
_ABSENT: Final[dict[type, tuple[str, ...]]] = {Program: ("attributes",), Event: ("duration",)}


class Version(StrEnum):
    """What a VTN speaks."""

    V3_1 = "3.1.0"
    V3_0_1 = "3.0.1"


def spoken_301(kind: type, wire: dict[str, Any]) -> dict[str, Any]:
    """An object's wire form of 3.1 in that of 3.0.1."""
    found: dict[str, Any] = _each(wire, _as_map)
    for name in ("clientID", *_ABSENT.get(kind, ())):
        found.pop(name, None)
    if kind is Event:
        found.setdefault("intervals", [])
        for descriptor in found.get("reportDescriptors") or ():
            descriptor.pop("reportIntervals", None)
    if kind in (Ven, Resource) and "objectType" in found:
        found["objectType"] = "VEN" if kind is Ven else "RESOURCE"
    if kind is Notification:
        found["operation"] = _OPERATIONS.get(found["operation"], found["operation"])
    return found


def spoken_31(kind: type, wire: dict[str, Any]) -> dict[str, Any]:
    """An object's wire form, without what only 3.0.1 has."""
    return {name: value for name, value in wire.items() if not (kind is Report and name == "programID")}


def typed_targets(wire: Any) -> Any:
    """An object in wire form, whose targets are strings that bear their type."""
    return _each(wire, _as_strings)


def _each(value: Any, change: Callable[[list[Any]], list[Any]]) -> Any:
    """The value with every list of targets in it changed."""
    match value:
        case dict():
            return {
                name: change(item) if name == "targets" and isinstance(item, list) else _each(item, change)
                for name, item in value.items()
            }
        case list():
            return [_each(item, change) for item in value]
        case _:
            return value


def _as_map(targets: list[Any]) -> list[Any]:
    """Strings TYPE:value by type; what is a map already stays."""
    by_type: dict[str, list[str]] = {}
    for target in (one for one in targets if isinstance(one, str)):
        kind, colon, value = target.partition(":")
        by_type.setdefault(kind if colon else UNTYPED, []).append(value if colon else target)
    return [*(one for one in targets if not isinstance(one, str)), *({"type": k, "values": v} for k, v in by_type.items())]


def _as_strings(targets: list[Any]) -> list[Any]:
    found: list[Any] = []
    for one in targets:
        is_map = isinstance(one, dict) and isinstance(one.get("values"), list)
        found += [f"{one.get('type')}:{value}" for value in one["values"]] if is_map else [one]
    return found
