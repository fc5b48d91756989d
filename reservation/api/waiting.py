"""Routes of those who wait for a period that is taken."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from reservation.api.bookings import REFUSALS, AskedOfCarBody, Party
from reservation.api.desk import Desk
from reservation.api.fields import Answer, Id, Instant, PeriodAnswer, Text
from reservation.api.refusals import RefusingRoute
from reservation.domain.waiting import Waiting, WaitingState
from reservation.handlers import waiting as handlers
from reservation.store import waiting as store

Minutes = Annotated[int, Field(strict=True, ge=1, le=31 * 24 * 60)]


class WishBody(AskedOfCarBody):
    """What a member waits for: a stay of so many minutes (left out: as long as the service, else the whole period) within a
    period."""

    facility_id: Id
    member: Text
    start: Instant
    end: Instant
    minutes: Minutes | None = None
    service_id: Id | None = None
    resource_id: Id | None = None
    party: Party = 1

    def wish(self) -> handlers.Wish:
        """The wish that is meant."""
        own = {name: getattr(self, name) for name in WishBody.model_fields if name not in AskedOfCarBody.model_fields}
        return handlers.Wish(**own, asked=self.asked())


class WaitingAnswer(Answer):
    """A wish on the waiting list. `by_car` is null for what the member's preferences say. `free` is what the member was told
    of."""

    id: str
    facility_id: str
    member_id: str
    service_id: str
    start: AwareDatetime
    end: AwareDatetime
    minutes: int
    party: int
    by_car: bool | None
    state: WaitingState
    made_at: AwareDatetime
    told_at: AwareDatetime | None
    free: PeriodAnswer | None


def router(desk: Desk) -> APIRouter:
    """The routes under /waiting."""
    routes = APIRouter(prefix="/waiting", tags=["bookings"], route_class=RefusingRoute)

    @routes.post("", status_code=201, responses=REFUSALS)
    async def join(body: WishBody) -> WaitingAnswer:
        """Wait for a period; 409 when something is free already. Who waits is told when it becomes free, first come
        first."""
        wish = body.wish()
        return _answer(await desk.write(lambda connection, now: handlers.join(connection, wish, now)))

    @routes.get("")
    async def listed(
        facility_id: str | None = None, member_id: str | None = None, state: WaitingState | None = None
    ) -> list[WaitingAnswer]:
        """Who waits, first come first."""
        states = [state] if state else ()
        found = await desk.read(
            lambda connection: store.listed(connection, facility_id=facility_id, member_id=member_id, states=states)
        )
        return [_answer(one) for one in found]

    @routes.delete("/{wish_id}", responses=REFUSALS)
    async def leave(wish_id: str) -> WaitingAnswer:
        """Wait no longer."""
        return _answer(await desk.write(lambda connection, _: handlers.leave(connection, wish_id)))

    return routes


def _answer(wish: Waiting) -> WaitingAnswer:
    told = wish.told_period
    same = {name: getattr(wish, name) for name in WaitingAnswer.model_fields if hasattr(wish, name)}
    return WaitingAnswer(
        **same,
        start=wish.within.start,
        end=wish.within.end,
        minutes=wish.length_min,
        by_car=wish.asked.by_car,
        free=PeriodAnswer(start=told.start, end=told.end) if told else None,
    )
