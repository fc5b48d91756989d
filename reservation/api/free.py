"""Routes of a facility's free periods, and of guests at its door."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from contracts.csms import Token
from reservation.api.bookings import NOT_FREE, BookingAnswer, PromiseAnswer, answers, position_of
from reservation.api.desk import Desk
from reservation.api.fields import Answer, Asked, Instant, Text
from reservation.api.members import TokenBody
from reservation.api.refusals import RefusalAnswer, RefusingRoute
from reservation.domain.booking import Asked as AskedOfCar
from reservation.handlers import arrivals
from reservation.handlers import free as handlers
from reservation.handlers.arrivals import Shown
from reservation.handlers.free import Search

Soc = Annotated[int | None, Field(ge=0, le=100)]


class FreeQuery(BaseModel):
    """What is looked for between `from` and `to`. `minutes` is the length, `nights` that of a service over nights;
    neither: as long as the service. For a guest by car say which `member`, and of the car what is unlike the member's
    preferences. `but`: a booking that is to be changed or is held, and so is not in its own way."""

    model_config = ConfigDict(extra="forbid")

    since: Instant = Field(alias="from")
    until: Instant = Field(alias="to")
    service_id: str | None = None
    minutes: int | None = Field(None, ge=1, le=31 * 24 * 60)
    nights: int | None = Field(None, ge=1, le=31)
    party: int = Field(1, ge=1, le=100_000)
    resource_id: str | None = None
    member: str | None = None
    but: str | None = None
    by_car: bool | None = None
    dr: bool | None = None
    discharge: bool | None = None
    soc_pct: Soc = None
    distance_km: float | None = Field(None, ge=0, le=5_000, allow_inf_nan=False)
    latitude: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False)
    longitude: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False)
    wanted_soc_pct: Soc = None
    floor_soc_pct: Soc = None
    limit: int = Field(50, ge=1, le=500)

    @model_validator(mode="after")
    def _whole_position(self) -> Self:
        position_of(self.latitude, self.longitude)
        return self

    def search(self, facility_id: str) -> Search:
        """The search that is meant."""
        names = ("limit", "service_id", "minutes", "nights", "party", "resource_id", "member", "but")
        told: dict[str, Any] = {name: getattr(self, name) for name in names}
        of_car = [name for name in AskedOfCar.__dataclass_fields__ if name != "position"]
        position = position_of(self.latitude, self.longitude)
        asked = AskedOfCar(**{name: getattr(self, name) for name in of_car}, position=position)
        return Search(facility_id=facility_id, start=self.since, end=self.until, asked=asked, **told)


class FreeAnswer(Answer):
    """A period that can be booked, the resources that are free then, and for a guest by car the bays and what the car can
    have at departure in the first of them (X1)."""

    start: AwareDatetime
    end: AwareDatetime
    resources: list[str]
    bays: list[str]
    promise: PromiseAnswer | None


class ShownBody(Asked):
    """By what a guest at the door is known: the booking's code, the number plate, or a token. One of them."""

    code: Text | None = None
    plate: Text | None = None
    token: TokenBody | None = None

    @model_validator(mode="after")
    def _one(self) -> "ShownBody":
        if sum(one is not None for one in (self.code, self.plate, self.token)) != 1:
            raise ValueError("say one of code, plate and token")
        return self

    def shown(self) -> Shown:
        """What is meant."""
        token = Token(value=self.token.value, type=self.token.type) if self.token else None
        return Shown(self.code, self.plate, token)


def router(desk: Desk) -> APIRouter:
    """The routes under /facilities/{id} for guests who come, now or later."""
    routes = APIRouter(prefix="/facilities/{facility_id}", tags=["bookings"], route_class=RefusingRoute)

    @routes.get("/free", responses={404: {"model": RefusalAnswer}})
    async def free(facility_id: str, query: Annotated[FreeQuery, Query()]) -> list[FreeAnswer]:
        """Periods of a service that can be booked, by start, at the times at which it begins."""
        now, search = desk.clock.now(), query.search(facility_id)
        return [_answer(one) for one in await desk.read(lambda connection: handlers.search(connection, search, now))]

    @routes.post("/check-in", responses=NOT_FREE)
    async def check_in(facility_id: str, body: ShownBody) -> BookingAnswer:
        """Check in the guest at the door, who shows a code, a number plate or a token."""
        shown = body.shown()
        booking = await desk.write(lambda connection, now: arrivals.check_in_by(connection, facility_id, shown, now))
        return await desk.read(lambda connection: answers(connection, [booking])[0])

    return routes


def _answer(free: handlers.Free) -> FreeAnswer:
    return FreeAnswer(
        start=free.period.start,
        end=free.period.end,
        resources=[one.id for one in free.resources],
        bays=[one.id for one in free.bays],
        promise=free.promise and PromiseAnswer.model_validate(free.promise),
    )
