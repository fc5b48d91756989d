"""The register: what is paid, what benefits take off it, what it earns, and how a refund undoes it (POS).

All amounts are whole minor units of the facility's currency. A receipt is signed: a payment adds to the till, a refund of it
and a pay-out take away, so that receipts of a day, of a member or of one payment can simply be summed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from reservation.domain.benefit import WHOLE_BP, BenefitPolicy, Kind
from reservation.domain.facility import Facility
from reservation.domain.grant import Grant, Use
from reservation.domain.refusal import Conflict, Invalid, Reason


class Method(StrEnum):
    """How the rest is paid. The register keeps account of it; moving the money is the terminal's work."""

    CASH = "cash"
    CARD = "card"
    EMONEY = "emoney"
    QR = "qr"
    OTHER = "other"


class Deed(StrEnum):
    """What a receipt is of."""

    PAYMENT = "payment"
    REFUND = "refund"
    PAYOUT = "payout"


@dataclass(frozen=True, slots=True)
class RegisterRules:
    """A facility's register. Its day begins at `day_starts` on the facility's clocks. `earn_points` points are earned for
    each full `earn_per_minor` that is paid in money (0: none); they expire after `points_expire_days` (None: never). A
    point that is spent is worth `point_minor`."""

    day_starts: time = time(0)
    earn_points: int = 0
    earn_per_minor: int = 100
    points_expire_days: int | None = None
    point_minor: int = 1

    def earned(self, due_minor: int) -> int:
        """The points that a payment earns."""
        return due_minor // self.earn_per_minor * self.earn_points

    def day(self, facility: Facility, now: datetime) -> date:
        """The register's day at an instant."""
        local = facility.local(now)
        return local.date() if local.time() >= self.day_starts else local.date() - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Redemption:
    """What a member wants to spend on a payment: points, an amount off, cash; one rate off, by its grant; items, by id."""

    points: int = 0
    amount_off_minor: int = 0
    cash_minor: int = 0
    rate_off: str | None = None
    items: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether nothing is to be spent."""
        return self == Redemption()


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a grant that was spent (negative: given back), in the grant's unit."""

    grant_id: str
    amount: int


@dataclass(frozen=True, slots=True)
class Discount:
    """A benefit that was spent on a payment: how much of it in its unit, what that took off (an item takes off nothing), and
    of which grants. In a refund all of it is negative."""

    kind: Kind
    amount: int
    value_minor: int
    parts: tuple[Part, ...]
    item: str = ""


@dataclass(frozen=True, slots=True)
class Bill:
    """What a payment comes to: `gross_minor`, less what the discounts take off, is `due_minor`, which earns points."""

    gross_minor: int
    due_minor: int
    discounts: tuple[Discount, ...]
    earned: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done at the register, for ever. `number` counts a facility's receipts. `due_minor` is what the till got."""

    id: str
    number: int
    facility_id: str
    deed: Deed
    day: date
    at: datetime
    currency: str
    method: Method
    gross_minor: int
    due_minor: int
    discounts: tuple[Discount, ...] = ()
    earned: int = 0
    member_id: str | None = None
    booking_id: str | None = None
    refund_of: str | None = None
    note: str = ""
    closing_id: str | None = None


@dataclass(frozen=True, slots=True)
class Purse:
    """What a member can spend at a facility now: grants with what is left of each, the first to expire first."""

    held: tuple[Use, ...] = ()

    def take(self, kind: Kind, amount: int) -> tuple[Part, ...]:
        """So much of a kind, out of what expires first. Raises Conflict when there is less."""
        parts, missing = [], amount
        for use in self.held:
            if use.grant.kind is kind and missing and use.amount:
                parts.append(Part(use.grant.id, min(missing, use.amount)))
                missing -= parts[-1].amount
        if missing:
            told = f"{amount} of {kind.value} were asked for, and the member can spend {amount - missing}"
            raise Conflict(told, Reason.BENEFIT_SHORT, kind=kind.value, most=amount - missing)
        return tuple(parts)

    def rate(self, grant_id: str) -> tuple[Grant, int]:
        """A rate off and its basis points. Raises Conflict when the member has no such one, or it is spent."""
        for use in self.held:
            if use.grant.id == grant_id and use.grant.kind is Kind.RATE_OFF and use.amount:
                return use.grant, use.amount
        raise Conflict(f"the member has no rate off {grant_id!r} to spend here", Reason.NO_RATE)


def bill(gross_minor: int, asked: Redemption, purse: Purse, rules: RegisterRules, policy: BenefitPolicy) -> Bill:
    """What a payment comes to. The rate is taken off first, of the whole. Raises Invalid, Conflict."""
    if not gross_minor and not asked.items:
        raise Invalid("a payment is of something: an amount, or an item that is handed over", Reason.NOTHING_TO_PAY)
    discounts = tuple(_discounts(gross_minor, asked, purse, rules, policy))
    off = sum(one.value_minor for one in discounts)
    if off > gross_minor:
        told = f"the benefits take off {off}, and there is only {gross_minor} to pay"
        raise Invalid(told, Reason.BENEFITS_TOO_LARGE)
    due = gross_minor - off
    return Bill(gross_minor, due, discounts, rules.earned(due))


def _discounts(
    gross_minor: int, asked: Redemption, purse: Purse, rules: RegisterRules, policy: BenefitPolicy
) -> Iterable[Discount]:
    if asked.rate_off is not None:
        grant, rate_bp = purse.rate(asked.rate_off)
        value = min(gross_minor * min(rate_bp, WHOLE_BP) // WHOLE_BP, grant.cap_minor or gross_minor)
        if not value:
            raise Invalid(
                "the rate takes nothing off so small an amount; keep it for another payment", Reason.RATE_TOO_SMALL
            )
        yield Discount(Kind.RATE_OFF, rate_bp, value, (Part(grant.id, rate_bp),))
    for kind, amount, each in (
        (Kind.AMOUNT_OFF, asked.amount_off_minor, 1),
        (Kind.CASH, asked.cash_minor, 1),
        (Kind.POINTS, asked.points, rules.point_minor),
    ):
        if amount:
            yield Discount(kind, amount, amount * each, purse.take(kind, amount))
    yield from _items(asked.items, purse, policy)


def _items(asked: Sequence[str], purse: Purse, policy: BenefitPolicy) -> Iterable[Discount]:
    prices = {item.id: item.threshold_minor for item in policy.items}
    if strange := sorted(set(asked) - prices.keys()):
        told = f"the facility gives no item {', '.join(strange)}; it gives {', '.join(prices) or 'none'}"
        raise Invalid(told, Reason.NO_ITEM)
    for item in asked:
        parts = purse.take(Kind.ITEM, prices[item])
        yield Discount(Kind.ITEM, prices[item], 0, parts, item)
        purse = without(purse, parts)


def without(purse: Purse, parts: Iterable[Part]) -> Purse:
    """The purse after these were taken out of it."""
    gone: dict[str, int] = {}
    for part in parts:
        gone[part.grant_id] = gone.get(part.grant_id, 0) + part.amount
    return Purse(tuple(Use(use.grant, use.amount - gone.get(use.grant.id, 0)) for use in purse.held))


def refund(payment: Receipt, earlier: Sequence[Receipt], amount_minor: int | None) -> Bill:
    """What a refund of a payment gives back, all of it negative; `earlier` are its refunds so far. Without an amount it is
    of all that is left.

    Money and benefits come back in proportion, to the last unit (`apportion`), each benefit to the grants that it came from,
    the last spent first. A rate and an item come back when all of the payment has. Points that it earned are taken back in
    proportion to the money. Raises Conflict when that much is not left, or nothing is.
    """
    parts = (payment, *earlier)
    left = sum(one.gross_minor for one in parts)
    if (payment.gross_minor and not left) or (not payment.gross_minor and earlier):
        raise Conflict(f"receipt {payment.number} was refunded already", Reason.REFUNDED)
    amount = left if amount_minor is None else amount_minor
    if amount > left:
        told = f"{amount} cannot be refunded: {left} of receipt {payment.number} are left"
        raise Conflict(told, Reason.REFUND_TOO_LARGE, left_minor=left)
    whole = amount == left
    of_money = sum(one.due_minor for one in parts)
    of_discounts = [_left(discount, earlier, place) for place, discount in enumerate(payment.discounts)]
    back = apportion(amount, [of_money, *(one.value_minor for one in of_discounts)])
    discounts = tuple(
        _back(payment.discounts[place], rest, back[place + 1], whole=whole) for place, rest in enumerate(of_discounts)
    )
    earned = sum(one.earned for one in parts)
    kept = payment.earned * (of_money - back[0]) // payment.due_minor if payment.due_minor else 0
    return Bill(-amount, -back[0], discounts, -(earned - kept))


def _left(discount: Discount, earlier: Sequence[Receipt], place: int) -> Discount:
    """What refunds have left of the discount at that place of the payment."""
    told = [discount, *(one.discounts[place] for one in earlier)]
    parts: dict[str, int] = {}
    for part in (part for one in told for part in one.parts):
        parts[part.grant_id] = parts.get(part.grant_id, 0) + part.amount
    amount, value = sum(one.amount for one in told), sum(one.value_minor for one in told)
    return Discount(discount.kind, amount, value, tuple(Part(*one) for one in parts.items()), discount.item)


def _back(paid: Discount, left: Discount, value_minor: int, *, whole: bool) -> Discount:
    """What comes back of a discount of which so much is left, for so much of its value."""
    if whole:
        amount = left.amount
    elif paid.kind in (Kind.RATE_OFF, Kind.ITEM):
        amount = 0
    else:
        each = paid.value_minor // paid.amount
        amount = left.amount - -(-(left.value_minor - value_minor) // each)
    parts, missing = [], amount
    for part in reversed(left.parts):
        parts.append(Part(part.grant_id, -min(missing, part.amount)))
        missing += parts[-1].amount
    return Discount(paid.kind, -amount, -value_minor, tuple(part for part in parts if part.amount), paid.item)


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """A total, shared in proportion to weights that sum to it or to more: whole numbers that sum to it, none above its
    weight; what rounding down leaves goes to the largest remainders, the earlier first."""
    whole = sum(weights)
    if not whole:
        return [0 for _ in weights]
    shares = [total * weight // whole for weight in weights]
    by_rest = sorted(range(len(weights)), key=lambda place: -(total * weights[place] % whole))
    for place in by_rest[: total - sum(shares)]:
        shares[place] += 1
    return shares


@dataclass(frozen=True, slots=True)
class Totals:
    """Receipts in sum: how many, by deed; money by method; gross, what benefits took off by kind, and points earned."""

    receipts: int
    gross_minor: int
    due_minor: int
    by_method: Mapping[str, int]
    by_deed: Mapping[str, int]
    off_by_kind: Mapping[str, int]
    earned: int


def totals(receipts: Iterable[Receipt]) -> Totals:
    """The sums of some receipts."""
    found = list(receipts)
    by_method: dict[str, int] = {}
    by_deed: dict[str, int] = {}
    off: dict[str, int] = {}
    for one in found:
        by_method[one.method] = by_method.get(one.method, 0) + one.due_minor
        by_deed[one.deed] = by_deed.get(one.deed, 0) + 1
        for discount in one.discounts:
            off[discount.kind] = off.get(discount.kind, 0) + discount.value_minor
    gross, due = sum(one.gross_minor for one in found), sum(one.due_minor for one in found)
    return Totals(len(found), gross, due, by_method, by_deed, off, sum(one.earned for one in found))
