"""public keys of meters."""

import sqlalchemy as sa
from alembic import op

from runtime.storage.types import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "meter_keys",
        sa.Column("station_id", sa.String(length=48), nullable=False),
        sa.Column("evse_id", sa.Integer(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("known_since", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("station_id", "evse_id"),
    )


def downgrade() -> None:
    op.drop_table("meter_keys")
