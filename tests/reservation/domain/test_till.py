"""What a payment comes to, and what a refund of it gives back."""

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reservation.domain.benefit import BenefitPolicy, Item, Kind
from reservation.domain.grant import Grant, Use
from reservation.domain.refusal import Conflict, Invalid
from reservation.domain.till import (
    Bill,
    Deed,
    Method,
    Part,
    Purse,
    Receipt,
    Redemption,
    RegisterRules,
    apportion,
    bill,
    refund,
    totals,
)
from tests.reservation.samples import NOW, at, facility

RULES = RegisterRules(earn_points=1, earn_per_minor=100)
ITEMS = BenefitPolicy(Kind.ITEM, items=(Item("towel", "Towel", 300), Item("soap", "Soap", 200)))


def held(kind: Kind, amount: int, name: str = "", cap_minor: int | None = None) -> Use:
    grant = Grant(name or kind.value, "salon", "m1", kind, kind.unit("JPY"), "statement/s/1", NOW, cap_minor=cap_minor)
    return Use(grant, amount)


PURSE = Purse(
    (
        held(Kind.POINTS, 100, "old"),
        held(Kind.POINTS, 400, "new"),
        held(Kind.AMOUNT_OFF, 700),
        held(Kind.RATE_OFF, 1_000, cap_minor=600),
        held(Kind.CASH, 250),
        held(Kind.ITEM, 650),
    )
)


def pays(gross: int, policy: BenefitPolicy = ITEMS, rules: RegisterRules = RULES, **asked: Any) -> Bill:
    return bill(gross, Redemption(**asked), PURSE, rules, policy)


def receipt(found: Bill, deed: Deed = Deed.PAYMENT) -> Receipt:
    return Receipt(
        id="r",
        number=1,
        facility_id="salon",
        deed=deed,
        day=date(2026, 6, 3),
        at=NOW,
        currency="JPY",
        method=Method.CASH,
        gross_minor=found.gross_minor,
        due_minor=found.due_minor,
        discounts=found.discounts,
        earned=found.earned,
    )


def test_POS_without_benefits_all_is_due_and_earns_points() -> None:
    assert pays(5_480) == Bill(5_480, 5_480, (), 54)


@pytest.mark.parametrize(
    ("asked", "off"),
    [
        ({"points": 500}, 500),
        ({"amount_off_minor": 700}, 700),
        ({"cash_minor": 250}, 250),
        ({"rate_off": "rate_off"}, 548),
        ({"items": ("towel", "soap")}, 0),
        ({"points": 1, "amount_off_minor": 2, "cash_minor": 3, "rate_off": "rate_off"}, 554),
    ],
)
def test_POS_each_benefit_is_taken_off(asked: dict[str, Any], off: int) -> None:
    assert pays(5_480, **asked).due_minor == 5_480 - off


def test_POS_a_rate_is_taken_off_up_to_its_cap_and_spent_whole() -> None:
    found = pays(20_000, rate_off="rate_off")
    assert (found.due_minor, found.discounts[0].parts) == (19_400, (Part("rate_off", 1_000),))


def test_POS_what_expires_first_is_spent_first() -> None:
    assert pays(5_000, points=150).discounts[0].parts == (Part("old", 100), Part("new", 50))


def test_POS_a_point_is_worth_what_the_facility_says() -> None:
    assert pays(5_000, rules=RegisterRules(point_minor=5), points=150).due_minor == 4_250


@pytest.mark.parametrize(
    ("gross", "asked", "error"),
    [
        (0, {}, Invalid),
        (499, {"points": 500}, Invalid),
        (5_000, {"points": 501}, Conflict),
        (5_000, {"amount_off_minor": 701}, Conflict),
        (5_000, {"cash_minor": 251}, Conflict),
        (5_000, {"rate_off": "old"}, Conflict),
        (5_000, {"rate_off": "nobody's"}, Conflict),
        (5, {"rate_off": "rate_off"}, Invalid),
        (0, {"items": ("cake",)}, Invalid),
        (0, {"items": ("towel", "towel", "soap")}, Conflict),
    ],
)
def test_POS_what_cannot_be_spent_is_refused(gross: int, asked: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        pays(gross, **asked)


def test_POS_the_day_of_the_register_begins_when_the_facility_says() -> None:
    rules = RegisterRules(day_starts=time(5))
    assert rules.day(facility(), at(4.9)) == date(2026, 6, 2)
    assert rules.day(facility(), at(5)) == date(2026, 6, 3)
    assert rules.day(facility(), at(5) + timedelta(days=1)) == date(2026, 6, 4)


def test_POS_a_refund_gives_back_in_proportion_and_in_the_end_all() -> None:
    payment = receipt(pays(1_000, points=150, rate_off="rate_off", items=("soap",)))
    half = refund(payment, [], 500)
    assert (half.due_minor, half.earned) == (-375, -4)
    assert [(one.kind, one.amount, one.value_minor) for one in half.discounts] == [
        (Kind.RATE_OFF, 0, -50),
        (Kind.POINTS, -75, -75),
        (Kind.ITEM, 0, 0),
    ]
    assert half.discounts[1].parts == (Part("new", -50), Part("old", -25))
    rest = refund(payment, [receipt(half, Deed.REFUND)], None)
    assert [(one.amount, one.value_minor) for one in rest.discounts] == [(-1_000, -50), (-75, -75), (-200, 0)]
    with pytest.raises(Conflict, match="refunded already"):
        refund(payment, [receipt(half, Deed.REFUND), receipt(rest, Deed.REFUND)], None)
    with pytest.raises(Conflict, match="500 of receipt 1 are left"):
        refund(payment, [receipt(half, Deed.REFUND)], 501)


def test_POS_an_item_without_a_payment_is_refunded_once() -> None:
    payment = receipt(pays(0, items=("towel",)))
    back = refund(payment, [], None)
    assert [(one.item, one.amount) for one in back.discounts] == [("towel", -300)]
    with pytest.raises(Conflict):
        refund(payment, [receipt(back, Deed.REFUND)], None)


purses = st.fixed_dictionaries(
    {
        "points": st.integers(0, 500),
        "amount_off_minor": st.integers(0, 700),
        "cash_minor": st.integers(0, 250),
        "rate_off": st.sampled_from([None, "rate_off"]),
        "items": st.sampled_from([(), ("towel",), ("soap", "soap", "soap")]),
    }
)


@given(purses, st.integers(10, 9_000), st.integers(1, 7), st.lists(st.integers(1, 4_000), max_size=5))
def test_POS_refunds_never_give_back_more_than_was_paid_and_together_all_of_it(
    asked: dict[str, Any], extra: int, point_minor: int, amounts: list[int]
) -> None:
    gross = asked["points"] * point_minor + asked["amount_off_minor"] + asked["cash_minor"] + 600 + extra
    payment = receipt(pays(gross, rules=replace(RULES, point_minor=point_minor), **asked))
    refunds: list[Receipt] = []
    for amount in [*amounts, None]:
        left = gross + sum(one.gross_minor for one in refunds)
        if not left:
            break
        refunds.append(receipt(refund(payment, refunds, amount and min(amount, left)), Deed.REFUND))
        of_one = refunds[-1]
        assert of_one.due_minor - of_one.gross_minor == -sum(one.value_minor for one in of_one.discounts)
        assert max(of_one.due_minor, of_one.earned, *(one.amount for one in of_one.discounts), 0) == 0
    whole = totals([payment, *refunds])
    assert (whole.gross_minor, whole.due_minor, whole.earned, set(whole.off_by_kind.values()) - {0}) == (0, 0, 0, set())
    for place, discount in enumerate(payment.discounts):
        back = [one.discounts[place] for one in refunds]
        for part in discount.parts:
            assert part.amount == -sum(p.amount for one in back for p in one.parts if p.grant_id == part.grant_id)
        assert discount.amount == -sum(one.amount for one in back)


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=6), st.data())
def test_POS_what_is_apportioned_sums_exactly_and_no_part_gets_more_than_its_weight(
    weights: list[int], data: st.DataObject
) -> None:
    total = data.draw(st.integers(0, sum(weights)))
    shares = apportion(total, weights)
    assert sum(shares) == total
    assert all(0 <= share <= weight for share, weight in zip(shares, weights, strict=True))
