"""The register's receipts and closings, its rules, and what its requests were answered."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from reservation.domain.till import Deed, Discount, Method, Receipt, RegisterRules
from reservation.store.tables import closings, receipts, register_requests, register_rules
from runtime.storage.sums import total


@dataclass(frozen=True, slots=True)
class Closing:
    """A till that was counted and emptied. `number` counts the closings of a day; `receipts` are those that it took in."""

    id: str
    facility_id: str
    day: date
    number: int
    at: datetime
    counted_cash_minor: int | None
    receipts: tuple[Receipt, ...]


def rules_of(connection: Connection, facility_id: str) -> RegisterRules:
    """The rules of a facility's register."""
    query = select(register_rules.c.rules).where(register_rules.c.facility_id == facility_id)
    kept = connection.execute(query).scalar_one_or_none()
    return RegisterRules() if kept is None else msgspec.convert(kept, RegisterRules)


def set_rules(connection: Connection, facility_id: str, rules: RegisterRules, now: datetime) -> None:
    """Keep the rules of a facility's register."""
    connection.execute(delete(register_rules).where(register_rules.c.facility_id == facility_id))
    row = {"facility_id": facility_id, "rules": msgspec.to_builtins(rules), "changed_at": now}
    connection.execute(insert(register_rules).values(row))


def answered(connection: Connection, key: str) -> tuple[bytes, Any] | None:
    """The digest of the request that bore this key and what it was answered, or None."""
    row = connection.execute(select(register_requests).where(register_requests.c.key == key)).one_or_none()
    return None if row is None else (row.digest, row.answer)


def keep_answer(connection: Connection, key: str, digest: bytes, answer: Any, now: datetime) -> None:
    """Keep what a request is answered, for when it comes again."""
    connection.execute(insert(register_requests).values(key=key, digest=digest, answer=answer, at=now))


def next_number(connection: Connection, facility_id: str) -> int:
    """The number of a facility's next receipt."""
    query = select(func.max(receipts.c.number)).where(receipts.c.facility_id == facility_id)
    return (connection.execute(query).scalar_one() or 0) + 1


def add(connection: Connection, receipt: Receipt) -> None:
    """Keep a receipt."""
    row = {name: getattr(receipt, name) for name in Receipt.__dataclass_fields__}
    connection.execute(insert(receipts).values(row | {"discounts": msgspec.to_builtins(receipt.discounts)}))


def find(connection: Connection, receipt_id: str) -> Receipt | None:
    """The receipt, or None."""
    found = _listed(connection, [receipts.c.id == receipt_id])
    return found[0] if found else None


def numbers(connection: Connection, receipt_ids: Iterable[str]) -> dict[str, int]:
    """The numbers of the receipts with these ids."""
    query = select(receipts.c.id, receipts.c.number).where(receipts.c.id.in_(set(receipt_ids)))
    return {row.id: row.number for row in connection.execute(query)}


def refunds_of(connection: Connection, receipt_id: str) -> list[Receipt]:
    """The refunds of a payment, in their order."""
    return _listed(connection, [receipts.c.refund_of == receipt_id])


def listed(
    connection: Connection,
    *,
    facility_id: str | None = None,
    member_id: str | None = None,
    booking_id: str | None = None,
    day: date | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[Receipt]:
    """The receipts that meet every condition given, in the order in which they were made; at most `limit`, after
    `offset`."""
    given = {"facility_id": facility_id, "member_id": member_id, "booking_id": booking_id, "day": day}
    conditions = [receipts.c[name] == value for name, value in given.items() if value is not None]
    return _listed(connection, conditions, offset, limit)


def unclosed(connection: Connection, facility_id: str, day: date) -> list[Receipt]:
    """The receipts of a day that no closing has taken in."""
    row = receipts.c
    return _listed(connection, [row.facility_id == facility_id, row.day == day, row.closing_id.is_(None)])


def close(connection: Connection, closing: Closing) -> None:
    """Keep a closing, and mark what it took in."""
    row = {name: getattr(closing, name) for name in closings.c.keys()}  # noqa: SIM118 - a ColumnCollection
    connection.execute(insert(closings).values(row))
    taken = [receipt.id for receipt in closing.receipts]
    connection.execute(update(receipts).where(receipts.c.id.in_(taken)).values(closing_id=closing.id))


def closed(connection: Connection, facility_id: str, day: date) -> list[Closing]:
    """The closings of a day, in their order, with the receipts that they took in."""
    row = closings.c
    query = select(closings).where(row.facility_id == facility_id, row.day == day).order_by(row.number)
    return [
        Closing(**one._mapping, receipts=tuple(_listed(connection, [receipts.c.closing_id == one.id])))
        for one in connection.execute(query).all()
    ]


def spent_since(connection: Connection, facility_id: str, since: datetime) -> dict[str, int]:
    """What each member has paid in money at a facility since then, less refunds, in minor units (S104)."""
    row = receipts.c
    query = select(row.member_id, total(row.due_minor)).where(
        row.facility_id == facility_id, row.at >= since, row.member_id.is_not(None), row.deed != Deed.PAYOUT
    )
    return {member: int(amount) for member, amount in connection.execute(query.group_by(row.member_id))}


def paid_days_since(connection: Connection, facility_id: str, since: datetime) -> Mapping[str, set[date]]:
    """On which of the register's days each member has paid at a facility since then (S104)."""
    row = receipts.c
    query = select(row.member_id, row.day).where(
        row.facility_id == facility_id, row.at >= since, row.member_id.is_not(None), row.deed == Deed.PAYMENT
    )
    found: dict[str, set[date]] = {}
    for member, day in connection.execute(query.distinct()):
        found.setdefault(member, set()).add(day)
    return found


def everything(connection: Connection) -> list[Receipt]:
    """All receipts."""
    return _listed(connection, [])


def _listed(
    connection: Connection, conditions: Iterable[ColumnElement[bool]], offset: int = 0, limit: int | None = None
) -> list[Receipt]:
    query = select(receipts).where(*conditions).order_by(receipts.c.position).limit(limit)
    return [_receipt(row) for row in connection.execute(query.offset(offset) if offset else query)]


def _receipt(row: Row[Any]) -> Receipt:
    kept = {name: value for name, value in row._mapping.items() if name != "position"}
    discounts: Sequence[Discount] = msgspec.convert(row.discounts, tuple[Discount, ...])
    return Receipt(**kept | {"deed": Deed(row.deed), "method": Method(row.method), "discounts": discounts})
