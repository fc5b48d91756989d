"""when an event of a VTN is over, and whether it states money or asks for reports."""

import sqlalchemy as sa
from alembic import op

from runtime.storage.types import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("grid_events", sa.Column("over_at", UtcDateTime(timezone=True), nullable=True))
    for name in ("states_money", "asks_reports"):  # until it is read again, each event is looked at
        op.add_column("grid_events", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.true()))


def downgrade() -> None:
    for name in ("over_at", "states_money", "asks_reports"):
        op.drop_column("grid_events", name)
