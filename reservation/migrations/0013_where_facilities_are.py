"""where facilities are."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("facilities", sa.Column("position", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("facilities", "position")
