"""the power that a sold block is a change from, as it was registered with the bid."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("bid_lines", "awards"):
        op.add_column(table, sa.Column("baseline_w", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    for table in ("bid_lines", "awards"):
        op.drop_column(table, "baseline_w")
