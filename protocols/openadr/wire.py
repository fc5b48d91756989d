"""Between the wire form and the types, checked in both directions.

What comes in is mended where it is known how others go wrong (slips of the user guide's examples, and what 3.0.1 wrote
otherwise), then held to the schemas' rules; what goes out is held to them as it stands. A refusal names the place and the
rule.
"""

from datetime import datetime
from math import isfinite
from typing import Any, Final, TypeVar

import msgspec
import orjson

from protocols.openadr.durations import Duration, NoTime, instant, rfc3339
from protocols.openadr.objects import OpenAdrObject
from protocols.openadr.payloads import fault
from protocols.openadr.versions import Version, spoken_31, spoken_301

MOST_OCTETS: Final = 4_000_000
"""The largest body that is read."""
_DEEPEST: Final = 32
T = TypeVar("T", bound=msgspec.Struct)
_DESCRIPTORS: Final = "payloadDescriptors"
_UNITS: Final = {"PERCENTAGE": "PERCENT", "VOLTAGE": "VOLTS"}
_OPERATIONS: Final = {"POST": "CREATE", "GET": "READ", "PUT": "UPDATE"}
_SERVER_TIMES: Final = ("createdDateTime", "modificationDateTime")


class NotOpenAdr(ValueError):
    """What came is no such object of OpenADR 3; the text says where and why."""


class NotSendable(ValueError):
    """What we would send breaks the specification; the text says where and why."""


def loads(body: bytes) -> Any:
    """The JSON in a body. Raises NotOpenAdr for what is too large or no JSON."""
    if len(body) > MOST_OCTETS:
        raise NotOpenAdr(f"the body has {len(body)} octets: at most {MOST_OCTETS} are read")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise NotOpenAdr(f"the body is no JSON: {str(error)[:100]}") from error


def decode(kind: type[T], payload: object) -> T:
    """Read an object in wire form; unknown fields are passed over. Raises NotOpenAdr."""
    try:
        return msgspec.convert(_mended(payload), kind, dec_hook=_read)
    except (msgspec.ValidationError, NoTime) as error:
        raise NotOpenAdr(str(error)) from error


def encode(message: OpenAdrObject, version: Version = Version.V3_1) -> dict[str, Any]:
    """The wire form of an object. Raises NotSendable when it breaks a rule of the specification."""
    try:
        wire: dict[str, Any] = _wire(msgspec.to_builtins(message, builtin_types=(datetime,), enc_hook=str))
        msgspec.convert(wire, type(message), dec_hook=_read)
    except (msgspec.ValidationError, NoTime, OverflowError) as error:
        raise NotSendable(str(error)) from error
    if (wrong := _payload_fault(wire)) is not None:
        raise NotSendable(wrong)
    spoken = spoken_31 if version is Version.V3_1 else spoken_301
    return spoken(type(message), wire)


def _read(kind: type, text: Any) -> Any:
    if kind is Duration and isinstance(text, str):
        return Duration.parse(text)
    raise NoTime(f"{kind.__name__} is wanted, not {type(text).__name__}")


def _wire(value: Any) -> Any:
    match value:
        case datetime():
            return rfc3339(value)
        case dict():
            return {key: _wire(item) for key, item in value.items()}
        case list() | tuple():
            return [_wire(item) for item in value]
        case _:
            return value


def _payload_fault(wire: Any) -> str | None:
    """The first payload whose values its type does not allow."""
    if isinstance(wire, list):
        return next((wrong for item in wire if (wrong := _payload_fault(item)) is not None), None)
    if not isinstance(wire, dict):
        return None
    if "type" in wire and isinstance(wire.get("values"), list):
        return fault(wire["type"], wire["values"])
    return _payload_fault(list(wire.values()))


# Mending ---------------------------------------------------------------------------------------------------------------


def _mended(value: Any, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        raise NotOpenAdr(f"it is nested deeper than {_DEEPEST}")
    match value:
        case dict():
            return _mended_object({key: _mended(item, depth + 1) for key, item in value.items()})
        case list():
            return [_mended(item, depth + 1) for item in value]
        case float() if not isfinite(value):
            raise NotOpenAdr("a number is not finite")
        case _:
            return value


def _mended_object(found: dict[str, Any]) -> dict[str, Any]:
    if "payLoadType" in found:
        found.setdefault("payloadType", found.pop("payLoadType"))
    if isinstance(units := found.get("units"), str):
        found["units"] = _UNITS.get(units, units)
    if isinstance(operation := found.get("operation"), str):
        found["operation"] = _OPERATIONS.get(operation, operation)
    if isinstance(operations := found.get("operations"), list):
        found["operations"] = [_OPERATIONS.get(one, one) if isinstance(one, str) else one for one in operations]
    if isinstance(targets := found.get("targets"), list):
        found["targets"] = _strings(targets)
    if isinstance(descriptors := found.get(_DESCRIPTORS), list):
        found[_DESCRIPTORS] = [_with_type(one, found) for one in descriptors]
    if isinstance(start := found.get("start"), str):
        found["start"] = instant(start)
    for name in _SERVER_TIMES:
        if name in found:
            found[name] = _server_time(found[name])
    return found


def _strings(targets: list[Any]) -> list[Any]:
    """Targets of 3.0.1 had a type beside their values; those of 3.1 are the values."""
    flat: list[Any] = []
    for target in targets:
        is_map = isinstance(target, dict) and isinstance(target.get("values"), list)
        flat.extend(target["values"] if is_map else [target])
    return flat


def _with_type(descriptor: Any, parent: dict[str, Any]) -> Any:
    """A report's descriptor describes reports, whatever it says (a known client says otherwise); an event's or a program's
    that does not say what it is describes events, or reports when it speaks of readings."""
    if not isinstance(descriptor, dict) or ("objectType" in descriptor and not _is_report(parent)):
        return descriptor
    is_report = _is_report(parent) or "readingType" in descriptor
    return descriptor | {"objectType": f"{'REPORT' if is_report else 'EVENT'}_PAYLOAD_DESCRIPTOR"}


def _is_report(found: dict[str, Any]) -> bool:
    return "eventID" in found and "resources" in found


def _server_time(text: Any) -> datetime | None:
    """The guide's examples bear times without a date, which say nothing."""
    if isinstance(text, datetime):
        return text
    try:
        return instant(text) if isinstance(text, str) else None
    except NoTime:
        return None
