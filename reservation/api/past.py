"""The route by which a facility's past comes in."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime, Field, model_validator

from reservation.api.bookings import Party
from reservation.api.desk import Desk
from reservation.api.fields import Answer, Asked, Id, Instant, Text
from reservation.api.refusals import RefusalAnswer, RefusingRoute
from reservation.domain.booking import BookingState
from reservation.domain.period import Period
from reservation.handlers import past as handlers
from reservation.handlers.past import Became, Past, Verdict


class PartOfDay(Asked):
    """A part of a day, in the first week in which the booking can have been."""

    start: Instant
    end: Instant


class PastBody(Asked):
    """A booking of the past and what became of it. `start` and `end`; or `within`, a part of a day that is looked at week
    after week for room, and `minutes`. `key` names the row for ever: it comes in once. Without `member`: somebody nobody
    knows."""

    line: int = Field(strict=True, ge=1, le=10_000_000)
    key: str = Field(pattern=r"^[\x21-\x7e]{1,64}$")
    became: Became
    service_id: Id | None = None
    start: Instant | None = None
    end: Instant | None = None
    within: PartOfDay | None = None
    minutes: int | None = Field(default=None, strict=True, ge=1, le=44_640)
    party: Party = 1
    resource_id: Id | None = None
    member: Text | None = None
    made_at: Instant | None = None
    cancelled_at: Instant | None = None

    @model_validator(mode="after")
    def _possible(self) -> "PastBody":
        if (self.start is None) != (self.end is None) or (self.start is None) == (self.within is None):
            raise ValueError("say when: start and end, or within")
        self.row()
        return self

    def row(self) -> Past:
        """The row that is meant. Raises ValueError."""
        names = (
            "line",
            "key",
            "became",
            "service_id",
            "minutes",
            "party",
            "resource_id",
            "member",
            "made_at",
            "cancelled_at",
        )
        return Past(
            **{name: getattr(self, name) for name in names},
            period=Period(self.start, self.end) if self.start and self.end else None,
            within=Period(self.within.start, self.within.end) if self.within else None,
        )


class PastsBody(Asked):
    """Rows of a book, in its order."""

    rows: Annotated[list[PastBody], Field(min_length=1, max_length=200)]


class VerdictAnswer(Answer):
    """What became of a row: its booking, or `detail` says why there is none; `again`: it had come in before."""

    line: int
    booking_id: str | None
    start: AwareDatetime | None
    state: BookingState | None
    detail: str
    again: bool


def router(desk: Desk) -> APIRouter:
    """The route under /facilities/{id}/past."""
    routes = APIRouter(prefix="/facilities/{facility_id}/past", tags=["facilities"], route_class=RefusingRoute)

    @routes.post("", responses={404: {"model": RefusalAnswer}})
    async def bring_in(facility_id: str, body: PastsBody) -> list[VerdictAnswer]:
        """Bring in bookings of the past, by the facility's rules; each row is answered by itself. Who came and who did
        not is told to the engine, which learns from it."""
        rows = [one.row() for one in body.rows]
        found = await desk.write(lambda connection, now: handlers.bring_in(connection, facility_id, rows, now))
        return [_answer(verdict) for verdict in found]

    return routes


def _answer(verdict: Verdict) -> VerdictAnswer:
    booking = verdict.booking
    return VerdictAnswer(
        line=verdict.line,
        booking_id=booking.id if booking else None,
        start=booking.period.start if booking else None,
        state=booking.state if booking else None,
        detail=verdict.detail,
        again=verdict.again,
    )
