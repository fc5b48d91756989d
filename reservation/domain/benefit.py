"""From a member's part of the compensation to the facility's benefit (S500-S502): points, an amount or a rate off a later
payment, cash, or credit towards an item.

Money is turned into points (or a rate) over all parts at once, so that what the parts get sums to what the whole is worth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.units import MINOR_DIGITS
from reservation.domain.facility import Facility
from reservation.domain.ledger import POINTS

BASIS_POINTS = "bp"
"""The unit of a rate off: hundredths of a percent."""
WHOLE_BP = 10_000


class Kind(StrEnum):
    """What a facility gives. Points and a rate have their own units; the others are money, in minor units."""

    POINTS = "points"
    AMOUNT_OFF = "amount_off"
    RATE_OFF = "rate_off"
    CASH = "cash"
    ITEM = "item"

    def unit(self, currency: str) -> str:
        """The unit in which it is kept."""
        return {Kind.POINTS: POINTS, Kind.RATE_OFF: BASIS_POINTS}.get(self, currency)


@dataclass(frozen=True, slots=True)
class RateRule:
    """A rate off one later payment: `bp_per_unit` basis points for each whole unit of the currency that the member's part
    is, `max_bp` at most; and no more off a payment than `cap_minor`. Raises ValueError."""

    bp_per_unit: int
    max_bp: int
    cap_minor: int

    def __post_init__(self) -> None:
        if not 1 <= self.max_bp <= WHOLE_BP:
            raise ValueError(f"a rate off is at most {WHOLE_BP} basis points (all of the payment) and at least 1")
        if self.bp_per_unit < 1 or self.cap_minor < 1:
            raise ValueError("a rate off that is worth nothing is none: bp_per_unit and cap_minor are at least 1")


@dataclass(frozen=True, slots=True)
class Item:
    """A gift, and the credit (minor units of money) for which it is handed over."""

    id: str
    name: str
    threshold_minor: int


@dataclass(frozen=True, slots=True)
class BenefitPolicy:
    """What a facility's members get. Points are given by the facility's `points_per_unit`.

    `pending_until_final`: what is given can be spent only once its statement is final. `expires_days` counts from when it
    can be spent (None: it never expires). `rate` belongs to a rate off, `items` to items. Raises ValueError.
    """

    kind: Kind = Kind.POINTS
    pending_until_final: bool = False
    expires_days: int | None = None
    rate: RateRule | None = None
    items: tuple[Item, ...] = ()

    def __post_init__(self) -> None:
        if (self.rate is not None) != (self.kind is Kind.RATE_OFF):
            raise ValueError("a rate off has a rule of its rate, and no other benefit has one")
        if bool(self.items) != (self.kind is Kind.ITEM):
            raise ValueError("items are named for the benefit `item`, and for no other")
        if len({item.id for item in self.items}) < len(self.items):
            raise ValueError("each item id is given once")


@dataclass(frozen=True, slots=True)
class Conversion:
    """So many points (or basis points) for so many minor units of money, fractions not given."""

    amount: int
    per_minor: int

    def whole(self, amount_minor: int) -> int:
        """What an amount is worth, rounded down."""
        return amount_minor * self.amount // self.per_minor

    def rest(self, amount_minor: int) -> int:
        """What rounding down left over, in parts of `per_minor`."""
        return amount_minor * self.amount % self.per_minor


@dataclass(frozen=True, slots=True)
class Terms:
    """A facility's policy as it applied when a statement first came; the statement's corrections keep to it."""

    kind: Kind
    unit: str
    conversion: Conversion
    most: int | None = None
    """No single part becomes more than that."""
    cap_minor: int | None = None
    pending_until_final: bool = False
    expires_days: int | None = None

    def benefits(self, parts_minor: Mapping[str, int]) -> dict[str, int]:
        """What each part becomes, in `unit`. Raises ValueError for a negative part."""
        found = converted(parts_minor, self.conversion)
        return found if self.most is None else {name: min(amount, self.most) for name, amount in found.items()}

    def expiry(self, now: datetime) -> datetime | None:
        """When what can be spent from now on expires."""
        return expiry(now, self.expires_days)


def expiry(now: datetime, days: int | None) -> datetime | None:
    """When what is given now expires (None: never)."""
    return None if days is None else now + timedelta(days=days)


def terms_of(facility: Facility, policy: BenefitPolicy) -> Terms:
    """The policy with what the facility itself says: currency and points."""
    whole_unit = 10 ** MINOR_DIGITS[facility.currency]
    conversion, most, cap = Conversion(1, 1), None, None
    if policy.kind is Kind.POINTS:
        conversion = Conversion(facility.points_per_unit, whole_unit)
    if policy.rate:
        conversion = Conversion(policy.rate.bp_per_unit, whole_unit)
        most, cap = policy.rate.max_bp, policy.rate.cap_minor
    unit = policy.kind.unit(facility.currency)
    return Terms(policy.kind, unit, conversion, most, cap, policy.pending_until_final, policy.expires_days)


def converted(parts_minor: Mapping[str, int], conversion: Conversion) -> dict[str, int]:
    """What each part is worth. The results sum to what the parts' sum is worth; each is within one of its exact value.

    Rounded down, then what is missing goes to the largest remainders, ties by name (the rule of S402), so the order of
    the parts does not matter and a part of nothing gives nothing. Raises ValueError for a negative part.
    """
    if any(amount < 0 for amount in parts_minor.values()):
        raise ValueError("a part of a compensation is never negative")
    found = {name: conversion.whole(amount) for name, amount in parts_minor.items()}
    missing = conversion.whole(sum(parts_minor.values())) - sum(found.values())
    by_rest = sorted(parts_minor, key=lambda name: (-conversion.rest(parts_minor[name]), name))
    for name in by_rest[:missing]:
        found[name] += 1
    return found
