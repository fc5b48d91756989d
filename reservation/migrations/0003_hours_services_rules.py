"""hours by weekday, services, rules, languages."""

from datetime import time

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FACILITIES = sa.table(
    "facilities",
    sa.column("id", sa.String),
    sa.column("opens", sa.Time),
    sa.column("closes", sa.Time),
    sa.column("hours", sa.JSON),
    sa.column("services", sa.JSON),
)
DAYS = 7


def upgrade() -> None:
    for name, default in (("hours", "{}"), ("services", "[]"), ("rules", "{}"), ("messages", "{}")):
        op.add_column("facilities", sa.Column(name, sa.JSON(), server_default=default, nullable=False))
    op.add_column("facilities", sa.Column("language", sa.String(length=8), server_default="en", nullable=False))
    op.add_column("resources", sa.Column("kind", sa.String(length=64), server_default="", nullable=False))
    op.add_column("resources", sa.Column("capacity", sa.Integer(), server_default="1", nullable=False))
    op.add_column("resources", sa.Column("shared", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("resources", sa.Column("services", sa.JSON(), server_default="[]", nullable=False))
    connection = op.get_bind()
    for row in connection.execute(sa.select(FACILITIES.c.id, FACILITIES.c.opens, FACILITIES.c.closes)).all():
        times = {"opens": row.opens.isoformat(), "closes": row.closes.isoformat()}
        hours = {"week": [[times]] * DAYS, "closures": []}
        values = {"hours": hours, "services": [{"id": "stay", "name": "Stay"}]}
        connection.execute(sa.update(FACILITIES).where(FACILITIES.c.id == row.id).values(values))
    op.drop_column("facilities", "opens")
    op.drop_column("facilities", "closes")


def downgrade() -> None:
    """A facility without hours on some day opens on that day as on another; one with several a day opens for the first."""
    midnight = sa.text("'00:00:00.000000'")
    for name in ("opens", "closes"):
        op.add_column("facilities", sa.Column(name, sa.Time(), server_default=midnight, nullable=False))
    connection = op.get_bind()
    for row in connection.execute(sa.select(FACILITIES.c.id, FACILITIES.c.hours)).all():
        times = next((day[0] for day in row.hours["week"] if day), {"opens": "00:00:00", "closes": "00:00:00"})
        values = {name: time.fromisoformat(told) for name, told in times.items()}
        connection.execute(sa.update(FACILITIES).where(FACILITIES.c.id == row.id).values(values))
    for table, names in (
        ("facilities", ("hours", "services", "rules", "language", "messages")),
        ("resources", ("kind", "capacity", "shared", "services")),
    ):
        for name in names:
            op.drop_column(table, name)
