"""What was paid for a statement."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from dr_engine.domain.bid import BidLine
from dr_engine.domain.product import Products
from dr_engine.domain.settlement import RequestInterval
from dr_engine.domain.terms import Terms
from dr_engine.products import shipped
from dr_engine.store import bids, bookings, events, payments, statements
from dr_engine.store.errors import Clash, Unknown
from dr_engine.store.events import DrEvent
from dr_engine.store.payments import Payment
from dr_engine.store.statements import Compensation
from tests.dr_engine.bench import FACILITY, START, at, booking

PAID = Payment("p1", "st1", 600, "JPY", at(90), "bank 1")


@pytest.fixture
def statement(connection: Connection) -> None:
    bookings.put(connection, booking("ann"))
    events.receive(connection, DrEvent("e1", FACILITY, None, (RequestInterval(at(30), at(45), -9_000),)), START)
    statements.settle(connection, Compensation("st1", 0, "e1", 1_000, "JPY", capacity_minor=20), Terms(), at(61))


@pytest.mark.usefixtures("statement")
def test_S400_a_payment_counts_once(connection: Connection) -> None:
    assert payments.receive(connection, PAID, at(91))
    assert not payments.receive(connection, Payment("p1", "st1", 600, "JPY", at(95)), at(96))
    found = payments.account(connection, "st1")
    assert (found.due_minor, found.received_minor, found.difference_minor) == (1_000, 600, 400)
    assert (list(found.payments), found.capacity_minor, found.awarded_minor) == ([PAID], 20, None)


@pytest.mark.usefixtures("statement")
def test_S400_what_our_awards_come_to_is_beside_the_capacity_that_was_told(connection: Connection) -> None:
    product = Products(shipped()).get("jp-ra-up")
    bids.draft(connection, "bid1", FACILITY, product, [BidLine(at(30), at(60), 9, 5)], START)
    bids.submit(connection, "bid1", product, {at(30): 9}, [], START - timedelta(hours=1))
    bids.award(connection, "bid1", None, START)
    assert payments.account(connection, "st1").awarded_minor == 22  # half of 9 kW at 5, halves to even


@pytest.mark.usefixtures("statement")
@pytest.mark.parametrize(
    ("payment", "why"),
    [
        (Payment("p1", "st1", 601, "JPY", at(90)), "p1 is known with another content"),
        (Payment("p2", "st1", 600, "EUR", at(90)), "is in JPY, not in EUR"),
    ],
)
def test_S400_payments_that_contradict_are_refused(connection: Connection, payment: Payment, why: str) -> None:
    payments.receive(connection, PAID, at(91))
    with pytest.raises(Clash, match=why):
        payments.receive(connection, payment, at(92))
    with pytest.raises(Unknown, match="no statement st9"):
        payments.receive(connection, Payment("p3", "st9", 1, "JPY", at(90)), at(92))
    assert payments.account(connection, "st1").received_minor == 600
