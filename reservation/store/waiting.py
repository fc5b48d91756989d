"""The waiting list."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, insert, select, update

from reservation.domain.booking import Asked
from reservation.domain.period import Period
from reservation.domain.waiting import Waiting, WaitingState
from reservation.store import changes
from reservation.store.tables import waiting

OPEN = (WaitingState.WAITING, WaitingState.TOLD)
_SAME = (
    *("id", "facility_id", "member_id", "service_id", "length_min", "party", "made_at", "wished_resource_id"),
    *("state", "told_at", "resource_id", "bay_id"),
)


def add(connection: Connection, wish: Waiting) -> None:
    """Keep a wish, after those that are there."""
    connection.execute(insert(waiting).values(_columns(wish)))
    changes.tell(connection)


def put(connection: Connection, wish: Waiting) -> None:
    """Keep a known wish as it now is."""
    connection.execute(update(waiting).where(waiting.c.id == wish.id).values(_columns(wish)))
    changes.tell(connection)


def find(connection: Connection, wish_id: str) -> Waiting | None:
    """The wish, or None."""
    row = connection.execute(select(waiting).where(waiting.c.id == wish_id)).one_or_none()
    return None if row is None else _waiting(row)


def listed(
    connection: Connection,
    *,
    facility_id: str | None = None,
    member_id: str | None = None,
    states: Sequence[WaitingState] = (),
) -> list[Waiting]:
    """The wishes that meet every condition given, first come first."""
    query = select(waiting).order_by(waiting.c.position)
    if facility_id is not None:
        query = query.where(waiting.c.facility_id == facility_id)
    if member_id is not None:
        query = query.where(waiting.c.member_id == member_id)
    if states:
        query = query.where(waiting.c.state.in_(states))
    return [_waiting(row) for row in connection.execute(query)]


def facilities(connection: Connection) -> list[str]:
    """Where somebody waits."""
    query = select(waiting.c.facility_id).where(waiting.c.state.in_(OPEN)).distinct()
    return list(connection.execute(query).scalars())


def first_over(connection: Connection) -> datetime | None:
    """When the next wish's time has passed."""
    found: datetime | None = connection.execute(
        select(func.min(waiting.c.ends_at)).where(waiting.c.state.in_(OPEN))
    ).scalar_one()
    return found


def told_since(connection: Connection, facility_id: str, since: datetime) -> datetime | None:
    """When the first of those who were told after that instant was told."""
    row = waiting.c
    query = select(func.min(row.told_at)).where(row.facility_id == facility_id, row.state == WaitingState.TOLD)
    found: datetime | None = connection.execute(query.where(row.told_at > since)).scalar_one()
    return found


def over(connection: Connection, now: datetime) -> None:
    """Wishes whose time has passed are over."""
    old = (waiting.c.state.in_(OPEN), waiting.c.ends_at <= now)
    connection.execute(update(waiting).where(*old).values(state=WaitingState.OVER))


def _columns(wish: Waiting) -> dict[str, Any]:
    told = wish.told_period
    return {
        **{name: getattr(wish, name) for name in _SAME},
        "starts_at": wish.within.start,
        "ends_at": wish.within.end,
        "asked": msgspec.to_builtins(wish.asked),
        "told_start": told.start if told else None,
        "told_end": told.end if told else None,
    }


def _waiting(row: Row[Any]) -> Waiting:
    same = {name: getattr(row, name) for name in _SAME}
    return Waiting(
        **same | {"state": WaitingState(row.state)},
        within=Period(row.starts_at, row.ends_at),
        asked=msgspec.convert(row.asked, Asked),
        told_period=Period(row.told_start, row.told_end) if row.told_start else None,
    )
