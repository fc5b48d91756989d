"""What the reservation service says: facilities, bookings, and whose token is whose."""

from datetime import datetime
from enum import StrEnum

import msgspec

from contracts.csms import Token
from contracts.ids import BookingId, FacilityId, MemberId, StationId
from contracts.message import Event


class Car(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine must know of a car. Energies in Wh (usable battery), powers in W at the EVSE, both magnitudes. `plugs`
    are what it can be charged with, such as `chademo`; none named: any."""

    battery_wh: int
    max_charge_w: int
    max_discharge_w: int
    consumption_wh_per_km: int = 160
    plugs: tuple[str, ...] = ()


class ChargingWish(msgspec.Struct, frozen=True, kw_only=True):
    """What the guest allows and wants. SOC in percent of the usable battery.

    `soc_pct` is the SOC told when booking (None: unknown) and `distance_km` the drive still to come (patent M1).
    `wanted_soc_pct` is promised at the booking's end; `floor_soc_pct` is never gone below (X1).
    """

    car: Car
    dr: bool
    discharge: bool
    wanted_soc_pct: int
    floor_soc_pct: int
    soc_pct: int | None = None
    distance_km: float = 0.0


class FacilityAdded(Event, frozen=True, kw_only=True):
    """A facility is set up: whoever has something for it may send it now."""

    facility_id: FacilityId

    @property
    def key(self) -> str:
        return self.facility_id


class Stay(Event, frozen=True, kw_only=True):
    """A stay as it is booked. `charging` is None for a guest who does not come by EV.

    `reserve_bay` is the facility's wish that the EVSE is kept for the guest's first token while the stay lasts.
    """

    booking_id: BookingId
    facility_id: FacilityId
    member_id: MemberId
    start: datetime
    end: datetime
    tokens: tuple[Token, ...] = ()
    station_id: StationId | None = None
    evse_id: int | None = None
    charging: ChargingWish | None = None
    reserve_bay: bool = False

    @property
    def key(self) -> str:
        return self.booking_id


class BookingMade(Stay, frozen=True, kw_only=True):
    """A stay is booked, durably (S204), and sent on (S206)."""


class BookingChanged(Stay, frozen=True, kw_only=True):
    """A stay is booked otherwise than before, or again after it was given up: this holds now, in place of all that was
    said."""


class BookingCancelled(Event, frozen=True, kw_only=True):
    """A booked stay will not happen."""

    booking_id: BookingId
    facility_id: FacilityId

    @property
    def key(self) -> str:
        return self.booking_id


class StayOutcome(StrEnum):
    """What became of a stay."""

    CAME = "came"
    NO_SHOW = "no_show"
    LEFT_EARLY = "left_early"


class StayEnded(Event, frozen=True, kw_only=True):
    """A stay is over, or will not be: what is learned of how guests come and stay. `made_at` is when it was booked."""

    booking_id: BookingId
    facility_id: FacilityId
    member_id: MemberId
    start: datetime
    end: datetime
    made_at: datetime
    outcome: StayOutcome
    came_at: datetime | None = None
    left_at: datetime | None = None

    @property
    def key(self) -> str:
        return self.booking_id


class TokenAssigned(Event, frozen=True, kw_only=True):
    """A member's token: the central system authorises it from now on."""

    token: Token
    member_id: MemberId

    @property
    def key(self) -> str:
        return self.token.value


class TokenWithdrawn(Event, frozen=True, kw_only=True):
    """A token is that member's no more: the central system forgets it."""

    token: Token
    member_id: MemberId

    @property
    def key(self) -> str:
        return self.token.value
