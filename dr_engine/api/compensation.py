"""Money for events (S400): taken in, allocated (S402, S404), shown, and explained back to the registers (X3)."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import AfterValidator, AwareDatetime, Field, model_validator
from sqlalchemy import Connection

from contracts.dr import CompensationAllocated
from contracts.units import MINOR_DIGITS, utc
from dr_engine import explained, views
from dr_engine.api.doors import Body, Doors, refusals
from dr_engine.domain.allocation import Rule
from dr_engine.settling import terms_for, terms_standing
from dr_engine.store import payments, statements
from dr_engine.store.payments import Payment
from dr_engine.store.statements import Compensation

MAX_MINOR = 10**12
Minor = Annotated[int, Field(ge=0, le=MAX_MINOR, strict=True)]


def _known_currency(code: str) -> str:
    if code not in MINOR_DIGITS:
        raise ValueError(f"we keep no {code}; give one of {', '.join(MINOR_DIGITS)}")
    return code


class CompensationIn(Body):
    """The money for an event (S400), in whole minor units of the currency: the total, of which `capacity_minor` is for what
    was kept available and the rest for what was delivered; or, instead of the total, both of its parts. `rule` shares the
    part for energy; without one the settings say how."""

    statement_id: Annotated[str, Field(min_length=1, max_length=128)]
    revision: Annotated[int, Field(ge=0, le=1_000_000, strict=True)] = 0
    total_minor: Minor | None = None
    capacity_minor: Minor = 0
    energy_minor: Minor | None = None
    currency: Annotated[str, AfterValidator(_known_currency)]
    final: bool = False
    rule: Rule | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> "CompensationIn":
        if self.total_minor is None and self.energy_minor is None:
            raise ValueError("say total_minor, or energy_minor and capacity_minor")
        if self.total_minor is None or self.energy_minor is None:
            if self.total() < self.capacity_minor:
                raise ValueError(f"capacity_minor {self.capacity_minor} is more than the total {self.total()}")
        elif self.total_minor != self.capacity_minor + self.energy_minor:
            told = f"capacity_minor {self.capacity_minor} and energy_minor {self.energy_minor}"
            raise ValueError(f"total_minor {self.total_minor} is not the sum of {told}")
        return self

    def total(self) -> int:
        """All of the money."""
        return self.capacity_minor + (self.energy_minor or 0) if self.total_minor is None else self.total_minor

    def money(self, event_id: str) -> Compensation:
        """As the store takes it."""
        capacity, rule = self.capacity_minor, self.rule
        return Compensation(
            self.statement_id, self.revision, event_id, self.total(), self.currency, self.final, capacity, rule
        )


class PaymentIn(Body):
    """Money that came in for a statement, in whole minor units; negative when it was paid back. The same id is once."""

    payment_id: Annotated[str, Field(min_length=1, max_length=128)]
    amount_minor: Annotated[int, Field(ge=-MAX_MINOR, le=MAX_MINOR, strict=True)]
    currency: Annotated[str, AfterValidator(_known_currency)]
    paid_at: AwareDatetime
    reference: Annotated[str, Field(max_length=500)] = ""


class PaymentView(views.View):
    """A payment."""

    payment_id: str
    amount_minor: int
    paid_at: datetime
    reference: str


class AccountView(views.View):
    """How a statement stands: `difference_minor` is still to come (negative: to be paid back). `awarded_minor` is what our
    awards come to for capacity, beside the `capacity_minor` that was told; None: nothing was awarded through us."""

    statement_id: str
    event_id: str
    currency: str
    due_minor: int
    received_minor: int
    difference_minor: int
    capacity_minor: int
    awarded_minor: int | None
    payments: list[PaymentView]


def router(doors: Doors) -> APIRouter:
    """Routes of compensation."""
    routes = APIRouter()

    @routes.post("/events/{event_id}/compensation", status_code=201)
    async def compensate(event_id: str, body: CompensationIn, response: Response) -> views.StatementView | None:
        """Receive the money for an event (S400) and allocate it (S402, S404): 201, or 200 when just this is known."""
        now, money = doors.clock.now(), body.money(event_id)

        def settle(connection: Connection) -> CompensationAllocated | None:
            terms = terms_for(connection, doors.settings, event_id, money.rule)
            return statements.settle(connection, money, terms, now)

        with refusals():
            new = await doors.database.write(settle)
        response.status_code = 200 if new is None else 201
        return await doors.database.read(lambda connection: views.statement_view(connection, event_id))

    @routes.get("/statements")
    async def list_statements() -> list[views.StatementHead]:
        """Every revision of every statement, in the order in which they were settled."""
        return [views.statement_head(row) for row in await doors.database.read(statements.all_statements)]

    @routes.get("/statements/{statement_id}")
    async def show_statement(statement_id: str) -> list[views.StatementView]:
        """The revisions of a statement, the oldest first; what a later one changes is the difference."""
        with refusals():
            found = await doors.database.read(lambda connection: statements.revisions(connection, statement_id))
        return [views.statement_with(*one) for one in found]

    @routes.get("/statements/{statement_id}/account")
    async def show_account(statement_id: str) -> AccountView:
        """What is due by a statement's last revision, what was received, and the difference."""
        with refusals():
            found = await doors.database.read(lambda connection: payments.account(connection, statement_id))
        return AccountView.model_validate(found, from_attributes=True)

    @routes.post("/statements/{statement_id}/payments", status_code=201)
    async def receive_payment(statement_id: str, body: PaymentIn, response: Response) -> AccountView:
        """Keep what was paid for a statement: 201, or 200 when just this is known."""
        paid_at, now = utc(body.paid_at), doors.clock.now()
        payment = Payment(body.payment_id, statement_id, body.amount_minor, body.currency, paid_at, body.reference)
        with refusals():
            new = await doors.database.write(lambda connection: payments.receive(connection, payment, now))
        response.status_code = 201 if new else 200
        return await show_account(statement_id)

    @routes.get("/events/{event_id}/settlement")
    async def settlement(event_id: str, member_id: str | None = None) -> explained.Settlement:
        """What the event's figures are when they are worked out again now, and for one member the chain from the money back
        to the registers."""

        def work_out(connection: Connection) -> explained.Settlement:
            terms = terms_standing(connection, doors.settings, event_id)
            return explained.settlement(connection, event_id, member_id, terms)

        with refusals():
            return await doors.database.read(work_out)

    return routes
