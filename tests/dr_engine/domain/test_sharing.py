"""Exact water-filling, beside HiGHS on the same quadratic program."""

from dataclasses import replace

import highspy
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dr_engine.domain.car import Floats
from dr_engine.domain.sharing import Bounds, Caps, share

Row = tuple[float, float, float, float, float, int]
row = st.tuples(
    st.floats(-10_000, 8_000),
    st.floats(0, 12_000),
    st.floats(10, 50_000),
    st.floats(10, 50_000),
    st.floats(-10_000, 10_000),
    st.integers(0, 2),
)
rows = st.lists(row, min_size=1, max_size=12)
limits = st.tuples(*[st.floats(0, 30_000)] * 6)
NO_LIMIT = np.array([np.inf])


def bounds(cars: list[Row], step_w: float = 0) -> Bounds:
    lo, width, give, take, reference, _ = np.array(cars, dtype=np.float64).T.copy()
    return Bounds(lo, np.maximum(lo + width, 0.0), give, take, reference, np.full(len(cars), step_w))


def caps(cars: list[Row], watts: tuple[float, ...]) -> Caps:
    return Caps(np.array([one[5] for one in cars]), -np.array(watts[:3]), np.array(watts[3:]))


def plain(*cars: tuple[float, float, float, float]) -> Bounds:
    lo, hi, give, take = np.array(cars, dtype=np.float64).T.copy()
    return Bounds.plain(lo, hi, give, take)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (-9_000, [-3_000, -6_000]),
        (-15_000, [-5_000, -10_000]),
        (-18_000, [-8_000, -10_000]),
        (-99_000, [-10_000, -10_000]),
        (0, [0, 0]),
        (8_000, [4_000, 4_000]),
        (99_000, [10_000, 10_000]),
    ],
)
def test_S306_shares_are_by_energy_and_cut_to_each_car(target: float, expected: list[float]) -> None:
    cars = plain((-10_000, 10_000, 10_000, 7_000), (-10_000, 10_000, 20_000, 7_000))
    assert share(target, cars).tolist() == pytest.approx(expected)


def test_X1_a_car_that_must_charge_does_so_and_the_others_make_up_for_it() -> None:
    cars = plain((6_000, 10_000, 0, 5_000), (-10_000, 10_000, 9_000, 9_000))
    assert share(-2_000, cars).tolist() == pytest.approx([6_000, -8_000])


def test_nobody_shares_nothing() -> None:
    none = np.array([], dtype=np.float64)
    site = np.array([], dtype=np.int64)
    assert share(-5_000, Bounds.plain(none, none, none, none), Caps(site, -NO_LIMIT, NO_LIMIT)).size == 0


def test_shares_begin_where_the_cars_would_be_by_themselves() -> None:
    cars = replace(plain(*[(-10_000, 10_000, 10_000, 10_000)] * 2), reference_w=np.array([4_000.0, -2_000.0]))
    assert share(2_000, cars).tolist() == [4_000, -2_000]
    assert share(0, cars).tolist() == [3_000, -3_000]
    assert share(6_000, cars).tolist() == [6_000, 0]


def test_a_site_at_its_limit_leaves_the_rest_to_others() -> None:
    cars = plain(*[(-10_000, 10_000, 10_000, 10_000)] * 4)
    held = Caps(np.array([0, 0, 1, 1]), np.array([-6_000, -np.inf]), np.array([np.inf, np.inf]))
    assert share(-18_000, cars, held).tolist() == pytest.approx([-3_000, -3_000, -6_000, -6_000])
    assert share(-40_000, cars, held).tolist() == pytest.approx([-3_000, -3_000, -10_000, -10_000])


@given(rows, st.floats(-200_000, 200_000))
def test_the_sum_is_the_target_or_the_nearest_and_every_car_keeps_its_interval(cars: list[Row], target: float) -> None:
    given_ = bounds(cars)
    powers = share(target, given_)
    assert powers.sum() == pytest.approx(np.clip(target, given_.lo_w.sum(), given_.hi_w.sum()), abs=1e-3)
    assert (powers >= given_.lo_w - 1e-6).all()
    assert (powers <= given_.hi_w + 1e-6).all()


@given(rows, st.floats(-50_000, 50_000), limits)
def test_the_order_of_the_cars_does_not_matter(cars: list[Row], target: float, watts: tuple[float, ...]) -> None:
    there, back = (share(target, bounds(some), caps(some, watts)) for some in (cars, cars[::-1]))
    assert back[::-1].tolist() == pytest.approx(there.tolist(), abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(rows, st.floats(-1, 1), limits)
def test_it_is_the_optimum_of_the_quadratic_program(cars: list[Row], where: float, watts: tuple[float, ...]) -> None:
    """The least sum of (p - reference)^2 / 2 weight under all limits, for a sum that they allow."""
    given_, held = replace(bounds(cars), take_wh=bounds(cars).give_wh), caps(cars, watts)
    ends = [share(far, given_, held) for far in (-1e9, 1e9)]
    if not all(Caps(held.site, held.least_w - 1e-3, held.most_w + 1e-3).kept(end) for end in ends):
        return  # promises come before limits: no program allows that
    low, high = (float(end.sum()) for end in ends)
    target = low + (where + 1) / 2 * (high - low)
    ours, theirs = share(target, given_, held), optimum(target, given_, held)
    assume(theirs is not None)
    assert theirs is not None
    assert ours.sum() == pytest.approx(target, abs=1e-3)
    sums = np.bincount(held.site, ours, 3)
    assert ((sums <= held.most_w + 1e-3) & (sums >= held.least_w - 1e-3)).all()
    assert (ours >= given_.lo_w - 1e-6).all()
    assert (ours <= given_.hi_w + 1e-6).all()
    assert cost(ours, given_) <= cost(theirs, given_) * (1 + 1e-4) + 1


def cost(powers: Floats, given_: Bounds) -> float:
    return float(((powers - given_.reference_w) ** 2 / 2 / given_.give_wh).sum())


def optimum(target: float, given_: Bounds, held: Caps) -> Floats | None:
    """By HiGHS; nothing where it finds no end: its active-set method goes in circles on some degenerate programs."""
    count, inf = len(given_.lo_w), highspy.kHighsInf
    model = highspy.Highs()  # type: ignore[no-untyped-call]
    model.setOptionValue("output_flag", False)
    model.setOptionValue("qp_iteration_limit", 1_000)
    scale = 1 / given_.give_wh
    for lo, hi, linear in zip(given_.lo_w, given_.hi_w, -scale * given_.reference_w, strict=True):
        model.addCol(linear, lo, hi, 0, [], [])
    everybody = np.arange(count, dtype=np.int32)
    model.addRow(target, target, count, everybody, np.ones(count))
    for site in range(3):
        who = np.flatnonzero(held.site == site).astype(np.int32)
        model.addRow(max(held.least_w[site], -inf), min(held.most_w[site], inf), len(who), who, np.ones(len(who)))
    start = np.arange(count, dtype=np.int32)
    model.passHessian(count, count, int(highspy.HessianFormat.kTriangular), start, everybody, scale)
    model.run()
    if model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return np.array(model.getSolution().col_value)


@settings(max_examples=60, deadline=None)
@given(rows, st.floats(-60_000, 60_000), st.floats(500, 3_000))
def test_a_car_takes_nothing_or_at_least_its_least(cars: list[Row], target: float, step_w: float) -> None:
    given_ = bounds(cars, step_w)
    powers = share(target, given_)
    must = (given_.lo_w > 0) | (given_.hi_w < 0)
    assert ((np.abs(powers) < 1e-6) | (np.abs(powers) > step_w - 1e-6) | must).all()
    assert (powers >= given_.lo_w - 1e-6).all()
    assert (powers <= given_.hi_w + 1e-6).all()
    nearest = float(share(target, bounds(cars)).sum())
    assert powers.sum() == pytest.approx(nearest, abs=step_w * len(cars))


def test_as_few_cars_as_can_carry_a_small_request_do_and_those_that_did_before_go_on() -> None:
    cars = replace(plain(*[(-10_000, 10_000, 10_000 + 100 * n, 10_000) for n in range(10)]), step_w=np.full(10, 1_400.0))
    assert np.flatnonzero(share(-6_000, cars)).tolist() == [9]
    assert np.flatnonzero(share(-6_000, cars, preferred=np.arange(10) == 2)).tolist() == [2]
    assert np.flatnonzero(share(-12_000, cars)).tolist() == [8, 9]
    assert share(-12_000, cars).sum() == pytest.approx(-12_000)
    assert not share(-600, cars).any()  # nearer to nothing than to the least
    assert share(-1_000, cars).sum() == -1_400
