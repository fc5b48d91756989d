"""Routes of the register: what a till does (POS)."""

from datetime import date, datetime, time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, ConfigDict, Field
from sqlalchemy import Connection

from reservation.api.benefits import Minor, PositiveMinor
from reservation.api.desk import Desk
from reservation.api.fields import Answer, Asked, Id, LocalTime, Text
from reservation.api.idempotent import RequiredKey, once
from reservation.api.refusals import RefusalAnswer, RefusingRoute
from reservation.domain import till
from reservation.domain.benefit import Kind
from reservation.domain.till import Deed, Method, Receipt, Redemption, RegisterRules
from reservation.handlers import known
from reservation.handlers import register as handlers
from reservation.handlers.register import Payment
from reservation.store import receipts as store
from reservation.store.receipts import Closing

UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": RefusalAnswer}}
REFUSALS: dict[int | str, dict[str, Any]] = {**UNKNOWN, 409: {"model": RefusalAnswer}}
Points = Annotated[int, Field(strict=True, ge=0, le=10**12)]
Note = Annotated[str, Field(max_length=200, description="For people; kept as it is")]


class RulesBody(Asked, Answer):
    """A register's rules. Its day begins at `day_starts` on the facility's clocks. `earn_points` points for each full
    `earn_per_minor` that is paid in money (0: none), which expire after `points_expire_days`. A point that is spent is worth
    `point_minor`."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"day_starts": "05:00", "earn_points": 1, "earn_per_minor": 100}]}
    )

    day_starts: LocalTime = time(0)
    earn_points: int = Field(default=0, strict=True, ge=0, le=1_000)
    earn_per_minor: int = Field(default=100, strict=True, ge=1, le=10**9)
    points_expire_days: Annotated[int, Field(strict=True, ge=1, le=3_650)] | None = None
    point_minor: int = Field(default=1, strict=True, ge=1, le=1_000_000)

    def rules(self) -> RegisterRules:
        """The rules that are meant."""
        return RegisterRules(**{name: getattr(self, name) for name in type(self).model_fields})


class RedeemBody(Asked):
    """What the member spends on the payment: points; an amount off and cash benefits, in minor units; one rate off, by the
    id of its benefit in the wallet; items, by id (one named twice is handed over twice)."""

    points: Points = 0
    amount_off_minor: Minor = 0
    cash_minor: Minor = 0
    rate_off: Annotated[str, Field(min_length=1, max_length=36)] | None = None
    items: list[Id] = Field(default=[], max_length=50)


class PaymentBody(Asked):
    """A payment. `amount_minor` is the whole of it, before benefits. `member` is an id, a number or a phone; a booking names
    its member by itself. Nobody needs to be named where no benefit is spent and no points are earned."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "facility_id": "salon",
                    "amount_minor": 8_800,
                    "method": "card",
                    "member": "1001",
                    "redeem": {"points": 500},
                },
                {"facility_id": "salon", "amount_minor": 1_200},
            ]
        }
    )

    facility_id: Id
    amount_minor: Minor
    method: Method = Method.CASH
    member: Text | None = None
    booking_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    redeem: RedeemBody = Field(default_factory=RedeemBody)
    note: Note = ""

    def payment(self) -> Payment:
        """The payment that is meant."""
        redeem = self.redeem.model_dump() | {"items": tuple(self.redeem.items)}
        return Payment(
            facility_id=self.facility_id,
            gross_minor=self.amount_minor,
            method=self.method,
            member=self.member,
            booking_id=self.booking_id,
            redeem=Redemption(**redeem),
            note=self.note,
        )


class RefundBody(Asked):
    """A refund of a payment: of all that is left of it, or of `amount_minor` of its whole. Money and benefits come back in
    proportion, and earned points are taken back. `method` is how the money goes back, if not as it came."""

    receipt_id: Annotated[str, Field(min_length=1, max_length=36)]
    amount_minor: PositiveMinor | None = None
    method: Method | None = None
    note: Note = ""


class PayoutBody(Asked):
    """A cash benefit that is paid out of the till."""

    facility_id: Id
    member: Text
    amount_minor: PositiveMinor
    note: Note = ""


class StockBody(Asked):
    """So many of a gift come into the stock; negative: are taken out of it."""

    facility_id: Id
    item_id: Id
    count: int = Field(strict=True, ge=-1_000_000, le=1_000_000)


class StockAnswer(Answer):
    """How many of a gift are at hand, and the credit for which one is handed over (null: no longer given)."""

    item_id: str
    name: str
    at_hand: int
    threshold_minor: int | None


class ClosingBody(Asked):
    """The closing of a day, the register's present one if none is named. `counted_cash_minor` is the cash in the drawer,
    less what it began with."""

    facility_id: Id
    day: date | None = None
    counted_cash_minor: Annotated[int, Field(strict=True, ge=-(10**12), le=10**12)] | None = None


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
    """The routes under /register, and the rules under /facilities/{id}/register."""
    routes = APIRouter(tags=["register"], route_class=RefusingRoute)
    _rules(routes, desk)
    _writes(routes, desk)
    _reads(routes, desk)
    return routes


def _rules(routes: APIRouter, desk: Desk) -> None:
    @routes.get("/facilities/{facility_id}/register", responses=UNKNOWN)
    async def rules(facility_id: str) -> RulesBody:
        """The rules of the facility's register."""
        return await desk.read(lambda connection: _rules_of(connection, facility_id))

    @routes.put("/facilities/{facility_id}/register", responses=UNKNOWN)
    async def change(facility_id: str, body: RulesBody) -> RulesBody:
        """Change the rules of the facility's register from now on."""
        wanted = body.rules()
        await desk.write(lambda connection, now: handlers.set_rules(connection, facility_id, wanted, now))
        return body


def _writes(routes: APIRouter, desk: Desk) -> None:
    @routes.post("/register/quotes", responses=REFUSALS)
    async def quote(body: PaymentBody) -> BillAnswer:
        """What a payment would come to. Nothing is done."""
        now = desk.clock.now()
        bill = await desk.read(lambda connection: handlers.quote(connection, body.payment(), now))
        return BillAnswer.model_validate(bill)

    @routes.post("/register/payments", status_code=201, responses=REFUSALS)
    async def pay(body: PaymentBody, idempotency_key: RequiredKey) -> ReceiptAnswer:
        """Take a payment, with the benefits that the member spends on it, and give the points that it earns."""

        def work(connection: Connection, now: datetime) -> ReceiptAnswer:
            return ReceiptAnswer.model_validate(handlers.pay(connection, body.payment(), now))

        return await once(desk, idempotency_key, "payments", body, work, ReceiptAnswer)

    @routes.post("/register/refunds", status_code=201, responses=REFUSALS)
    async def refund(body: RefundBody, idempotency_key: RequiredKey) -> ReceiptAnswer:
        """Refund a payment: money and benefits are given back, points that it earned are taken back."""

        def work(connection: Connection, now: datetime) -> ReceiptAnswer:
            given = (body.receipt_id, body.amount_minor, body.method, body.note)
            return ReceiptAnswer.model_validate(handlers.refund(connection, *given, now))

        return await once(desk, idempotency_key, "refunds", body, work, ReceiptAnswer)

    @routes.post("/register/payouts", status_code=201, responses=REFUSALS)
    async def pay_out(body: PayoutBody, idempotency_key: RequiredKey) -> ReceiptAnswer:
        """Pay a member's cash benefit out of the till."""

        def work(connection: Connection, now: datetime) -> ReceiptAnswer:
            given = (body.facility_id, body.member, body.amount_minor, body.note)
            return ReceiptAnswer.model_validate(handlers.pay_out(connection, *given, now))

        return await once(desk, idempotency_key, "payouts", body, work, ReceiptAnswer)

    @routes.post("/register/stock", status_code=201, responses=REFUSALS)
    async def stock_up(body: StockBody, idempotency_key: RequiredKey) -> StockAnswer:
        """Count gifts into the stock, or out of it."""

        def work(connection: Connection, now: datetime) -> StockAnswer:
            handlers.stock_up(connection, body.facility_id, body.item_id, body.count, now)
            return _stock(connection, body.facility_id, body.item_id)

        return await once(desk, idempotency_key, "stock", body, work, StockAnswer)

    @routes.post("/register/closings", status_code=201, responses=REFUSALS)
    async def close(body: ClosingBody, idempotency_key: RequiredKey) -> ClosingAnswer:
        """Close a day (settlement): what was not closed yet is summed and taken out of the till. A day that is closed can be
        closed once more when receipts came since."""

        def work(connection: Connection, now: datetime) -> ClosingAnswer:
            closing = handlers.close(connection, body.facility_id, body.day, body.counted_cash_minor, now)
            return _closing(closing, known.facility(connection, body.facility_id).currency)

        return await once(desk, idempotency_key, "closings", body, work, ClosingAnswer)


def _reads(routes: APIRouter, desk: Desk) -> None:
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

    @routes.get("/register/stock", responses=UNKNOWN)
    async def stock(facility_id: str) -> list[StockAnswer]:
        """The gifts that the facility gives, and how many of each are at hand."""

        def found(connection: Connection) -> list[StockAnswer]:
            facility = known.facility(connection, facility_id)
            items = handlers.items_of(connection, facility.id)
            return [_stock(connection, facility.id, item) for item in items]

        return await desk.read(found)


def _rules_of(connection: Connection, facility_id: str) -> RulesBody:
    return RulesBody.model_validate(_written(store.rules_of(connection, known.facility(connection, facility_id).id)))


def _written(rules: RegisterRules) -> dict[str, Any]:
    return {name: getattr(rules, name) for name in RulesBody.model_fields} | {"day_starts": f"{rules.day_starts:%H:%M}"}


def _stock(connection: Connection, facility_id: str, item_id: str) -> StockAnswer:
    item = handlers.items_of(connection, facility_id)[item_id]
    return StockAnswer(
        item_id=item_id,
        name=item.name,
        at_hand=handlers.stock_of(connection, facility_id, item_id),
        threshold_minor=item.threshold_minor or None,
    )


def _closing(closing: Closing, currency: str) -> ClosingAnswer:
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
        closings=[_closing(one, facility.currency) for one in store.closed(connection, facility.id, wanted)],
    )
