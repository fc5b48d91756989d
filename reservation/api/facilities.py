"""Routes of facilities."""

from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response
from pydantic import AfterValidator, Field, model_validator

from contracts.ids import FacilityId, StationId
from reservation.api.desk import Desk
from reservation.api.fields import (
    Answer,
    Asked,
    Id,
    Latitude,
    LocalTime,
    Longitude,
    OpenTimes,
    Plugs,
    PositiveWatts,
    Text,
    Watts,
    Yes,
)
from reservation.api.refusals import RefusalAnswer, RefusingRoute
from reservation.domain.facility import Bay, Facility, LateCancel, Resource, Rules
from reservation.domain.hours import WEEKDAYS, Closure, Hours, OpenTime, Weekday
from reservation.domain.message import Language
from reservation.domain.position import Position
from reservation.domain.refusal import Invalid
from reservation.domain.service import ANY_STAY, MINUTES_A_DAY, Nights, Service
from reservation.handlers import facilities as handlers
from reservation.handlers import known
from reservation.store import facilities as store

Minutes = Annotated[int, Field(strict=True, ge=0, le=31 * MINUTES_A_DAY)]
Length = Annotated[int, Field(strict=True, ge=1, le=31 * MINUTES_A_DAY)]
Day = Annotated[date, AfterValidator(lambda day: _day(day))]


class NightsBody(Asked, Answer):
    """A stay over nights, from check-in to check-out (local times), at most so many."""

    check_in: LocalTime
    check_out: LocalTime
    longest: int = Field(default=30, strict=True, ge=1, le=30)

    def nights(self) -> Nights:
        """The nights that are meant."""
        return Nights(self.check_in, self.check_out, self.longest)


class ServiceBody(Asked, Answer):
    """What guests come for. `minutes` are the lengths on offer; none: the guest says how long. Stays begin every `every_min`
    minutes from midnight; null: at any time. The resource is kept before and after the stay, too."""

    id: Id
    name: Text
    minutes: list[Length] = Field(default=[], max_length=100)
    every_min: int | None = Field(default=None, strict=True, ge=1, le=MINUTES_A_DAY)
    before_min: int = Field(default=0, strict=True, ge=0, le=MINUTES_A_DAY)
    after_min: int = Field(default=0, strict=True, ge=0, le=MINUTES_A_DAY)
    nights: NightsBody | None = None

    def service(self) -> Service:
        """The service that is meant. Raises ValueError."""
        given = self.model_dump() | {"minutes": tuple(sorted(set(self.minutes)))}
        return Service(**given | {"nights": self.nights and self.nights.nights()})


class ResourceBody(Asked, Answer):
    """What a stay occupies: a chair, a table, a room. `capacity` in persons: of one party, or of all who are there at once
    where it is `shared`. `services` it serves; none named: all."""

    id: Id
    name: Text
    kind: str = Field(default="", max_length=40)
    capacity: int = Field(default=1, strict=True, ge=1, le=100_000)
    shared: Yes = False
    services: list[Id] = Field(default=[], max_length=200)

    def resource(self) -> Resource:
        """The resource that is meant."""
        return Resource(**self.model_dump() | {"services": tuple(self.services)})


class BayBody(Asked, Answer):
    """A parking space with an EVSE. Powers in W at the EVSE, magnitudes; discharge 0: charge only. `plugs` are what a car
    can be plugged into, such as `chademo`, `ccs2`, `type2`; none named: whatever comes."""

    id: Id
    station_id: Text = Field(max_length=48)
    evse_id: int = Field(strict=True, ge=1, le=10_000)
    max_charge_w: PositiveWatts
    max_discharge_w: Watts = 0
    plugs: Plugs = Field(default=[])

    def bay(self) -> Bay:
        """The bay that is meant."""
        station_id, plugs = StationId(self.station_id), tuple(self.plugs)
        return Bay(self.id, station_id, self.evse_id, self.max_charge_w, self.max_discharge_w, plugs)


class ClosureBody(Asked, Answer):
    """Local days, both included, that are closed, or have the hours given here. `last` left out: one day."""

    first: Day
    last: Day | None = None
    hours: OpenTimes = Field(default=[])
    reason: str = Field(default="", max_length=200)

    def closure(self) -> Closure:
        """The closure that is meant. Raises ValueError."""
        return Closure(self.first, self.last or self.first, tuple(self.hours), self.reason)


class RulesBody(Asked, Answer):
    """By which rules bookings are taken; minutes. See `Rules`: lead time and latest cancellation before the start, walk-ins,
    holds, check-in, no-shows, the time that a bay is kept around a stay, the waiting list, and when bookings are sent on to
    the engine (every so many minutes or bookings; 0 of both: at once)."""

    lead_min: Minutes = 0
    furthest_days: int = Field(default=366, strict=True, ge=1, le=3_660)
    walk_in: Yes = True
    cancel_min: Minutes = 0
    late_cancel: LateCancel = LateCancel.REFUSED
    hold_min: Length = 10
    check_in_min: Minutes = 90
    no_show_min: Minutes | None = None
    plug_before_min: int = Field(default=0, strict=True, ge=0, le=MINUTES_A_DAY)
    plug_after_min: int = Field(default=0, strict=True, ge=0, le=MINUTES_A_DAY)
    waiting_min: Length = 30
    send_every_min: int = Field(default=0, strict=True, ge=0, le=MINUTES_A_DAY)
    send_every_bookings: int = Field(default=0, strict=True, ge=0, le=10_000)


class PositionBody(Asked, Answer):
    """Where it is: degrees of WGS 84."""

    latitude: Latitude
    longitude: Longitude


class FacilityBody(Asked):
    """A place. `hours` are local times of `zone` (IANA) by weekday, `HH:MM-HH:MM`; a weekday left out is closed; closing at
    or before opening is on the next day, the same time twice is 24 hours. `opens` and `closes` instead: the same each day.
    Without `services`: stays of any length.

    `points_per_unit` is what one yen or euro is worth in points. `reserve_bays`: a guest's charger is kept for the guest's
    own token while the stay lasts. `messages` are the facility's own texts, by language and kind."""

    id: Id
    name: Text
    zone: Text
    hours: dict[Weekday, OpenTimes] | None = None
    opens: LocalTime | None = None
    closes: LocalTime | None = None
    closures: list[ClosureBody] = Field(default=[], max_length=1_000)
    services: list[ServiceBody] = Field(default=[], max_length=200)
    resources: list[ResourceBody] = Field(min_length=1, max_length=2_000)
    bays: list[BayBody] = Field(default=[], max_length=2_000)
    rules: RulesBody = Field(default_factory=RulesBody)
    points_per_unit: int = Field(default=1, strict=True, ge=0, le=1_000_000)
    currency: str = "JPY"
    reserve_bays: Yes = False
    position: PositionBody | None = None
    language: Language = Language.EN
    messages: dict[str, dict[str, Annotated[str, Field(max_length=2_000)]]] = Field(default={})

    @model_validator(mode="after")
    def _possible(self) -> "FacilityBody":
        self.facility()
        return self

    def facility(self) -> Facility:
        """The facility that is meant. Raises ValueError."""
        return Facility(
            id=FacilityId(self.id),
            name=self.name,
            zone=_zone(self.zone),
            hours=Hours(self._week(), tuple(one.closure() for one in self.closures)),
            services=tuple(one.service() for one in self.services) or (ANY_STAY,),
            resources=tuple(one.resource() for one in self.resources),
            bays=tuple(one.bay() for one in self.bays),
            rules=Rules(**self.rules.model_dump()),
            points_per_unit=self.points_per_unit,
            currency=self.currency,
            reserve_bays=self.reserve_bays,
            position=Position(**self.position.model_dump()) if self.position else None,
            language=self.language,
            messages=self.messages,
        )

    def _week(self) -> tuple[tuple[OpenTime, ...], ...]:
        if self.hours is not None and self.opens is self.closes is None:
            return tuple(tuple(self.hours.get(day, ())) for day in WEEKDAYS)
        if self.hours is None and self.opens is not None and self.closes is not None:
            return Hours.daily(self.opens, self.closes).week
        raise ValueError("say when it is open: hours by weekday, or opens and closes for the same hours each day")


class FacilityAnswer(Answer):
    """A facility as it is kept. Sent back with PUT it changes nothing."""

    id: str
    name: str
    zone: str
    hours: dict[Weekday, OpenTimes]
    closures: list[ClosureBody]
    services: list[ServiceBody]
    resources: list[ResourceBody]
    bays: list[BayBody]
    rules: RulesBody
    points_per_unit: int
    currency: str
    reserve_bays: bool
    position: PositionBody | None
    language: Language
    messages: dict[str, dict[str, str]]


def answer(facility: Facility) -> FacilityAnswer:
    """The facility as it is sent."""
    hours = facility.hours
    return FacilityAnswer.model_validate(
        {
            **{name: getattr(facility, name) for name in FacilityAnswer.model_fields if hasattr(facility, name)},
            "zone": facility.zone.key,
            "hours": {day: list(times) for day, times in zip(WEEKDAYS, hours.week, strict=True)},
            "closures": list(hours.closures),
        }
    )


def router(desk: Desk) -> APIRouter:
    """The routes under /facilities."""
    routes = APIRouter(prefix="/facilities", tags=["facilities"], route_class=RefusingRoute)

    @routes.post("", status_code=201, responses={200: {"model": FacilityAnswer}, 409: {"model": RefusalAnswer}})
    async def add(body: FacilityBody, response: Response) -> FacilityAnswer:
        """Add a facility: 201; 200 when the very same one is there; 409 for another under its id or with its EVSE."""
        facility = body.facility()
        if not await desk.write(lambda connection, now: handlers.add(connection, facility, now)):
            response.status_code = 200
        return answer(facility)

    @routes.put("/{facility_id}", responses={201: {"model": FacilityAnswer}, 409: {"model": RefusalAnswer}})
    async def put(facility_id: str, body: FacilityBody, response: Response) -> FacilityAnswer:
        """Keep the facility as it is given: 200, 201 when it is new; 409 while stays need what would go, and for another's
        EVSE."""
        facility = body.facility()
        if facility.id != facility_id:
            raise Invalid(f"the facility of this address is {facility_id!r}, the one given is {facility.id!r}")
        if await desk.write(lambda connection, now: handlers.put(connection, facility, now)):
            response.status_code = 201
        return answer(facility)

    @routes.get("")
    async def everyone() -> list[FacilityAnswer]:
        """All facilities, by id."""
        return [answer(facility) for facility in await desk.read(store.listed)]

    @routes.get("/{facility_id}", responses={404: {"model": RefusalAnswer}})
    async def one(facility_id: str) -> FacilityAnswer:
        """One facility."""
        return answer(await desk.read(lambda connection: known.facility(connection, facility_id)))

    return routes


def _day(day: date) -> date:
    if not 2000 <= day.year <= 2199:
        raise ValueError("the year is outside 2000-2199")
    return day


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # what zoneinfo raises for unknown names, odd names and folders
        raise ValueError(f"no time zone {name!r}; take an IANA name such as Asia/Tokyo") from error
