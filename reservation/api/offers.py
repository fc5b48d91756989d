"""Routes of paid periods and their offers (patent S100-S106, M6)."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, Field
from sqlalchemy import Connection

from reservation.api.desk import Desk
from reservation.api.fields import Answer, Asked, Yes
from reservation.api.refusals import RefusalAnswer, RefusingRoute
from reservation.domain.audience import checked
from reservation.domain.consent import Means
from reservation.domain.delivery import DeliveryState
from reservation.domain.offer import OfferPolicy
from reservation.domain.paid import PaidPeriod, bay_power_w, most_earned_minor
from reservation.domain.refusal import Invalid, Unknown
from reservation.handlers import consents, known
from reservation.handlers import offers as handlers
from reservation.store import deliveries, members
from reservation.store import offers as store
from reservation.store import paid as paid_store

MISSING: dict[int | str, dict[str, Any]] = {404: {"model": RefusalAnswer}}


class PaidPeriodAnswer(Answer):
    """A period in which cars are paid: `up` for what they give, `down` for what they take. `most_minor` is what the member's
    car can earn in it at most; it is told when a member was asked for, who has a car."""

    start: AwareDatetime
    end: AwareDatetime
    direction: str
    minor_per_kwh: int
    currency: str
    most_minor: int | None = None


class ToldAnswer(Answer):
    """What a member is told, and when. `state` is that of sending it; None in a preview."""

    member_id: str
    number: str
    text: str
    at: AwareDatetime
    state: DeliveryState | None = None
    channel: str | None = None
    error: str | None = None


class LeftOutAnswer(Answer):
    """A member who gets no offer, and why."""

    member_id: str
    number: str
    why: str


class PreviewAnswer(Answer):
    """Who would be told what; nothing was sent."""

    periods: list[PaidPeriodAnswer]
    told: list[ToldAnswer]
    left_out: list[LeftOutAnswer]


class OfferAnswer(Answer):
    """An offer that was made. `states` counts what became of the notices."""

    id: str
    facility_id: str
    made_at: AwareDatetime
    automatic: bool
    periods: list[dict[str, str | int]]
    chosen: int
    left_out: int
    states: dict[str, int]


class OfferWithTold(OfferAnswer):
    """An offer, the policy it was made by, and what each member was told."""

    policy: OfferPolicy
    told: list[ToldAnswer]


class OfferRequest(Asked):
    """`again`: also when all of the periods were offered already."""

    again: Yes = False


class PreviewRequest(Asked):
    """With another policy than the facility's own, to try it."""

    policy: OfferPolicy | None = None


class OffersWanted(Asked):
    """Whether the member wants offers, and how that was said."""

    wanted: Yes = Field(description="false: none from now on")
    means: Means = Means.PROGRAM


def router(desk: Desk) -> APIRouter:
    """The routes of paid periods, policies and offers."""
    routes = APIRouter(tags=["offers"], route_class=RefusingRoute)

    @routes.get("/facilities/{facility_id}/paid-periods", responses=MISSING)
    async def paid_periods(facility_id: str, member: str | None = None) -> list[PaidPeriodAnswer]:
        """Paid periods that are not over, in order (M6); with a member, what the member's car can earn."""
        now = desk.clock.now()
        return await desk.read(lambda connection: _paid(connection, facility_id, member, now))

    @routes.get("/facilities/{facility_id}/offer-policy", responses=MISSING)
    async def policy(facility_id: str) -> OfferPolicy:
        """To whom the facility offers, and when."""
        return await desk.read(lambda connection: store.policy_of(connection, known.facility(connection, facility_id).id))

    @routes.put("/facilities/{facility_id}/offer-policy", responses=MISSING)
    async def set_policy(facility_id: str, body: OfferPolicy) -> OfferPolicy:
        """Set to whom the facility offers, and when."""
        _check(body)

        def work(connection: Connection) -> OfferPolicy:
            store.set_policy(connection, known.facility(connection, facility_id).id, body)
            return body

        return await desk.write(lambda connection, _: work(connection))

    @routes.post("/facilities/{facility_id}/offers/preview", responses=MISSING)
    async def preview(facility_id: str, body: PreviewRequest) -> PreviewAnswer:
        """Who would be told what if all paid periods to come were offered now; nothing is sent."""
        if body.policy:
            _check(body.policy)

        def work(connection: Connection) -> PreviewAnswer:
            links = handlers.Links(desk.public_url)
            found = handlers.preview(connection, facility_id, body.policy, links, desk.clock.now())
            return _previewed(known.facility(connection, facility_id).currency, found)

        return await desk.write(lambda connection, _: work(connection))

    @routes.post("/facilities/{facility_id}/offers", status_code=201, responses=MISSING | {409: {"model": RefusalAnswer}})
    async def send(facility_id: str, body: OfferRequest) -> OfferAnswer:
        """Offer all paid periods to come to whom the policy chooses; 409 when all of them were offered already."""
        links = handlers.Links(desk.public_url)
        made = await desk.write(lambda connection, now: handlers.send(connection, facility_id, links, now, again=body.again))
        return await desk.read(lambda connection: _answer(connection, made))

    @routes.get("/facilities/{facility_id}/offers", responses=MISSING)
    async def listed(facility_id: str) -> list[OfferAnswer]:
        """The facility's last hundred offers, the newest first."""

        def work(connection: Connection) -> list[OfferAnswer]:
            facility = known.facility(connection, facility_id)
            return [_answer(connection, one) for one in store.listed(connection, facility.id, 100)]

        return await desk.read(work)

    @routes.get("/offers/{offer_id}", responses=MISSING)
    async def one(offer_id: str) -> OfferWithTold:
        """One offer, with what each member was told and what became of it."""
        return await desk.read(lambda connection: _with_told(connection, offer_id))

    @routes.put("/members/{identity}/offers", status_code=204, responses=MISSING)
    async def wanted(identity: str, body: OffersWanted) -> None:
        """Whether a member wants offers."""
        await desk.write(
            lambda connection, now: consents.want_offers(
                connection, known.member(connection, identity), body.means, now, wanted=body.wanted
            )
        )

    return routes


def open_router(desk: Desk) -> APIRouter:
    """Routes for whoever has the secret that stands in an offer; no other authentication."""
    routes = APIRouter(tags=["offers"], route_class=RefusingRoute)

    @routes.post("/offers/decline/{token}", status_code=204, responses=MISSING)
    async def decline(token: str) -> Response:
        """No more offers to the member whose offer had this token (as RFC 8058 has it: one POST, no question)."""
        if not await desk.write(lambda connection, now: handlers.decline(connection, token, now)):
            raise Unknown("nobody was offered anything with this token")
        return Response(status_code=204)

    return routes


def _check(policy: OfferPolicy) -> None:
    try:
        checked(policy.audience)
    except ValueError as error:
        raise Invalid(str(error)) from error


def _paid(connection: Connection, facility_id: str, member: str | None, now: AwareDatetime) -> list[PaidPeriodAnswer]:
    facility = known.facility(connection, facility_id)
    car = known.member(connection, member).car if member else None
    return [
        _period(
            one,
            facility.currency,
            most_earned_minor(one, car, bay_power_w(facility, one.direction)) if car else None,
        )
        for one in paid_store.listed(connection, facility.id, now)
    ]


def _period(one: PaidPeriod, currency: str, most_minor: int | None = None) -> PaidPeriodAnswer:
    return PaidPeriodAnswer(
        start=one.period.start,
        end=one.period.end,
        direction=one.direction.value,
        minor_per_kwh=one.minor_per_kwh,
        currency=currency,
        most_minor=most_minor,
    )


def _previewed(currency: str, found: handlers.Preview) -> PreviewAnswer:
    return PreviewAnswer(
        periods=[_period(one, currency) for one in found.periods],
        told=[ToldAnswer(member_id=one.member.id, number=one.member.number, text=one.text, at=one.at) for one in found.told],
        left_out=[LeftOutAnswer(member_id=one.member.id, number=one.member.number, why=one.why) for one in found.left_out],
    )


def _answer(connection: Connection, offer: store.Offer) -> OfferAnswer:
    return OfferAnswer(
        id=offer.id,
        facility_id=offer.facility_id,
        made_at=offer.made_at,
        automatic=offer.automatic,
        periods=offer.periods,
        chosen=offer.chosen,
        left_out=offer.left_out,
        states=deliveries.states(connection, store.reference(offer.id)),
    )


def _with_told(connection: Connection, offer_id: str) -> OfferWithTold:
    offer = store.find(connection, offer_id)
    if offer is None:
        raise Unknown(f"no offer {offer_id!r}")
    rows = store.told_of(connection, offer.id)
    numbers = members.numbers(connection, (row.member_id for row in rows))
    told = [
        ToldAnswer(
            member_id=row.member_id,
            number=numbers[row.member_id],
            text=row.text,
            at=row.sent_at or row.next_at or row.at,
            state=row.state,
            channel=row.channel,
            error=row.error,
        )
        for row in rows
    ]
    return OfferWithTold(**_answer(connection, offer).model_dump(), policy=offer.policy, told=told)
