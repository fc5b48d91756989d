"""Exact distributions of sums, and what they can be counted on for."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dr_engine.domain.car import Floats
from dr_engine.domain.certainty import Odds, certain_w, distribution, nodes, shifted, wilson_lower

cars = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 12_000)), max_size=8)


def odds(chance: Floats) -> Odds:
    return Odds(chance, *(np.ones(len(chance)) for _ in range(3)))


def arrays(rows: list[tuple[float, float]]) -> tuple[Floats, Floats]:
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


def brute(chance: Floats, steps: list[int]) -> Floats:
    """By every combination of who is there."""
    found = np.zeros(sum(steps) + 1)
    for there in product((0, 1), repeat=len(steps)):
        weight = np.prod([one if here else 1 - one for one, here in zip(chance, there, strict=True)])
        found[sum(step for step, here in zip(steps, there, strict=True) if here)] += weight
    return found


@given(cars)
def test_S300_the_distribution_is_exact(rows: list[tuple[float, float]]) -> None:
    chance, power = arrays(rows)
    steps = [int(np.floor(one / 1000 + 1e-9)) for one in power]
    assert distribution(chance, power, 1000) == pytest.approx(brute(chance, steps), abs=1e-12)


def test_S300_many_cars_by_the_tree_have_the_right_mean_and_spread() -> None:
    chance, power = np.linspace(0.5, 0.99, 1000), np.resize([3000.0, 5000.0, 10_000.0], 1000)
    found, places = distribution(chance, power, 1000), np.arange(power.sum() / 1000 + 1)
    mean = float(found @ places)
    assert found.sum() == pytest.approx(1)
    assert mean == pytest.approx((chance * power).sum() / 1000)
    assert found @ (places - mean) ** 2 == pytest.approx((chance * (1 - chance) * (power / 1000) ** 2).sum())


@settings(max_examples=30, deadline=None)
@given(cars, st.floats(0.5, 0.99), st.floats(0.5, 0.99), st.sampled_from([0.0, 0.6]))
def test_S300_more_certainty_is_less_power_and_never_more_than_all_cars(
    rows: list[tuple[float, float]], one: float, other: float, sigma: float
) -> None:
    chance, power = arrays(rows)
    low, high = sorted((one, other))
    sure, bold = (certain_w(odds(chance), power, p, sigma) for p in (high, low))
    assert 0 <= sure <= bold <= power.sum() + 1e-6


@settings(max_examples=30, deadline=None)
@given(cars, st.randoms(use_true_random=False))
def test_S300_the_order_of_cars_is_nothing(rows: list[tuple[float, float]], random: object) -> None:
    mixed = rows[::-1]
    assert certain_w(odds(arrays(rows)[0]), arrays(rows)[1], 0.9, 0.6) == certain_w(
        odds(arrays(mixed)[0]), arrays(mixed)[1], 0.9, 0.6
    )


def test_S300_the_power_is_reached_with_the_probability_in_drawn_days() -> None:
    rng = np.random.default_rng(3)
    chance, power = rng.uniform(0.6, 0.99, 150), rng.integers(30, 100, 150).astype(np.float64) * 100
    claimed = certain_w(odds(chance), power, 0.9, 0.6, 100)
    shock = rng.normal(0, 0.6, (20_000, 1))
    sums = ((rng.random((20_000, 150)) < shifted(chance, shock)) * power).sum(axis=1)
    assert (sums >= claimed).mean() == pytest.approx(0.9, abs=0.01)


def test_S300_a_common_shock_lowers_what_is_certain() -> None:
    chance, power = np.full(200, 0.88), np.full(200, 6000.0)
    assert certain_w(odds(chance), power, 0.9, 0.6) < 0.93 * certain_w(odds(chance), power, 0.9, 0.0)


@pytest.mark.parametrize("cars", [290, 310, 10_000])
def test_S300_large_sums_are_certain_as_often_as_is_said(cars: int) -> None:
    """Above and below the size at which the sum is taken as normal: 8,000 drawn days."""
    rng = np.random.default_rng(5)
    chance, power = np.full(cars, 0.88), rng.integers(3, 11, cars).astype(np.float64) * 1000
    claimed = certain_w(odds(chance), power, 0.9, 0.6, 1000)
    days = [rng.random(cars) < shifted(chance, rng.normal(0, 0.6)) for _ in range(8000)]
    assert np.mean([(power * there).sum() >= claimed for there in days]) == pytest.approx(0.9, abs=0.01)


def test_S300_nobody_gives_nothing_and_the_sure_give_all() -> None:
    assert certain_w(odds(np.zeros(0)), np.zeros(0), 0.9) == 0
    assert certain_w(odds(np.ones(3)), np.full(3, 5000.0), 0.99, 0.6) == 15_000
    assert certain_w(odds(np.zeros(3)), np.full(3, 5000.0), 0.5) == 0


def test_shocks_have_their_mean_and_deviation() -> None:
    places, weights = nodes(0.6)
    assert weights @ places == pytest.approx(0, abs=1e-12)
    assert weights @ places**2 == pytest.approx(0.36, rel=0.02)


@pytest.mark.parametrize(("passed", "days", "low"), [(0, 0, 0), (0, 100, 0), (100, 100, 0.9737), (900, 1000, 0.8833)])
def test_wilsons_lower_bound(passed: int, days: int, low: float) -> None:
    assert wilson_lower(passed, days) == pytest.approx(low, abs=2e-3)
