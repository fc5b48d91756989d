"""SOC between the samples (F7C)."""

import pytest

from dr_engine.domain.car import Physics
from dr_engine.domain.live import Live, Sample, heard, seen_charge_w, soc_from_registers, soc_now
from tests.dr_engine.domain.strategies import NOW, car, later

BARE = Physics(charge_efficiency=0.9, discharge_efficiency=0.9)
CAR = car(battery=60_000)


def test_the_soc_is_carried_on_with_the_measured_power() -> None:
    live = heard(Live(), NOW, 6_000, 50.0)
    assert soc_now(live, CAR, later(3600), None, BARE) == pytest.approx(59)
    live = heard(live, later(1800), -5_400, None)
    assert soc_now(live, CAR, later(1800), None, BARE) == pytest.approx(54.5)
    assert soc_now(live, CAR, later(5400), None, BARE) == pytest.approx(44.5)
    assert soc_now(heard(live, later(1800), None, 52.0), CAR, later(1800), None, BARE) == pytest.approx(52)


def test_what_is_believed_takes_the_place_of_what_nobody_hears() -> None:
    live = heard(Live(), NOW, 6_000, 50.0)
    assert soc_now(live, CAR, later(3600), -5_400, BARE) == pytest.approx(40)


def test_an_older_sample_changes_nothing_and_a_soc_stays_within_its_bounds() -> None:
    live = heard(Live(), NOW, 6_000, 130.0)
    assert heard(live, later(-10), 1_000, 20.0) == live
    assert soc_now(live, CAR, later(3600), None, BARE) == 100


def test_a_soc_alone_is_taken_and_none_is_none() -> None:
    assert soc_now(heard(Live(), NOW, None, 40.0), CAR, later(60), None, BARE) == 40
    assert soc_now(heard(Live(), NOW, 1_000, None), CAR, NOW, None, BARE) is None


def test_M1_without_telemetry_the_registers_carry_on_the_soc_at_arrival() -> None:
    assert soc_from_registers(50, CAR, 6_000, 0, BARE) == pytest.approx(59)
    assert soc_from_registers(50, CAR, 0, 5_400, BARE) == pytest.approx(40)


@pytest.mark.parametrize(
    ("power", "age", "seen"), [(7_000, 60, 7_000), (12_000, 60, 10_000), (7_000, 10, None), (1_000, 60, None)]
)
def test_the_observed_maximum_derates_a_car(power: float, age: float, seen: float | None) -> None:
    live = Live(sample=Sample(NOW, power))
    assert seen_charge_w(10_000, live, later(-age)) == seen


def test_a_car_that_is_held_shows_no_maximum() -> None:
    assert seen_charge_w(10_000, Live(sample=Sample(NOW, 7_000)), None) is None
    assert seen_charge_w(10_000, Live(), NOW) is None
