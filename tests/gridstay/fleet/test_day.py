"""Whole days: the same by seed and number of processes, promises kept, points exact, energy kept."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dr_engine.domain.availability import Experience
from gridstay.fleet.day import Day, run_day
from gridstay.fleet.figures import figures
from gridstay.fleet.options import FleetOptions
from gridstay.fleet.runner import run_days
from simulators.fleet.records import records

pytestmark = pytest.mark.acceptance

OWN = records(None, None)
TROUBLED = FleetOptions(bays=8, days=3, no_show=0.12, early=0.08, stuck=0.05, offline=0.05, step_s=30)


def timeless(day: Day) -> Day:
    return replace(day, seconds=0.0)


def test_the_same_seed_gives_the_same_day_and_another_another() -> None:
    one = timeless(run_day(1, Experience(), TROUBLED, OWN))
    assert timeless(run_day(1, Experience(), TROUBLED, OWN)) == one
    assert timeless(run_day(1, Experience(), replace(TROUBLED, seed=2), OWN)) != one


def test_the_number_of_processes_changes_nothing() -> None:
    told: list[int] = []
    alone = [timeless(day) for day in run_days(TROUBLED, OWN, 1, told.append)]
    shared = [timeless(day) for day in run_days(TROUBLED, OWN, 2, told.append)]
    assert alone == shared
    assert [day.number for day in alone] == [0, 1, 2]
    assert told == [1, 2, 3, 1, 2, 3]


def test_S306_without_trouble_every_block_is_held_and_every_promise_kept() -> None:
    options = FleetOptions(bays=40, days=1, step_s=30)
    found = figures([run_day(number, Experience(), options, OWN) for number in (1, 2)], 2)
    assert found["events"] >= 3
    assert found["blocks_in_band"]["share"] == 1
    assert found["mean_off"] < 0.02
    assert found["promises"]["kept"] == found["promises"]["due"] > 100


@pytest.mark.parametrize("seed", [1, 38])
def test_X1_a_car_that_needs_every_watt_gets_it_whatever_its_converter_makes_of_a_setpoint(seed: int) -> None:
    """On each of these days a guest needs all of the stay, with a converter some percent below what it is told."""
    options = FleetOptions(bays=None, cars=120, days=1, step_s=30, past_days=5, ask=0.9, seed=seed)
    assert run_day(0, Experience(), options, OWN).promises.broken == 0


shares = st.floats(0, 0.5)


@settings(max_examples=12)
@given(st.integers(0, 2**31), shares, shares, shares, shares, st.floats(0.3, 3.0))
def test_X1_whatever_goes_wrong_and_is_asked_no_promise_is_broken_that_could_be_kept(
    seed: int, no_show: float, early: float, stuck: float, offline: float, ask: float
) -> None:
    options = FleetOptions(
        bays=6, days=1, no_show=no_show, early=early, stuck=stuck, offline=offline, seed=seed, step_s=60, ask=ask
    )
    day = run_day(0, Experience(), options, OWN)
    assert (day.promises.broken, day.promises.floor) == (0, 0)
    assert day.events


@settings(max_examples=8)
@given(st.integers(0, 2**31))
def test_S402_points_are_exact_and_follow_the_energy(seed: int) -> None:
    day = run_day(0, Experience(), replace(TROUBLED, seed=seed, ask=0.8), OWN)
    assert sum(event.settled.paid for event in day.events) > 0
    for event in day.events:
        settled = event.settled
        assert settled.difference == 0
        assert settled.paid == sum(settled.points.values())
        assert settled.credited_wh == sum(settled.by_car.values())
        assert all(not points or settled.by_car[place] for place, points in settled.points.items())


def test_a_day_to_which_nobody_comes_is_a_day() -> None:
    day = run_day(0, Experience(), FleetOptions(bays=3, days=1, no_show=1.0), OWN)
    assert (day.came, day.import_wh, day.promises.due) == (0, 0.0, 0)
    assert sum(event.settled.total for event in day.events) == pytest.approx(0)
