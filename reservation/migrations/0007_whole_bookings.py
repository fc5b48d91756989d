"""bookings with service, party, time around them and what became of them; the waiting list; what is gathered."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MINUTES = ("before_min", "after_min", "plug_before_min", "plug_after_min")
INSTANTS = ("expires_at", "came_at", "left_at")


def upgrade() -> None:
    op.add_column("bays", sa.Column("plugs", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("members", sa.Column("language", sa.String(length=8)))
    op.add_column("members", sa.Column("plates", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("bookings", sa.Column("service_id", sa.String(length=64), server_default="stay", nullable=False))
    op.add_column("bookings", sa.Column("party", sa.Integer(), server_default="1", nullable=False))
    for name in MINUTES:
        op.add_column("bookings", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.add_column("bookings", sa.Column("code", sa.String(length=16), server_default="", nullable=False))
    for name in INSTANTS:
        op.add_column("bookings", sa.Column(name, sa.DateTime(timezone=True)))
    op.add_column("bookings", sa.Column("late", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("bookings", sa.Column("series_id", sa.String(length=64)))
    op.add_column("bookings", sa.Column("revision", sa.Integer(), server_default="0", nullable=False))
    op.drop_index(op.f("ix_bookings_facility_id"), "bookings")
    op.create_index(op.f("ix_bookings_facility_id"), "bookings", ["facility_id", "starts_at", "ends_at"])
    op.create_index("ix_bookings_state", "bookings", ["state", "facility_id", "starts_at"])
    op.create_index(op.f("ix_bookings_series_id"), "bookings", ["series_id"])
    op.create_table(
        "gathered",
        sa.Column("position", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facilities.id"], name=op.f("fk_gathered_facility_id")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_gathered")),
    )
    op.create_index(op.f("ix_gathered_facility_id"), "gathered", ["facility_id"])
    op.create_table(
        "waiting",
        sa.Column("position", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.String(length=64), nullable=False),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("length_min", sa.Integer(), nullable=False),
        sa.Column("party", sa.Integer(), nullable=False),
        sa.Column("wished_resource_id", sa.String(length=64)),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True)),
        sa.Column("told_start", sa.DateTime(timezone=True)),
        sa.Column("told_end", sa.DateTime(timezone=True)),
        sa.Column("resource_id", sa.String(length=64)),
        sa.Column("bay_id", sa.String(length=64)),
        sa.ForeignKeyConstraint(["facility_id"], ["facilities.id"], name=op.f("fk_waiting_facility_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_waiting_member_id")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_waiting")),
        sa.UniqueConstraint("id", name=op.f("uq_waiting_id")),
    )
    op.create_index(op.f("ix_waiting_member_id"), "waiting", ["member_id"])
    op.create_index(op.f("ix_waiting_facility_id"), "waiting", ["facility_id", "state"])


def downgrade() -> None:
    op.drop_table("waiting")
    op.drop_table("gathered")
    for name in ("ix_bookings_series_id", "ix_bookings_state", "ix_bookings_facility_id"):
        op.drop_index(name, "bookings")
    op.create_index(op.f("ix_bookings_facility_id"), "bookings", ["facility_id", "starts_at"])
    for name in ("service_id", "party", *MINUTES, "code", *INSTANTS, "late", "series_id", "revision"):
        op.drop_column("bookings", name)
    for table, name in (("bays", "plugs"), ("members", "language"), ("members", "plates")):
        op.drop_column(table, name)
