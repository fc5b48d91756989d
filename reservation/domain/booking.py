"""Bookings, what each occupies, and what can become of one.

state        confirm  check_in    check_out    cancel     no_show  expire   change
-----------  -------  ----------  -----------  ---------  -------  -------  ----------
HELD         BOOKED   .           .            CANCELLED  .        EXPIRED  HELD
BOOKED       .        CHECKED_IN  .            CANCELLED  NO_SHOW  .        BOOKED
CHECKED_IN   .        .           CHECKED_OUT  .          .        .        CHECKED_IN
NO_SHOW      .        CHECKED_IN  .            .          .        .        .
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.ids import BookingId, FacilityId, MemberId
from contracts.reservation import ChargingWish
from reservation.domain.facility import Bay, Resource
from reservation.domain.member import Member, refuse_bad_soc
from reservation.domain.period import Period
from reservation.domain.position import Position, drive_km
from reservation.domain.promise import Promise
from reservation.domain.refusal import Conflict, Invalid, Reason


class BookingState(StrEnum):
    """Where a booking stands."""

    HELD = "held"
    """Kept for a few minutes while the guest makes up their mind."""
    BOOKED = "booked"
    CHECKED_IN = "checked_in"
    CHECKED_OUT = "checked_out"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    EXPIRED = "expired"


LONGEST_WAY_KM = 5_000
OCCUPYING = (BookingState.HELD, BookingState.BOOKED, BookingState.CHECKED_IN)
"""States in which a booking keeps its period."""
MADE = (BookingState.BOOKED, BookingState.CHECKED_IN, BookingState.CHECKED_OUT, BookingState.NO_SHOW)
"""States of bookings that were made and not given up."""


class Deed(StrEnum):
    """What is done to a booking."""

    CONFIRM = "confirmed"
    CHECK_IN = "checked in"
    CHECK_OUT = "checked out"
    CANCEL = "cancelled"
    NO_SHOW = "called a no-show"
    EXPIRE = "let go"
    CHANGE = "changed"


MOVES: dict[tuple[BookingState, Deed], BookingState] = {
    (BookingState.HELD, Deed.CONFIRM): BookingState.BOOKED,
    (BookingState.HELD, Deed.CANCEL): BookingState.CANCELLED,
    (BookingState.HELD, Deed.EXPIRE): BookingState.EXPIRED,
    (BookingState.HELD, Deed.CHANGE): BookingState.HELD,
    (BookingState.BOOKED, Deed.CHECK_IN): BookingState.CHECKED_IN,
    (BookingState.BOOKED, Deed.CANCEL): BookingState.CANCELLED,
    (BookingState.BOOKED, Deed.NO_SHOW): BookingState.NO_SHOW,
    (BookingState.BOOKED, Deed.CHANGE): BookingState.BOOKED,
    (BookingState.CHECKED_IN, Deed.CHECK_OUT): BookingState.CHECKED_OUT,
    (BookingState.CHECKED_IN, Deed.CHANGE): BookingState.CHECKED_IN,
    (BookingState.NO_SHOW, Deed.CHECK_IN): BookingState.CHECKED_IN,
}


@dataclass(frozen=True, slots=True)
class Booking:
    """A stay of `party` persons. `kept` is for how long the resource is kept for it, `bay_kept` for how long the bay is:
    the stay with the time around it. `bay_id`, `bay_kept`, `charging` and `promise` are None for a guest who does not
    come by EV.

    `code` is what a guest checks in with; `expires_at` ends a held one; `late` tells a cancellation after the latest moment
    for it; `series_id` is shared by stays that were booked together; `revision` counts changes.
    """

    id: BookingId
    facility_id: FacilityId
    member_id: MemberId
    service_id: str
    period: Period
    resource_id: str
    kept: Period
    made_at: datetime
    party: int = 1
    bay_id: str | None = None
    bay_kept: Period | None = None
    charging: ChargingWish | None = None
    promise: Promise | None = None
    state: BookingState = BookingState.BOOKED
    code: str = ""
    expires_at: datetime | None = None
    cancelled_at: datetime | None = None
    late: bool = False
    came_at: datetime | None = None
    left_at: datetime | None = None
    series_id: str | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """What the guest says of the car with the request (S200); None: as the member's preferences have it."""

    by_car: bool | None = None
    dr: bool | None = None
    discharge: bool | None = None
    soc_pct: int | None = None
    distance_km: float | None = None
    wanted_soc_pct: int | None = None
    floor_soc_pct: int | None = None
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """What a stay occupies."""

    resource: Resource
    bay: Bay | None


def moved(booking: Booking, deed: Deed) -> BookingState:
    """Where the deed leaves the booking. Raises Conflict where it cannot be done any more, or not yet."""
    to = MOVES.get((booking.state, deed))
    if to is None:
        already = " already" if deed.value.split()[0] == booking.state.value.split("_")[0] else ""
        what = booking.state.value.replace("_", " ")
        told = f"booking {booking.id} is {what}{already}" + ("" if already else f" and cannot be {deed}")
        raise Conflict(told, Reason.NOT_POSSIBLE, state=booking.state.value)
    return to


def charging_wish(member: Member, asked: Asked, facility_at: Position | None = None) -> ChargingWish | None:
    """The wish of a guest who comes by EV, else None. Raises Invalid when it cannot be meant. Where the guest says where the
    car is and not how far the way is, it is reckoned from there; the position itself goes no further.

    Who takes no part in DR is not discharged either, whatever the preferences say (X1).
    """
    if asked.by_car is False or (asked.by_car is None and member.car is None):
        return None
    if member.car is None:
        told = f"member {member.number} has no car; give the member one, or book with by_car false"
        raise Invalid(told, Reason.NO_CAR)
    prefers = member.preferences
    wanted = prefers.wanted_soc_pct if asked.wanted_soc_pct is None else asked.wanted_soc_pct
    floor = prefers.floor_soc_pct if asked.floor_soc_pct is None else asked.floor_soc_pct
    try:
        refuse_bad_soc(floor, wanted)
    except ValueError as error:
        raise Invalid(str(error), Reason.SOC) from error
    dr = prefers.dr if asked.dr is None else asked.dr
    discharge = prefers.discharge if asked.discharge is None else asked.discharge
    return ChargingWish(
        car=member.car,
        dr=dr,
        discharge=dr and discharge,
        wanted_soc_pct=wanted,
        floor_soc_pct=floor,
        soc_pct=asked.soc_pct,
        distance_km=_way_km(asked, facility_at),
    )


def _way_km(asked: Asked, facility_at: Position | None) -> float:
    if asked.distance_km is not None or asked.position is None:
        return asked.distance_km or 0.0
    if facility_at is None:
        raise Invalid("this facility has not said where it is: give distance_km, the way to go, in place of a position")
    way_km = drive_km(asked.position, facility_at)
    if way_km > LONGEST_WAY_KM:
        raise Invalid(f"the car is {way_km:.0f} km away; {LONGEST_WAY_KM} km is the longest way")
    return way_km
