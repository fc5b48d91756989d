"""Settlement: the money of an event, its allocation, and its revisions (S400, S402, S404)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, insert, select

from contracts.dr import CompensationAllocated, Share
from contracts.ids import BookingId, DrEventId, FacilityId, MemberId, SessionId
from dr_engine.domain.allocation import Rule
from dr_engine.domain.pools import Money, Shared, game_of, share_money
from dr_engine.domain.request import EventState
from dr_engine.domain.settlement import fingerprint, quality
from dr_engine.domain.terms import Terms
from dr_engine.store import bids, events
from dr_engine.store.contributions import Contribution, worked_out
from dr_engine.store.errors import Clash, Unknown
from dr_engine.store.events import DrEvent
from dr_engine.store.tables import allocations, compensations, mailboxes, statements


@dataclass(frozen=True, slots=True)
class Compensation:
    """The money for an event, as the upper aggregator states it: whole minor units of the currency."""

    statement_id: str
    revision: int
    event_id: str
    total_minor: int
    currency: str
    final: bool = False
    """Nothing comes after it."""
    capacity_minor: int = 0
    """Of the total; the rest is for energy."""
    rule: Rule | None = None
    """How the money for energy is to be shared, where that was asked for by name."""


def settle(connection: Connection, money: Compensation, terms: Terms, now: datetime) -> CompensationAllocated | None:
    """Receive a compensation (S400), allocate it (S402), and announce it with the members (S404), in one transaction. The
    same revision with the same figures again is the same money: None, and nothing changes (who lost our answer asks again).

    A later revision of the statement is the whole statement anew, from the registers as they are known then; who is told of
    it posts the differences. Raises Unknown for an unknown event, and Clash, with nothing changed, for one that is not over
    or was cancelled, for a revision that came with other figures, and for what may not follow the one that stands: another
    statement, another event, another currency, an older revision, anything after a final one.
    """
    event = events.get(connection, money.event_id)
    if _is_known(connection, money):
        return None
    _refuse_unfit(connection, event, money, now)
    figures = worked_out(connection, event, terms)
    if figures.site is not None and figures.site.faults:
        raise Clash(f"DR event {event.event_id} cannot be settled: {'; '.join(figures.site.faults)}")
    found = figures.found
    shared = shared_of(
        connection, event, found, Money(money.capacity_minor, money.total_minor - money.capacity_minor), terms
    )
    _write(connection, money, terms, found, shared, now)
    announcement = _announcement(money, event, found, shared, now)
    mailboxes.announce(connection, announcement)
    return announcement


def shared_of(connection: Connection, event: DrEvent, found: Sequence[Contribution], money: Money, terms: Terms) -> Shared:
    """The money of an event, shared out. The pool for capacity goes to the intervals by what was sold of them; where nothing
    was sold through us, by their length."""
    sold = [bids.sold_in(connection, event.facility_id, one.start, one.end, one.direction) for one in event.intervals]
    if not any(sold):
        sold = [round((one.end - one.start).total_seconds()) for one in event.intervals]
    game = game_of(event.intervals, (one.parts for one in found), terms)
    return share_money(money, [one.stake for one in found], sold, terms, game)


def _is_known(connection: Connection, money: Compensation) -> bool:
    """Whether just this was received already. Raises Clash when something else was under the name."""
    known = connection.execute(_WITH_MONEY.where(statements.c.statement_id == money.statement_id)).all()
    if known and known[0].event_id != money.event_id:
        raise Clash(f"statement {money.statement_id} is for DR event {known[0].event_id}")
    same = next((one for one in known if one.revision == money.revision), None)
    if same is None:
        return False
    told = (money.total_minor, money.capacity_minor, money.currency, money.final, money.rule or terms_kept(same).rule)
    if (same.total_minor, same.capacity_minor, same.currency, same.final, terms_kept(same).rule) != told:
        raise Clash(f"statement {money.statement_id} revision {money.revision} was already received with other figures")
    return True


def _refuse_unfit(connection: Connection, event: DrEvent, money: Compensation, now: datetime) -> None:
    state = event.state(now)
    if state not in (EventState.ENDED, EventState.SETTLED):
        raise Clash(f"DR event {event.event_id} is {state.value}; it can be compensated once it has ended")
    standing = statement_of(connection, event.event_id)
    if standing is None:
        return
    last, _ = standing
    stands = f"DR event {event.event_id} is settled by statement {last.statement_id} revision {last.revision}"
    if money.statement_id != last.statement_id:
        raise Clash(f"{stands}; a correction bears the same name and a higher revision")
    if last.final:
        raise Clash(f"{stands}, which is final")
    if money.revision < last.revision:
        raise Clash(f"{stands}; revision {money.revision} comes too late")
    if money.currency != last.currency:
        raise Clash(f"{stands} in {last.currency}, not in {money.currency}")


def _write(
    connection: Connection,
    money: Compensation,
    terms: Terms,
    found: Sequence[Contribution],
    shared: Shared,
    now: datetime,
) -> None:
    name = {"statement_id": money.statement_id, "revision": money.revision}
    sums = {key: getattr(money, key) for key in ("event_id", "total_minor", "capacity_minor", "currency")}
    connection.execute(insert(compensations).values({**name, **sums, "received_at": now}))
    connection.execute(
        insert(statements).values(
            **name,
            event_id=money.event_id,
            delivered_wh=sum(one.delivered_wh for one in found),
            undistributed_minor=shared.undistributed_minor,
            settled_at=now,
            final=money.final,
            fingerprint=figures_of(found, money.total_minor, money.capacity_minor, money.currency, terms),
            terms=msgspec.to_builtins(terms),
            aggregator_minor=shared.aggregator_minor,
            facility_minor=shared.facility_minor,
        )
    )
    rows = [
        {
            **name,
            "session_id": one.session_id,
            "booking_id": one.booking_id,
            "member_id": one.member_id,
            "delivered_wh": one.delivered_wh,
            "amount_minor": shared.amount(one.session_id),
            "quality": quality(one.parts).value,
            "available_wh": sum(one.stake.available_wh),
            "capacity_minor": shared.capacity[one.session_id],
        }
        for one in found
    ]
    if rows:
        connection.execute(insert(allocations), rows)


def _announcement(
    money: Compensation, event: DrEvent, found: Sequence[Contribution], shared: Shared, now: datetime
) -> CompensationAllocated:
    """The shares of all who delivered or have a part; the total is the members', without aggregator's and facility's own."""
    shares = tuple(
        Share(
            member_id=MemberId(one.member_id),
            booking_id=BookingId(one.booking_id),
            session_id=SessionId(one.session_id),
            delivered_wh=one.delivered_wh,
            amount_minor=shared.amount(one.session_id),
        )
        for one in found
        if one.delivered_wh or shared.amount(one.session_id)
    )
    return CompensationAllocated(
        at=now,
        statement_id=money.statement_id,
        revision=money.revision,
        event_id=DrEventId(event.event_id),
        facility_id=FacilityId(event.facility_id),
        currency=money.currency,
        total_minor=money.total_minor - shared.aggregator_minor - shared.facility_minor,
        undistributed_minor=shared.undistributed_minor,
        shares=shares,
        final=money.final,
    )


def figures_of(found: Sequence[Contribution], total_minor: int, capacity_minor: int, currency: str, terms: Terms) -> str:
    """The fingerprint of what these sessions did, with the money and the terms; without terms for statements from before."""
    money = f"{total_minor} {currency}"
    if terms.tolerance is not None:
        money += f" {capacity_minor} {msgspec.json.encode(_own_terms(terms), order='sorted').decode()}"
    return fingerprint(((one.session_id, one.parts) for one in found), money)


def _own_terms(terms: Terms) -> dict[str, Any]:
    """What of the terms is not the standard: what the standard is given later changes no figures."""
    standard: dict[str, Any] = msgspec.to_builtins(Terms())
    return {name: value for name, value in msgspec.to_builtins(terms).items() if value != standard[name]}


def terms_kept(statement: Row[Any]) -> Terms:
    """The terms by which a statement was settled."""
    return msgspec.convert(statement.terms, Terms)


_MONEY = (compensations.c.total_minor, compensations.c.capacity_minor, compensations.c.currency)
_WITH_MONEY = select(statements, *_MONEY).join(
    compensations,
    (statements.c.statement_id == compensations.c.statement_id) & (statements.c.revision == compensations.c.revision),
)


def statement_of(connection: Connection, event_id: str) -> tuple[Row[Any], Sequence[Row[Any]]] | None:
    """The statement of an event as it stands (with its money) and its allocation rows, or None before it is settled."""
    query = _WITH_MONEY.where(statements.c.event_id == event_id).order_by(statements.c.revision.desc()).limit(1)
    statement = connection.execute(query).first()
    return None if statement is None else (statement, _parts(connection, statement))


def revisions(connection: Connection, statement_id: str) -> list[tuple[Row[Any], Sequence[Row[Any]]]]:
    """All revisions of a statement with their allocation rows, the oldest first. Raises Unknown when there is none."""
    query = _WITH_MONEY.where(statements.c.statement_id == statement_id).order_by(statements.c.revision)
    found = [(statement, _parts(connection, statement)) for statement in connection.execute(query).all()]
    if not found:
        raise Unknown(f"no statement {statement_id} is known")
    return found


def all_statements(connection: Connection) -> Sequence[Row[Any]]:
    """Every revision of every statement, with its money, in the order in which they were settled."""
    query = _WITH_MONEY.order_by(statements.c.settled_at, statements.c.statement_id, statements.c.revision)
    return connection.execute(query).all()


def _parts(connection: Connection, statement: Row[Any]) -> Sequence[Row[Any]]:
    row = allocations.c
    parts = select(allocations).where(row.statement_id == statement.statement_id, row.revision == statement.revision)
    return connection.execute(parts.order_by(row.session_id)).all()


def count(connection: Connection) -> int:
    """How many statements were settled."""
    return connection.execute(select(func.count()).select_from(statements)).scalar_one()
