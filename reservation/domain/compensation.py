"""What a compensation posts to the ledger, for each share and in all.

`(statement_id, revision)` names the money (S404). A later revision is the whole statement anew, so it posts only what
differs from the one before; nothing is paid twice (X3).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from contracts.dr import CompensationAllocated, Share
from reservation.domain import grant, ledger
from reservation.domain.benefit import Terms
from reservation.domain.grant import Grant, Held
from reservation.domain.ledger import Entry
from reservation.domain.refusal import Conflict, Invalid


@dataclass(frozen=True, slots=True)
class Granted:
    """A share and what it became, in the unit of the terms."""

    share: Share
    amount: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """A revision of a statement as it was received, with what became of each share by the `terms` of its first revision."""

    statement_id: str
    revision: int
    event_id: str
    facility_id: str
    currency: str
    total_minor: int
    undistributed_minor: int
    final: bool
    terms: Terms
    granted: tuple[Granted, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What a revision adds for one session and member: minor units of money, and the benefit in the unit of the terms."""

    share: Share
    amount_minor: int
    benefit: int


def allocation(event: CompensationAllocated, currency: str, terms: Terms) -> Allocation:
    """The event with its shares turned into benefits. Raises Invalid when it does not add up or is in another currency than
    the facility's."""
    _check_sums(event)
    if event.currency != currency:
        raise Invalid(f"{_name(event)} is in {event.currency}, but {event.facility_id} keeps {currency}")
    benefits = terms.benefits({share.session_id: share.amount_minor for share in event.shares})
    return Allocation(
        statement_id=event.statement_id,
        revision=event.revision,
        event_id=event.event_id,
        facility_id=event.facility_id,
        currency=event.currency,
        total_minor=event.total_minor,
        undistributed_minor=event.undistributed_minor,
        final=event.final,
        terms=terms,
        granted=tuple(Granted(share, benefits[share.session_id]) for share in event.shares),
    )


def check_successor(new: Allocation, old: Allocation | None) -> None:
    """Raises Conflict when a statement comes again with other content, moves to another facility or currency, or goes on
    after its final revision."""
    if old is None:
        return
    if (new.facility_id, new.currency) != (old.facility_id, old.currency):
        raise Conflict(f"statement {new.statement_id} was for {old.facility_id} in {old.currency}")
    if new.revision == old.revision and _content(new) != _content(old):
        raise Conflict(f"statement {new.statement_id} revision {new.revision} came before with other figures")
    if new.revision > old.revision and old.final:
        raise Conflict(f"statement {new.statement_id} revision {old.revision} was final; nothing comes after it")


def changes(new: Allocation, old: Allocation | None) -> list[Change]:
    """What `new` adds to `old`, for each session and member; what is taken back stands first, so that what is given can make
    good what is owed for it."""
    found: dict[tuple[str, str], Change] = {}
    for sign, granted in [(1, new.granted), (-1, old.granted if old else ())]:
        for one in granted:
            key = (one.share.session_id, one.share.member_id)
            so_far = found.get(key, Change(one.share, 0, 0))
            amount = so_far.amount_minor + sign * one.share.amount_minor
            found[key] = Change(so_far.share, amount, so_far.benefit + sign * one.amount)
    return sorted(found.values(), key=lambda one: (one.benefit >= 0, one.share.session_id, one.share.member_id))


def grant_of(new: Allocation, share: Share, at: datetime) -> Grant:
    """The benefit that a share becomes: one and the same through all revisions of its statement."""
    source = f"statement/{new.statement_id}/{share.session_id}"
    return Grant(
        id=grant.grant_id(source, share.member_id),
        facility_id=new.facility_id,
        member_id=share.member_id,
        kind=new.terms.kind,
        unit=new.terms.unit,
        source=source,
        made_at=at,
        cap_minor=new.terms.cap_minor,
        event_id=new.event_id,
        booking_id=share.booking_id,
    )


def money(new: Allocation, old: Allocation | None, at: datetime) -> tuple[Entry, ...]:
    """The postings by which the ledger comes to hold the money of `new` where it held that of `old`."""
    return tuple(_of_undistributed(new, old, at)) + tuple(
        entry for change in changes(new, old) for entry in _of_share(new, change, at)
    )


def posting_keys(one: Allocation, share: Share) -> tuple[str, str]:
    """The keys under which a revision posts what it adds for a share: its money and its benefit."""
    return f"compensation/{_posting(one, share)}", f"{one.terms.kind}/{_posting(one, share)}"


def benefit(new: Allocation, change: Change, left: Held, at: datetime) -> Entry | None:
    """The posting of what a share adds to its grant, of which `left` is left; None for nothing."""
    one = grant_of(new, change.share, at)
    lines = grant.change(one, change.benefit, left, pending=new.terms.pending_until_final)
    _, key = posting_keys(new, change.share)
    return Entry(key, at, _memo(new, change.share), one.unit, lines) if lines else None


def release(new: Allocation, share: Share, left: Held, at: datetime) -> Entry | None:
    """The posting by which what is pending of a share can be spent, the statement being final; None for nothing."""
    one = grant_of(new, share, at)
    lines = grant.release(one, left)
    return Entry(f"release/{_posting(new, share)}", at, f"{_memo(new, share)}, final", one.unit, lines) if lines else None


def _of_share(new: Allocation, change: Change, at: datetime) -> Iterable[Entry]:
    if change.amount_minor:
        lines = ledger.transfer(ledger.GRID, ledger.facility_compensation(new.facility_id), change.amount_minor)
        key, _ = posting_keys(new, change.share)
        yield Entry(key, at, _memo(new, change.share), new.currency, lines)


def _of_undistributed(new: Allocation, old: Allocation | None, at: datetime) -> Iterable[Entry]:
    amount = new.undistributed_minor - (old.undistributed_minor if old else 0)
    if amount:
        lines = ledger.transfer(ledger.GRID, ledger.facility_undistributed(new.facility_id), amount)
        key = f"undistributed/{new.statement_id}/{new.revision}"
        memo = f"statement {new.statement_id} revision {new.revision}, nobody delivered"
        yield Entry(key, at, memo, new.currency, lines)


def _check_sums(event: CompensationAllocated) -> None:
    amounts = [event.undistributed_minor, *(share.amount_minor for share in event.shares)]
    if min(amounts) < 0:
        raise Invalid(f"{_name(event)} has a negative part")
    if sum(amounts) != event.total_minor:
        raise Invalid(f"the parts of {_name(event)} sum to {sum(amounts)}, not to its total {event.total_minor}")
    if len({share.session_id for share in event.shares}) < len(event.shares):
        raise Invalid(f"{_name(event)} names a session twice")


def _content(one: Allocation) -> tuple[int, int, bool, tuple[Share, ...]]:
    shares = sorted((granted.share for granted in one.granted), key=lambda share: share.session_id)
    return (one.total_minor, one.undistributed_minor, one.final, tuple(shares))


def _posting(new: Allocation, share: Share) -> str:
    return f"{new.statement_id}/{new.revision}/{share.session_id}/{share.member_id}"


def _memo(new: Allocation, share: Share) -> str:
    return f"statement {new.statement_id} revision {new.revision}, session {share.session_id}"


def _name(event: CompensationAllocated) -> str:
    return f"statement {event.statement_id} revision {event.revision}"
