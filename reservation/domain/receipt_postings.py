"""What a receipt posts to the ledger. Beside the accounts of benefits, the chart has the register's:

facility/{id}/sales              money   what was sold; runs negative
facility/{id}/till/{method}      money   what the till holds that is not closed yet
facility/{id}/off/{kind}         money   what benefits took off
facility/{id}/payouts            money   cash benefits that were paid out
facility/{id}/banked/{method}    money   what closings took out of the till
facility/{id}/difference         money   counted at a closing, what should have been there, less what was counted
facility/{id}/stock/{item}       items   gifts at hand; never below zero
facility/{id}/handed/{item}      items   gifts that were handed over
supplier/{facility}/{item}       items   where gifts come from; runs negative
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from reservation.domain import grant as grants
from reservation.domain import ledger
from reservation.domain.grant import Grant, Held, Use
from reservation.domain.ledger import Entry, Line
from reservation.domain.till import Deed, Discount, Method, Part, Receipt

ITEMS = "items"
"""The unit of gifts."""


def till(facility_id: str, method: str) -> str:
    """The account of what the till holds of a method of payment."""
    return f"facility/{facility_id}/till/{method}"


def stock(facility_id: str, item_id: str) -> str:
    """The account of a gift that is at hand."""
    return f"facility/{facility_id}/stock/{item_id}"


def money(receipt: Receipt) -> Entry | None:
    """What the till got, what was sold, and what benefits took off; None when no money is in it."""
    place = f"facility/{receipt.facility_id}"
    to = "payouts" if receipt.deed is Deed.PAYOUT else "sales"
    off: dict[str, int] = {}
    for one in receipt.discounts if receipt.deed is not Deed.PAYOUT else ():
        off[f"{place}/off/{one.kind}"] = off.get(f"{place}/off/{one.kind}", 0) + one.value_minor
    amounts = {f"{place}/{to}": -receipt.gross_minor, till(receipt.facility_id, receipt.method): receipt.due_minor, **off}
    return _entry(receipt, "money", receipt.currency, (Line(account, amount) for account, amount in amounts.items()))


def spent(receipt: Receipt, place: int, known: Mapping[str, Grant]) -> Entry | None:
    """The benefit that the receipt's discount at that place spends."""
    discount = receipt.discounts[place]
    uses = [Use(known[part.grant_id], part.amount) for part in discount.parts]
    return _entry(receipt, f"{discount.kind}/{place}", uses[0].grant.unit, grants.spend(uses))


def returned(receipt: Receipt, place: int, part: Part, grant: Grant, left: Held) -> Entry | None:
    """A part of a grant that a refund gives back; what the member owes is made good first."""
    what = f"{receipt.discounts[place].kind}/{place}/{grant.id}"
    return _entry(receipt, what, grant.unit, grants.change(grant, -part.amount, left))


def earned(receipt: Receipt, grant: Grant, left: Held) -> Entry | None:
    """The points that a payment earns, or that its refund takes back."""
    return _entry(receipt, "earned", ledger.POINTS, grants.change(grant, receipt.earned, left))


def handed(receipt: Receipt, discount: Discount, place: int) -> Entry | None:
    """An item that is handed over (or comes back into the stock, with a refund)."""
    count = 1 if receipt.deed is Deed.PAYMENT else -1
    lines = ledger.transfer(
        stock(receipt.facility_id, discount.item), f"facility/{receipt.facility_id}/handed/{discount.item}", count
    )
    return _entry(receipt, f"handed/{place}", ITEMS, lines)


def stocked(key: str, facility_id: str, item_id: str, count: int, at: datetime) -> Entry:
    """So many of a gift come into the stock (negative: are taken out of it)."""
    lines = ledger.transfer(f"supplier/{facility_id}/{item_id}", stock(facility_id, item_id), count)
    return Entry(f"stock/{key}", at, f"{count} of {item_id} into the stock", ITEMS, lines)


def closed(
    closing_id: str, facility_id: str, currency: str, expected: Mapping[str, int], counted_cash: int | None, at: datetime
) -> Entry | None:
    """The till is emptied: what each method should hold goes to the bank, cash as far as it was counted."""
    lines: list[Line] = []
    for method, amount in expected.items():
        banked = counted_cash if method == Method.CASH and counted_cash is not None else amount
        lines += [
            Line(till(facility_id, method), -amount),
            Line(f"facility/{facility_id}/banked/{method}", banked),
            Line(f"facility/{facility_id}/difference", amount - banked),
        ]
    kept = tuple(line for line in lines if line.amount)
    return Entry(f"closing/{closing_id}", at, f"closing of {facility_id}", currency, kept) if kept else None


def _entry(receipt: Receipt, what: str, unit: str, lines: Iterable[Line]) -> Entry | None:
    kept = tuple(line for line in lines if line.amount)
    memo = f"{receipt.deed} {receipt.number} of {receipt.facility_id}"
    return Entry(f"{receipt.deed}/{receipt.id}/{what}", receipt.at, memo, unit, kept) if kept else None
