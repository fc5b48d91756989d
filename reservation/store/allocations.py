"""Compensation as it was received: every revision of every statement, share by share."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select

from contracts.dr import CompensationAllocated, Share
from reservation.domain.benefit import Terms
from reservation.domain.compensation import Allocation, Granted
from reservation.store.tables import allocation_shares, allocations


def add(connection: Connection, event: CompensationAllocated, allocation: Allocation, now: datetime) -> None:
    """Keep a revision that the event brought, with what each share became."""
    row = {
        "statement_id": event.statement_id,
        "revision": event.revision,
        "event_id": event.event_id,
        "facility_id": event.facility_id,
        "currency": event.currency,
        "total_minor": event.total_minor,
        "undistributed_minor": event.undistributed_minor,
        "message_id": event.id,
        "received_at": now,
        "final": allocation.final,
        "terms": msgspec.to_builtins(allocation.terms),
    }
    connection.execute(insert(allocations).values(row))
    for granted in allocation.granted:
        share = granted.share
        values = {
            "statement_id": event.statement_id,
            "revision": event.revision,
            "session_id": share.session_id,
            "member_id": share.member_id,
            "booking_id": share.booking_id,
            "delivered_wh": share.delivered_wh,
            "amount_minor": share.amount_minor,
            "benefit": granted.amount,
        }
        connection.execute(insert(allocation_shares).values(values))


def latest(connection: Connection, statement_id: str) -> Allocation | None:
    """The newest revision of the statement, or None."""
    columns = allocations.c
    query = select(allocations).where(columns.statement_id == statement_id).order_by(columns.revision.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else _allocation(connection, row)


def everything(connection: Connection) -> list[Allocation]:
    """Every revision of every statement, the older ones of a statement first."""
    query = select(allocations).order_by(allocations.c.statement_id, allocations.c.revision)
    return [_allocation(connection, row) for row in connection.execute(query).all()]


def _allocation(connection: Connection, row: Row[Any]) -> Allocation:
    return Allocation(
        statement_id=row.statement_id,
        revision=row.revision,
        event_id=row.event_id,
        facility_id=row.facility_id,
        currency=row.currency,
        total_minor=row.total_minor,
        undistributed_minor=row.undistributed_minor,
        final=row.final,
        terms=msgspec.convert(row.terms, Terms),
        granted=_granted(connection, row.statement_id, row.revision),
    )


def _granted(connection: Connection, statement_id: str, revision: int) -> tuple[Granted, ...]:
    columns = allocation_shares.c
    query = select(allocation_shares).where(columns.statement_id == statement_id, columns.revision == revision)
    return tuple(
        Granted(
            Share(
                member_id=row.member_id,
                booking_id=row.booking_id,
                session_id=row.session_id,
                delivered_wh=row.delivered_wh,
                amount_minor=row.amount_minor,
            ),
            row.benefit,
        )
        for row in connection.execute(query.order_by(columns.session_id))
    )
