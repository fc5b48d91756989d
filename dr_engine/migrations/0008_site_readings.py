"""readings of a site's own meter."""

import sqlalchemy as sa
from alembic import op

from runtime.storage.types import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site_readings",
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("start", UtcDateTime(timezone=True), nullable=False),
        sa.Column("end", UtcDateTime(timezone=True), nullable=False),
        sa.Column("import_wh", sa.Float(), nullable=False),
        sa.Column("export_wh", sa.Float(), nullable=False),
        sa.Column("received_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("facility_id", "start"),
    )


def downgrade() -> None:
    op.drop_table("site_readings")
