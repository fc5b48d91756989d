"""Routes of stays that are booked week after week."""

from typing import Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, Field
from sqlalchemy import Connection

from reservation.api.bookings import NOT_FREE, REFUSALS, BookingAnswer, BookingBody, IdempotencyKey, Who, answers
from reservation.api.desk import Desk
from reservation.api.fields import Answer
from reservation.api.refusals import RefusingRoute
from reservation.domain.refusal import NotFree
from reservation.handlers import bookings as of_bookings
from reservation.handlers import series as handlers
from reservation.handlers.series import Series


class SeriesBody(BookingBody):
    """The first stay, and for how many weeks, at the same time by the facility's clocks. `take` all of them or none, or
    those that are free."""

    weeks: int = Field(strict=True, ge=2, le=104)
    take: Literal["all", "free"] = "all"


class LeftAnswer(Answer):
    """A stay that was left out, and why."""

    start: AwareDatetime
    detail: str


class SeriesAnswer(Answer):
    """What was done to the stays of a series, and which were left out."""

    id: str
    bookings: list[BookingAnswer]
    left: list[LeftAnswer]


def router(desk: Desk) -> APIRouter:
    """The routes under /series."""
    routes = APIRouter(prefix="/series", tags=["bookings"], route_class=RefusingRoute)

    @routes.post("", status_code=201, responses=NOT_FREE)
    async def book(body: SeriesBody, idempotency_key: IdempotencyKey = None) -> SeriesAnswer:
        """Book the same stay each week. 409 with alternatives of the first when one of all is not free, or none is."""
        request, all_or_none = body.request(idempotency_key), body.take == "all"
        try:
            made = await desk.write(
                lambda connection, now: handlers.book(connection, request, body.weeks, now, all_or_none=all_or_none)
            )
        except NotFree as refusal:
            now = desk.clock.now()
            free = await desk.read(lambda connection: of_bookings.alternatives(connection, request, now))
            raise refusal.offering(free) from refusal
        return await desk.read(lambda connection: _answer(connection, made))

    @routes.delete("/{series_id}", responses=REFUSALS)
    async def cancel(series_id: str, by: Who = "guest") -> SeriesAnswer:
        """Cancel what is still to come of a series; what is too late for it is left."""
        by_staff = by == "staff"
        gone = await desk.write(lambda connection, now: handlers.cancel(connection, series_id, now, by_staff=by_staff))
        return await desk.read(lambda connection: _answer(connection, gone))

    return routes


def _answer(connection: Connection, series: Series) -> SeriesAnswer:
    left = [LeftAnswer.model_validate(one) for one in series.left]
    return SeriesAnswer(id=series.id, bookings=answers(connection, series.booked), left=left)
