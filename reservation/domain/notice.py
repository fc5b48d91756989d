"""What a member is told (M3, S504)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.ids import MemberId
from reservation.domain.delivery import DeliveryState


class NoticeKind(StrEnum):
    """What the notice is about."""

    BOOKED = "booked"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    FREE = "free"
    OFFER = "offer"
    BENEFIT = "benefit"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Notice:
    """Plain text for one member. `reference` names what it is about: a booking's id, a statement's posting, an offer's id.

    It is sent on over the member's channel, not before `not_before`, and not any more from `expires_at` on; `state` and
    `channel` say what became of that.
    """

    id: str
    member_id: MemberId
    kind: NoticeKind
    at: datetime
    text: str
    reference: str
    subject: str = ""
    not_before: datetime | None = None
    expires_at: datetime | None = None
    state: DeliveryState = DeliveryState.WAITING
    channel: str | None = None
