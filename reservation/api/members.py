"""Routes of members."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, Field, ValidationInfo, field_validator, model_validator
from sqlalchemy import Connection

from contracts.csms import Token
from contracts.ids import MemberId, new_id
from reservation.api.consents import ToldBody
from reservation.api.desk import Desk
from reservation.api.fields import (
    Answer,
    Asked,
    Called,
    Consumption,
    Email,
    Id,
    ModelId,
    Number,
    Percent,
    Phone,
    Plugs,
    PositiveWatts,
    Text,
    WattHours,
    Watts,
    Yes,
)
from reservation.api.refusals import RefusalAnswer, RefusingRoute
from reservation.domain.car_model import AskedCar, ModelOf, NamedCar
from reservation.domain.delivery import DeliveryState
from reservation.domain.member import Member, Preferences, plate_number
from reservation.domain.message import Language
from reservation.handlers import known
from reservation.handlers import members as handlers
from reservation.store import ledger, notices
from reservation.store import members as store

TokenType = Literal[
    "Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "EVCCID", "VIN", "DirectPayment"
]
"""OCPP 2.0.1 IdTokenEnumType and what 2.1 adds, as written on the wire."""


Plates = Annotated[list[Annotated[Text, Field(max_length=40)]], Field(max_length=20)]


class TokenBody(Asked, Answer):
    """What the car or card shows to the station. Upper and lower case are the same (kept in lower case)."""

    value: Text = Field(max_length=36)
    type: TokenType


class CarBody(Asked, Answer):
    """A car of a model (`model_id`, from /car-models), or with its own figures; figures that are given go before the
    model's, and are kept whatever becomes of the list of models. Usable battery in Wh, powers in W at the EVSE (magnitudes),
    consumption in Wh/km. `plugs` are what it is charged with, such as `chademo`; none named: any. `name`: what it is
    called."""

    model_id: ModelId | None = None
    name: Called = ""
    battery_wh: WattHours | None = Field(default=None, validate_default=True)
    max_charge_w: PositiveWatts | None = Field(default=None, validate_default=True)
    max_discharge_w: Watts | None = None
    consumption_wh_per_km: Consumption | None = None
    plugs: Plugs | None = None

    @field_validator("battery_wh", "max_charge_w")
    @classmethod
    def _said(cls, value: int | None, said: ValidationInfo) -> int | None:
        if value is None and said.data.get("model_id") is None:
            raise ValueError("Field required, unless a model_id is given")
        return value

    def car(self, model_of: ModelOf) -> NamedCar:
        """The car that is meant. Raises ValueError for a model that is not in the list."""
        given = self.model_dump() | {"plugs": None if self.plugs is None else tuple(self.plugs)}
        return AskedCar(**given).car(model_of)


class CarAnswer(Answer):
    """A car by its figures. Sent back it stays as it is."""

    model_id: str | None
    name: str
    battery_wh: int
    max_charge_w: int
    max_discharge_w: int
    consumption_wh_per_km: int
    plugs: list[str]


class PreferencesBody(Asked, Answer):
    """What holds for bookings that say nothing else; SOC in percent, floor at most wanted (X1)."""

    dr: Yes = False
    discharge: Yes = False
    wanted_soc_pct: Percent = 80
    floor_soc_pct: Percent = 20

    @model_validator(mode="after")
    def _possible(self) -> "PreferencesBody":
        self.preferences()
        return self

    def preferences(self) -> Preferences:
        """The preferences that are meant. Raises ValueError."""
        return Preferences(**self.model_dump())


class MemberBody(Asked):
    """A new member. Without `id` one is made up. `language`: ja or en, null: the facility's. `plates`: the cars' number
    plates. `consent`: how the member agreed to the preferences, and to what else; it is recorded."""

    id: Id | None = None
    number: Number
    name: Text
    phone: Phone | None = None
    email: Email | None = None
    tokens: list[TokenBody] = Field(default=[], max_length=100)
    car: CarBody | None = None
    preferences: PreferencesBody = Field(default_factory=PreferencesBody)
    language: Language | None = None
    plates: Plates = Field(default=[])
    consent: ToldBody | None = None

    def member(self, model_of: ModelOf) -> Member:
        """The member who is meant. Raises ValueError."""
        details = _details(self, model_of, set(MemberBody.model_fields))
        return Member(id=MemberId(self.id or new_id()), number=self.number, **details)


class MemberChange(Asked):
    """What changes of a member; what is left out stays, null takes a phone, e-mail or car away. `consent`: how the member
    agreed to it; other preferences are recorded without, too."""

    name: Text = ""
    phone: Phone | None = None
    email: Email | None = None
    tokens: list[TokenBody] = Field(default=[], max_length=100)
    car: CarBody | None = None
    preferences: PreferencesBody = Field(default_factory=PreferencesBody)
    language: Language | None = None
    plates: Plates = Field(default=[])
    consent: ToldBody | None = None

    def applied(self, old: Member, model_of: ModelOf) -> Member:
        """The member with the changes. Raises ValueError."""
        return replace(old, **_details(self, model_of, self.model_fields_set))


class MemberAnswer(Answer):
    """A member. `points` is the balance of the member's account in the ledger."""

    id: str
    number: str
    name: str
    phone: str | None
    email: str | None
    tokens: list[TokenBody]
    car: CarAnswer | None
    preferences: PreferencesBody
    language: Language | None
    plates: list[str]
    points: int


class NoticeAnswer(Answer):
    """Something the member was told. `reference` is what it is about: a booking's id, a statement or an offer. `state` is
    that of sending it on, `channel` the way it took: waiting, sent, failed, expired, or kept (no way but the inbox)."""

    id: str
    kind: str
    at: AwareDatetime
    text: str
    reference: str
    state: DeliveryState
    channel: str | None


class MemberWithNotices(MemberAnswer):
    """A member and all that the member was told, newest last."""

    notices: list[NoticeAnswer]


def router(desk: Desk) -> APIRouter:
    """The routes under /members."""
    routes = APIRouter(prefix="/members", tags=["members"], route_class=RefusingRoute)

    @routes.post("", status_code=201, responses={200: {"model": MemberAnswer}, 409: {"model": RefusalAnswer}})
    async def add(body: MemberBody, response: Response) -> MemberAnswer:
        """Add a member: 201; 200 when the very same one is there; 409 when a number, phone or token is taken."""
        told = body.consent.told() if body.consent else None
        member, new = await desk.write(lambda connection, now: handlers.add(connection, body.member, now, told))
        if not new:
            response.status_code = 200
        return await desk.read(lambda connection: _answer(connection, member))

    @routes.get("")
    async def everyone() -> list[MemberAnswer]:
        """All members, by number."""
        return await desk.read(_everyone)

    @routes.get("/{identity}", responses={404: {"model": RefusalAnswer}})
    async def one(identity: str) -> MemberWithNotices:
        """A member by id, number or phone, with points and notices."""
        return await desk.read(lambda connection: with_notices(connection, identity))

    @routes.patch("/{identity}", responses={404: {"model": RefusalAnswer}, 409: {"model": RefusalAnswer}})
    async def change(identity: str, body: MemberChange) -> MemberAnswer:
        """Change a member; new tokens are told to the central system."""
        told = body.consent.told() if body.consent else None
        member = await desk.write(lambda connection, now: handlers.change(connection, identity, body.applied, now, told))
        return await desk.read(lambda connection: _answer(connection, member))

    @routes.get("/{identity}/notices", responses={404: {"model": RefusalAnswer}})
    async def told(identity: str) -> list[NoticeAnswer]:
        """What the member was told, newest last."""
        return (await desk.read(lambda connection: with_notices(connection, identity))).notices

    return routes


def _details(body: MemberBody | MemberChange, model_of: ModelOf, given: set[str]) -> dict[str, Any]:
    details = {
        "name": body.name,
        "phone": body.phone,
        "email": body.email,
        "tokens": tuple(Token(value=token.value, type=token.type) for token in body.tokens),
        "preferences": body.preferences.preferences(),
        "language": body.language,
        "plates": tuple(dict.fromkeys(map(plate_number, body.plates))),
    }
    return {name: value for name, value in details.items() if name in given} | (
        _car(body.car, model_of) if "car" in given else {}
    )


def _car(body: CarBody | None, model_of: ModelOf) -> dict[str, Any]:
    if body is None:
        return {"car": None, "car_name": "", "car_model_id": None}
    car = body.car(model_of)
    return {"car": car.figures, "car_name": car.name, "car_model_id": car.model_id}


def _car_answer(member: Member) -> CarAnswer | None:
    if member.car is None:
        return None
    figures = {name: getattr(member.car, name) for name in CarAnswer.model_fields if hasattr(member.car, name)}
    return CarAnswer(**figures | {"plugs": list(member.car.plugs)}, name=member.car_name, model_id=member.car_model_id)


def _shape(member: Member, points: int) -> dict[str, Any]:
    return {
        "id": member.id,
        "number": member.number,
        "name": member.name,
        "phone": member.phone,
        "email": member.email,
        "tokens": [TokenBody.model_validate(token) for token in member.tokens],
        "car": _car_answer(member),
        "preferences": PreferencesBody.model_validate(member.preferences),
        "language": member.language,
        "plates": list(member.plates),
        "points": points,
    }


def _answer(connection: Connection, member: Member) -> MemberAnswer:
    return MemberAnswer(**_shape(member, ledger.points_of(connection, member.id)))


def _everyone(connection: Connection) -> list[MemberAnswer]:
    found = store.listed(connection)
    points = ledger.points_of_members(connection, [member.id for member in found])
    return [MemberAnswer(**_shape(member, points[member.id])) for member in found]


def with_notices(connection: Connection, identity: str) -> MemberWithNotices:
    """The member with points and all that the member was told. Raises Unknown."""
    member = known.member(connection, identity)
    told = [NoticeAnswer.model_validate(notice) for notice in notices.of_member(connection, member.id)]
    return MemberWithNotices(**_shape(member, ledger.points_of(connection, member.id)), notices=told)
