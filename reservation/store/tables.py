"""The tables of the reservation service. All instants are UTC, money is in minor units, points are whole."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from runtime.storage.outbox import Mailboxes
from runtime.storage.types import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
mailboxes = Mailboxes.of(metadata)

NAME = String(64)
LONG = String(300)
LONG_AGO = "2000-01-01 00:00:00.000000"
"""For columns that were added to rows that were there; each row has its own since."""

facilities = Table(
    "facilities",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("name", LONG, nullable=False),
    Column("zone", NAME, nullable=False),
    Column("hours", JSON, nullable=False, server_default="{}"),
    Column("services", JSON, nullable=False, server_default="[]"),
    Column("rules", JSON, nullable=False, server_default="{}"),
    Column("language", String(8), nullable=False, server_default="en"),
    Column("messages", JSON, nullable=False, server_default="{}"),
    Column("points_per_unit", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("reserve_bays", Boolean, nullable=False, server_default=false()),
    Column("edition", String(36), nullable=False, server_default=""),
    Column("position", JSON(none_as_null=True)),
)
"""What is only ever read with its facility, and never searched for, is kept as JSON. `edition` is another one whenever the
facility is kept anew, and no other facility's."""

resources = Table(
    "resources",
    metadata,
    Column("facility_id", NAME, ForeignKey("facilities.id"), primary_key=True),
    Column("id", NAME, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("name", LONG, nullable=False),
    Column("kind", NAME, nullable=False, server_default=""),
    Column("capacity", Integer, nullable=False, server_default="1"),
    Column("shared", Boolean, nullable=False, server_default=false()),
    Column("services", JSON, nullable=False, server_default="[]"),
)

bays = Table(
    "bays",
    metadata,
    Column("facility_id", NAME, ForeignKey("facilities.id"), primary_key=True),
    Column("id", NAME, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("station_id", NAME, nullable=False),
    Column("evse_id", Integer, nullable=False),
    Column("max_charge_w", Integer, nullable=False),
    Column("max_discharge_w", Integer, nullable=False),
    Column("plugs", JSON, nullable=False, server_default="[]"),
    UniqueConstraint("station_id", "evse_id"),
)

car_models = Table(
    "car_models",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("make", LONG, nullable=False),
    Column("model", LONG, nullable=False),
    Column("year", Integer),
    Column("battery_wh", Integer, nullable=False),
    Column("max_charge_w", Integer, nullable=False),
    Column("max_discharge_w", Integer),
    Column("bidirectional", Boolean),
    Column("consumption_wh_per_km", Integer),
    Column("plugs", JSON, nullable=False),
    Column("sought_by", Text, nullable=False),
)
"""What members choose their cars from; replaced as a whole."""

members = Table(
    "members",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("number", NAME, nullable=False, unique=True),
    Column("name", LONG, nullable=False),
    Column("phone", NAME, unique=True),
    Column("email", LONG),
    Column("car", JSON(none_as_null=True)),
    Column("car_name", LONG, nullable=False, server_default=""),
    Column("car_model_id", String(16)),
    Column("preferences", JSON, nullable=False),
    Column("language", String(8)),
    Column("plates", JSON, nullable=False, server_default="[]"),
)

member_tokens = Table(
    "member_tokens",
    metadata,
    Column("value", NAME, primary_key=True),
    Column("type", NAME, primary_key=True),
    Column("member_id", NAME, ForeignKey("members.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
)
"""`value` is casefolded: OCPP compares tokens without regard to case."""

consents = Table(
    "consents",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("member_id", NAME, ForeignKey("members.id"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("means", String(16), nullable=False),
    Column("text_version", NAME),
    Column("purposes", JSON(none_as_null=True)),
    Column("dr", Boolean, nullable=False),
    Column("discharge", Boolean, nullable=False),
    Column("wanted_soc_pct", Integer, nullable=False),
    Column("floor_soc_pct", Integer, nullable=False),
)
"""What each member agreed to; the newest holds. Append only, as the texts are, in the database itself."""

consent_texts = Table(
    "consent_texts",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("version", NAME, nullable=False, unique=True),
    Column("made_at", UtcDateTime, nullable=False),
    Column("texts", JSON, nullable=False),
)

bookings = Table(
    "bookings",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("facility_id", NAME, ForeignKey("facilities.id"), nullable=False),
    Column("member_id", NAME, ForeignKey("members.id"), nullable=False, index=True),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("service_id", NAME, nullable=False, server_default="stay"),
    Column("party", Integer, nullable=False, server_default="1"),
    Column("resource_id", NAME, nullable=False),
    Column("before_min", Integer, nullable=False, server_default="0"),
    Column("after_min", Integer, nullable=False, server_default="0"),
    Column("bay_id", NAME),
    Column("plug_before_min", Integer, nullable=False, server_default="0"),
    Column("plug_after_min", Integer, nullable=False, server_default="0"),
    Column("kept_from", UtcDateTime, nullable=False, server_default=LONG_AGO),
    Column("kept_until", UtcDateTime, nullable=False, server_default=LONG_AGO),
    Column("long", Boolean, nullable=False, server_default=false()),
    Column("charging", JSON(none_as_null=True)),
    Column("promise", JSON(none_as_null=True)),
    Column("state", String(16), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("code", String(16), nullable=False, server_default=""),
    Column("expires_at", UtcDateTime),
    Column("cancelled_at", UtcDateTime),
    Column("late", Boolean, nullable=False, server_default=false()),
    Column("came_at", UtcDateTime),
    Column("left_at", UtcDateTime),
    Column("series_id", NAME, index=True),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("request_key", String(128), unique=True),
    Column("request_digest", LargeBinary),
    Index(None, "facility_id", "starts_at", "ends_at"),
    Index("ix_bookings_state", "state", "facility_id", "starts_at", "ends_at"),
    Index("ix_bookings_kept", "facility_id", "long", "state", "kept_from", "kept_until", "resource_id", "party", "id"),
)
"""The minutes are those for which resource and bay are kept around the stay; the resource from `kept_from` to `kept_until`,
`long` when that is more than a day. `promise` is what the guest was shown (X1).
`request_key` is the request's Idempotency-Key, if it had one."""

gathered = Table(
    "gathered",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("facility_id", NAME, ForeignKey("facilities.id"), nullable=False, index=True),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""Events about bookings that wait for others, where a facility has them sent on together (S206)."""

waiting = Table(
    "waiting",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("facility_id", NAME, ForeignKey("facilities.id"), nullable=False),
    Column("member_id", NAME, ForeignKey("members.id"), nullable=False, index=True),
    Column("service_id", NAME, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("length_min", Integer, nullable=False),
    Column("party", Integer, nullable=False),
    Column("wished_resource_id", NAME),
    Column("asked", JSON, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("told_at", UtcDateTime),
    Column("told_start", UtcDateTime),
    Column("told_end", UtcDateTime),
    Column("resource_id", NAME),
    Column("bay_id", NAME),
    Index(None, "facility_id", "state"),
)
"""Who waits for what, first come first."""

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("key", LONG, nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
    Column("memo", LONG, nullable=False),
    Column("unit", String(8), nullable=False),
)

ledger_lines = Table(
    "ledger_lines",
    metadata,
    Column("entry", Integer, ForeignKey("ledger_entries.position"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("account", String(100), nullable=False, index=True),
    Column("amount", BigInteger, nullable=False),
    Column("grant_id", String(36), index=True),
)
"""Append only, as the entries are: the first migration forbids change and deletion in the database itself (SQLite)."""

allocations = Table(
    "allocations",
    metadata,
    Column("statement_id", NAME, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("event_id", NAME, nullable=False),
    Column("facility_id", NAME, ForeignKey("facilities.id"), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("undistributed_minor", BigInteger, nullable=False),
    Column("message_id", String(36), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("final", Boolean, nullable=False, server_default=false()),
    Column("terms", JSON, nullable=False),
)
"""`terms`: how money became benefits when the statement first came."""

allocation_shares = Table(
    "allocation_shares",
    metadata,
    Column("statement_id", NAME, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("session_id", NAME, primary_key=True),
    Column("member_id", NAME, ForeignKey("members.id"), nullable=False, index=True),
    Column("booking_id", NAME, ForeignKey("bookings.id"), nullable=False),
    Column("delivered_wh", BigInteger, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("benefit", BigInteger, nullable=False),
)
"""From metered energy to money to benefits in the unit of the terms, share by share (X3)."""

benefit_policies = Table(
    "benefit_policies",
    metadata,
    Column("facility_id", NAME, ForeignKey("facilities.id"), primary_key=True),
    Column("policy", JSON, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)
"""A facility without one gives points at once."""

grants = Table(
    "grants",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("facility_id", NAME, ForeignKey("facilities.id"), nullable=False),
    Column("member_id", NAME, ForeignKey("members.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("unit", String(8), nullable=False),
    Column("source", LONG, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, index=True),
    Column("cap_minor", BigInteger),
    Column("event_id", NAME),
    Column("booking_id", NAME),
    Index(None, "member_id", "facility_id"),
)
"""What each benefit is; how much of it is left is in the ledger's lines that name it."""

register_rules = Table(
    "register_rules",
    metadata,
    Column("facility_id", NAME, ForeignKey("facilities.id"), primary_key=True),
    Column("rules", JSON, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

register_requests = Table(
    "register_requests",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("answer", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
"""What each Idempotency-Key was used for, and what it was answered."""

closings = Table(
    "closings",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("facility_id", NAME, ForeignKey("facilities.id"), nullable=False),
    Column("day", Date, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("counted_cash_minor", BigInteger),
    UniqueConstraint("facility_id", "day", "number"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("facility_id", NAME, ForeignKey("facilities.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("deed", String(16), nullable=False),
    Column("day", Date, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("method", String(16), nullable=False),
    Column("gross_minor", BigInteger, nullable=False),
    Column("due_minor", BigInteger, nullable=False),
    Column("discounts", JSON, nullable=False),
    Column("earned", BigInteger, nullable=False),
    Column("member_id", NAME, ForeignKey("members.id")),
    Column("booking_id", NAME, ForeignKey("bookings.id"), index=True),
    Column("refund_of", String(36), index=True),
    Column("note", LONG, nullable=False),
    Column("closing_id", String(36)),
    UniqueConstraint("facility_id", "number"),
    Index(None, "facility_id", "day"),
    Index(None, "member_id", "at"),
)
"""Signed: a payment is positive, a refund of it and a pay-out are negative. Written once; `closing_id` is the closing that
counted it."""

notices = Table(
    "notices",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("member_id", NAME, ForeignKey("members.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("subject", LONG, nullable=False, server_default=""),
    Column("text", Text, nullable=False),
    Column("reference", LONG, nullable=False, index=True),
    Column("state", String(16), nullable=False, server_default="kept"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("sent_at", UtcDateTime),
    Column("channel", NAME),
    Column("error", LONG),
    Index(None, "state", "next_at"),
)
"""The members' inbox (M3, S504), and what became of sending each notice on: see `domain.delivery`."""

paid_periods = Table(
    "paid_periods",
    metadata,
    Column("facility_id", NAME, ForeignKey("facilities.id"), primary_key=True),
    Column("starts_at", UtcDateTime, primary_key=True),
    Column("direction", String(8), primary_key=True),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("minor_per_kwh", Integer, nullable=False),
    Column("published_at", UtcDateTime, nullable=False),
    Column("offer_id", String(36), ForeignKey("offers.id")),
)
"""What the engine last published (S100). `offer_id` is the offer that told members of the period, if any did."""

offers = Table(
    "offers",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("facility_id", NAME, ForeignKey("facilities.id"), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("automatic", Boolean, nullable=False),
    Column("policy", JSON, nullable=False),
    Column("periods", JSON, nullable=False),
    Column("chosen", Integer, nullable=False),
    Column("left_out", Integer, nullable=False),
    Index(None, "facility_id", "made_at"),
)
"""What was offered, by which policy, to how many (S102-S106). What each member was told is a notice about it."""

offer_policies = Table(
    "offer_policies",
    metadata,
    Column("facility_id", NAME, ForeignKey("facilities.id"), primary_key=True),
    Column("policy", JSON, nullable=False),
)

offer_recipients = Table(
    "offer_recipients",
    metadata,
    Column("member_id", NAME, ForeignKey("members.id"), primary_key=True),
    Column("token", String(64), nullable=False, unique=True),
    Column("declined_at", UtcDateTime),
)
"""Members who were offered something. Who knows the token, which is in every offer, can decline all further ones."""

member_contacts = Table(
    "member_contacts",
    metadata,
    Column("member_id", NAME, ForeignKey("members.id"), primary_key=True),
    Column("channel", NAME, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("address", LONG, nullable=False),
)
"""Where a member wants to be told, the first wish first; the member's e-mail and phone come after these."""
