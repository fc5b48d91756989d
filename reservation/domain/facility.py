"""A place that people visit by appointment: when it is open, what can be booked, where cars stand, by which rules."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from contracts.ids import FacilityId, StationId
from contracts.units import MINOR_DIGITS
from reservation.domain.hours import ONE_DAY, Hours
from reservation.domain.message import Language, Templates, check_templates
from reservation.domain.period import Period
from reservation.domain.position import Position
from reservation.domain.service import ANY_STAY, Service


@dataclass(frozen=True, slots=True)
class Resource:
    """What a stay occupies: a chair, a table, a room, a seat. `capacity` is in persons: of one party, or of all parties that
    are there at once where it is `shared` (a bath, a cinema). `services` are those it serves; none named: all."""

    id: str
    name: str
    kind: str = ""
    capacity: int = 1
    shared: bool = False
    services: tuple[str, ...] = ()

    def serves(self, service_id: str) -> bool:
        """Whether that service can be had there."""
        return not self.services or service_id in self.services


@dataclass(frozen=True, slots=True)
class Bay:
    """A parking space with an EVSE. Powers in W at the EVSE, both magnitudes; 0 discharge: charge only. `plugs` are what
    a car can be plugged into, such as `chademo`; none named: whatever comes."""

    id: str
    station_id: StationId
    evse_id: int
    max_charge_w: int
    max_discharge_w: int
    plugs: tuple[str, ...] = ()


class LateCancel(StrEnum):
    """What becomes of a guest's cancellation after the latest moment for it."""

    REFUSED = "refused"
    NOTED = "noted"


@dataclass(frozen=True, slots=True)
class Rules:
    """Times in minutes. A guest books `lead_min` before the start at the latest and `furthest_days` at the earliest (staff
    may take a `walk_in` without lead), and cancels or changes `cancel_min` before the start at the latest.

    A held period is kept for `hold_min`. A guest may check in `check_in_min` early; one who has not come `no_show_min` after
    the start will not come (None: the staff says so). A bay is kept `plug_before_min` and `plug_after_min` around the stay.
    Who waits for a period and was told that it is free comes before the next for `waiting_min`.

    Bookings are sent on to the engine every `send_every_min` minutes or every `send_every_bookings` bookings, whichever
    comes first; 0 of both: at once (S206).
    """

    lead_min: int = 0
    furthest_days: int = 366
    walk_in: bool = True
    cancel_min: int = 0
    late_cancel: LateCancel = LateCancel.REFUSED
    hold_min: int = 10
    check_in_min: int = 90
    no_show_min: int | None = None
    plug_before_min: int = 0
    plug_after_min: int = 0
    waiting_min: int = 30
    send_every_min: int = 0
    send_every_bookings: int = 0

    @property
    def plug_before(self) -> timedelta:
        """How long before a stay its bay is kept."""
        return timedelta(minutes=self.plug_before_min)

    @property
    def plug_after(self) -> timedelta:
        """How long after a stay its bay is kept."""
        return timedelta(minutes=self.plug_after_min)


@dataclass(frozen=True, slots=True)
class Facility:
    """`points_per_unit` is what one unit of `currency` (a yen, a euro) is worth in points. `reserve_bays`: a guest's charger
    is kept for the guest's own token while the stay lasts. `language` is that of guests who have told none; `messages` are
    its own texts where it has some.

    Raises ValueError for what no facility can be.
    """

    id: FacilityId
    name: str
    zone: ZoneInfo
    hours: Hours
    resources: tuple[Resource, ...]
    bays: tuple[Bay, ...]
    points_per_unit: int
    currency: str
    reserve_bays: bool = False
    services: tuple[Service, ...] = (ANY_STAY,)
    rules: Rules = Rules()
    language: Language = Language.EN
    messages: Templates = field(default_factory=dict)
    position: Position | None = None

    def __post_init__(self) -> None:
        if self.currency not in MINOR_DIGITS:
            raise ValueError(f"currency {self.currency!r} is not kept; take one of {', '.join(sorted(MINOR_DIGITS))}")
        _refuse_twins("resource id", [resource.id for resource in self.resources])
        _refuse_twins("bay id", [bay.id for bay in self.bays])
        _refuse_twins("EVSE", [f"{bay.station_id}/{bay.evse_id}" for bay in self.bays])
        _refuse_twins("service id", [service.id for service in self.services])
        self._refuse_services_of_nobody()
        check_templates(self.messages)

    def service(self, service_id: str) -> Service | None:
        """The service by id, or None."""
        return next((service for service in self.services if service.id == service_id), None)

    def resource(self, resource_id: str) -> Resource | None:
        """The resource by id, or None."""
        return next((resource for resource in self.resources if resource.id == resource_id), None)

    def bay(self, bay_id: str | None) -> Bay | None:
        """The bay by id, or None."""
        return next((bay for bay in self.bays if bay.id == bay_id), None)

    @property
    def hours_told(self) -> str:
        """The opening hours of the week for people."""
        return f"{self.hours} {self.zone.key}"

    def openings(self, period: Period) -> list[Period]:
        """Every opening that touches the period, in order. It may begin and end outside of it."""
        first, last = self.local(period.start).date() - ONE_DAY, self.local(period.end).date()
        return [one for one in self.hours.openings(first, last, self.zone) if one.overlaps(period)]

    def local(self, when: datetime) -> datetime:
        """The instant as the facility's clocks show it."""
        return when.astimezone(self.zone)

    def _refuse_services_of_nobody(self) -> None:
        if not self.services:
            raise ValueError("a facility has a service at least")
        known = {service.id for service in self.services}
        for resource in self.resources:
            if strange := sorted(set(resource.services) - known):
                raise ValueError(f"resource {resource.id} serves what the facility does not offer: {', '.join(strange)}")
        for service in self.services:
            if not any(resource.serves(service.id) for resource in self.resources):
                raise ValueError(f"no resource serves {service.id}")


def _refuse_twins(what: str, names: list[str]) -> None:
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise ValueError(f"each {what} is given once; twice here: {', '.join(twins)}")
