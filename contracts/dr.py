"""What the demand-response engine says: periods that pay, and compensation, allocated."""

from datetime import datetime
from enum import Enum

import msgspec

from contracts.ids import BookingId, DrEventId, FacilityId, MemberId, SessionId
from contracts.message import Event


class Direction(Enum):
    """`UP`: the grid needs supply, cars take less or give. `DOWN`: it needs demand, cars take more."""

    UP = "up"
    DOWN = "down"


class IncentiveWindow(msgspec.Struct, frozen=True, kw_only=True):
    """A period in which cars that help are expected to be paid: so many minor units for a kWh (patent S100)."""

    start: datetime
    end: datetime
    direction: Direction
    minor_per_kwh: int


class IncentiveWindowsPublished(Event, frozen=True, kw_only=True):
    """The windows of one facility between `start` and `end`, in order and without overlap in one direction: they take the
    place of all that were published for that span before; outside of them nothing is paid (F7A, S100)."""

    facility_id: FacilityId
    currency: str
    start: datetime
    end: datetime
    windows: tuple[IncentiveWindow, ...]

    @property
    def key(self) -> str:
        return self.facility_id


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One session's part of a compensation: what it delivered against its baseline, and its money in minor units."""

    member_id: MemberId
    booking_id: BookingId
    session_id: SessionId
    delivered_wh: int
    amount_minor: int


class CompensationAllocated(Event, frozen=True, kw_only=True):
    """The compensation of one event and facility, allocated (S402) and sent on (S404).

    The shares and `undistributed_minor` (nobody delivered) sum exactly to `total_minor`, the members' part of the money.
    `(statement_id, revision)` names it for ever: the same one twice is the same money. After a `final` revision none comes.
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
