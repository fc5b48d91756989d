"""Routes of bookings."""

from hashlib import sha256
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Header, Query, Response
from pydantic import AwareDatetime, Field, model_validator
from sqlalchemy import Connection

from reservation.api.desk import Desk
from reservation.api.fields import Answer, Asked, Id, Instant, Kilometres, Latitude, Longitude, Percent, Text, Yes
from reservation.api.members import CarBody
from reservation.api.refusals import NotFreeAnswer, RefusalAnswer, RefusingRoute
from reservation.calendar import MEDIA_TYPE
from reservation.domain.booking import Asked as AskedOfCar
from reservation.domain.booking import Booking, BookingState
from reservation.domain.facility import Facility
from reservation.domain.places import place_of
from reservation.domain.position import Position
from reservation.domain.refusal import NotFree
from reservation.handlers import arrivals, known
from reservation.handlers import bookings as handlers
from reservation.handlers.bookings import Change
from reservation.handlers.placing import Request
from reservation.store import bookings as store
from reservation.store import members

REFUSALS: dict[int | str, dict[str, Any]] = {404: {"model": RefusalAnswer}, 409: {"model": RefusalAnswer}}
NOT_FREE: dict[int | str, dict[str, Any]] = {404: {"model": RefusalAnswer}, 409: {"model": NotFreeAnswer}}
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$")]
Party = Annotated[int, Field(strict=True, ge=1, le=100_000)]
Who = Literal["guest", "staff"]


class AskedOfCarBody(Asked):
    """What a guest says of the car. What is left out is as the member's preferences have it; `by_car` is true for a member
    who has a car. The way to go is `distance_km`, or reckoned from where the car is: `latitude`, `longitude`, in degrees."""

    by_car: Yes | None = None
    dr: Yes | None = None
    discharge: Yes | None = None
    soc_pct: Percent | None = None
    distance_km: Kilometres | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    wanted_soc_pct: Percent | None = None
    floor_soc_pct: Percent | None = None

    @model_validator(mode="after")
    def _whole_position(self) -> "AskedOfCarBody":
        position_of(self.latitude, self.longitude)
        return self

    def asked(self) -> AskedOfCar:
        """What is meant."""
        own = {name: getattr(self, name) for name in AskedOfCarBody.model_fields if name not in ("latitude", "longitude")}
        return AskedOfCar(**own, position=position_of(self.latitude, self.longitude))


def position_of(latitude: float | None, longitude: float | None) -> Position | None:
    """The position that is meant. Raises ValueError for half of one."""
    if latitude is None and longitude is None:
        return None
    if latitude is None or longitude is None:
        raise ValueError("a position has a latitude and a longitude")
    return Position(latitude, longitude)


class BookingBody(AskedOfCarBody):
    """A stay that is asked for (S200). `member` is an id, a number or a phone. `service_id` may be left out where there
    is one service, `end` where it has one length. `hold`: keep it for some minutes, to be confirmed. `walk_in`: staff
    takes down a guest who is there already."""

    facility_id: Id
    member: Text
    start: Instant
    end: Instant | None = None
    service_id: Id | None = None
    resource_id: Id | None = None
    party: Party = 1
    hold: Yes = False
    walk_in: Yes = False

    def request(self, key: str | None) -> Request:
        """The request that is meant."""
        return Request(
            facility_id=self.facility_id,
            member=self.member,
            start=self.start,
            end=self.end,
            service_id=self.service_id,
            resource_id=self.resource_id,
            party=self.party,
            hold=self.hold,
            walk_in=self.walk_in,
            asked=self.asked(),
            key=key,
            digest=sha256(self.model_dump_json().encode()).digest() if key else None,
        )


class ChangeBody(AskedOfCarBody):
    """What is to be otherwise; what is left out stays as it was. A new `start` alone keeps the length."""

    start: Instant | None = None
    end: Instant | None = None
    service_id: Id | None = None
    resource_id: Id | None = None
    party: Party | None = None

    def change(self, by: Who) -> Change:
        """The change that is meant."""
        names = ("start", "end", "service_id", "resource_id", "party")
        return Change(**{name: getattr(self, name) for name in names}, asked=self.asked(), by_staff=by == "staff")


class ResourceAnswer(Answer):
    """What the stay occupies."""

    id: str
    name: str


class BayAnswer(Answer):
    """Where the car stands."""

    id: str
    station_id: str
    evse_id: int


class ChargingAnswer(Answer):
    """What the guest allows and wants; SOC in percent."""

    car: CarBody
    dr: bool
    discharge: bool
    wanted_soc_pct: int
    floor_soc_pct: int
    soc_pct: int | None
    distance_km: float


class PromiseAnswer(Answer):
    """The SOC asked for at departure, the SOC the stay is long enough for (null: not known), and the reason when that is
    less (X1)."""

    wanted_soc_pct: int
    expected_soc_pct: int | None
    kept: bool
    reason: str


class BookingAnswer(Answer):
    """A stay. `bay`, `charging` and `promise` are null for a guest who does not come by EV. Instants are UTC.

    `code` is what the guest checks in with; `expires_at` ends a held stay; `late`: cancelled after the latest moment for it;
    `came_at` and `left_at`: the guest was checked in and out; `revision` counts changes.
    """

    id: str
    facility_id: str
    member_id: str
    member_number: str
    service_id: str
    party: int
    start: AwareDatetime
    end: AwareDatetime
    resource: ResourceAnswer
    bay: BayAnswer | None
    charging: ChargingAnswer | None
    promise: PromiseAnswer | None
    state: BookingState
    code: str
    made_at: AwareDatetime
    expires_at: AwareDatetime | None
    cancelled_at: AwareDatetime | None
    late: bool
    came_at: AwareDatetime | None
    left_at: AwareDatetime | None
    series_id: str | None
    revision: int


def router(desk: Desk) -> APIRouter:
    """The routes under /bookings."""
    routes = APIRouter(prefix="/bookings", tags=["bookings"], route_class=RefusingRoute)

    async def shown(booking: Booking) -> BookingAnswer:
        return await desk.read(lambda connection: answers(connection, [booking])[0])

    @routes.post("", status_code=201, responses=NOT_FREE)
    async def book(body: BookingBody, idempotency_key: IdempotencyKey = None) -> BookingAnswer:
        """Book a stay. 409 with alternatives when it is not free; the same Idempotency-Key and body: the same booking."""
        return await shown(await _book(desk, body.request(idempotency_key)))

    @routes.get("")
    async def listed(
        facility_id: str | None = None,
        member_id: str | None = None,
        series_id: str | None = None,
        since: Annotated[Instant | None, Query(alias="from")] = None,
        until: Annotated[Instant | None, Query(alias="to")] = None,
        state: BookingState | None = None,
    ) -> list[BookingAnswer]:
        """Bookings that overlap [from, to), by start."""
        return await desk.read(
            lambda connection: answers(
                connection,
                store.listed(
                    connection,
                    facility_id=facility_id,
                    member_id=member_id,
                    series_id=series_id,
                    ending_after=since,
                    starting_before=until,
                    states=[state] if state else (),
                ),
            )
        )

    @routes.get("/{booking_id}", responses={404: {"model": RefusalAnswer}})
    async def one(booking_id: str) -> BookingAnswer:
        """One booking."""
        return await desk.read(lambda connection: answers(connection, [known.booking(connection, booking_id)])[0])

    @routes.get(
        "/{booking_id}/calendar",
        response_class=Response,
        responses={200: {"content": {"text/calendar": {}}}, 404: {"model": RefusalAnswer}},
    )
    async def calendar(booking_id: str) -> Response:
        """The booking as a calendar file (iCalendar); fetched again after a change, it takes the place of the first."""
        now = desk.clock.now()
        content = await desk.read(lambda connection: handlers.calendar(connection, booking_id, now))
        named = {"Content-Disposition": 'attachment; filename="booking.ics"'}
        return Response(content, media_type=MEDIA_TYPE, headers=named)

    @routes.patch("/{booking_id}", responses=NOT_FREE)
    async def change(booking_id: str, body: ChangeBody, by: Who = "guest") -> BookingAnswer:
        """Change a booking, which keeps its id: 409 with alternatives when the new period is not free, or when it is too
        late for a guest."""
        return await shown(await _change(desk, booking_id, body.change(by)))

    @routes.delete("/{booking_id}", responses=REFUSALS)
    async def cancel(booking_id: str, by: Who = "guest") -> BookingAnswer:
        """Cancel a booking that has not begun; 409 when it has, is cancelled already, or when it is too late for a guest."""
        by_staff = by == "staff"
        return await shown(
            await desk.write(lambda connection, now: handlers.cancel(connection, booking_id, now, by_staff=by_staff))
        )

    @routes.post("/{booking_id}/confirm", responses=REFUSALS)
    async def confirm(booking_id: str) -> BookingAnswer:
        """Book what was held; 409 when its time is over."""
        return await shown(await desk.write(lambda connection, now: handlers.confirm(connection, booking_id, now)))

    @routes.post("/{booking_id}/charge-now", responses=REFUSALS)
    async def charge_now(booking_id: str) -> BookingAnswer:
        """The driver's override (X1): for the rest of the stay the car charges as fast as it can and takes part in nothing.
        What it has earned stays."""
        return await shown(await desk.write(lambda connection, now: handlers.charge_now(connection, booking_id, now)))

    @routes.post("/{booking_id}/check-in", responses=NOT_FREE)
    async def check_in(booking_id: str) -> BookingAnswer:
        """The guest is here. A no-show comes in if there is room yet."""
        return await shown(await desk.write(lambda connection, now: arrivals.check_in(connection, booking_id, now)))

    @routes.post("/{booking_id}/check-out", responses=REFUSALS)
    async def check_out(booking_id: str) -> BookingAnswer:
        """The guest has left; what is left of the period is free."""
        return await shown(await desk.write(lambda connection, now: arrivals.check_out(connection, booking_id, now)))

    @routes.post("/{booking_id}/no-show", responses=REFUSALS)
    async def no_show(booking_id: str) -> BookingAnswer:
        """The guest did not come; what is left of the period is free."""
        return await shown(await desk.write(lambda connection, now: arrivals.no_show(connection, booking_id, now)))

    return routes


async def _book(desk: Desk, request: Request) -> Booking:
    try:
        booking, _ = await desk.write(lambda connection, now: handlers.book(connection, request, now))
    except NotFree as refusal:
        now = desk.clock.now()
        free = await desk.read(lambda connection: handlers.alternatives(connection, request, now))
        raise refusal.offering(free) from refusal
    return booking


async def _change(desk: Desk, booking_id: str, change: Change) -> Booking:
    try:
        return await desk.write(lambda connection, now: handlers.change(connection, booking_id, change, now))
    except NotFree as refusal:
        now = desk.clock.now()
        free = await desk.read(lambda connection: handlers.alternatives_of_change(connection, booking_id, change, now))
        raise refusal.offering(free) from refusal


def answers(connection: Connection, bookings: list[Booking]) -> list[BookingAnswer]:
    """Bookings as they are sent."""
    facilities = {name: known.facility(connection, name) for name in {one.facility_id for one in bookings}}
    numbers = members.numbers(connection, (one.member_id for one in bookings))
    return [_answer(one, facilities[one.facility_id], numbers[one.member_id]) for one in bookings]


def _answer(booking: Booking, facility: Facility, member_number: str) -> BookingAnswer:
    place = place_of(facility, booking)
    same = {name: getattr(booking, name) for name in BookingAnswer.model_fields if hasattr(booking, name)}
    return BookingAnswer(
        **same
        | {
            "member_number": member_number,
            "start": booking.period.start,
            "end": booking.period.end,
            "resource": ResourceAnswer.model_validate(place.resource),
            "bay": place.bay and BayAnswer.model_validate(place.bay),
            "charging": booking.charging and ChargingAnswer.model_validate(msgspec.to_builtins(booking.charging)),
            "promise": booking.promise and PromiseAnswer.model_validate(booking.promise),
        }
    )
