"""What a member has, and what happened to it: the ledger, seen from the member."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, select

from reservation.domain.grant import Grant
from reservation.store import grants
from reservation.store.tables import ledger_entries, ledger_lines
from runtime.storage.sums import total


@dataclass(frozen=True, slots=True)
class Holding:
    """A benefit with what is left of it, in its unit."""

    grant: Grant
    available: int
    pending: int


@dataclass(frozen=True, slots=True)
class Debt:
    """What a member owes of a kind at a facility: taken back after it was spent."""

    facility_id: str
    kind: str
    amount: int


@dataclass(frozen=True, slots=True)
class Movement:
    """One posting as it changed a benefit: what could be spent, what was pending, what is owed because of it."""

    position: int
    at: datetime
    key: str
    unit: str
    grant_id: str
    available: int
    pending: int
    owed: int


def holdings(connection: Connection, member_id: str, facility_id: str | None = None) -> list[Holding]:
    """A member's benefits of which something is left: the first to expire first."""
    mine = grants.of_member(connection, member_id, facility_id)
    columns = ledger_lines.c
    accounts = {account for grant in mine for account in (grant.available, grant.pending)}
    query = select(columns.grant_id, columns.account, total(columns.amount)).where(columns.account.in_(accounts))
    sums = {(row[0], row[1]): int(row[2]) for row in connection.execute(query.group_by(columns.grant_id, columns.account))}
    found = [Holding(one, sums.get((one.id, one.available), 0), sums.get((one.id, one.pending), 0)) for one in mine]
    return [one for one in found if one.available or one.pending]


def debts(connection: Connection, member_id: str, facility_id: str | None = None) -> list[Debt]:
    """What a member owes."""
    columns = ledger_lines.c
    prefix = f"debt/{member_id}/"
    sum_ = total(columns.amount)
    query = select(columns.account, sum_).where(columns.account.startswith(prefix, autoescape=True))
    rows = connection.execute(query.group_by(columns.account).having(sum_ != 0).order_by(columns.account)).all()
    found = [(*account.removeprefix(prefix).split("/"), -int(amount)) for account, amount in rows]
    return [Debt(facility, kind, amount) for kind, facility, amount in found if facility_id in (None, facility)]


def movements(
    connection: Connection, member_id: str, *, facility_id: str | None = None, before: int | None = None, limit: int = 50
) -> list[Movement]:
    """What happened to a member's benefits, the newest first: of at most so many postings before the position `before`."""
    mine = grants.of_member(connection, member_id, facility_id)
    places = {account: place for one in mine for account, place in _places(one)}
    columns = ledger_lines.c
    of_mine = and_(columns.grant_id.in_({one.id for one in mine}), columns.account.in_(places))
    positions = select(columns.entry).where(of_mine).distinct().order_by(columns.entry.desc()).limit(limit)
    if before is not None:
        positions = positions.where(columns.entry < before)
    query = (
        select(ledger_lines, ledger_entries.c.at, ledger_entries.c.key, ledger_entries.c.unit)
        .join_from(ledger_lines, ledger_entries)
        .where(columns.entry.in_(connection.execute(positions).scalars().all()), of_mine)
        .order_by(columns.entry.desc(), columns.number)
    )
    sums: dict[tuple[int, datetime, str, str, str], Counter[str]] = {}
    for row in connection.execute(query):
        moved = sums.setdefault((row.entry, row.at, row.key, row.unit, row.grant_id), Counter())
        moved[places[row.account]] += row.amount
    return [Movement(*head, one["available"], one["pending"], -one["debt"]) for head, one in sums.items()]


def _places(grant: Grant) -> Iterable[tuple[str, str]]:
    return (grant.available, "available"), (grant.pending, "pending"), (grant.debt, "debt")
