"""How money is shared: rules, largest remainder."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dr_engine.domain.allocation import RULES, Rule, Stake, allocate, share_out
from dr_engine.domain.shapley import Game

weights = st.dictionaries(st.text(max_size=4), st.integers(0, 10**6), max_size=12)
amounts = st.integers(0, 50_000)
stakes = st.lists(
    st.builds(Stake, st.text(max_size=4), amounts, amounts, st.tuples(amounts, amounts)),
    max_size=15,
    unique_by=lambda one: one.session_id,
)
games = st.builds(Game, amounts, amounts, st.integers(0, 20_000), st.integers(0, 3))

ANN, BEN = Stake("ann", 3_000, 3_000, (500, 500)), Stake("ben", 1_000, 2_000, (4_000, 0))
CAT = Stake("cat", 0, 1_000, (0, 0))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule.PRO_RATA, {"ann": 750, "ben": 250, "cat": 0}),
        (Rule.EQUAL, {"ann": 500, "ben": 500, "cat": 0}),
        (Rule.AVAILABILITY, {"ann": 200, "ben": 800, "cat": 0}),
        (Rule.PERFORMANCE, {"ann": 857, "ben": 143, "cat": 0}),
        (Rule.SHAPLEY, {"ann": 750, "ben": 250, "cat": 0}),
    ],
)
def test_S402_each_rule_shares_by_what_it_says(rule: Rule, expected: dict[str, int]) -> None:
    assert dict(share_out(1_000, rule, [ANN, BEN, CAT], Game(4_000)).parts) == expected


def test_S402_every_rule_is_in_the_table() -> None:
    assert set(RULES) == set(Rule)


@settings(max_examples=40)
@given(st.integers(0, 10**9), st.sampled_from(Rule), stakes, games)
def test_S402_by_every_rule_the_parts_sum_exactly_in_any_order(
    total: int, rule: Rule, cars: list[Stake], game: Game
) -> None:
    found = share_out(total, rule, cars, game)
    assert sum(found.parts.values()) + found.undistributed == total
    assert min(found.parts.values(), default=0) >= 0
    assert share_out(total, rule, cars[::-1], game) == found
    assert all(not found.parts[one.session_id] for one in cars if not one.credit_wh and rule is not Rule.AVAILABILITY)


@pytest.mark.parametrize(
    ("total", "shares", "expected"),
    [
        (100, {"a": 1, "b": 1, "c": 1}, {"a": 34, "b": 33, "c": 33}),
        (100, {"c": 1, "b": 1, "a": 1}, {"a": 34, "b": 33, "c": 33}),
        (10, {"a": 6, "b": 3, "c": 0}, {"a": 7, "b": 3, "c": 0}),
        (0, {"a": 6}, {"a": 0}),
        (1, {"a": 1, "b": 2}, {"a": 0, "b": 1}),
    ],
)
def test_S402_largest_remainder(total: int, shares: dict[str, int], expected: dict[str, int]) -> None:
    assert dict(allocate(total, shares).parts) == expected


def test_S402_when_nobody_delivered_all_is_undistributed() -> None:
    found = allocate(500, {"a": 0, "b": 0})
    assert (dict(found.parts), found.undistributed) == ({"a": 0, "b": 0}, 500)
    assert allocate(500, {}).undistributed == 500


@given(st.integers(0, 10**12), weights)
def test_S402_the_parts_sum_exactly(total: int, shares: dict[str, int]) -> None:
    found = allocate(total, shares)
    assert sum(found.parts.values()) + found.undistributed == total
    whole = sum(shares.values())
    for name, part in found.parts.items():
        assert not whole or abs(part * whole - total * shares[name]) < whole
        assert shares[name] or part == 0
    mixed = list(shares.items())
    random.Random(total).shuffle(mixed)
    assert allocate(total, dict(mixed)) == found


@pytest.mark.parametrize(("total", "shares"), [(-1, {"a": 1}), (1, {"a": -1})])
def test_S402_negative_money_or_energy_is_refused(total: int, shares: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="never negative"):
        allocate(total, shares)
