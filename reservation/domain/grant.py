"""A benefit of one member, and how the ledger moves it: given, set free, spent, given back, taken back, expired.

Each move is the lines of one entry. What a member has spent cannot be taken out of what the member holds; it becomes a debt,
which later grants of the same kind at the same facility make good first. So no balance of a member is ever below zero.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_OID, uuid5

from reservation.domain import ledger
from reservation.domain.benefit import Kind
from reservation.domain.ledger import Line


@dataclass(frozen=True, slots=True)
class Grant:
    """One benefit of one member at one facility: what is added to it, spent of it and taken back is in the ledger, under its
    id. `source` says where it came from: `statement/{id}/{session}` or `payment/{id}`."""

    id: str
    facility_id: str
    member_id: str
    kind: Kind
    unit: str
    source: str
    made_at: datetime
    expires_at: datetime | None = None
    cap_minor: int | None = None
    """The most that a rate takes off a payment."""
    event_id: str | None = None
    booking_id: str | None = None

    @property
    def available(self) -> str:
        """The account of what can be spent."""
        return ledger.benefit_account(self.member_id, self.kind, self.facility_id)

    @property
    def pending(self) -> str:
        """The account of what cannot be spent yet."""
        return ledger.pending_account(self.member_id, self.kind, self.facility_id)

    @property
    def issued(self) -> str:
        """The account out of which it is given."""
        return ledger.issued_account(self.facility_id, self.kind)

    @property
    def expired(self) -> str:
        """The account of what was not spent in time."""
        return ledger.expired_account(self.facility_id, self.kind)

    @property
    def debt(self) -> str:
        """The account of what the member owes of its kind."""
        return ledger.debt_account(self.member_id, self.kind, self.facility_id)


@dataclass(frozen=True, slots=True)
class Held:
    """What is left of a grant, and what the member owes of its kind at its facility. None is negative."""

    available: int = 0
    pending: int = 0
    expired: int = 0
    owed: int = 0


@dataclass(frozen=True, slots=True)
class Use:
    """A part of a grant that is spent, given back or expires, in the grant's unit."""

    grant: Grant
    amount: int


def grant_id(source: str, member_id: str) -> str:
    """The identity of what a member gets from a source: the same on every machine."""
    return str(uuid5(NAMESPACE_OID, f"gridstay/grant/{source}/{member_id}"))


def held(lines: Iterable[Line], grant: Grant) -> Held:
    """What the lines of a ledger leave of a grant."""
    sums = {grant.available: 0, grant.pending: 0, grant.expired: 0, grant.debt: 0}
    for line in lines:
        if line.account in sums and (line.grant_id == grant.id or line.account == grant.debt):
            sums[line.account] += line.amount
    return Held(sums[grant.available], sums[grant.pending], sums[grant.expired], -sums[grant.debt])


def change(grant: Grant, amount: int, left: Held, *, pending: bool = False) -> tuple[Line, ...]:
    """Give so much more of a grant, or take so much back (negative). What is owed is made good first by what is given; what
    is taken back comes from what is pending, what can be spent, what has expired, and the rest is owed. None for nothing."""
    if amount >= 0:
        return _given(grant, amount, left, pending=pending)
    taken, missing = [], -amount
    for account, there in (
        (grant.pending, left.pending),
        (grant.available, left.available),
        (grant.expired, left.expired),
    ):
        part = min(missing, there)
        taken.append(Line(account, -part, grant.id))
        missing -= part
    return _moved(Line(grant.issued, -amount), *taken, Line(grant.debt, -missing, grant.id))


def release(grant: Grant, left: Held) -> tuple[Line, ...]:
    """All that is pending can be spent from now on; what is owed is made good first."""
    repaid = min(left.pending, left.owed)
    return _moved(
        Line(grant.pending, -left.pending, grant.id),
        Line(grant.available, left.pending - repaid, grant.id),
        Line(grant.debt, repaid, grant.id),
    )


def spend(uses: Sequence[Use]) -> tuple[Line, ...]:
    """Spent by the member: it goes back to the facility, which owes it no more. All of one kind and facility."""
    taken = [Line(use.grant.available, -use.amount, use.grant.id) for use in uses]
    return _moved(*(Line(uses[0].grant.issued, sum(use.amount for use in uses)), *taken)) if uses else ()


def expire(use: Use) -> tuple[Line, ...]:
    """Not spent in time."""
    grant = use.grant
    return _moved(Line(grant.available, -use.amount, grant.id), Line(grant.expired, use.amount, grant.id))


def _given(grant: Grant, amount: int, left: Held, *, pending: bool) -> tuple[Line, ...]:
    if pending:
        return _moved(Line(grant.issued, -amount), Line(grant.pending, amount, grant.id))
    repaid = min(amount, left.owed)
    return _moved(
        Line(grant.issued, -amount), Line(grant.available, amount - repaid, grant.id), Line(grant.debt, repaid, grant.id)
    )


def _moved(*lines: Line) -> tuple[Line, ...]:
    return tuple(line for line in lines if line.amount)
