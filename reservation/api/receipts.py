"""Routes that show what was done at the register: receipts, days, the journal, gifts (POS)."""

import csv
from datetime import date, datetime
from io import StringIO
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import AwareDatetime
from sqlalchemy import Connection

from reservation.api.desk import Desk
from reservation.api.fields import Answer
from reservation.api.refusals import RefusalAnswer, RefusingRoute
from reservation.domain import journal as journals
from reservation.domain import till
from reservation.domain.benefit import Kind
from reservation.domain.till import Deed, Method, Receipt
from reservation.handlers import known
from reservation.handlers import register as handlers
from reservation.store import members
from reservation.store import receipts as store
from reservation.store.receipts import Closing

UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": RefusalAnswer}}


class StockAnswer(Answer):
    """How many of a gift are at hand, and the credit for which one is handed over (null: no longer given)."""

    item_id: str
    name: str
    at_hand: int
    threshold_minor: int | None


class PartAnswer(Answer):
    """A part of one benefit, in its unit."""

    grant_id: str
    amount: int


class DiscountAnswer(Answer):
    """A benefit that was spent (in a refund: given back, negative): `amount` in its unit (points; basis points of a rate;
    else minor units), `value_minor` off the payment, and of which benefits."""

    kind: Kind
    amount: int
    value_minor: int
    item: str
    parts: list[PartAnswer]


class BillAnswer(Answer):
    """What a payment comes to: the whole, less benefits, is `due_minor`, which earns points."""

    gross_minor: int
    due_minor: int
    earned: int
    discounts: list[DiscountAnswer]


class ReceiptAnswer(BillAnswer):
    """What was done at the register. A refund and a pay-out are negative. `number` counts the facility's receipts; `day` is
    the register's; `earned` are points (negative: taken back)."""

    id: str
    number: int
    facility_id: str
    deed: Deed
    day: date
    at: AwareDatetime
    currency: str
    method: Method
    member_id: str | None
    booking_id: str | None
    refund_of: str | None
    note: str
    closing_id: str | None


class TotalsAnswer(Answer):
    """Receipts in sum: money by method, what benefits took off by kind, points earned; minor units."""

    receipts: int
    gross_minor: int
    due_minor: int
    by_method: dict[str, int]
    by_deed: dict[str, int]
    off_by_kind: dict[str, int]
    earned: int


class ClosingAnswer(Answer):
    """A closing. `number` counts those of the day. `difference_minor` is the cash counted less the cash that should be there
    (null: not counted)."""

    id: str
    facility_id: str
    day: date
    number: int
    at: AwareDatetime
    currency: str
    totals: TotalsAnswer
    counted_cash_minor: int | None
    difference_minor: int | None


class DayAnswer(Answer):
    """A day of the register: all of it, what is not closed yet, and its closings."""

    facility_id: str
    day: date
    currency: str
    totals: TotalsAnswer
    unclosed: TotalsAnswer
    closings: list[ClosingAnswer]


def router(desk: Desk) -> APIRouter:
    """The routes under /register that only read."""
    routes = APIRouter(tags=["register"], route_class=RefusingRoute)

    @routes.get("/register/receipts", responses=UNKNOWN)
    async def receipts(
        facility_id: str | None = None,
        member: str | None = None,
        booking_id: str | None = None,
        day: date | None = None,
        offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> list[ReceiptAnswer]:
        """Receipts in the order in which they were made: a member's usage history, a stay's payments, a day."""

        def found(connection: Connection) -> list[Receipt]:
            member_id = known.member(connection, member).id if member else None
            given = {"facility_id": facility_id, "member_id": member_id, "booking_id": booking_id, "day": day}
            return store.listed(connection, **given, offset=offset, limit=limit)  # type: ignore[arg-type]

        return [ReceiptAnswer.model_validate(one) for one in await desk.read(found)]

    @routes.get("/register/receipts/{receipt_id}", responses=UNKNOWN)
    async def receipt(receipt_id: str) -> ReceiptAnswer:
        """One receipt."""
        found = await desk.read(lambda connection: handlers.receipt_of(connection, receipt_id))
        return ReceiptAnswer.model_validate(found)

    @routes.get("/register/days/{facility_id}/{day}", responses=UNKNOWN)
    async def of_day(facility_id: str, day: date | Literal["today"]) -> DayAnswer:
        """A day of the register (`today`: its present one): what came in, what is not closed yet, its closings."""
        now = desk.clock.now()
        return await desk.read(lambda connection: _day(connection, facility_id, day, now))

    @routes.get(
        "/register/journal", responses={**UNKNOWN, 200: {"content": {"text/csv": {}}}}, response_class=PlainTextResponse
    )
    async def journal(facility_id: str, day: date) -> Response:
        """The journal of a day for bookkeeping: CSV (UTF-8) with a row for each receipt, amounts in whole minor units."""
        found = await desk.read(lambda connection: _journal(connection, facility_id, day))
        name = f"attachment; filename=journal-{day.isoformat()}.csv"
        return Response(found, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})

    @routes.get("/register/stock", responses=UNKNOWN)
    async def stock(facility_id: str) -> list[StockAnswer]:
        """The gifts that the facility gives, and how many of each are at hand."""

        def found(connection: Connection) -> list[StockAnswer]:
            facility = known.facility(connection, facility_id)
            items = handlers.items_of(connection, facility.id)
            return [stock_answer(connection, facility.id, item) for item in items]

        return await desk.read(found)

    return routes


def stock_answer(connection: Connection, facility_id: str, item_id: str) -> StockAnswer:
    item = handlers.items_of(connection, facility_id)[item_id]
    return StockAnswer(
        item_id=item_id,
        name=item.name,
        at_hand=handlers.stock_of(connection, facility_id, item_id),
        threshold_minor=item.threshold_minor or None,
    )


def closing_answer(closing: Closing, currency: str) -> ClosingAnswer:
    sums = till.totals(closing.receipts)
    counted = closing.counted_cash_minor
    return ClosingAnswer(
        id=closing.id,
        facility_id=closing.facility_id,
        day=closing.day,
        number=closing.number,
        at=closing.at,
        currency=currency,
        totals=TotalsAnswer.model_validate(sums),
        counted_cash_minor=counted,
        difference_minor=None if counted is None else counted - sums.by_method.get(Method.CASH, 0),
    )


def _day(connection: Connection, facility_id: str, day: date | Literal["today"], now: datetime) -> DayAnswer:
    facility = known.facility(connection, facility_id)
    wanted = store.rules_of(connection, facility.id).day(facility, now) if day == "today" else day
    whole = store.listed(connection, facility_id=facility.id, day=wanted)
    return DayAnswer(
        facility_id=facility.id,
        day=wanted,
        currency=facility.currency,
        totals=TotalsAnswer.model_validate(till.totals(whole)),
        unclosed=TotalsAnswer.model_validate(till.totals(one for one in whole if one.closing_id is None)),
        closings=[closing_answer(one, facility.currency) for one in store.closed(connection, facility.id, wanted)],
    )


def _journal(connection: Connection, facility_id: str, day: date) -> str:
    facility = known.facility(connection, facility_id)
    found = store.listed(connection, facility_id=facility.id, day=day)
    rows = journals.rows(
        found,
        facility,
        members=members.numbers(connection, (one.member_id for one in found if one.member_id)),
        payments=store.numbers(connection, (one.refund_of for one in found if one.refund_of)),
        closings={one.id: one.number for one in store.closed(connection, facility.id, day)},
    )
    out = StringIO()
    writer = csv.DictWriter(out, journals.COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
