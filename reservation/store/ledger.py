"""The ledger: entries go in and are read. There is nothing here that changes or deletes one."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select

from reservation.domain import grant as grant_rules
from reservation.domain.benefit import Kind
from reservation.domain.grant import Grant, Held
from reservation.domain.ledger import POINTS, Balance, Entry, Line, Posted, member_points
from reservation.store.tables import ledger_entries, ledger_lines
from runtime.storage.sums import total


def post(connection: Connection, entry: Entry) -> bool:
    """Add the entry unless its key is there already; whether it was added."""
    if connection.execute(select(ledger_entries.c.id).where(ledger_entries.c.key == entry.key)).first():
        return False
    row = {"id": entry.id, "key": entry.key, "at": entry.at, "memo": entry.memo, "unit": entry.unit}
    position = connection.execute(insert(ledger_entries).values(row).returning(ledger_entries.c.position)).scalar_one()
    lines = [
        {
            "entry": position,
            "number": number,
            "account": line.account,
            "amount": line.amount,
            "grant_id": line.grant_id or None,
        }
        for number, line in enumerate(entry.lines)
    ]
    connection.execute(insert(ledger_lines), lines)
    return True


def posted(
    connection: Connection, after: int = 0, limit: int | None = None, statement_id: str | None = None
) -> list[Posted]:
    """Entries in the order of posting, from the first one after the position `after`; all of them without a limit. With
    `statement_id`, those that the statement has posted."""
    columns = ledger_entries.c
    query = select(ledger_entries).where(columns.position > after).order_by(columns.position).limit(limit)
    if statement_id is not None:
        kinds = ("compensation", "undistributed", "release", *Kind)
        query = query.where(or_(*(columns.key.startswith(f"{kind}/{statement_id}/", autoescape=True) for kind in kinds)))
    rows = connection.execute(query).all()
    lines = _lines(connection, after, rows[-1].position) if rows else {}
    return [
        Posted(row.position, row.id, row.key, row.at, row.memo, row.unit, tuple(lines.get(row.position, ()))) for row in rows
    ]


def balances(connection: Connection) -> list[Balance]:
    """What every account holds, by account."""
    query = (
        select(ledger_lines.c.account, ledger_entries.c.unit, total(ledger_lines.c.amount))
        .join_from(ledger_lines, ledger_entries)
        .group_by(ledger_lines.c.account, ledger_entries.c.unit)
        .order_by(ledger_lines.c.account, ledger_entries.c.unit)
    )
    return [Balance(account, unit, int(amount)) for account, unit, amount in connection.execute(query)]


def points_of_members(connection: Connection, member_ids: Sequence[str]) -> dict[str, int]:
    """The points of each of the members."""
    accounts = {member_points(member_id): member_id for member_id in member_ids}
    held = {one.account: one.amount for one in balances(connection) if one.unit == POINTS}
    return {member_id: held.get(account, 0) for account, member_id in accounts.items()}


def points_of(connection: Connection, member_id: str) -> int:
    """The points of one member."""
    return balance(connection, member_points(member_id))


def points_granted(connection: Connection) -> int:
    """All points that members were given for their compensation, less what corrections took back."""
    query = (
        select(total(ledger_lines.c.amount))
        .join_from(ledger_lines, ledger_entries)
        .where(ledger_entries.c.key.startswith(f"{Kind.POINTS}/"), ledger_lines.c.account.startswith("facility/"))
    )
    return -int(connection.execute(query).scalar_one() or 0)


def held(connection: Connection, grant: Grant) -> Held:
    """What is left of a grant, and what its member owes."""
    columns = ledger_lines.c
    query = select(ledger_lines).where(or_(columns.grant_id == grant.id, columns.account == grant.debt))
    return grant_rules.held([_line(row) for row in connection.execute(query)], grant)


def available(connection: Connection, grants: Iterable[Grant]) -> dict[str, int]:
    """What can be spent of each of the grants."""
    of_grants = {grant.id: grant for grant in grants}
    found = dict.fromkeys(of_grants, 0)
    columns = ledger_lines.c
    accounts = {grant.available for grant in of_grants.values()}
    query = select(columns.grant_id, total(columns.amount)).where(columns.account.in_(accounts))
    for grant_id, amount in connection.execute(query.group_by(columns.grant_id)):
        if grant_id in found:
            found[grant_id] = int(amount)
    return found


def balance(connection: Connection, account: str) -> int:
    """What an account holds."""
    query = select(total(ledger_lines.c.amount)).where(ledger_lines.c.account == account)
    return int(connection.execute(query).scalar_one() or 0)


def accounts_of(connection: Connection, prefix: str) -> list[str]:
    """The accounts whose names begin so and that hold anything."""
    columns = ledger_lines.c
    query = select(columns.account).where(columns.account.startswith(prefix, autoescape=True)).group_by(columns.account)
    return list(connection.execute(query.having(total(columns.amount) != 0)).scalars())


def _lines(connection: Connection, after: int, last: int) -> dict[int, list[Line]]:
    columns = ledger_lines.c
    query = select(ledger_lines).where(columns.entry > after, columns.entry <= last)
    by_entry = groupby(connection.execute(query.order_by(columns.entry, columns.number)), key=lambda row: row.entry)
    return {position: [_line(row) for row in run] for position, run in by_entry}


def _line(row: Row[Any]) -> Line:
    return Line(row.account, row.amount, row.grant_id or "")
