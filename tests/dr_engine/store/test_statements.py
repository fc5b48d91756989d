"""Money for an event: once, exactly, with the members behind it (S400, S402, S404)."""

from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import pytest
from sqlalchemy import Connection, delete, func, select, update

from contracts.csms import RegisterReading, SessionChanged, SessionPhase, Token
from contracts.dr import CompensationAllocated
from contracts.ids import SessionId, StationId
from dr_engine import explained
from dr_engine.domain.allocation import Rule
from dr_engine.domain.baseline import Baseline
from dr_engine.domain.bid import BidLine
from dr_engine.domain.product import Products
from dr_engine.domain.settlement import RequestInterval
from dr_engine.domain.terms import Terms
from dr_engine.products import shipped
from dr_engine.settling import product_of
from dr_engine.store import bids, bookings, dispatching, events, mailboxes, sessions, statements
from dr_engine.store.contributions import worked_out
from dr_engine.store.dispatching import Joined, SentCommand
from dr_engine.store.errors import Clash, Unknown
from dr_engine.store.events import DrEvent
from dr_engine.store.statements import Compensation
from dr_engine.store.tables import compensations, participations, readings, setpoints
from tests.dr_engine.bench import FACILITY, START, at, booking

MONEY = Compensation("st1", 0, "e1", 1_000, "JPY")


def take_part(connection: Connection, name: str, exported_wh: float, *, ended: bool = False) -> None:
    """A guest whose car exports that much evenly in the event; its baseline is nothing."""
    bookings.put(connection, booking(name))
    changed = SessionChanged(
        at=START,
        session_id=SessionId(name),
        revision=1,
        station_id=StationId(name),
        evse_id=1,
        transaction_id="tx",
        phase=SessionPhase.ENDED if ended else SessionPhase.RUNNING,
        started_at=START,
        ended_at=at(45) if ended else None,
        token=Token(value=name, type="Central"),
    )
    sessions.put(connection, changed)
    readings = [
        RegisterReading(session_id=SessionId(name), at=at(30 + n), import_wh=0, export_wh=exported_wh * n / 30)
        for n in range(31)
    ]
    sessions.add_readings(connection, readings)
    dispatching.join(connection, [Joined("e1", name, f"b-{name}", f"m-{name}", at(30), 80, Baseline(at(30), 1, 0, 0, 1))])
    dispatching.ask(connection, "e1", 0, [name])
    dispatching.sent(connection, SentCommand(name, "e1", at(30), -6_000, at(60), "accepted", ""))


def settled(connection: Connection, money: Compensation, now: datetime, terms: Terms | None = None) -> CompensationAllocated:
    told = statements.settle(connection, money, terms or Terms(), now)
    assert told is not None
    return told


@pytest.fixture
def event(connection: Connection) -> None:
    bookings.put(connection, booking("someone"))
    events.receive(connection, DrEvent("e1", FACILITY, None, (RequestInterval(at(30), at(60), -9_000),)), START)
    take_part(connection, "ann", 2_000)
    take_part(connection, "ben", 1_000)
    take_part(connection, "cat", -1_000)
    take_part(connection, "dan", 1_000, ended=True)


@pytest.mark.usefixtures("event")
def test_S402_S404_the_money_is_shared_by_what_each_delivered_and_announced_with_the_members(connection: Connection) -> None:
    told = settled(connection, MONEY, at(61))
    assert [(one.member_id, one.delivered_wh, one.amount_minor) for one in told.shares] == [
        ("m-ann", 2_000, 571),
        ("m-ben", 1_000, 286),
        ("m-dan", 500, 143),
    ]
    assert sum(one.amount_minor for one in told.shares) + told.undistributed_minor == 1_000
    assert mailboxes.unsent(connection) == 1
    found = statements.statement_of(connection, "e1")
    assert found is not None
    statement, rows = found
    assert (statement.delivered_wh, statement.undistributed_minor) == (3_500, 0)
    assert {row.member_id: row.amount_minor for row in rows}["m-cat"] == 0


@pytest.mark.usefixtures("event")
@pytest.mark.parametrize(
    ("again", "why"),
    [
        (Compensation("st1", 0, "e1", 999, "JPY"), "already received with other figures"),
        (Compensation("st1", 2, "e1", 900, "EUR"), "already received with other figures"),
        (Compensation("st1", 2, "e1", 900, "JPY", final=True), "already received with other figures"),
        (Compensation("st2", 0, "e1", 1_000, "JPY"), "st1 revision 2; a correction bears the same name"),
        (Compensation("st1", 1, "e1", 1_000, "JPY"), "revision 1 comes too late"),
        (Compensation("st1", 3, "e1", 1_000, "EUR"), "in JPY, not in EUR"),
        (Compensation("st1", 3, "e2", 1_000, "JPY"), "statement st1 is for DR event e1"),
    ],
)
def test_X3_nothing_is_paid_twice(connection: Connection, again: Compensation, why: str) -> None:
    events.receive(connection, DrEvent("e2", FACILITY, None, (RequestInterval(at(90), at(95), -9_000),)), START)
    statements.settle(connection, MONEY, Terms(), at(61))
    statements.settle(connection, Compensation("st1", 2, "e1", 900, "JPY"), Terms(), at(62))
    with pytest.raises(Clash, match=why):
        statements.settle(connection, again, Terms(), at(120))
    assert connection.execute(select(func.count()).select_from(compensations)).scalar() == 2
    assert mailboxes.unsent(connection) == 2


@pytest.mark.usefixtures("event")
@pytest.mark.parametrize(
    ("rule", "amounts"),
    [
        (Rule.PRO_RATA, {"m-ann": 571, "m-ben": 286, "m-dan": 143}),
        (Rule.EQUAL, {"m-ann": 334, "m-ben": 333, "m-dan": 333}),
        (Rule.SHAPLEY, {"m-ann": 571, "m-ben": 286, "m-dan": 143}),
    ],
)
def test_S402_the_rule_is_that_of_the_statement(connection: Connection, rule: Rule, amounts: dict[str, int]) -> None:
    told = settled(connection, MONEY, at(61), Terms(rule=rule))
    assert {one.member_id: one.amount_minor for one in told.shares} == amounts
    assert explained.settlement(connection, "e1", None, Terms(rule=rule)).unchanged is True
    assert explained.settlement(connection, "e1", None, Terms(tolerance=0.2, rule=rule)).unchanged is False
    assert statements.settle(connection, MONEY, Terms(rule=rule), at(62)) is None
    with pytest.raises(Clash, match="other figures"):
        statements.settle(connection, replace(MONEY, rule=Rule.AVAILABILITY), Terms(), at(62))


@pytest.mark.usefixtures("event")
def test_S402_capacity_goes_to_who_was_available_by_what_was_sold(connection: Connection) -> None:
    for name, up_w in (("ann", 4_000), ("ben", 4_000), ("cat", 9_000), ("dan", 4_000)):
        connection.execute(update(participations).where(participations.c.session_id == name).values(up_w=up_w))
    line = BidLine(at(30), at(60), 9, 3)
    product = Products(shipped()).get("jp-ra-up")
    bids.draft(connection, "bid1", FACILITY, product, [line], START)
    bids.submit(connection, "bid1", product, {at(30): 9}, [], START - timedelta(hours=1))
    bids.award(connection, "bid1", None, START)
    assert bids.sold_in(connection, FACILITY, at(45), at(90), "up") == 3 * 9 * 15 * 60
    assert bids.sold_in(connection, FACILITY, at(45), at(90), "down") == 0
    assert product_of(connection, events.get(connection, "e1"), Products(shipped())) == product
    told = settled(connection, replace(MONEY, total_minor=1_500, capacity_minor=500), at(61), Terms(facility_bp=1_000))
    assert {one.member_id: one.amount_minor for one in told.shares} == {
        "m-ann": 514 + 180,
        "m-ben": 257 + 180,
        "m-dan": 129 + 90,
    }
    assert (told.total_minor, told.undistributed_minor) == (1_350, 0)
    found = statements.statement_of(connection, "e1")
    assert found is not None
    assert (found[0].facility_minor, found[0].capacity_minor) == (150, 500)
    assert {row.member_id: row.capacity_minor for row in found[1]} == {"m-ann": 180, "m-ben": 180, "m-cat": 0, "m-dan": 90}


@pytest.mark.usefixtures("event")
def test_X3_what_was_settled_before_there_were_terms_gives_the_same_figures(connection: Connection) -> None:
    connection.execute(delete(setpoints))
    before = Terms(tolerance=None)
    told = settled(connection, MONEY, at(61), before)
    assert [one.delivered_wh for one in told.shares] == [2_000, 1_000, 500]
    assert msgspec.convert({"tolerance": None}, Terms) == before
    fingerprint = explained.settlement(connection, "e1", None, before).fingerprint
    assert fingerprint == "97a2a060667fccefacc1701b0319eb87982f461d21310830ccc228f3f074fba3"  # as it was kept then


@pytest.mark.usefixtures("event")
def test_X3_what_is_invalid_or_not_signed_where_it_has_to_be_is_not_paid(connection: Connection) -> None:
    mine = readings.c.session_id == "ann"
    connection.execute(update(readings).where(mine).values(signature="valid"))
    connection.execute(update(readings).where(readings.c.session_id == "ben").values(signature="invalid"))
    known = events.get(connection, "e1")
    credited = {one.session_id: one.delivered_wh for one in worked_out(connection, known, Terms()).found}
    assert credited == {"ann": 2_000, "ben": 0, "cat": 0, "dan": 500}
    signed = {one.session_id: one.delivered_wh for one in worked_out(connection, known, Terms(signed_only=True)).found}
    assert signed == {"ann": 2_000, "ben": 0, "cat": 0, "dan": 0}
    (chain,) = explained.settlement(connection, "e1", "m-ben", Terms()).chains
    assert (chain.intervals[0].quality, chain.intervals[0].readings[0].signature) == ("missing", "invalid")


@pytest.mark.usefixtures("event")
@pytest.mark.parametrize("again", [MONEY, Compensation("st1", 2, "e1", 900, "JPY")])
def test_S400_the_same_revision_again_is_the_same_money(connection: Connection, again: Compensation) -> None:
    statements.settle(connection, MONEY, Terms(), at(61))
    statements.settle(connection, Compensation("st1", 2, "e1", 900, "JPY"), Terms(), at(62))
    assert statements.settle(connection, again, Terms(), at(63)) is None
    assert mailboxes.unsent(connection) == 2


@pytest.mark.usefixtures("event")
def test_X3_a_revision_is_the_whole_statement_anew_with_the_registers_of_then(connection: Connection) -> None:
    first = settled(connection, MONEY, at(61))
    late = [RegisterReading(session_id=SessionId("dan"), at=at(45), import_wh=0, export_wh=1_500)]
    connection.execute(delete(readings).where(readings.c.session_id == "dan", readings.c.at >= at(45)))
    sessions.add_readings(connection, late)
    second = settled(connection, Compensation("st1", 1, "e1", 1_001, "JPY", final=True), at(70))
    assert [one.delivered_wh for one in first.shares if one.member_id == "m-dan"] == [500]
    assert [one.delivered_wh for one in second.shares if one.member_id == "m-dan"] == [1_500]
    assert sum(one.amount_minor for one in second.shares) + second.undistributed_minor == 1_001
    revisions = statements.revisions(connection, "st1")
    assert [(row.revision, row.total_minor, row.final, len(parts)) for row, parts in revisions] == [
        (0, 1_000, False, 4),
        (1, 1_001, True, 4),
    ]
    assert revisions[0][0].fingerprint != revisions[1][0].fingerprint
    standing = statements.statement_of(connection, "e1")
    assert standing is not None
    assert standing[0].revision == 1
    assert [row.revision for row in statements.all_statements(connection)] == [0, 1]
    with pytest.raises(Clash, match="which is final"):
        statements.settle(connection, Compensation("st1", 2, "e1", 1_000, "JPY"), Terms(), at(71))


@pytest.mark.usefixtures("event")
def test_X3_the_registers_behind_a_credit_are_found_again(connection: Connection) -> None:
    statements.settle(connection, MONEY, Terms(), at(61))
    dispatching.sent(connection, SentCommand("ann", "e1", at(65), 0, at(70), "accepted", ""))
    found = explained.settlement(connection, "e1", "m-ann", Terms())
    assert found.unchanged is True
    (chain,) = found.chains
    (interval,) = chain.intervals
    assert (chain.amount_minor, chain.delivered_wh, interval.credit_wh) == (571, 2_000, 2_000)
    assert [(one.power_w, one.status) for one in interval.commands] == [(-6_000, "accepted")]
    first, last = interval.readings[0], interval.readings[-1]
    assert (first.at, last.at) == (at(30), at(60))
    assert interval.baseline_wh - ((last.import_wh - first.import_wh) - (last.export_wh - first.export_wh)) == 2_000
    with pytest.raises(Unknown, match="m-zoe took no part"):
        explained.settlement(connection, "e1", "m-zoe", Terms())


@pytest.mark.usefixtures("event")
def test_X3_registers_that_come_after_a_settlement_are_seen(connection: Connection) -> None:
    assert explained.settlement(connection, "e1", None, Terms()).unchanged is None
    statements.settle(connection, MONEY, Terms(), at(61))
    connection.execute(delete(readings).where(readings.c.session_id == "ben", readings.c.at > at(50)))
    assert explained.settlement(connection, "e1", None, Terms()).unchanged is False


@pytest.mark.usefixtures("event")
def test_S400_money_is_taken_for_known_events_that_are_over(connection: Connection) -> None:
    with pytest.raises(Unknown):
        statements.settle(connection, Compensation("st1", 0, "e9", 1, "JPY"), Terms(), at(61))
    with pytest.raises(Clash, match="running"):
        statements.settle(connection, MONEY, Terms(), at(59))
    events.cancel(connection, "e1", at(59))
    with pytest.raises(Clash, match="cancelled"):
        statements.settle(connection, MONEY, Terms(), at(61))


def test_S402_when_nobody_delivered_the_money_stays_undistributed(connection: Connection) -> None:
    bookings.put(connection, booking("ann"))
    events.receive(connection, DrEvent("e1", FACILITY, None, (RequestInterval(at(30), at(60), -9_000),)), START)
    told = settled(connection, MONEY, at(61))
    assert (told.shares, told.undistributed_minor) == ((), 1_000)


@pytest.mark.usefixtures("event")
def test_X3_running_a_settlement_again_gives_the_same_figures(connection: Connection) -> None:
    known = events.get(connection, "e1")
    assert worked_out(connection, known, Terms()) == worked_out(connection, known, Terms())
    assert {one.session_id: one.verdict for one in worked_out(connection, known, Terms()).found}["dan"] == "left"
