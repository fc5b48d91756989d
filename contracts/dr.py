"""What the demand-response engine says: compensation, allocated."""

import msgspec

from contracts.ids import BookingId, DrEventId, FacilityId, MemberId, SessionId
from contracts.message import Event


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One session's part of a compensation: what it delivered against its baseline, and its money in minor units."""

    member_id: MemberId
    booking_id: BookingId
    session_id: SessionId
    delivered_wh: int
    amount_minor: int


class CompensationAllocated(Event, frozen=True, kw_only=True):
    """The compensation of one event and facility, allocated (S402) and sent on (S404).

    The shares and `undistributed_minor` (nobody delivered) sum exactly to `total_minor`. `(statement_id, revision)` names it
    for ever: the same one twice is the same money. After a `final` revision none comes.
    """

    statement_id: str
    revision: int
    event_id: DrEventId
    facility_id: FacilityId
    currency: str
    total_minor: int
    undistributed_minor: int
    shares: tuple[Share, ...]
    final: bool = False

    @property
    def key(self) -> str:
        return self.statement_id
