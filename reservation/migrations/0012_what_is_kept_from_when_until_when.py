"""what is kept, from when until when; editions of facilities."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

COLUMNS = ["facility_id", "long", "state", "kept_from", "kept_until", "resource_id", "party", "id"]
INSTANT = sa.DateTime(timezone=True)
BOOKINGS = sa.table(
    "bookings",
    *(sa.column(name, INSTANT) for name in ("starts_at", "ends_at", "kept_from", "kept_until")),
    *(sa.column(name, sa.Integer) for name in ("before_min", "after_min")),
    sa.column("id", sa.String),
    sa.column("long", sa.Boolean),
)


FACILITIES = sa.table("facilities", sa.column("id", sa.String), sa.column("edition", sa.String))


def upgrade() -> None:
    op.add_column("facilities", sa.Column("edition", sa.String(length=36), server_default="", nullable=False))
    for facility_id in op.get_bind().execute(sa.select(FACILITIES.c.id)).scalars().all():
        edition = sa.update(FACILITIES).where(FACILITIES.c.id == facility_id).values(edition=str(uuid4()))
        op.get_bind().execute(edition)
    for name in ("kept_from", "kept_until"):
        op.add_column("bookings", sa.Column(name, INSTANT, server_default="2000-01-01 00:00:00.000000", nullable=False))
    op.add_column("bookings", sa.Column("long", sa.Boolean(), server_default=sa.false(), nullable=False))
    _fill(op.get_bind())
    op.create_index("ix_bookings_kept", "bookings", COLUMNS)


def _fill(connection: sa.Connection) -> None:
    rows = [_kept(row) for row in connection.execute(sa.select(BOOKINGS))]
    if rows:
        values: dict[str, Any] = {name: sa.bindparam(name) for name in ("kept_from", "kept_until", "long")}
        connection.execute(sa.update(BOOKINGS).where(BOOKINGS.c.id == sa.bindparam("of")).values(values), rows)


def _kept(row: Any) -> dict[str, Any]:
    first: datetime = row.starts_at - timedelta(minutes=row.before_min)
    last: datetime = row.ends_at + timedelta(minutes=row.after_min)
    return {"of": row.id, "kept_from": first, "kept_until": last, "long": last - first > timedelta(days=1)}


def downgrade() -> None:
    op.drop_index("ix_bookings_kept", "bookings")
    for name in ("long", "kept_until", "kept_from"):
        op.drop_column("bookings", name)
    op.drop_column("facilities", "edition")
