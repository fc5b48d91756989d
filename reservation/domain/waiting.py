"""Guests who wait for a period that is taken: who is told, when something becomes free."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.ids import FacilityId, MemberId
from reservation.domain.booking import Asked
from reservation.domain.period import Period


class WaitingState(StrEnum):
    """Where a wish stands."""

    WAITING = "waiting"
    TOLD = "told"
    SERVED = "served"
    """The member has booked within it."""
    WITHDRAWN = "withdrawn"
    OVER = "over"
    """Its time has passed."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A member waits for a stay of `length_min` minutes within `within`. Once told, `told_at` says when, and
    `told_period` what was free, at `resource_id` and `bay_id`."""

    id: str
    facility_id: FacilityId
    member_id: MemberId
    service_id: str
    within: Period
    length_min: int
    party: int
    made_at: datetime
    wished_resource_id: str | None = None
    asked: Asked = field(default_factory=Asked)
    state: WaitingState = WaitingState.WAITING
    told_at: datetime | None = None
    told_period: Period | None = None
    resource_id: str | None = None
    bay_id: str | None = None

    @property
    def length(self) -> timedelta:
        """How long the stay is to be."""
        return timedelta(minutes=self.length_min)

    def comes_first(self, now: datetime, waiting_min: int) -> bool:
        """Whether the member was told so lately that what was free is not yet offered to the next in the line."""
        return (
            self.state is WaitingState.TOLD
            and self.told_at is not None
            and self.told_at > now - timedelta(minutes=waiting_min)
        )
