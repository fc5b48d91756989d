"""What the upper aggregator has really paid for a statement, beside what the statement says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from sqlalchemy import Connection, insert, select

from dr_engine.store import bids, events, statements
from dr_engine.store.errors import Clash
from dr_engine.store.events import DrEvent
from dr_engine.store.tables import payments


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came in for a statement, in whole minor units; negative when we paid back. `reference` is the bank's."""

    payment_id: str
    statement_id: str
    amount_minor: int
    currency: str
    paid_at: datetime
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A statement's money: due by its last revision, received, and what our awards come to for capacity (None: none was
    awarded through us)."""

    statement_id: str
    event_id: str
    currency: str
    due_minor: int
    capacity_minor: int
    awarded_minor: int | None
    payments: Sequence[Payment]

    @property
    def received_minor(self) -> int:
        """All payments."""
        return sum(one.amount_minor for one in self.payments)

    @property
    def difference_minor(self) -> int:
        """What is still to come; negative: what is to be paid back."""
        return self.due_minor - self.received_minor


_COLUMNS = tuple(payments.c[name] for name in Payment.__dataclass_fields__)


def receive(connection: Connection, payment: Payment, now: datetime) -> bool:
    """Keep a payment: True when it is new, False when its id is known with this amount. Raises Unknown for a statement that
    is not known, and Clash for one in another currency, and for an id that stands for another payment."""
    standing = statements.revisions(connection, payment.statement_id)[-1][0]
    if payment.currency != standing.currency:
        raise Clash(f"statement {payment.statement_id} is in {standing.currency}, not in {payment.currency}")
    row = payments.c
    known = connection.execute(
        select(row.statement_id, row.amount_minor).where(row.payment_id == payment.payment_id)
    ).first()
    if known is not None:
        if tuple(known) == (payment.statement_id, payment.amount_minor):
            return False
        raise Clash(f"payment {payment.payment_id} is known with another content; give the new one an id of its own")
    values = {name: getattr(payment, name) for name in Payment.__dataclass_fields__}
    connection.execute(insert(payments).values(values | {"received_at": now}))
    return True


def account(connection: Connection, statement_id: str) -> Account:
    """How a statement stands. Raises Unknown."""
    standing = statements.revisions(connection, statement_id)[-1][0]
    query = select(*_COLUMNS).where(payments.c.statement_id == statement_id)
    found = connection.execute(query.order_by(payments.c.paid_at, payments.c.payment_id))
    return Account(
        statement_id=statement_id,
        event_id=standing.event_id,
        currency=standing.currency,
        due_minor=standing.total_minor,
        capacity_minor=standing.capacity_minor,
        awarded_minor=_awarded(connection, events.get(connection, standing.event_id)),
        payments=[Payment(*one) for one in found],
    )


def _awarded(connection: Connection, event: DrEvent) -> int | None:
    """What was sold of the event's time, at the prices awarded: price times kW, by the share of each block."""
    total, sold = Fraction(0), False
    for interval in event.intervals:
        for award in bids.awards_between(connection, event.facility_id, interval.start, interval.end):
            if award.direction == interval.direction:
                inside = min(interval.end, award.end) - max(interval.start, award.start)
                total += award.price_minor_per_kw * award.awarded_kw * Fraction(inside / (award.end - award.start))
                sold = True
    return round(total) if sold else None
