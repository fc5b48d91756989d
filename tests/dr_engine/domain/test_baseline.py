"""What a car would have done by itself."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dr_engine.domain.baseline import BASELINES, Baseline, BaselineKind, JustBefore, Known, just_before
from dr_engine.domain.car import Car, Physics
from dr_engine.domain.metering import Reading, Registers
from tests.dr_engine.domain.strategies import NOW, car, cars, later

BARE = Physics(charge_efficiency=1)


@pytest.mark.parametrize(
    ("soc", "start", "end", "energy"),
    [
        (60, 0, 3600, 6_000),
        (60, 0, 1080, 3_000),
        (60, 1080, 2160, 3_000),
        (60, 2160, 3600, 0),
        (80, 0, 3600, 0),
        (60, -600, 1080, 3_000),
        (60, 600, 600, 0),
    ],
)
def test_full_power_until_the_wanted_soc_then_nothing(soc: float, start: float, end: float, energy: float) -> None:
    baseline = Baseline.of(car(wanted=70), soc, NOW, BARE)
    assert baseline.imported_wh(later(start), later(end)) == pytest.approx(energy)


@given(cars, st.floats(0, 100), st.lists(st.floats(0, 40_000), min_size=2, max_size=6))
def test_the_parts_of_a_baseline_sum_to_the_whole(one: Car, soc: float, cuts: list[float]) -> None:
    baseline, edges = Baseline.of(one, soc, NOW, Physics()), [later(cut) for cut in sorted(cuts)]
    parts = sum(baseline.imported_wh(a, b) for a, b in pairwise(edges))
    assert parts == pytest.approx(baseline.imported_wh(edges[0], edges[-1]), abs=1e-6)
    assert baseline.energy_stored_wh(later(10**6)) == pytest.approx(max(one.wh(soc), one.wh(one.wanted_pct)))


STEADY = Registers.of(Reading(later(60 * n), 2_000 + 100 * n, 0) for n in range(-20, 61))
"""6 kW, from 20 minutes before."""


@pytest.mark.parametrize(
    ("came_s", "window_s", "power_w"),
    [(-1200, 300, 6_000), (-1200, 1200, 6_000), (-120, 300, 6_000), (0, 300, 0), (600, 300, 0)],
    ids=["five minutes", "all of its stay", "came two minutes before", "came with the event", "came during it"],
)
def test_S402_just_before_is_the_mean_of_the_window_before_the_event(came_s: float, window_s: float, power_w: float) -> None:
    found = just_before(STEADY, later(came_s), NOW, window_s)
    assert found is not None
    assert found.power_w == pytest.approx(power_w)
    assert found.until == NOW
    assert found.imported_wh(later(600), later(1200)) == pytest.approx(power_w / 6)
    assert found.imported_wh(later(600), later(600)) == 0


def test_S402_just_before_counts_what_was_given_too_and_is_unknown_without_registers() -> None:
    giving = Registers.of([Reading(later(-300), 0, 0), Reading(NOW, 0, 250)])
    assert just_before(giving, later(-300), NOW, 300) == JustBefore(later(-300), NOW, -3_000)
    assert just_before(Registers.of([]), later(-300), NOW, 300) is None


def test_S402_each_kind_of_baseline_is_in_the_table() -> None:
    plan = Baseline(NOW, 2_000, 1_000, 0, 1)
    known = Known(plan, STEADY, later(-1200), NOW, 300)
    found = {kind: of(known) for kind, of in BASELINES.items()}
    assert found == {
        BaselineKind.REGISTERED: plan,
        BaselineKind.JUST_BEFORE: JustBefore(later(-300), NOW, 6_000),
        BaselineKind.HIGH_4_OF_5: plan,
    }
