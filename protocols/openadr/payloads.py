"""The words of OpenADR 3.1 for payloads, units and readings, and what values a payload of each type may have.

The lists are open: partners may agree on words of their own. The rules are for what we send. One of the specification is
left out with intent: its enumerations forbid negative dispatch setpoints, though export, and a reduction, cannot be said
otherwise; business logic sends them, and so may ours. USAGE and DEMAND keep theirs: net export is told as DELTA_USAGE.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

# Events
DISPATCH_SETPOINT: Final = "DISPATCH_SETPOINT"
DISPATCH_SETPOINT_RELATIVE: Final = "DISPATCH_SETPOINT_RELATIVE"
SIMPLE: Final = "SIMPLE"

# Reports
DELTA_USAGE: Final = "DELTA_USAGE"
BASELINE: Final = "BASELINE"
DATA_QUALITY: Final = "DATA_QUALITY"
UP_REGULATION_AVAILABLE: Final = "UP_REGULATION_AVAILABLE"
DOWN_REGULATION_AVAILABLE: Final = "DOWN_REGULATION_AVAILABLE"

# Readings and units
DIRECT_READ: Final = "DIRECT_READ"
FORECAST: Final = "FORECAST"
KW: Final = "KW"
KWH: Final = "KWH"
PERCENT: Final = "PERCENT"
QUALITIES: Final = ("OK", "MISSING", "ESTIMATED", "BAD")

WHOLE_CURVES: Final = frozenset({"CURVE", "OLS", "DISPATCH_INSTRUCTION", "POINT"})
"""Event payloads whose several values belong together; several of any other follow each other in time."""
_NEVER_NEGATIVE: Final = (
    "USAGE",
    "DEMAND",
    "GHG",
    "CHARGE_STATE_SETPOINT",
    "IMPORT_CAPACITY_LIMIT",
    "EXPORT_CAPACITY_LIMIT",
    UP_REGULATION_AVAILABLE,
    DOWN_REGULATION_AVAILABLE,
    "STORAGE_USABLE_CAPACITY",
    "STORAGE_MAX_CHARGE_POWER",
    "STORAGE_MAX_DISCHARGE_POWER",
)
_ANY_NUMBER: Final = (
    DISPATCH_SETPOINT,
    DISPATCH_SETPOINT_RELATIVE,
    DELTA_USAGE,
    BASELINE,
    "READING",
    "PRICE",
    "EXPORT_PRICE",
    "SETPOINT",
    "REGULATION_SETPOINT",
)


def is_number(value: Any) -> bool:
    """Whether it is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


_Rule = tuple[Callable[[Any], bool], str]
_RULES: Final[Mapping[str, _Rule]] = {
    SIMPLE: (lambda value: is_number(value) and value in (0, 1, 2, 3), "is 0, 1, 2 or 3"),
    DATA_QUALITY: (lambda value: value in QUALITIES, f"is one of {', '.join(QUALITIES)}"),
    "CONTROL_LEVEL_OFFSET": (lambda value: is_number(value) and -10 <= value <= 10, "is from -10 to 10"),
    **dict.fromkeys(_NEVER_NEGATIVE, (lambda value: is_number(value) and value >= 0, "is a number, not below 0")),
    **dict.fromkeys(_ANY_NUMBER, (is_number, "is a number")),
}


def fault(payload_type: str, values: Sequence[Any]) -> str | None:
    """What is wrong with the values of a payload, or None."""
    if payload_type not in _RULES:
        return None
    fits, rule = _RULES[payload_type]
    wrong = next((value for value in values if not fits(value)), None)
    if wrong is None and values:
        return None
    return f"{payload_type} has no value" if not values else f"{payload_type} {rule}, not {str(wrong)[:40]!r}"
