"""Routes of where a member is told things (S106)."""

from fastapi import APIRouter
from pydantic import Field, field_validator
from sqlalchemy import Connection

from reservation.api.desk import Desk
from reservation.api.fields import Answer, Asked, Text
from reservation.api.refusals import RefusalAnswer, RefusingRoute
from reservation.domain.delivery import Contact
from reservation.handlers import known
from reservation.store import deliveries


class ContactBody(Asked, Answer):
    """An address in one of the operator's channels, such as a LINE user id in `line`."""

    channel: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")
    address: Text


class ContactsBody(Asked):
    """The member's wishes, the first one first; e-mail and phone of the member come after them."""

    contacts: list[ContactBody] = Field(max_length=20)

    @field_validator("contacts")
    @classmethod
    def _once(cls, given: list[ContactBody]) -> list[ContactBody]:
        if len({contact.channel for contact in given}) < len(given):
            raise ValueError("each channel is given once")
        return given


def router(desk: Desk) -> APIRouter:
    """The routes under /members/{identity}/contacts."""
    routes = APIRouter(prefix="/members/{identity}/contacts", tags=["members"], route_class=RefusingRoute)

    @routes.get("", responses={404: {"model": RefusalAnswer}})
    async def listed(identity: str) -> list[ContactBody]:
        """Where the member is reached, in the order in which it is tried: wishes, e-mail, phone."""
        return await desk.read(lambda connection: listed_contacts(connection, known.member(connection, identity).id))

    @routes.put("", responses={404: {"model": RefusalAnswer}})
    async def replace(identity: str, body: ContactsBody) -> list[ContactBody]:
        """Keep these wishes in place of all earlier ones."""

        def work(connection: Connection) -> list[ContactBody]:
            member = known.member(connection, identity)
            deliveries.replace_contacts(connection, member.id, [Contact(one.channel, one.address) for one in body.contacts])
            return listed_contacts(connection, member.id)

        return await desk.write(lambda connection, _: work(connection))

    return routes


def listed_contacts(connection: Connection, member_id: str) -> list[ContactBody]:
    """Where the member is reached, in the order in which it is tried."""
    return [
        ContactBody(channel=contact.channel, address=contact.address)
        for contact in deliveries.contacts_of(connection, member_id)
    ]
