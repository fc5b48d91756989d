"""events of a VTN, what was made of them, reports to it."""

import sqlalchemy as sa
from alembic import op

from runtime.storage.types import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _when(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, UtcDateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "grid_events",
        sa.Column("event_id", sa.String(length=128), nullable=False),
        sa.Column("program", sa.String(length=128), nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=True),
        _when("seen_at"),
        _when("modified_at", nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("units", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        _when("gone_at", nullable=True),
        _when("settled_at", nullable=True),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_index(op.f("ix_grid_events_gone_at"), "grid_events", ["gone_at"])
    op.create_table(
        "grid_requests",
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=128), nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        _when("ends_at"),
        _when("made_at"),
        _when("withdrawn_at", nullable=True),
        sa.PrimaryKeyConstraint("request_id"),
    )
    op.create_index(op.f("ix_grid_requests_event_id"), "grid_requests", ["event_id"])
    op.create_index(op.f("ix_grid_requests_ends_at"), "grid_requests", ["ends_at"])
    op.create_index(op.f("ix_grid_requests_facility_id"), "grid_requests", ["facility_id"])
    op.create_table(
        "grid_reports",
        sa.Column("event_id", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("report_id", sa.String(length=128), nullable=True),
        _when("due_at"),
        _when("tried_at"),
        _when("sent_at", nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "name"),
    )
