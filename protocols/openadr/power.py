"""What an event's numbers mean for us: signed watts, by the rule of its programme.

The specification leaves open whether a positive setpoint takes or gives, what a percentage is of, and what a level of
SIMPLE is worth; partners agree on it. Ours is W at the grid side: + imports, - exports.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from protocols.openadr.objects import EventPayloadDescriptor, ReportPayloadDescriptor
from protocols.openadr.payloads import DISPATCH_SETPOINT, DISPATCH_SETPOINT_RELATIVE, KW, PERCENT, SIMPLE, is_number
from protocols.openadr.timeline import Span

MOST_W: Final = 1e12
_WATTS: Final = {"W": 1.0, KW: 1000.0, "MW": 1_000_000.0}


class Reading(StrEnum):
    """What a number is: the net power itself, or a change of what the power would be."""

    ABSOLUTE = "absolute"
    RELATIVE = "relative"


class Positive(StrEnum):
    """What a number above 0 does."""

    IMPORT = "import"
    EXPORT = "export"


class NoPower(ValueError):
    """A payload whose number cannot be turned into a power; the text says why."""


_STANDARD: Final = {DISPATCH_SETPOINT: Reading.ABSOLUTE, DISPATCH_SETPOINT_RELATIVE: Reading.RELATIVE}


@dataclass(frozen=True, slots=True)
class PowerRule:
    """How a programme says powers. The first of `types` that an interval has counts; `full_w` is what 100 % is; `levels_w`
    what each level of SIMPLE changes (already in our sign); `units` where the event does not say."""

    types: Mapping[str, Reading] = field(default_factory=lambda: dict(_STANDARD))
    positive: Positive = Positive.IMPORT
    units: str = KW
    full_w: float | None = None
    levels_w: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A power in W, + import: of the fleet, or (`is_relative`) beside what it would be."""

    power_w: float
    is_relative: bool


def units_of(descriptors: Iterable[EventPayloadDescriptor | ReportPayloadDescriptor]) -> dict[str, str]:
    """The units by payload type. Give the program's first: the event's own count."""
    return {one.payload_type: one.units for one in descriptors if one.units is not None}


def wanted(span: Span, rule: PowerRule, units: Mapping[str, str]) -> Wanted | None:
    """What a span asks for, or None when it says nothing of power. Raises NoPower."""
    for payload_type, reading in rule.types.items():
        if (value := span.value(payload_type)) is not None:
            power_w = _watts(payload_type, value, rule, units.get(payload_type, rule.units))
            if not abs(power_w) <= MOST_W:
                raise NoPower(f"{payload_type} is {value}, which no grid has")
            return Wanted(power_w if rule.positive is Positive.IMPORT else -power_w, reading is Reading.RELATIVE)
    if rule.levels_w and (level := span.value(SIMPLE)) is not None:
        return Wanted(_level(level, rule), is_relative=True)
    return None


def _watts(payload_type: str, value: object, rule: PowerRule, units: str) -> float:
    if not isinstance(value, int | float) or not is_number(value):
        raise NoPower(f"{payload_type} is {str(value)[:40]!r}, which is no number")
    if units == PERCENT:
        if rule.full_w is None:
            raise NoPower(f"{payload_type} is in percent, and the programme does not say of what")
        return rule.full_w * as_share(value)
    if units not in _WATTS:
        raise NoPower(f"{payload_type} is in {units[:40]}, which is no power")
    return value * _WATTS[units]


def as_share(value: float) -> float:
    """A percentage as a part of one: the standard's is from -1 to 1, but its guide writes 33 for 33 %."""
    return value if abs(value) <= 1 else value / 100


def _level(level: object, rule: PowerRule) -> float:
    if not isinstance(level, int | float) or level not in (0, 1, 2, 3):
        raise NoPower(f"SIMPLE is {str(level)[:40]!r}, not a level from 0 to 3")
    if level and int(level) not in rule.levels_w:
        raise NoPower(f"the programme does not say what level {int(level)} is worth")
    return rule.levels_w.get(int(level), 0.0)
