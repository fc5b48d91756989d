"""Routes of the register: what a till does (POS)."""

from datetime import date, datetime, time
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from sqlalchemy import Connection

from reservation.api.benefits import Minor, PositiveMinor
from reservation.api.desk import Desk
from reservation.api.fields import Answer, Asked, Id, LocalTime, Text
from reservation.api.idempotent import RequiredKey, once
from reservation.api.receipts import (
    UNKNOWN,
    BillAnswer,
    ClosingAnswer,
    ReceiptAnswer,
    StockAnswer,
    closing_answer,
    stock_answer,
)
from reservation.api.refusals import RefusalAnswer, RefusingRoute
from reservation.domain.till import Method, Redemption, RegisterRules
from reservation.handlers import known
from reservation.handlers import register as handlers
from reservation.handlers.register import Payment
from reservation.store import receipts as store

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


class ClosingBody(Asked):
    """The closing of a day, the register's present one if none is named. `counted_cash_minor` is the cash in the drawer,
    less what it began with."""

    facility_id: Id
    day: date | None = None
    counted_cash_minor: Annotated[int, Field(strict=True, ge=-(10**12), le=10**12)] | None = None


def router(desk: Desk) -> APIRouter:
    """The routes under /register, and the rules under /facilities/{id}/register."""
    routes = APIRouter(tags=["register"], route_class=RefusingRoute)
    _rules(routes, desk)
    _writes(routes, desk)
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
            return stock_answer(connection, body.facility_id, body.item_id)

        return await once(desk, idempotency_key, "stock", body, work, StockAnswer)

    @routes.post("/register/closings", status_code=201, responses=REFUSALS)
    async def close(body: ClosingBody, idempotency_key: RequiredKey) -> ClosingAnswer:
        """Close a day (settlement): what was not closed yet is summed and taken out of the till. A day that is closed can be
        closed once more when receipts came since."""

        def work(connection: Connection, now: datetime) -> ClosingAnswer:
            closing = handlers.close(connection, body.facility_id, body.day, body.counted_cash_minor, now)
            return closing_answer(closing, known.facility(connection, body.facility_id).currency)

        return await once(desk, idempotency_key, "closings", body, work, ClosingAnswer)


def _rules_of(connection: Connection, facility_id: str) -> RulesBody:
    return RulesBody.model_validate(_written(store.rules_of(connection, known.facility(connection, facility_id).id)))


def _written(rules: RegisterRules) -> dict[str, Any]:
    return {name: getattr(rules, name) for name in RulesBody.model_fields} | {"day_starts": f"{rules.day_starts:%H:%M}"}
