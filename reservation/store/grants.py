"""Benefits that members were given, and the facilities' policies of giving them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from reservation.domain.benefit import BenefitPolicy, Kind
from reservation.domain.grant import Grant, Use
from reservation.store.tables import benefit_policies, grants, ledger_lines
from runtime.storage.sums import total


def policy_of(connection: Connection, facility_id: str) -> BenefitPolicy:
    """The facility's policy; points at once when it has said nothing."""
    query = select(benefit_policies.c.policy).where(benefit_policies.c.facility_id == facility_id)
    kept = connection.execute(query).scalar_one_or_none()
    return BenefitPolicy() if kept is None else msgspec.convert(kept, BenefitPolicy)


def set_policy(connection: Connection, facility_id: str, policy: BenefitPolicy, now: datetime) -> None:
    """Keep a facility's policy for the statements that come from now on."""
    connection.execute(delete(benefit_policies).where(benefit_policies.c.facility_id == facility_id))
    row = {"facility_id": facility_id, "policy": msgspec.to_builtins(policy), "changed_at": now}
    connection.execute(insert(benefit_policies).values(row))


def keep(connection: Connection, grant: Grant) -> None:
    """Keep a grant unless it is there already."""
    if find(connection, grant.id) is None:
        row = {name: getattr(grant, name) for name in grants.c.keys()}  # noqa: SIM118 - a ColumnCollection
        connection.execute(insert(grants).values(row))


def set_expiry(connection: Connection, grant_id: str, expires_at: datetime | None) -> None:
    """The grant expires then (None: never)."""
    connection.execute(update(grants).where(grants.c.id == grant_id).values(expires_at=expires_at))


def find(connection: Connection, grant_id: str) -> Grant | None:
    """The grant, or None."""
    row = connection.execute(select(grants).where(grants.c.id == grant_id)).one_or_none()
    return None if row is None else _grant(row)


def of_member(
    connection: Connection, member_id: str, facility_id: str | None = None, *, for_update: bool = False
) -> list[Grant]:
    """A member's grants, at one facility if it is named: what expires first stands first, what never does last. `for_update`
    keeps them from other writers of the database until this transaction ends."""
    query = select(grants).where(grants.c.member_id == member_id)
    if facility_id is not None:
        query = query.where(grants.c.facility_id == facility_id)
    ordered = query.order_by(grants.c.expires_at.is_(None), grants.c.expires_at, grants.c.made_at, grants.c.id)
    return [_grant(row) for row in connection.execute(ordered.with_for_update() if for_update else ordered)]


def over(connection: Connection, now: datetime, limit: int) -> list[Use]:
    """Grants whose time is over, with what could still be spent of each; at most so many."""
    left = total(ledger_lines.c.amount)
    query = (
        select(grants, left.label("left"))
        .join(ledger_lines, ledger_lines.c.grant_id == grants.c.id)
        .where(grants.c.expires_at <= now, ledger_lines.c.account.startswith("member/"))
        .group_by(grants.c.id)
        .having(left > 0)
        .order_by(grants.c.expires_at)
        .limit(limit)
    )
    found = [(row._mapping, row.left) for row in connection.execute(query)]
    return [Use(_grant_of({name: row[name] for name in grants.c.keys()}), int(amount)) for row, amount in found]  # noqa: SIM118


def everything(connection: Connection) -> Sequence[Grant]:
    """All grants."""
    return [_grant(row) for row in connection.execute(select(grants).order_by(grants.c.id))]


def _grant(row: Row[Any]) -> Grant:
    return _grant_of(row._mapping)


def _grant_of(columns: Mapping[Any, Any]) -> Grant:
    return Grant(**{**columns, "kind": Kind(columns["kind"])})
