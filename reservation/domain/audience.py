"""Who gets an offer (patent S104): conditions on what a member spent, when they came and what they drive, freely combined.

A condition is data: `{"kind": "all", "of": [{"kind": "spent", "at_least_minor": 5000, "days": 90}, {"kind": "has_car"}]}`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

MAX_DEPTH = 6

Days = Annotated[int, Field(strict=True, ge=1, le=3_660)]
"""So many days back from now."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Everyone(_Part):
    """All members."""

    kind: Literal["everyone"] = "everyone"


class Spent(_Part):
    """Who spent at least so much at the facility in the last days, in minor units of its currency, refunds taken off."""

    kind: Literal["spent"] = "spent"
    at_least_minor: Annotated[int, Field(strict=True, ge=1, le=10**12)]
    days: Days


class Visited(_Part):
    """Who came to the facility at least so often in the last days."""

    kind: Literal["visited"] = "visited"
    days: Days
    times: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 1


class HasCar(_Part):
    """Who has an electric car on record."""

    kind: Literal["has_car"] = "has_car"


class TakesPart(_Part):
    """Who has agreed to demand response (X1)."""

    kind: Literal["takes_part"] = "takes_part"


class All(_Part):
    """Who meets every one of these."""

    kind: Literal["all"] = "all"
    of: tuple["Condition", ...] = Field(min_length=1, max_length=20)


class AnyOf(_Part):
    """Who meets at least one of these."""

    kind: Literal["any"] = "any"
    of: tuple["Condition", ...] = Field(min_length=1, max_length=20)


class Not(_Part):
    """Who does not meet this."""

    kind: Literal["not"] = "not"
    of: "Condition"


Condition = Annotated[
    Everyone | Spent | Visited | HasCar | TakesPart | All | AnyOf | Not,
    Field(discriminator="kind"),
]
_CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)


@dataclass(frozen=True, slots=True)
class Record:
    """What a facility knows of a member. `spent_minor` and `visits` are by the days that a condition looks back."""

    has_car: bool = False
    takes_part: bool = False
    spent_minor: Mapping[int, int] = field(default_factory=dict)
    visits: Mapping[int, int] = field(default_factory=dict)


def read(given: object) -> Condition:
    """The condition in JSON's values. Raises ValueError (pydantic's) for what is none, and for one nested too deep."""
    return checked(_CONDITION.validate_python(given))


def checked(condition: Condition) -> Condition:
    """The condition. Raises ValueError when it is nested too deep for anybody to understand."""
    if _depth(condition) > MAX_DEPTH:
        raise ValueError(f"conditions are nested more than {MAX_DEPTH} deep")
    return condition


def missing(condition: Condition, record: Record) -> str | None:
    """Why the member does not meet the condition, in words for staff; None for one who does."""
    match condition:
        case Everyone():
            return None
        case Spent(at_least_minor=least, days=days):
            spent = record.spent_minor.get(days, 0)
            return None if spent >= least else f"spent {spent:,} of {least:,} in {days} days"
        case Visited(days=days, times=times):
            visits = record.visits.get(days, 0)
            return None if visits >= times else f"came {visits} of {times} times in {days} days"
        case HasCar():
            return None if record.has_car else "has no electric car"
        case TakesPart():
            return None if record.takes_part else "takes no part in demand response"
        case All(of=parts):
            return next((why for part in parts if (why := missing(part, record)) is not None), None)
        case AnyOf(of=parts):
            whys = [missing(part, record) for part in parts]
            return None if None in whys else " and ".join(filter(None, whys))
        case Not(of=part):
            return "is left out by the rule" if missing(part, record) is None else None


def spent_days(condition: Condition) -> frozenset[int]:
    """How far back spending is looked at."""
    return frozenset(part.days for part in _parts(condition) if isinstance(part, Spent))


def visited_days(condition: Condition) -> frozenset[int]:
    """How far back visits are looked at."""
    return frozenset(part.days for part in _parts(condition) if isinstance(part, Visited))


def _parts(condition: Condition) -> Iterator[Condition]:
    yield condition
    match condition:
        case All(of=parts) | AnyOf(of=parts):
            for part in parts:
                yield from _parts(part)
        case Not(of=part):
            yield from _parts(part)


def _depth(condition: Condition) -> int:
    match condition:
        case All(of=parts) | AnyOf(of=parts):
            return 1 + max(_depth(part) for part in parts)
        case Not(of=part):
            return 1 + _depth(part)
        case _:
            return 1
