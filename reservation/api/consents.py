"""Routes of what members agree to."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, Field
from sqlalchemy import Connection

from reservation.api.desk import Desk
from reservation.api.fields import Answer, Asked, Id, Percent, Yes
from reservation.api.refusals import RefusalAnswer, RefusingRoute
from reservation.domain.consent import Consent, ConsentText, Means, Purpose, Told, Wish
from reservation.domain.message import Language
from reservation.handlers import consents as handlers
from reservation.handlers import known
from reservation.store import consents as store

MISSING: dict[int | str, dict[str, Any]] = {404: {"model": RefusalAnswer}}
Texts = Annotated[dict[Language, Annotated[str, Field(min_length=1, max_length=20_000)]], Field(min_length=1)]


class ToldBody(Asked):
    """How somebody agreed: by which `means`, to which purposes (null: as it was), to which version of the text.

    `stays`: name, contact and stays, to run bookings. `charging`: car, plates, tokens, SOC and meter values, to charge the
    car and reckon what it gave. `offers`: visits and payments, to choose who is sent which offers.
    """

    means: Means = Means.PROGRAM
    purposes: list[Purpose] | None = Field(default=None, max_length=10)
    text_version: Id | None = None

    def told(self) -> Told:
        """What is meant."""
        return Told(self.means, None if self.purposes is None else frozenset(self.purposes), self.text_version)


class ConsentBody(ToldBody):
    """What a member agrees to from now on; what is left out stays as it is. SOC in percent."""

    dr: Yes | None = None
    discharge: Yes | None = None
    wanted_soc_pct: Percent | None = None
    floor_soc_pct: Percent | None = None

    def wish(self) -> Wish:
        """What is meant."""
        return Wish(self.told(), self.dr, self.discharge, self.wanted_soc_pct, self.floor_soc_pct)


class ConsentAnswer(Answer):
    """What a member agreed to, from `at` until the next one. `purposes` null: nobody said."""

    at: AwareDatetime
    means: Means
    text_version: str | None
    purposes: list[Purpose] | None
    dr: bool
    discharge: bool
    wanted_soc_pct: int
    floor_soc_pct: int


class ConsentTextBody(Asked):
    """A text by language."""

    texts: Texts


class ConsentTextAnswer(Answer):
    """What members were shown under that version."""

    version: str
    made_at: AwareDatetime
    texts: dict[Language, str]


def router(desk: Desk) -> APIRouter:
    """The routes of consents and their texts."""
    routes = APIRouter(tags=["members"], route_class=RefusingRoute)

    @routes.get("/members/{identity}/consents", responses=MISSING)
    async def listed(identity: str) -> list[ConsentAnswer]:
        """All that the member has agreed to, newest last."""
        return await desk.read(lambda connection: consents_of(connection, known.member(connection, identity).id))

    @routes.post("/members/{identity}/consents", status_code=201, responses={**MISSING, 409: {"model": RefusalAnswer}})
    async def agree(identity: str, body: ConsentBody) -> ConsentAnswer:
        """Agree, or no longer agree. What is taken back is taken back for stays to come and under way too; without
        `charging` the car, its plates and tokens are forgotten. 409 while stays by car need them, and for a member without
        `stays`."""
        consent = await desk.write(lambda connection, now: handlers.agree(connection, identity, body.wish(), now))
        return _answer(consent)

    @routes.get("/consent-texts")
    async def texts() -> list[ConsentTextAnswer]:
        """The texts that members agree to, the newest last."""
        return [ConsentTextAnswer.model_validate(text) for text in await desk.read(store.texts)]

    @routes.put(
        "/consent-texts/{version}",
        responses={201: {"model": ConsentTextAnswer}, 409: {"model": RefusalAnswer}},
    )
    async def put_text(version: Id, body: ConsentTextBody, response: Response) -> ConsentTextAnswer:
        """Keep a text under its version: 201; 200 when the very same one is there; 409 for another one."""
        text = ConsentText(version, desk.clock.now(), {str(language): words for language, words in body.texts.items()})
        if await desk.write(lambda connection, _: handlers.put_text(connection, text)):
            response.status_code = 201
        kept = await desk.read(lambda connection: store.text(connection, version))
        return ConsentTextAnswer.model_validate(kept)

    return routes


def consents_of(connection: Connection, member_id: str) -> list[ConsentAnswer]:
    """All that the member has agreed to, newest last."""
    return [_answer(consent) for consent in store.of_member(connection, member_id)]


def _answer(consent: Consent) -> ConsentAnswer:
    agreed = consent.preferences
    return ConsentAnswer(
        at=consent.at,
        means=consent.means,
        text_version=consent.text_version,
        purposes=None if consent.purposes is None else sorted(consent.purposes),
        dr=agreed.dr,
        discharge=agreed.discharge,
        wanted_soc_pct=agreed.wanted_soc_pct,
        floor_soc_pct=agreed.floor_soc_pct,
    )
