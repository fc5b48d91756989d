"""The money for an event, as a VTN tells it (S400). OpenADR 3 has no such thing: its events are all that business logic
can say to a VEN, and private payloads all that it may add. By agreement an interval of an event bears

    X_STATEMENT            the statement's name
    X_STATEMENT_EVENT      the id of the event that is paid for; absent: this one, to which the payloads were added
    X_STATEMENT_TOTAL      whole minor units; its descriptor names the currency
    X_STATEMENT_CAPACITY   of the total, what is for power that was held; 0 if absent
    X_STATEMENT_REVISION   0 if absent        X_STATEMENT_FINAL   false if absent
"""

from dataclasses import dataclass
from typing import Any, Final

from contracts.units import MINOR_DIGITS
from protocols.openadr.objects import Event

STATEMENT: Final = "X_STATEMENT"
PAID_EVENT: Final = "X_STATEMENT_EVENT"
TOTAL: Final = "X_STATEMENT_TOTAL"
REVISION: Final = "X_STATEMENT_REVISION"
FINAL: Final = "X_STATEMENT_FINAL"
CAPACITY: Final = "X_STATEMENT_CAPACITY"
MOST_MINOR: Final = 10**12


class NoStatement(ValueError):
    """An event that should state money and does not; the text says why."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is paid for which event of the VTN."""

    statement_id: str
    event_id: str
    revision: int
    total_minor: int
    currency: str
    is_final: bool
    capacity_minor: int = 0


def states_money(event: Event) -> bool:
    """Whether an event states money, for another event or for itself."""
    return STATEMENT in _said(event)


def is_statement(event: Event) -> bool:
    """Whether an event is nothing but the money for another."""
    said = _said(event)
    return STATEMENT in said and said.get(PAID_EVENT, event.id) != event.id


def told(event: Event) -> Told:
    """The money that an event states. Raises NoStatement."""
    values = {PAID_EVENT: event.id} | _said(event)
    currencies = {one.payload_type: one.currency for one in event.payload_descriptors or ()}
    currency = currencies.get(TOTAL)
    if currency not in MINOR_DIGITS:
        raise NoStatement(f"the descriptor of {TOTAL} names no currency of {', '.join(MINOR_DIGITS)}")
    final = values.get(FINAL, False)
    if not isinstance(final, bool):
        raise NoStatement(f"{FINAL} is true or false")
    total = _whole(values, TOTAL, MOST_MINOR)
    return Told(
        _text(values, STATEMENT, 100),
        _text(values, PAID_EVENT, 128),
        _whole(values, REVISION, 1_000_000, 0),
        total,
        currency,
        final,
        _whole(values, CAPACITY, total, 0),
    )


def _said(event: Event) -> dict[str, Any]:
    """The first value of each payload type, of the first interval that has it."""
    found: dict[str, Any] = {}
    for payload in (payload for interval in event.intervals or () for payload in interval.payloads if payload.values):
        found.setdefault(payload.type, payload.values[0])
    return found


def _text(values: dict[str, Any], name: str, most: int) -> str:
    found = values.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= most:
        raise NoStatement(f"{name} is a text of at most {most} characters")
    return found


def _whole(values: dict[str, Any], name: str, most: int, default: int | None = None) -> int:
    found = values.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int | float) or found != int(found) or not 0 <= found <= most:
        raise NoStatement(f"{name} is a whole number from 0 to {most}")
    return int(found)
