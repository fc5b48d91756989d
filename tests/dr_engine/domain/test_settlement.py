"""What is credited."""

import pytest

from dr_engine.domain.baseline import Baseline
from dr_engine.domain.commanded import InForce
from dr_engine.domain.metering import Quality, Reading, Registers
from dr_engine.domain.settlement import (
    Participant,
    RequestInterval,
    credit_wh,
    delivered,
    delivered_wh,
    quality,
)
from dr_engine.domain.terms import Terms
from tests.dr_engine.domain.strategies import NOW, later


@pytest.mark.parametrize(
    ("request_w", "baseline", "actual", "credit"),
    [
        (-5_000, 1_000, -2_000, 3_000),
        (-5_000, 1_000, 400, 600),
        (-5_000, 0, 500, 0),
        (5_000, 0, 2_000, 2_000),
        (5_000, 1_000, 400, 0),
        (5_000, 1_000, -200, 0),
    ],
)
def test_S402_help_is_credited_and_harm_is_not_held_against(
    request_w: float, baseline: float, actual: float, credit: float
) -> None:
    assert credit_wh(request_w, baseline, actual) == credit


ORDERS = (InForce(NOW, later(3600), -1_000),)


def participant(
    asked: set[int], *, baseline: bool = True, until_s: float = 3600, orders: tuple[InForce, ...] = ORDERS
) -> Participant:
    """A car that exports evenly 1 kWh in an hour, where it would have charged 2 kW for half an hour."""
    readings = [Reading(later(60 * n), 0, 1000 * n / 60) for n in range(61)]
    plan = Baseline(NOW, 2_000, 1_000, 0, 1) if baseline else None
    return Participant("s", NOW, later(until_s), plan, Registers.of(readings), frozenset(asked), orders, 4_000, 8_000)


INTERVALS = [RequestInterval(NOW, later(1800), -5_000), RequestInterval(later(1800), later(3600), -5_000)]


@pytest.mark.parametrize(
    ("who", "credited"),
    [
        (participant({0, 1}), [1_500, 500]),
        (participant({1}), [0, 500]),
        (participant(set()), [0, 0]),
        (participant({0, 1}, baseline=False), [0, 0]),
        (participant({0, 1}, until_s=900), [750, 0]),
        (participant({0, 1}, orders=(InForce(NOW, later(3600), -300),)), [1_265, 165]),
        (participant({0, 1}, orders=(InForce(NOW, later(900), -1_000),)), [825, 0]),
        (participant({0, 1}, orders=()), [0, 0]),
        (participant({0, 1}, orders=(InForce(NOW, later(3600), 5_000),)), [0, 0]),
    ],
    ids=[
        "asked in both",
        "asked in the second",
        "never asked",
        "no baseline",
        "left early",
        "gave more than was ordered",
        "ordered for a quarter of an hour",
        "nothing was ordered",
        "ordered to do harm",
    ],
)
def test_S402_credit_by_interval(who: Participant, credited: list[float]) -> None:
    parts = delivered(who, INTERVALS, Terms())
    assert [part.credit_wh for part in parts] == pytest.approx(credited)
    assert delivered_wh(parts) == sum(credited)
    assert quality(parts) is Quality.GOOD


def test_S402_what_is_not_metered_is_not_credited() -> None:
    unmetered = Participant("s", NOW, later(3600), Baseline(NOW, 2_000, 1_000, 0, 1), Registers.of([]), frozenset({0, 1}))
    parts = delivered(unmetered, INTERVALS, Terms())
    assert delivered_wh(parts) == 0
    assert quality(parts) is Quality.MISSING


def test_S402_credit_was_not_clipped_in_statements_from_before() -> None:
    parts = delivered(participant({0, 1}, orders=()), INTERVALS, Terms(tolerance=None))
    assert [part.credit_wh for part in parts] == pytest.approx([1_500, 500])


@pytest.mark.parametrize(
    ("who", "available"),
    [
        (participant({0, 1}), [2_000, 2_000]),
        (participant({0, 1}, until_s=900), [1_000, 0]),
        (participant({1}), [0, 2_000]),
        (participant({0, 1}, orders=(InForce(NOW, later(3600), 2_000),)), [2_000, 2_000]),
        (participant({0, 1}, orders=(InForce(NOW, later(3600), -9_000),)), [0, 0]),
    ],
    ids=["there and following", "left early", "not under command", "nothing was ordered of it", "hardly followed"],
)
def test_S402_what_was_made_available(who: Participant, available: list[float]) -> None:
    assert [part.available_wh for part in delivered(who, INTERVALS, Terms())] == pytest.approx(available)
