"""the index of stays by state holds their ends."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

COLUMNS = ["state", "facility_id", "starts_at"]


def upgrade() -> None:
    op.drop_index("ix_bookings_state", "bookings")
    op.create_index("ix_bookings_state", "bookings", [*COLUMNS, "ends_at"])


def downgrade() -> None:
    op.drop_index("ix_bookings_state", "bookings")
    op.create_index("ix_bookings_state", "bookings", COLUMNS)
