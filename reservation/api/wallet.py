"""Routes of a member's wallet: what the member has, what is pending, what expires next, and where each came from."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from sqlalchemy import Connection

from reservation.api.desk import Desk
from reservation.api.fields import Answer
from reservation.api.ledger import LARGEST_POSITION
from reservation.api.refusals import RefusalAnswer, RefusingRoute
from reservation.domain.benefit import Kind
from reservation.domain.grant import Grant
from reservation.domain.till import Deed
from reservation.handlers import known
from reservation.store import grants
from reservation.store import wallet as store
from reservation.store.wallet import Holding, Movement

NEWEST = 20


class SourceAnswer(Answer):
    """Where a benefit came from: a DR event by its statement, or a payment; and the stay that it belongs to, if any."""

    statement_id: str | None = None
    event_id: str | None = None
    receipt_id: str | None = None
    booking_id: str | None = None


class ExpiryAnswer(Answer):
    """How much expires when."""

    amount: int
    at: AwareDatetime


class BalanceAnswer(Answer):
    """What the member has of a kind at a facility. `unit` is `points`, `bp` (basis points of a rate) or a currency, whose
    minor units the amounts are. `owed` was taken back after it was spent; later benefits make it good first."""

    facility_id: str
    kind: Kind
    unit: str
    available: int
    pending: int
    owed: int
    expiring_next: ExpiryAnswer | None


class BenefitAnswer(Answer):
    """One benefit of which something is left. A rate off is spent by this `id`, and takes `cap_minor` off at most."""

    id: str
    facility_id: str
    kind: Kind
    unit: str
    available: int
    pending: int
    made_at: AwareDatetime
    expires_at: AwareDatetime | None
    cap_minor: int | None
    source: SourceAnswer


class MovementAnswer(Answer):
    """What a posting changed: how much can be spent, is pending, is owed (negative: less). `what` is `given` (or corrected,
    by a statement), `released`, `earned` (by a payment), `spent`, `returned` and `taken_back` (by a refund), `paid_out` or
    `expired`. `source` is the benefit's; `receipt_id` the payment, refund or pay-out that did it."""

    position: int
    at: AwareDatetime
    what: str
    facility_id: str
    kind: Kind
    unit: str
    available: int
    pending: int
    owed: int
    grant_id: str
    receipt_id: str | None
    source: SourceAnswer


class HistoryAnswer(Answer):
    """Movements, the newest first; ask again with `before` = `next_before` until that is null."""

    movements: list[MovementAnswer]
    next_before: int | None


class WalletAnswer(Answer):
    """A member's wallet: balances by facility and kind, each benefit, and the newest movements."""

    member_id: str
    balances: list[BalanceAnswer]
    benefits: list[BenefitAnswer]
    history: list[MovementAnswer]


def router(desk: Desk) -> APIRouter:
    """The routes under /members/{identity}/wallet."""
    routes = APIRouter(prefix="/members", tags=["benefits"], route_class=RefusingRoute)

    @routes.get("/{identity}/wallet", responses={404: {"model": RefusalAnswer}})
    async def wallet(identity: str, facility_id: str | None = None) -> WalletAnswer:
        """What the member has, at every facility or at one."""
        now = desk.clock.now()
        return await desk.read(lambda connection: wallet_of(connection, identity, facility_id, now))

    @routes.get("/{identity}/wallet/history", responses={404: {"model": RefusalAnswer}})
    async def history(
        identity: str,
        facility_id: str | None = None,
        before: Annotated[int | None, Query(ge=0, le=LARGEST_POSITION)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> HistoryAnswer:
        """What happened to the member's benefits, and where each came from. A page holds so many postings; one of them can
        move several benefits."""
        return await desk.read(lambda connection: _history(connection, identity, facility_id, before, limit))

    return routes


def wallet_of(connection: Connection, identity: str, facility_id: str | None, now: datetime) -> WalletAnswer:
    """What the member has, at every facility or at one, and what happened to it last. Raises Unknown."""
    member = known.member(connection, identity)
    held = [
        one
        for one in store.holdings(connection, member.id, facility_id)
        if one.grant.expires_at is None or one.grant.expires_at > now
    ]
    moved = store.movements(connection, member.id, facility_id=facility_id, limit=NEWEST)
    return WalletAnswer(
        member_id=member.id,
        balances=_balances(connection, member.id, facility_id, held),
        benefits=[_benefit(one) for one in held],
        history=_movements(connection, member.id, moved),
    )


def _history(
    connection: Connection, identity: str, facility_id: str | None, before: int | None, limit: int
) -> HistoryAnswer:
    member = known.member(connection, identity)
    moved = store.movements(connection, member.id, facility_id=facility_id, before=before, limit=limit)
    full = len({one.position for one in moved}) == limit
    return HistoryAnswer(
        movements=_movements(connection, member.id, moved), next_before=moved[-1].position if full else None
    )


def _balances(
    connection: Connection, member_id: str, facility_id: str | None, held: Sequence[Holding]
) -> list[BalanceAnswer]:
    owed = {(one.facility_id, one.kind): one.amount for one in store.debts(connection, member_id, facility_id)}
    keys = {(one.grant.facility_id, one.grant.kind.value) for one in held} | owed.keys()
    return [_balance(connection, place, Kind(kind), owed.get((place, kind), 0), held) for place, kind in sorted(keys)]


def _balance(connection: Connection, place: str, kind: Kind, owed: int, held: Sequence[Holding]) -> BalanceAnswer:
    mine = [one for one in held if (one.grant.facility_id, one.grant.kind) == (place, kind)]
    first = min((one.grant.expires_at for one in mine if one.grant.expires_at and one.available), default=None)
    expiring = sum(one.available for one in mine if first is not None and one.grant.expires_at == first)
    return BalanceAnswer(
        facility_id=place,
        kind=kind,
        unit=kind.unit(known.facility(connection, place).currency),
        available=sum(one.available for one in mine),
        pending=sum(one.pending for one in mine),
        owed=owed,
        expiring_next=None if first is None else ExpiryAnswer(amount=expiring, at=first),
    )


def _benefit(one: Holding) -> BenefitAnswer:
    grant = one.grant
    return BenefitAnswer(
        id=grant.id,
        facility_id=grant.facility_id,
        kind=grant.kind,
        unit=grant.unit,
        available=one.available,
        pending=one.pending,
        made_at=grant.made_at,
        expires_at=grant.expires_at,
        cap_minor=grant.cap_minor,
        source=_source(grant),
    )


def _movements(connection: Connection, member_id: str, moved: Sequence[Movement]) -> list[MovementAnswer]:
    mine = {grant.id: grant for grant in grants.of_member(connection, member_id)}
    return [_movement(one, mine[one.grant_id]) for one in moved]


def _movement(one: Movement, grant: Grant) -> MovementAnswer:
    deed, _, rest = one.key.partition("/")
    receipt_id, _, part = rest.partition("/")
    return MovementAnswer(
        position=one.position,
        at=one.at,
        what=_WHAT.get((deed, part == "earned"), "given"),
        facility_id=grant.facility_id,
        kind=grant.kind,
        unit=one.unit,
        available=one.available,
        pending=one.pending,
        owed=one.owed,
        grant_id=grant.id,
        receipt_id=receipt_id if deed in set(Deed) else None,
        source=_source(grant),
    )


def _source(grant: Grant) -> SourceAnswer:
    what, _, rest = grant.source.partition("/")
    return SourceAnswer(
        statement_id=rest.rpartition("/")[0] if what == "statement" else None,
        event_id=grant.event_id,
        receipt_id=rest if what == "payment" else None,
        booking_id=grant.booking_id,
    )


_WHAT = {
    ("release", False): "released",
    ("expired", False): "expired",
    (Deed.PAYMENT, False): "spent",
    (Deed.PAYMENT, True): "earned",
    (Deed.REFUND, False): "returned",
    (Deed.REFUND, True): "taken_back",
    (Deed.PAYOUT, False): "paid_out",
}
"""What a posting did, by the beginning of its key and whether it is of points that a payment earned; else a statement
gave."""
