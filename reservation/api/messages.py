"""The route by which somebody tells a member something: the staff, or our pages with a code to sign in."""

from datetime import datetime, timedelta

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from contracts.ids import new_id
from reservation.api.desk import Desk
from reservation.api.fields import Asked
from reservation.api.refusals import RefusalAnswer, RefusingRoute
from reservation.domain.notice import Notice, NoticeKind
from reservation.handlers import known
from reservation.store import notices


class MessageBody(Asked):
    """Plain text for the member. After `minutes` nobody wants it any more; null: it keeps."""

    subject: str = Field(default="", max_length=200)
    text: str = Field(min_length=1, max_length=2_000)
    minutes: int | None = Field(default=None, strict=True, ge=1, le=525_600)


class SentOnAnswer(BaseModel):
    """The notice that it became; the member's notices say what became of sending it."""

    notice_id: str


def router(desk: Desk) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/members/{identity}/messages", tags=["members"], route_class=RefusingRoute)

    @routes.post("", status_code=202, responses={404: {"model": RefusalAnswer}})
    async def tell(identity: str, body: MessageBody) -> SentOnAnswer:
        """Tell the member something, over the channel on which the member is told everything."""
        notice_id = new_id()

        def work(connection: Connection, now: datetime) -> None:
            member = known.member(connection, identity)
            ends = None if body.minutes is None else now + timedelta(minutes=body.minutes)
            notice = Notice(
                notice_id, member.id, NoticeKind.MESSAGE, now, body.text, notice_id, subject=body.subject, expires_at=ends
            )
            notices.add(connection, [notice])

        await desk.write(work)
        return SentOnAnswer(notice_id=notice_id)

    return routes
