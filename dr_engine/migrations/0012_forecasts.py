"""what is known of areas, forecasts, incentive windows."""

import sqlalchemy as sa
from alembic import op

from runtime.storage.types import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

HOURLY = ("demand_mw", "supply_mw", "solar_mw", "price", "temperature_c", "humidity_pct", "radiation_mj_m2", "sunshine_h")
DAILY = ("outlook_peak_mw", "outlook_supply_mw", "outlook_usage_pct")


def _when(name: str) -> sa.Column[object]:
    return sa.Column(name, UtcDateTime(timezone=True), nullable=False)


def _area() -> sa.Column[object]:
    return sa.Column("area", sa.String(length=64), nullable=False)


def upgrade() -> None:
    op.create_table(
        "area_hours",
        _area(),
        sa.Column("hour", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=True) for name in HOURLY),
        sa.PrimaryKeyConstraint("area", "hour"),
    )
    op.create_table(
        "area_days",
        _area(),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=True) for name in DAILY),
        sa.PrimaryKeyConstraint("area", "day"),
    )
    op.create_table(
        "forecasts",
        _area(),
        sa.Column("day", sa.Date(), nullable=False),
        _when("made_at"),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("area", "day"),
    )
    op.create_table(
        "incentive_windows",
        _area(),
        _when("start"),
        _when("end"),
        sa.Column("direction", sa.String(length=4), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("incentive_minor", sa.Integer(), nullable=False),
        sa.Column("chance", sa.Float(), nullable=False),
        _when("announced_at"),
        sa.PrimaryKeyConstraint("area", "start"),
    )


def downgrade() -> None:
    for table in ("incentive_windows", "forecasts", "area_days", "area_hours"):
        op.drop_table(table)
