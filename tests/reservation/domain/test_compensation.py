"""Statements and their corrections: the ledger holds what the last revision says, whatever came before it and whatever was
spent meanwhile (X3)."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.dr import CompensationAllocated, Share
from contracts.ids import BookingId, DrEventId, FacilityId, MemberId, SessionId
from reservation.domain import audit, compensation, grant
from reservation.domain.benefit import BenefitPolicy, Item, Kind, RateRule, terms_of
from reservation.domain.compensation import Allocation
from reservation.domain.grant import Grant, Held, Use
from reservation.domain.ledger import Entry, Line, Posted, balances
from tests.reservation.samples import NOW, facility


class Book:
    """A ledger in memory, with the grants that it names."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.grants: dict[str, Grant] = {}

    def held(self, one: Grant) -> Held:
        return grant.held((line for entry in self.entries for line in entry.lines), one)

    def post(self, *entries: Entry | None) -> None:
        self.entries += [entry for entry in entries if entry]

    def move(self, key: str, unit: str, lines: tuple[Line, ...]) -> None:
        self.post(Entry(key, NOW, "", unit, lines) if lines else None)

    def take(self, new: Allocation, old: Allocation | None) -> None:
        """What the handler does with a revision."""
        self.post(*compensation.money(new, old, NOW))
        for change in compensation.changes(new, old):
            one = compensation.grant_of(new, change.share, NOW)
            self.grants[one.id] = one
            self.post(compensation.benefit(new, change, self.held(one), NOW))
        for granted in new.granted if new.final else ():
            one = compensation.grant_of(new, granted.share, NOW)
            self.post(compensation.release(new, granted.share, self.held(one), NOW))

    def faults(self, allocations: list[Allocation]) -> tuple[str, ...]:
        posted = [
            Posted(number, entry.id, entry.key, entry.at, entry.memo, entry.unit, entry.lines)
            for number, entry in enumerate(self.entries)
        ]
        return audit.faults(posted, self.grants.values(), allocations)


POLICIES = {
    Kind.POINTS: BenefitPolicy(),
    Kind.AMOUNT_OFF: BenefitPolicy(Kind.AMOUNT_OFF),
    Kind.CASH: BenefitPolicy(Kind.CASH),
    Kind.RATE_OFF: BenefitPolicy(Kind.RATE_OFF, rate=RateRule(3, 10_000, 500)),
    Kind.ITEM: BenefitPolicy(Kind.ITEM, items=(Item("i", "Gift", 300),)),
}


def policies() -> st.SearchStrategy[BenefitPolicy]:
    def pending(policy: BenefitPolicy, wait: bool) -> BenefitPolicy:
        return BenefitPolicy(policy.kind, wait, None, policy.rate, policy.items)

    return st.builds(pending, st.sampled_from(list(POLICIES.values())), st.booleans())


def revision(number: int, parts: dict[str, int], policy: BenefitPolicy, **given: Any) -> Allocation:
    """Sessions a and b are of one member, c of another."""
    shares = tuple(
        Share(
            member_id=MemberId("m2" if name == "c" else "m1"),
            booking_id=BookingId(f"b-{name}"),
            session_id=SessionId(name),
            delivered_wh=1,
            amount_minor=amount,
        )
        for name, amount in parts.items()
    )
    base: dict[str, Any] = {"undistributed_minor": 7, "currency": "JPY", "statement_id": "st1", **given}
    event = CompensationAllocated(
        at=NOW,
        revision=number,
        event_id=DrEventId("e1"),
        facility_id=FacilityId("salon"),
        total_minor=base["undistributed_minor"] + sum(parts.values()),
        shares=shares,
        **base,
    )
    place = facility(currency=base["currency"], points=3)
    return compensation.allocation(event, place.currency, terms_of(place, policy))


parts = st.dictionaries(st.sampled_from("abc"), st.integers(0, 3_000), max_size=3)
steps = st.lists(st.tuples(parts, st.integers(0, 2_000), st.integers(0, 2_000)), min_size=1, max_size=6)


@settings(max_examples=60)
@given(steps, policies(), st.sampled_from(["JPY", "EUR"]), st.booleans())
def test_X3_any_revisions_and_spendings_leave_a_sound_ledger(
    told: list[tuple[dict[str, int], int, int]], policy: BenefitPolicy, currency: str, final: bool
) -> None:
    book, old, revisions = Book(), None, list[Allocation]()
    spent: dict[str, int] = {"m1": 0, "m2": 0}
    for number, (amounts, of_one, expiring) in enumerate(told):
        last = number == len(told) - 1
        new = revision(number, amounts, policy, currency=currency, final=final and last)
        book.take(new, old)
        old, revisions = new, [*revisions, new]
        for one in sorted(book.grants.values(), key=lambda each: each.id):
            use = Use(one, min(of_one, book.held(one).available))
            book.move(f"spent/{number}/{one.id}", one.unit, grant.spend([use]))
            spent[one.member_id] += use.amount
            gone = Use(one, min(expiring, book.held(one).available))
            book.move(f"expired/{number}/{one.id}", one.unit, grant.expire(gone))
    assert old is not None
    assert book.faults(revisions) == ()
    assert sum(balance.amount for balance in balances(book.entries)) == 0
    held = {balance.account: balance.amount for balance in balances(book.entries)}
    assert held.get("facility/salon/compensation", 0) + 7 == old.total_minor
    for member_id, was_spent in spent.items():
        given = sum(one.amount for one in old.granted if one.share.member_id == member_id)
        mine = [one for one in book.grants.values() if one.member_id == member_id]
        left = [book.held(one) for one in mine]
        owed = left[0].owed if left else 0
        assert sum(one.available + one.pending + one.expired for one in left) - owed == given - was_spent
        if policy.pending_until_final and not old.final:
            assert was_spent == 0


def test_X3_what_was_spent_and_is_taken_back_is_owed_and_later_grants_make_it_good() -> None:
    book, policy = Book(), POLICIES[Kind.AMOUNT_OFF]
    first, second = revision(0, {"a": 500}, policy), revision(1, {"a": 200}, policy)
    book.take(first, None)
    one = next(iter(book.grants.values()))
    book.move("spent", one.unit, grant.spend([Use(one, 400)]))
    book.take(second, first)
    assert book.held(one) == Held(available=0, owed=200)
    book.take(revision(0, {"b": 150}, policy, statement_id="st2"), None)
    assert book.held(one) == Held(owed=50)
    third = revision(0, {"b": 150}, policy, statement_id="st3")
    book.take(third, None)
    other = compensation.grant_of(third, third.granted[0].share, NOW)
    assert book.held(other) == Held(available=100)


def test_X3_what_has_expired_is_taken_back_before_anything_is_owed() -> None:
    book, policy = Book(), POLICIES[Kind.CASH]
    first = revision(0, {"a": 500}, policy)
    book.take(first, None)
    one = next(iter(book.grants.values()))
    book.move("expired", one.unit, grant.expire(Use(one, 500)))
    book.take(revision(1, {"a": 100}, policy), first)
    assert book.held(one) == Held(expired=100)


def test_S502_what_is_pending_can_be_spent_once_the_statement_is_final() -> None:
    policy = BenefitPolicy(Kind.CASH, pending_until_final=True)
    book, first = Book(), revision(0, {"a": 500}, policy)
    book.take(first, None)
    one = next(iter(book.grants.values()))
    assert book.held(one) == Held(pending=500)
    book.take(revision(1, {"a": 450}, policy, final=True), first)
    assert book.held(one) == Held(available=450)


def test_X3_the_audit_finds_what_was_not_posted_as_the_statement_says() -> None:
    book, told = Book(), revision(0, {"a": 500}, POLICIES[Kind.POINTS])
    book.take(told, None)
    assert book.faults([told]) == ()
    assert any(
        "benefit is 1503 by the newest revision, and 1500" in one
        for one in book.faults([revision(0, {"a": 501}, POLICIES[Kind.POINTS])])
    )
    book.grants.clear()
    assert any("which is not known" in one for one in book.faults([told]))
