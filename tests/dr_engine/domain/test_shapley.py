"""The Shapley value of an event's payment."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dr_engine.domain.shapley import BASIS, EXACT, STEPS, Game, shapley

credit = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 9_000), min_size=1, max_size=5)
games = st.builds(Game, st.integers(0, 20_000), st.integers(0, 20_000), st.integers(0, 20_000))


@settings(max_examples=40)
@given(credit, games)
def test_S402_the_value_is_the_mean_over_all_orders(cars: dict[str, int], game: Game) -> None:
    expected = dict.fromkeys(cars, 0)
    for order in permutations(cars):
        delivered = 0
        for car in order:
            expected[car] += game.value(delivered + cars[car]) - game.value(delivered)
            delivered += cars[car]
    assert shapley(cars, game) == expected


@settings(max_examples=20)
@given(credit, st.integers(0, 10_000))
def test_S402_where_no_more_came_than_was_asked_the_value_is_the_credit(cars: dict[str, int], spare: int) -> None:
    found, whole = shapley(cars, Game(sum(cars.values()) + spare)), sum(cars.values())
    assert all(amount * whole == cars[car] * sum(found.values()) for car, amount in found.items())


def test_S402_a_car_that_makes_up_for_the_others_is_worth_more_under_a_penalty() -> None:
    cars = {"small": 1_000, "large": 3_000}
    plain, harsh = shapley(cars, Game(2_000)), shapley(cars, Game(2_000, 2_000, 15_000))
    assert plain == {"small": 1_000 * BASIS, "large": 3_000 * BASIS}
    assert plain["large"] * sum(harsh.values()) == harsh["large"] * sum(plain.values())
    assert shapley(cars, Game(4_000, 1_000, 15_000))["small"] > 1_000 * 2 * BASIS


@pytest.mark.parametrize("count", [EXACT, EXACT + 1, 40])
def test_S402_many_cars_are_tried_in_random_orders_the_same_by_seed(count: int) -> None:
    cars = {f"{number:03d}": 100 * (number + 1) for number in range(count)}
    game = Game(sum(cars.values()) // 2, sum(cars.values()) // 4, 10_000)
    found = shapley(cars, game)
    assert found == shapley(dict(reversed(cars.items())), game)
    assert (shapley(cars, Game(game.requested_wh, game.least_wh, game.penalty_bp, seed=2)) == found) == (count == EXACT)
    if count > EXACT:
        assert sum(found.values()) == STEPS // count * game.value(sum(cars.values()))
        assert found[f"{count - 1:03d}"] / sum(found.values()) == pytest.approx(2 / (count + 1), rel=0.1)
