"""Routes of bookings."""

from hashlib import sha256
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query
from pydantic import AwareDatetime
from sqlalchemy import Connection

from reservation.api.desk import Desk
from reservation.api.fields import Answer, Asked, Id, Instant, Kilometres, Percent, Text, Yes
from reservation.api.members import CarBody
from reservation.api.refusals import NotFreeAnswer, RefusalAnswer, RefusingRoute
from reservation.domain.booking import Asked as AskedOfCar
from reservation.domain.booking import Booking, BookingState
from reservation.domain.facility import Facility, Resource
from reservation.domain.refusal import NotFree
from reservation.handlers import bookings as handlers
from reservation.handlers import known
from reservation.handlers.bookings import Request
from reservation.store import bookings as store
from reservation.store import members

REFUSALS: dict[int | str, dict[str, Any]] = {404: {"model": RefusalAnswer}, 409: {"model": RefusalAnswer}}
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$")]


class BookingBody(Asked):
    """A stay that is asked for (S200). `member` is an id, a number or a phone. What is left out of the car's part is as
    the member's preferences have it; `by_car` is true for a member who has a car."""

    facility_id: Id
    member: Text
    start: Instant
    end: Instant
    resource_id: Id | None = None
    by_car: Yes | None = None
    dr: Yes | None = None
    discharge: Yes | None = None
    soc_pct: Percent | None = None
    distance_km: Kilometres | None = None
    wanted_soc_pct: Percent | None = None
    floor_soc_pct: Percent | None = None

    def request(self, key: str | None) -> Request:
        """The request that is meant."""
        return Request(
            facility_id=self.facility_id,
            member=self.member,
            start=self.start,
            end=self.end,
            resource_id=self.resource_id,
            asked=AskedOfCar(
                by_car=self.by_car,
                dr=self.dr,
                discharge=self.discharge,
                soc_pct=self.soc_pct,
                distance_km=self.distance_km,
                wanted_soc_pct=self.wanted_soc_pct,
                floor_soc_pct=self.floor_soc_pct,
            ),
            key=key,
            digest=sha256(self.model_dump_json().encode()).digest() if key else None,
        )


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
    """A stay. `bay`, `charging` and `promise` are null for a guest who does not come by EV. Instants are UTC."""

    id: str
    facility_id: str
    member_id: str
    member_number: str
    start: AwareDatetime
    end: AwareDatetime
    resource: ResourceAnswer
    bay: BayAnswer | None
    charging: ChargingAnswer | None
    promise: PromiseAnswer | None
    state: BookingState
    made_at: AwareDatetime
    cancelled_at: AwareDatetime | None


def router(desk: Desk) -> APIRouter:
    """The routes under /bookings."""
    routes = APIRouter(prefix="/bookings", tags=["bookings"], route_class=RefusingRoute)

    @routes.post("", status_code=201, responses={404: {"model": RefusalAnswer}, 409: {"model": NotFreeAnswer}})
    async def book(body: BookingBody, idempotency_key: IdempotencyKey = None) -> BookingAnswer:
        """Book a stay. 409 with alternatives when it is not free; the same Idempotency-Key and body: the same booking."""
        booking = await _book(desk, body.request(idempotency_key))
        return await desk.read(lambda connection: _answers(connection, [booking])[0])

    @routes.get("")
    async def listed(
        facility_id: str | None = None,
        since: Annotated[Instant | None, Query(alias="from")] = None,
        until: Annotated[Instant | None, Query(alias="to")] = None,
        state: BookingState | None = None,
    ) -> list[BookingAnswer]:
        """Bookings that overlap [from, to), by start."""
        return await desk.read(
            lambda connection: _answers(
                connection,
                store.listed(connection, facility_id=facility_id, ending_after=since, starting_before=until, state=state),
            )
        )

    @routes.get("/{booking_id}", responses={404: {"model": RefusalAnswer}})
    async def one(booking_id: str) -> BookingAnswer:
        """One booking."""
        return await desk.read(lambda connection: _answers(connection, [known.booking(connection, booking_id)])[0])

    @routes.delete("/{booking_id}", responses=REFUSALS)
    async def cancel(booking_id: str) -> BookingAnswer:
        """Cancel a booking that has not begun; 409 when it has, or is cancelled already."""
        booking = await desk.write(lambda connection, now: handlers.cancel(connection, booking_id, now))
        return await desk.read(lambda connection: _answers(connection, [booking])[0])

    return routes


async def _book(desk: Desk, request: Request) -> Booking:
    try:
        booking, _ = await desk.write(lambda connection, now: handlers.book(connection, request, now))
    except NotFree as refusal:
        now = desk.clock.now()
        free = await desk.read(lambda connection: handlers.alternatives(connection, request, now))
        raise NotFree(str(refusal), free) from refusal
    return booking


def _answers(connection: Connection, bookings: list[Booking]) -> list[BookingAnswer]:
    facilities = {name: known.facility(connection, name) for name in {one.facility_id for one in bookings}}
    numbers = members.numbers(connection, (one.member_id for one in bookings))
    return [_answer(one, facilities[one.facility_id], numbers[one.member_id]) for one in bookings]


def _answer(booking: Booking, facility: Facility, member_number: str) -> BookingAnswer:
    resource = facility.resource(booking.resource_id) or Resource(booking.resource_id, booking.resource_id)
    bay = facility.bay(booking.bay_id)
    return BookingAnswer(
        id=booking.id,
        facility_id=booking.facility_id,
        member_id=booking.member_id,
        member_number=member_number,
        start=booking.period.start,
        end=booking.period.end,
        resource=ResourceAnswer.model_validate(resource),
        bay=bay and BayAnswer.model_validate(bay),
        charging=booking.charging and ChargingAnswer.model_validate(msgspec.to_builtins(booking.charging)),
        promise=booking.promise and PromiseAnswer.model_validate(booking.promise),
        state=booking.state,
        made_at=booking.made_at,
        cancelled_at=booking.cancelled_at,
    )
