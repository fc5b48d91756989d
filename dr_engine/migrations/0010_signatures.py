"""what the signatures under registers are worth."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("readings", sa.Column("signature", sa.String(length=8), nullable=False, server_default="unsigned"))


def downgrade() -> None:
    op.drop_column("readings", "signature")
