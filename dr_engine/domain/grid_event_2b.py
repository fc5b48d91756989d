"""Events of OpenADR 2.0b as those of 3.1, so that everything after that is the same (X5).

    LOAD_DISPATCH setpoint, delta    DISPATCH_SETPOINT, DISPATCH_SETPOINT_RELATIVE; powerReal with its SI scale
    SIMPLE level                     SIMPLE: what a level is worth is the programme's
    priority                         0 is none in 2.0b, and the first in 3.1
    cancelled                        no length
    interval of length 0             until the active period ends; an active period of length 0 has no end

A found event is a mapping as openleadr gives it: times are aware, durations timedeltas.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from dr_engine.domain.capacity import Block
from dr_engine.domain.settlement import RequestInterval
from protocols.openadr.durations import ENDLESS, Duration, rfc3339
from protocols.openadr.payloads import DISPATCH_SETPOINT, DISPATCH_SETPOINT_RELATIVE, SIMPLE

_TYPES: Final = {
    ("LOAD_DISPATCH", "setpoint"): DISPATCH_SETPOINT,
    ("LOAD_DISPATCH", "delta"): DISPATCH_SETPOINT_RELATIVE,
    ("SIMPLE", "level"): SIMPLE,
}
_UNITS: Final = {"none": "W", "k": "KW", "M": "MW"}
_ORDER: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""A modification number is told as so many seconds after it: of such times only the order counts."""
_TOLERANCE_W: Final = 100


class NoSignal(ValueError):
    """An event without a signal that says something of power; the text says which it has."""


def event_id(found: Mapping[str, Any]) -> str:
    """The event's id as 3.1 allows it: the same, or a hash of it."""
    given = str(found["event_descriptor"]["event_id"])
    return given if re.fullmatch(r"[A-Za-z0-9_-]{1,56}", given) else f"2b-{sha256(given.encode()).hexdigest()[:32]}"


def as_event(found: Mapping[str, Any], program_id: str) -> dict[str, Any]:
    """The wire form of the event in 3.1. Raises NoSignal."""
    descriptor, period = found["event_descriptor"], found["active_period"]
    signal, payload_type = _signal(found["event_signals"])
    number = int(descriptor.get("modification_number") or 0)
    priority = int(descriptor.get("priority") or 0)
    wire: dict[str, Any] = {
        "id": event_id(found),
        "objectType": "EVENT",
        "programID": program_id,
        "eventName": str(descriptor["event_id"])[:200],
        "modificationDateTime": rfc3339(_ORDER + timedelta(seconds=number)),
        "intervals": _intervals(signal["intervals"], payload_type, period),
    }
    if priority:
        wire["priority"] = priority
    if (units := _units(signal.get("measurement"))) is not None:
        wire["payloadDescriptors"] = [{"payloadType": payload_type, "units": units}]
    if descriptor.get("event_status") == "cancelled":
        wire["duration"] = "PT0S"
    return wire


def can_be_held(asked: Iterable[RequestInterval], blocks: Sequence[Block]) -> bool:
    """Whether the booked cars can do all that: what to opt in to. `blocks` as they can be used one after the other."""
    return all(_fits(interval, blocks) for interval in asked)


def _fits(interval: RequestInterval, blocks: Sequence[Block]) -> bool:
    touched = [block for block in blocks if block.start < interval.end and block.end > interval.start]
    return bool(touched) and all(
        block.min_power_w - _TOLERANCE_W <= interval.power_w <= block.max_power_w + _TOLERANCE_W for block in touched
    )


def _signal(signals: Any) -> tuple[Mapping[str, Any], str]:
    listed = signals["event_signals"] if isinstance(signals, Mapping) else signals
    names = [(str(one["signal_name"]).upper(), str(one["signal_type"])) for one in listed]
    for wanted, payload_type in _TYPES.items():
        if wanted in names:
            return listed[names.index(wanted)], payload_type
    raise NoSignal(f"its signals say nothing of power: {', '.join(' '.join(name) for name in names) or 'none'}"[:300])


def _intervals(found: Sequence[Mapping[str, Any]], payload_type: str, period: Mapping[str, Any]) -> list[dict[str, Any]]:
    whole: timedelta = period["duration"]
    end = period["dtstart"] + whole if whole else None
    cursor: datetime = period["dtstart"]
    intervals = []
    for number, one in enumerate(found):
        start: datetime = one.get("dtstart") or cursor
        length: timedelta = one["duration"] or (end - start if end is not None else timedelta())
        cursor = start + length
        duration = Duration(exact=max(length, timedelta())) if length or end is not None else ENDLESS
        intervals.append(
            {
                "id": number,
                "intervalPeriod": {"start": rfc3339(start), "duration": str(duration)},
                "payloads": [{"type": payload_type, "values": [one["signal_payload"]]}],
            }
        )
    return intervals


def _units(measurement: Mapping[str, Any] | None) -> str | None:
    if not measurement or measurement.get("unit") != "W":
        return None
    return _UNITS.get(str(measurement.get("scale") or "none"))
