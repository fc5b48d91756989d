"""Cars follow their plan outside events as far as their promises let them."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dr_engine.domain.board import DispatchRules
from dr_engine.domain.car import Car, Cars, Physics
from dr_engine.domain.controls import Controls
from dr_engine.domain.course import Course, on_course
from dr_engine.domain.viability import interval
from tests.dr_engine.domain.boards import at, control, told
from tests.dr_engine.domain.strategies import NOW, car, cars

RULES, PHYSICS, LOOK_S = DispatchRules(), Physics(), 60.0


def course(one: Car, soc: float, planned_w: float, controls: Controls | None = None) -> Course:
    known = control() if controls is None else controls
    return on_course(Cars.of([one]), np.array([soc]), np.array([planned_w]), known, NOW, LOOK_S, RULES, PHYSICS)


def test_a_car_is_told_what_the_plan_has_it_do_for_five_minutes_at_most() -> None:
    found = course(car(), 80, 3_000)
    assert (found.power_w.tolist(), found.until_s.tolist(), found.release.tolist()) == ([3_000], [at(300)], [])


def test_a_car_that_charges_with_all_it_can_needs_no_message() -> None:
    assert not course(car(), 50, 10_000).who.size
    assert course(car(), 50, 10_000, told(0)).release.tolist() == [0]


@pytest.mark.parametrize(("until_s", "sent"), [(290, False), (100, True)])
def test_what_it_was_told_is_renewed_in_time(until_s: float, sent: bool) -> None:
    assert bool(course(car(), 80, 3_040, told(3_000, until_s)).who.size) is sent


def test_X1_a_plan_that_would_break_the_promise_is_not_followed() -> None:
    late = car(wanted=80, hours=0.75)
    assert course(late, 70, -10_000, told(0)).release.tolist() == [0]  # it needs all of the time


@settings(deadline=None)
@given(cars, st.floats(0, 100), st.floats(-30_000, 30_000))
def test_X1_whatever_the_plan_says_only_viable_powers_are_told(one: Car, soc: float, planned_w: float) -> None:
    found = course(one, soc, planned_w)
    viable = interval(one, soc, NOW, 3 * LOOK_S, PHYSICS)
    for power_w, until_s in zip(found.power_w, found.until_s, strict=True):
        assert viable.lo_w - 1 <= power_w <= viable.hi_w + 1
        assert until_s <= min(one.depart, NOW + timedelta(seconds=300)).timestamp()
