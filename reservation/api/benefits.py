"""Routes of the benefits that facilities give (S500-S502)."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import ConfigDict, Field, model_validator
from sqlalchemy import Connection

from reservation.api.desk import Desk
from reservation.api.fields import Answer, Asked, Id, Text, Yes
from reservation.api.refusals import RefusalAnswer, RefusingRoute
from reservation.domain.benefit import WHOLE_BP, BenefitPolicy, Item, Kind, RateRule
from reservation.handlers import benefits as handlers
from reservation.handlers import known
from reservation.store import grants

Minor = Annotated[int, Field(strict=True, ge=0, le=10**12, description="Whole minor units of the facility's currency")]
PositiveMinor = Annotated[Minor, Field(ge=1)]


class RateBody(Asked, Answer):
    """Basis points for each whole unit of money (a yen, a euro), at most `max_bp`; at most `cap_minor` off a payment."""

    bp_per_unit: int = Field(strict=True, ge=1, le=WHOLE_BP)
    max_bp: int = Field(strict=True, ge=1, le=WHOLE_BP)
    cap_minor: PositiveMinor


class ItemBody(Asked, Answer):
    """A gift, handed over for so much credit."""

    id: Id
    name: Text
    threshold_minor: PositiveMinor


class PolicyBody(Asked, Answer):
    """What a facility's members get for their cars' help. `rate` goes with `rate_off`, `items` with `item`.

    What is given can be spent at once, or (`pending_until_final`) once its statement is final; `expires_days` counts from
    then. It holds for statements that come from now on: corrections keep to the policy of the first revision.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "points", "pending_until_final": True, "expires_days": 365},
                {"kind": "rate_off", "rate": {"bp_per_unit": 1, "max_bp": 1_000, "cap_minor": 2_000}},
                {"kind": "item", "items": [{"id": "shampoo", "name": "Shampoo", "threshold_minor": 800}]},
            ]
        }
    )

    kind: Kind
    pending_until_final: Yes = True
    expires_days: Annotated[int, Field(strict=True, ge=1, le=3_650)] | None = None
    rate: RateBody | None = None
    items: list[ItemBody] = Field(default=[], max_length=100)

    @model_validator(mode="after")
    def _possible(self) -> "PolicyBody":
        self.policy()
        return self

    def policy(self) -> BenefitPolicy:
        """The policy that is meant. Raises ValueError."""
        return BenefitPolicy(
            kind=self.kind,
            pending_until_final=self.pending_until_final,
            expires_days=self.expires_days,
            rate=RateRule(**self.rate.model_dump()) if self.rate else None,
            items=tuple(Item(**item.model_dump()) for item in self.items),
        )


def router(desk: Desk) -> APIRouter:
    """The routes under /facilities/{id}/benefits."""
    routes = APIRouter(prefix="/facilities", tags=["benefits"], route_class=RefusingRoute)

    @routes.get("/{facility_id}/benefits", responses={404: {"model": RefusalAnswer}})
    async def policy(facility_id: str) -> PolicyBody:
        """What the facility gives; points at once, when it has said nothing."""
        return await desk.read(lambda connection: _policy(connection, facility_id))

    @routes.put("/{facility_id}/benefits", responses={404: {"model": RefusalAnswer}})
    async def change(facility_id: str, body: PolicyBody) -> PolicyBody:
        """Change what the facility gives from now on."""
        wanted = body.policy()
        await desk.write(lambda connection, now: handlers.set_policy(connection, facility_id, wanted, now))
        return PolicyBody.model_validate(wanted)

    return routes


def _policy(connection: Connection, facility_id: str) -> PolicyBody:
    facility = known.facility(connection, facility_id)
    return PolicyBody.model_validate(grants.policy_of(connection, facility.id))
