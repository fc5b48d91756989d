"""A day of the register as a table, for bookkeeping: one row a receipt. Amounts are whole minor units."""

from collections.abc import Iterable, Mapping

from reservation.domain.benefit import Kind
from reservation.domain.facility import Facility
from reservation.domain.till import Receipt

COLUMNS = (
    "day",
    "number",
    "time",
    "deed",
    "refund_of",
    "member",
    "booking_id",
    "method",
    "currency",
    "gross_minor",
    "rate_off_minor",
    "amount_off_minor",
    "cash_off_minor",
    "points_off_minor",
    "due_minor",
    "points_spent",
    "points_earned",
    "items",
    "closing",
    "note",
    "receipt_id",
)
"""`refund_of` is the number of the payment; `closing` the number of the day's closing that took it in, empty before that."""

_FORMULA = ("=", "+", "-", "@")


def rows(
    receipts: Iterable[Receipt],
    facility: Facility,
    *,
    members: Mapping[str, str],
    payments: Mapping[str, int],
    closings: Mapping[str, int],
) -> list[dict[str, object]]:
    """The rows of some receipts. The mappings give the numbers of members, refunded payments and closings, by id."""
    return [_row(one, facility, members, payments, closings) for one in receipts]


def _row(
    one: Receipt,
    facility: Facility,
    members: Mapping[str, str],
    payments: Mapping[str, int],
    closings: Mapping[str, int],
) -> dict[str, object]:
    off = {kind: sum(part.value_minor for part in one.discounts if part.kind is kind) for kind in Kind}
    values = (
        one.day.isoformat(),
        one.number,
        facility.local(one.at).isoformat(timespec="seconds"),
        one.deed.value,
        payments.get(one.refund_of or "", ""),
        members.get(one.member_id or "", ""),
        one.booking_id or "",
        one.method.value,
        one.currency,
        one.gross_minor,
        off[Kind.RATE_OFF],
        off[Kind.AMOUNT_OFF],
        off[Kind.CASH],
        off[Kind.POINTS],
        one.due_minor,
        sum(part.amount for part in one.discounts if part.kind is Kind.POINTS),
        one.earned,
        " ".join(part.item for part in one.discounts if part.item and part.amount),
        closings.get(one.closing_id or "", ""),
        _harmless(one.note),
        one.id,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _harmless(text: str) -> str:
    """The text, which no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
