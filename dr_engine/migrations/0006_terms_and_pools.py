"""statements keep their terms and what both pools gave; participations what a car could hold."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BEFORE = '{"tolerance": null}'
"""Statements from before were not clipped to what was ordered."""
_ADDED = (
    ("compensations", "capacity_minor", sa.BigInteger(), "0"),
    ("statements", "terms", sa.JSON(), BEFORE),
    ("statements", "aggregator_minor", sa.BigInteger(), "0"),
    ("statements", "facility_minor", sa.BigInteger(), "0"),
    ("allocations", "available_wh", sa.Integer(), "0"),
    ("allocations", "capacity_minor", sa.BigInteger(), "0"),
)


def upgrade() -> None:
    for table, name, kind, before in _ADDED:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=before))
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.alter_column(name, server_default=None)
    op.add_column("participations", sa.Column("up_w", sa.Float(), nullable=True))
    op.add_column("participations", sa.Column("down_w", sa.Float(), nullable=True))


def downgrade() -> None:
    op.drop_column("participations", "down_w")
    op.drop_column("participations", "up_w")
    for table, name, _, _ in _ADDED:
        op.drop_column(table, name)
