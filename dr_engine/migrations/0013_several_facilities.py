"""an event of a VTN may be for several facilities; until when its reports are done with."""

import sqlalchemy as sa
from alembic import op

from runtime.storage.types import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_events = sa.table("grid_events", sa.column("facility_id", sa.String()), sa.column("facilities", sa.JSON()))


def upgrade() -> None:
    op.add_column("grid_events", sa.Column("facilities", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("grid_events", sa.Column("reported_until", UtcDateTime(timezone=True), nullable=True))
    known = op.get_bind().execute(sa.select(_events.c.facility_id).distinct()).scalars().all()
    for facility_id in (one for one in known if one is not None):
        op.execute(_events.update().where(_events.c.facility_id == facility_id).values(facilities=[facility_id]))
    op.drop_column("grid_events", "facility_id")
    op.add_column("grid_requests", sa.Column("shared_by", sa.JSON(), nullable=False, server_default="[]"))
    op.create_index(op.f("ix_grid_reports_due_at"), "grid_reports", ["due_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_grid_reports_due_at"), "grid_reports")
    op.drop_column("grid_requests", "shared_by")
    op.add_column("grid_events", sa.Column("facility_id", sa.String(length=64), nullable=True))
    op.drop_column("grid_events", "reported_until")
    op.drop_column("grid_events", "facilities")
