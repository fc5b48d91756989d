"""What is done at the register: a payment, its refund, a pay-out, gifts into the stock, the closing of a day (POS).

Each runs in one transaction with all that it posts to the ledger. Grants are read for update, so that where several writers
share a database a benefit is still spent once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from contracts.ids import new_id
from reservation.domain import grant as grant_rules
from reservation.domain import receipt_postings as postings
from reservation.domain import till
from reservation.domain.benefit import Item, Kind, expiry
from reservation.domain.facility import Facility
from reservation.domain.grant import Grant, Use
from reservation.domain.ledger import POINTS, Entry
from reservation.domain.refusal import Conflict, Invalid, Reason, Unknown
from reservation.domain.till import Bill, Deed, Discount, Method, Purse, Receipt, Redemption, RegisterRules
from reservation.handlers import known
from reservation.store import grants, ledger
from reservation.store import receipts as store
from reservation.store.receipts import Closing


@dataclass(frozen=True, slots=True)
class Payment:
    """What is to be paid. `member` is an id, a number or a phone; a booking names its member by itself."""

    facility_id: str
    gross_minor: int
    method: Method = Method.CASH
    member: str | None = None
    booking_id: str | None = None
    redeem: Redemption = field(default_factory=Redemption)
    note: str = ""


def once(connection: Connection, key: str, digest: bytes, now: datetime, work: Callable[[Connection, datetime], Any]) -> Any:
    """What the work answers (JSON's values), or what it answered when this key came before. Raises Conflict when the key
    came with another request."""
    if before := store.answered(connection, key):
        if before[0] != digest:
            raise Conflict(f"Idempotency-Key {key!r} was used for another request; take a new one", Reason.OTHER_REQUEST)
        return before[1]
    answer = work(connection, now)
    store.keep_answer(connection, key, digest, answer, now)
    return answer


def set_rules(connection: Connection, facility_id: str, rules: RegisterRules, now: datetime) -> None:
    """The facility's register works by these rules from now on. Raises Unknown."""
    store.set_rules(connection, known.facility(connection, facility_id).id, rules, now)


def quote(connection: Connection, payment: Payment, now: datetime) -> Bill:
    """What a payment would come to. Raises Unknown, Invalid, Conflict."""
    return _meant(connection, payment, now).bill


def pay(connection: Connection, payment: Payment, now: datetime) -> Receipt:
    """Take a payment. Raises Unknown, Invalid, Conflict."""
    meant = _meant(connection, payment, now)
    bill = meant.bill
    receipt = _receipt(
        connection,
        meant.facility,
        now,
        deed=Deed.PAYMENT,
        method=payment.method,
        gross_minor=bill.gross_minor,
        due_minor=bill.due_minor,
        discounts=bill.discounts,
        earned=bill.earned,
        member_id=meant.member_id,
        booking_id=payment.booking_id,
        note=payment.note,
    )
    _post(connection, postings.money(receipt))
    for place, discount in enumerate(receipt.discounts):
        _post(connection, postings.spent(receipt, place, meant.grants))
        _hand_over(connection, receipt, discount, place)
    _earn(connection, receipt, receipt.id)
    return receipt


def refund(
    connection: Connection, receipt_id: str, amount_minor: int | None, method: Method | None, note: str, now: datetime
) -> Receipt:
    """Refund a payment, or what is left of it. Raises Unknown, Invalid, Conflict."""
    payment = receipt_of(connection, receipt_id)
    if payment.deed is not Deed.PAYMENT:
        told = f"receipt {payment.number} is a {payment.deed.value}; payments are refunded"
        raise Invalid(told, Reason.NO_PAYMENT)
    bill = till.refund(payment, store.refunds_of(connection, payment.id), amount_minor)
    receipt = _receipt(
        connection,
        known.facility(connection, payment.facility_id),
        now,
        deed=Deed.REFUND,
        method=method or payment.method,
        gross_minor=bill.gross_minor,
        due_minor=bill.due_minor,
        discounts=bill.discounts,
        earned=bill.earned,
        member_id=payment.member_id,
        booking_id=payment.booking_id,
        refund_of=payment.id,
        note=note,
    )
    _post(connection, postings.money(receipt))
    for place, discount in enumerate(receipt.discounts):
        _give_back(connection, receipt, discount, place)
    _earn(connection, receipt, payment.id)
    return receipt


def pay_out(connection: Connection, facility_id: str, identity: str, amount_minor: int, note: str, now: datetime) -> Receipt:
    """Pay a member's cash benefit out of the till. Raises Unknown, Conflict."""
    facility, member = known.facility(connection, facility_id), known.member(connection, identity)
    purse = purse_of(connection, member.id, facility.id, now)
    discount = Discount(Kind.CASH, amount_minor, 0, purse.take(Kind.CASH, amount_minor))
    receipt = _receipt(
        connection,
        facility,
        now,
        deed=Deed.PAYOUT,
        method=Method.CASH,
        gross_minor=-amount_minor,
        due_minor=-amount_minor,
        discounts=(discount,),
        member_id=member.id,
        note=note,
    )
    _post(connection, postings.money(receipt))
    _post(connection, postings.spent(receipt, 0, {use.grant.id: use.grant for use in purse.held}))
    return receipt


def stock_up(connection: Connection, facility_id: str, item_id: str, count: int, now: datetime) -> int:
    """So many of a gift come into the stock (negative: are taken out); how many there are. Raises Unknown, Invalid,
    Conflict."""
    facility = known.facility(connection, facility_id)
    at_hand = stock_of(connection, facility.id, item_id)
    if item_id not in items_of(connection, facility.id):
        told = f"{facility.id} gives no item {item_id!r}; its benefit policy names the items"
        raise Invalid(told, Reason.NO_ITEM)
    if at_hand + count < 0:
        raise Conflict(f"there are {at_hand} of {item_id}", Reason.OUT_OF_STOCK, left=at_hand)
    _post(connection, postings.stocked(new_id(), facility.id, item_id, count, now))
    return at_hand + count


def items_of(connection: Connection, facility_id: str) -> dict[str, Item]:
    """The gifts of a facility by id: those that it gives, and those that are still at hand (with a threshold of 0)."""
    prefix = postings.stock(facility_id, "")
    at_hand = {account.removeprefix(prefix) for account in ledger.accounts_of(connection, prefix)}
    given = {item.id: item for item in grants.policy_of(connection, facility_id).items}
    return given | {item: Item(item, item, 0) for item in sorted(at_hand - given.keys())}


def stock_of(connection: Connection, facility_id: str, item_id: str) -> int:
    """How many of a gift are at hand."""
    return ledger.balance(connection, postings.stock(facility_id, item_id))


def close(
    connection: Connection, facility_id: str, day: date | None, counted_cash_minor: int | None, now: datetime
) -> Closing:
    """Close a day of the register, today if none is named: what no closing has taken in yet. Raises Unknown; Invalid for a
    day to come; Conflict when the day is closed and nothing came since."""
    facility = known.facility(connection, facility_id)
    today = store.rules_of(connection, facility.id).day(facility, now)
    wanted = day or today
    if wanted > today:
        raise Invalid(f"{wanted} has not come yet; the register's day is {today}", Reason.DAY_TO_COME)
    before = store.closed(connection, facility.id, wanted)
    taken = store.unclosed(connection, facility.id, wanted)
    if before and not taken:
        raise Conflict(f"{wanted} is closed, and nothing came since", Reason.DAY_CLOSED)
    closing = Closing(new_id(), facility.id, wanted, len(before) + 1, now, counted_cash_minor, tuple(taken))
    expected = {Method.CASH.value: 0, **till.totals(taken).by_method}
    _post(
        connection,
        postings.closed(closing.id, facility.id, facility.currency, expected, counted_cash_minor, now),
    )
    store.close(connection, closing)
    return closing


def receipt_of(connection: Connection, receipt_id: str) -> Receipt:
    """The receipt by id. Raises Unknown."""
    if (found := store.find(connection, receipt_id)) is None:
        raise Unknown(f"no receipt {receipt_id!r}")
    return found


def purse_of(connection: Connection, member_id: str, facility_id: str, now: datetime) -> Purse:
    """What a member can spend at a facility."""
    kept = grants.of_member(connection, member_id, facility_id, for_update=True)
    valid = [grant for grant in kept if grant.expires_at is None or grant.expires_at > now]
    left = ledger.available(connection, valid)
    return Purse(tuple(Use(grant, left[grant.id]) for grant in valid if left[grant.id]))


@dataclass(frozen=True, slots=True)
class _Meant:
    facility: Facility
    member_id: str | None
    grants: dict[str, Grant]
    bill: Bill


def _meant(connection: Connection, payment: Payment, now: datetime) -> _Meant:
    facility = known.facility(connection, payment.facility_id)
    member_id = known.member(connection, payment.member).id if payment.member else None
    if payment.booking_id:
        booking = known.booking(connection, payment.booking_id)
        if booking.facility_id != facility.id or member_id not in (None, booking.member_id):
            raise Invalid(f"booking {booking.id} is not a stay of this member at {facility.id}", Reason.OTHER_STAY)
        member_id = booking.member_id
    if member_id is None and not payment.redeem.nothing:
        raise Invalid("benefits are a member's: name the member, or the booking", Reason.WHOSE_BENEFITS)
    purse = purse_of(connection, member_id, facility.id, now) if member_id else Purse()
    rules, policy = store.rules_of(connection, facility.id), grants.policy_of(connection, facility.id)
    bill = till.bill(payment.gross_minor, payment.redeem, purse, rules, policy)
    for item in {one.item for one in bill.discounts if one.item}:
        wanted, there = payment.redeem.items.count(item), stock_of(connection, facility.id, item)
        if there < wanted:
            raise Conflict(f"{wanted} of {item} are wanted, and {there} are in stock", Reason.OUT_OF_STOCK, left=there)
    if member_id is None:
        bill = replace(bill, earned=0)
    return _Meant(facility, member_id, {use.grant.id: use.grant for use in purse.held}, bill)


def _receipt(connection: Connection, facility: Facility, now: datetime, **what: Any) -> Receipt:
    receipt = Receipt(
        id=new_id(),
        number=store.next_number(connection, facility.id),
        facility_id=facility.id,
        day=store.rules_of(connection, facility.id).day(facility, now),
        at=now,
        currency=facility.currency,
        **what,
    )
    store.add(connection, receipt)
    return receipt


def _post(connection: Connection, entry: Entry | None) -> None:
    if entry:
        ledger.post(connection, entry)


def _hand_over(connection: Connection, receipt: Receipt, discount: Discount, place: int) -> None:
    if discount.item:
        _post(connection, postings.handed(receipt, discount, place))


def _give_back(connection: Connection, receipt: Receipt, discount: Discount, place: int) -> None:
    for part in discount.parts:
        grant = known.grant(connection, part.grant_id)
        _post(connection, postings.returned(receipt, place, part, grant, ledger.held(connection, grant)))
    if discount.amount:
        _hand_over(connection, receipt, discount, place)


def _earn(connection: Connection, receipt: Receipt, payment_id: str) -> None:
    """Points for a payment are a grant of their own; what a refund takes back, it takes from that grant."""
    if not receipt.earned or receipt.member_id is None:
        return
    source = f"payment/{payment_id}"
    days = store.rules_of(connection, receipt.facility_id).points_expire_days
    grant = Grant(
        id=grant_rules.grant_id(source, receipt.member_id),
        facility_id=receipt.facility_id,
        member_id=receipt.member_id,
        kind=Kind.POINTS,
        unit=POINTS,
        source=source,
        made_at=receipt.at,
        expires_at=expiry(receipt.at, days),
        booking_id=receipt.booking_id,
    )
    grants.keep(connection, grant)
    _post(connection, postings.earned(receipt, grant, ledger.held(connection, grant)))
