"""Money to benefits."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reservation.domain.benefit import BenefitPolicy, Conversion, Item, Kind, RateRule, converted, terms_of
from tests.reservation.samples import facility


@pytest.mark.parametrize(
    ("currency", "points", "amount", "given"),
    [("JPY", 1, 312, 312), ("JPY", 3, 100, 300), ("EUR", 1, 399, 3), ("EUR", 100, 399, 399), ("EUR", 0, 399, 0)],
)
def test_S502_points_by_the_facilitys_rule(currency: str, points: int, amount: int, given: int) -> None:
    terms = terms_of(facility(currency=currency, points=points), BenefitPolicy())
    assert terms.benefits({"s": amount}) == {"s": given}


def test_S502_what_rounding_leaves_goes_to_the_largest_remainders() -> None:
    assert converted({"a": 150, "b": 150, "c": 199, "d": 0}, Conversion(1, 100)) == {"a": 1, "b": 1, "c": 2, "d": 0}


def test_S502_a_part_is_never_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        converted({"a": -1}, Conversion(1, 1))


parts = st.dictionaries(st.text(max_size=3), st.integers(0, 10**9), max_size=20)
rules = st.builds(Conversion, st.integers(0, 1_000), st.sampled_from([1, 100]))


@settings(deadline=None)
@given(parts, rules)
def test_S502_the_points_of_the_parts_are_the_points_of_the_whole(amounts: dict[str, int], rule: Conversion) -> None:
    points = converted(amounts, rule)
    assert sum(points.values()) == rule.whole(sum(amounts.values()))
    for name, amount in amounts.items():
        assert abs(points[name] * rule.per_minor - amount * rule.amount) < rule.per_minor
    assert converted(dict(reversed(list(amounts.items()))), rule) == points


RATE = RateRule(bp_per_unit=2, max_bp=1_000, cap_minor=2_000)
ITEM = Item("shampoo", "Shampoo", 800)


@pytest.mark.parametrize(
    ("policy", "currency", "unit", "given"),
    [
        (BenefitPolicy(Kind.AMOUNT_OFF), "JPY", "JPY", 312),
        (BenefitPolicy(Kind.CASH), "EUR", "EUR", 312),
        (BenefitPolicy(Kind.ITEM, items=(ITEM,)), "JPY", "JPY", 312),
        (BenefitPolicy(Kind.RATE_OFF, rate=RATE), "JPY", "bp", 624),
        (BenefitPolicy(Kind.RATE_OFF, rate=RATE), "EUR", "bp", 6),
        (BenefitPolicy(Kind.RATE_OFF, rate=RateRule(2, 500, 1)), "JPY", "bp", 500),
    ],
)
def test_S502_each_kind_by_the_facilitys_policy(policy: BenefitPolicy, currency: str, unit: str, given: int) -> None:
    terms = terms_of(facility(currency=currency), policy)
    assert (terms.unit, terms.benefits({"s": 312})) == (unit, {"s": given})


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (lambda: BenefitPolicy(Kind.RATE_OFF), "a rule of its rate"),
        (lambda: BenefitPolicy(Kind.CASH, rate=RATE), "no other benefit has one"),
        (lambda: BenefitPolicy(Kind.ITEM), "items are named"),
        (lambda: BenefitPolicy(Kind.POINTS, items=(ITEM,)), "for no other"),
        (lambda: BenefitPolicy(Kind.ITEM, items=(ITEM, ITEM)), "given once"),
        (lambda: RateRule(1, 10_001, 1), "at most 10000"),
        (lambda: RateRule(0, 1, 1), "worth nothing"),
    ],
)
def test_S502_what_no_policy_can_be_is_refused(bad: Callable[[], object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        bad()
