"""Routes of a person's data: all of it for the person, and its erasure."""

from fastapi import APIRouter, Response
from pydantic import AwareDatetime
from sqlalchemy import Connection

from reservation.api import bookings as booking_answers
from reservation.api.consents import ConsentAnswer, consents_of
from reservation.api.contacts import ContactBody, listed_contacts
from reservation.api.desk import Desk
from reservation.api.fields import Answer
from reservation.api.members import MemberWithNotices, with_notices
from reservation.api.receipts import ReceiptAnswer
from reservation.api.refusals import RefusalAnswer, RefusingRoute
from reservation.api.wallet import WalletAnswer, wallet_of
from reservation.handlers import known
from reservation.handlers import members as handlers
from reservation.store import bookings, receipts


class PersonalData(Answer):
    """All that is kept of a member: as an account, what they agreed to, where they are reached, stays, payments and
    benefits."""

    at: AwareDatetime
    member: MemberWithNotices
    contacts: list[ContactBody]
    consents: list[ConsentAnswer]
    bookings: list[booking_answers.BookingAnswer]
    receipts: list[ReceiptAnswer]
    wallet: WalletAnswer


def router(desk: Desk) -> APIRouter:
    """The routes of a member's data."""
    routes = APIRouter(prefix="/members", tags=["members"], route_class=RefusingRoute)

    @routes.get("/{identity}/data", responses={404: {"model": RefusalAnswer}})
    async def data(identity: str) -> PersonalData:
        """All that is kept of the member, for the member."""
        now = desk.clock.now()

        def work(connection: Connection) -> PersonalData:
            member = known.member(connection, identity)
            return PersonalData(
                at=now,
                member=with_notices(connection, member.id),
                consents=consents_of(connection, member.id),
                contacts=listed_contacts(connection, member.id),
                bookings=booking_answers.answers(connection, bookings.listed(connection, member_id=member.id)),
                receipts=[ReceiptAnswer.model_validate(one) for one in receipts.listed(connection, member_id=member.id)],
                wallet=wallet_of(connection, member.id, None, now),
            )

        return await desk.read(work)

    @routes.delete("/{identity}", status_code=204, responses={404: {"model": RefusalAnswer}, 409: {"model": RefusalAnswer}})
    async def erase(identity: str) -> Response:
        """Forget the person: name, phone, e-mail, car, tokens and messages. Past stays, receipts and ledger stay, without
        the name, as does what was agreed to. 409 while a stay is to come or under way."""
        await desk.write(lambda connection, now: handlers.erase(connection, identity, now))
        return Response(status_code=204)

    return routes
