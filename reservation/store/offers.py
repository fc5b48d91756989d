"""Offers: by which policy, what was offered, who declined, and what the choice of members looks at."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from secrets import token_urlsafe
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from contracts.ids import FacilityId
from reservation.domain.notice import NoticeKind
from reservation.domain.offer import OfferPolicy
from reservation.store.tables import notices, offer_policies, offer_recipients, offers

PREFIX = "offer/"
"""A notice's reference is this and the offer's id."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that was made. `periods` are as in the API; `chosen` members were told, `left_out` were not."""

    id: str
    facility_id: FacilityId
    made_at: datetime
    automatic: bool
    policy: OfferPolicy
    periods: list[dict[str, Any]]
    chosen: int
    left_out: int


def reference(offer_id: str) -> str:
    """What notices of the offer refer to."""
    return PREFIX + offer_id


def policy_of(connection: Connection, facility_id: str) -> OfferPolicy:
    """The facility's policy; without one of its own, the usual one."""
    query = select(offer_policies.c.policy).where(offer_policies.c.facility_id == facility_id)
    found = connection.execute(query).scalar_one_or_none()
    return OfferPolicy() if found is None else OfferPolicy.model_validate(found)


def set_policy(connection: Connection, facility_id: str, policy: OfferPolicy) -> None:
    """Keep the facility's policy."""
    kept = policy.model_dump(mode="json")
    changed = connection.execute(
        update(offer_policies).where(offer_policies.c.facility_id == facility_id).values(policy=kept)
    )
    if not changed.rowcount:
        connection.execute(insert(offer_policies).values(facility_id=facility_id, policy=kept))


def add(connection: Connection, offer: Offer) -> None:
    """Keep an offer."""
    row = {
        "id": offer.id,
        "facility_id": offer.facility_id,
        "made_at": offer.made_at,
        "automatic": offer.automatic,
        "policy": offer.policy.model_dump(mode="json"),
        "periods": offer.periods,
        "chosen": offer.chosen,
        "left_out": offer.left_out,
    }
    connection.execute(insert(offers).values(row))


def listed(connection: Connection, facility_id: str, limit: int) -> list[Offer]:
    """The facility's offers, the newest first."""
    query = select(offers).where(offers.c.facility_id == facility_id).order_by(offers.c.made_at.desc(), offers.c.id)
    return [_offer(row) for row in connection.execute(query.limit(limit))]


def find(connection: Connection, offer_id: str) -> Offer | None:
    """The offer, or None."""
    row = connection.execute(select(offers).where(offers.c.id == offer_id)).one_or_none()
    return None if row is None else _offer(row)


def told_of(connection: Connection, offer_id: str) -> list[Any]:
    """What each member was told of the offer, and what became of it: rows of notices."""
    query = select(notices).where(notices.c.reference == reference(offer_id)).order_by(notices.c.position)
    return list(connection.execute(query))


def had_since(connection: Connection, since: datetime) -> dict[str, int]:
    """How many offers each member has had since then, of whatever facility."""
    columns = notices.c
    query = select(columns.member_id, func.count().label("number"))
    query = query.where(columns.kind == NoticeKind.OFFER, columns.at > since).group_by(columns.member_id)
    return {row.member_id: row.number for row in connection.execute(query)}


def tokens(connection: Connection, member_ids: Iterable[str]) -> dict[str, str]:
    """The tokens by which members can decline, made for those who have none."""
    wanted = list(member_ids)
    known = {row.member_id: row.token for row in connection.execute(select(offer_recipients))}
    fresh = {member_id: token_urlsafe(24) for member_id in wanted if member_id not in known}
    if fresh:
        rows = [{"member_id": member_id, "token": token} for member_id, token in fresh.items()]
        connection.execute(insert(offer_recipients), rows)
    return {member_id: known.get(member_id) or fresh[member_id] for member_id in wanted}


def declined(connection: Connection) -> set[str]:
    """The ids of members who want no offers."""
    query = select(offer_recipients.c.member_id).where(offer_recipients.c.declined_at.is_not(None))
    return set(connection.execute(query).scalars())


def of_token(connection: Connection, token: str) -> str | None:
    """The member with that token, or None."""
    query = select(offer_recipients.c.member_id).where(offer_recipients.c.token == token)
    return connection.execute(query).scalar_one_or_none()


def set_declined(connection: Connection, member_id: str, at: datetime | None) -> None:
    """The member wants no offers since then; None: does want them."""
    tokens(connection, [member_id])
    statement = update(offer_recipients).where(offer_recipients.c.member_id == member_id)
    connection.execute(statement.values(declined_at=at))


def _offer(row: Any) -> Offer:
    return Offer(
        id=row.id,
        facility_id=FacilityId(row.facility_id),
        made_at=row.made_at,
        automatic=row.automatic,
        policy=OfferPolicy.model_validate(row.policy),
        periods=row.periods,
        chosen=row.chosen,
        left_out=row.left_out,
    )
