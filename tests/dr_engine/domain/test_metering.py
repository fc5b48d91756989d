"""Energy from registers (X3)."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.csms import Signature
from dr_engine.domain.metering import Energy, Quality, Reading, Registers, payable, worst
from tests.dr_engine.domain.strategies import later


def registers(*readings: tuple[float, float, float]) -> Registers:
    return Registers.of(Reading(later(at), imported, exported) for at, imported, exported in readings)


@pytest.mark.parametrize(
    ("readings", "start", "end", "energy", "quality"),
    [
        ([(0, 100, 0), (60, 200, 0)], 0, 60, 100, "good"),
        ([(0, 0, 100), (60, 0, 350)], 0, 60, -250, "good"),
        ([(0, 100, 0), (120, 200, 0)], 30, 90, 50, "good"),
        ([(0, 100, 0), (121, 221, 0)], 30, 90, 60, "estimated"),
        ([(60, 200, 0), (0, 100, 0), (60, 999, 0)], 0, 60, 100, "good"),
        ([(0, 100, 0), (60, 200, 0), (120, 5, 0), (180, 65, 0)], 0, 180, 160, "good"),
        ([(0, 100, 0), (60, 200, 0), (120, 5, 0), (180, 65, 0)], 0, 90, 100, "estimated"),
        ([(0, 100, 0), (60, 200, 0)], 0, 300, 100, "estimated"),
        ([(0, 100, 0), (60, 200, 0), (90, 130, 0), (120, 300, 0)], 0, 120, 200, "good"),
        ([(0, 100, 0), (60, 200, 0), (90, 130, 0), (120, 300, 0)], 0, 99, 165, "estimated"),
        ([(60, 0, 900), (120, 0, 700), (0, 0, 500), (180, 0, 950)], 0, 180, -450, "good"),
        ([(0, 100, 0), (60, 200, 0)], 0, 3600, 0, "missing"),
        ([(0, 100, 0), (7200, 200, 0)], 1800, 3600, 0, "missing"),
        ([], 0, 60, 0, "missing"),
        ([], 60, 60, 0, "good"),
    ],
)
def test_X3_interval_energy(
    readings: list[tuple[float, float, float]], start: float, end: float, energy: float, quality: str
) -> None:
    found = registers(*readings).between(later(start), later(end))
    assert found.net_wh == pytest.approx(energy)
    assert found.quality.value == quality


@given(st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=20))
def test_X3_any_order_and_repeats_give_the_same_energy(steps: list[tuple[int, int, int]]) -> None:
    imported = exported = 0
    readings = []
    for at, more_in, more_out in sorted({step[0]: step for step in steps}.values()):
        imported, exported = imported + more_in, exported + more_out
        readings.append(Reading(later(at), imported, exported))
    shuffled = readings * 2
    random.Random(1).shuffle(shuffled)
    plain, mixed = Registers.of(readings), Registers.of(shuffled)
    assert plain == mixed
    assert plain.between(later(10), later(500)) == mixed.between(later(10), later(500))


@given(st.lists(st.integers(1, 60), min_size=4, max_size=20), st.integers(1, 19), st.integers(1, 600))
def test_X3_a_clock_that_is_set_back_pays_nothing_twice(steps: list[int], after: int, back_s: int) -> None:
    """The register rises by 10 Wh a second throughout; from some reading on, the clock is late."""
    after = min(after, len(steps) - 1)
    clock = [sum(steps[:number]) for number in range(len(steps) + 1)]
    told = [Reading(later(at - back_s * (number >= after)), 5_000 + 10 * at, 0) for number, at in enumerate(clock)]
    found = Registers.of(one for one in told if one.at >= later(0))
    assert all(earlier <= following for earlier, following in pairwise(found.net_wh))
    assert found.net_wh[-1] <= 10 * clock[-1]


def test_X3_readings_whose_signature_does_not_hold_are_not_paid_by() -> None:
    readings = [Reading(later(n), 0, 0, signature) for n, signature in enumerate(Signature)]
    assert [one.signature for one in payable(readings, signed_only=False)] == ["unsigned", "signed", "valid"]
    assert [one.signature for one in payable(readings, signed_only=True)] == ["valid"]


def test_X3_a_register_of_export_that_is_not_told_each_time_stands_where_it_stood() -> None:
    told = [(0, 100, 0), (60, 100, 50), (120, 100, 0), (180, 110, 0), (240, 110, 90)]
    found = registers(*told)
    assert found.between(later(0), later(240)).net_wh == 10 - 90
    assert found.between(later(60), later(180)) == Energy(10, Quality.GOOD)


def test_the_worst_quality_counts() -> None:
    assert worst([Quality.GOOD, Quality.MISSING, Quality.ESTIMATED]) is Quality.MISSING
    assert worst([]) is Quality.GOOD
