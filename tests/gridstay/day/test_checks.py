"""Each check says no when it should."""

from datetime import UTC, datetime, timedelta

import pytest

from gridstay.day import checks
from gridstay.day.checks import Departure
from gridstay.day.metering import Metered
from simulators.aggregator import Interval, Posted

T0 = datetime(2026, 6, 3, 3, 0, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
ASKED = Posted("e1", (Interval(T0, T0 + HALF_HOUR, -6000),))


def flat(power_w: float) -> Metered:
    energy = power_w / 2
    return Metered(((T0, 0.0), (T0 + HALF_HOUR, energy)), T0, T0 + HALF_HOUR)


@pytest.mark.parametrize(("power_w", "ok"), [(-6000, True), (-5500, True), (-5300, False), (-6700, False), (6000, False)])
def test_X2_delivery_within_ten_percent(power_w: float, ok: bool) -> None:
    check = checks.delivery([ASKED], [flat(power_w)])
    assert check.ok is ok
    assert check.figure["minutes"] == 28
    assert check.figure["minutes_outside"] == (0 if ok else 28)


def test_X2_a_day_without_events_proves_nothing() -> None:
    assert not checks.delivery([], [flat(0)]).ok


GOOD = {"id": 0, "payloads": [{"type": "DATA_QUALITY", "values": ["OK"]}]}
MISSING = {"id": 0, "payloads": [{"type": "DATA_QUALITY", "values": ["MISSING"]}]}


@pytest.mark.parametrize(
    ("reports", "ok"),
    [
        ([[GOOD]], True),
        ([[MISSING]], False),
        ([[]], False),
        ([], False),
        ([[GOOD], [GOOD]], False),
    ],
)
def test_X5_the_grid_was_told_once_and_of_every_interval(reports: list[list[dict[str, object]]], ok: bool) -> None:
    sent = [{"resources": [{"intervals": intervals}]} for intervals in reports]
    assert checks.reports({ASKED: sent}).ok is ok
    assert not checks.reports({}).ok


def departure(**changes: object) -> Departure:
    usual: dict[str, object] = {
        "guest": "Guest",
        "promised_pct": 60,
        "left_with_pct": 61.0,
        "floor_pct": 30,
        "arrived_with_pct": 50.0,
        "lowest_pct": 40.0,
        "early": False,
    }
    return Departure(**(usual | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, False),
        ({"left_with_pct": 59.0}, True),
        ({"left_with_pct": 59.96}, False),
        ({"left_with_pct": 59.0, "early": True}, False),
        ({"left_with_pct": 10.0, "promised_pct": None}, False),
        ({"lowest_pct": 29.0}, True),
        ({"lowest_pct": 20.0, "arrived_with_pct": 20.0}, False),
        ({"lowest_pct": 29.0, "early": True}, True),
    ],
)
def test_X1_a_promise_is_broken_by_too_little_at_the_end_or_by_going_below_the_floor(
    changes: dict[str, object], broken: bool
) -> None:
    check = checks.promises([departure(**changes)])
    assert (check.ok, check.figure) == (not broken, int(broken))


def statement(*amounts: int, undistributed: int = 0, total: int = 100) -> dict[str, object]:
    allocation = [{"amount_minor": amount} for amount in amounts]
    return {"total_minor": total, "undistributed_minor": undistributed, "allocation": allocation}


def test_S402_the_parts_sum_to_the_whole() -> None:
    assert checks.allocations([statement(60, 40), statement(90, undistributed=10)]).ok
    assert not checks.allocations([statement(60, 39)]).ok
    assert not checks.allocations([statement(60, 41)]).ok
    assert not checks.allocations([]).ok


@pytest.mark.parametrize(
    ("handled", "unsent", "ok"),
    [
        (["a", "b"], 0, True),
        (["a"], 0, False),
        (["a", "b", "b"], 0, False),
        (["a", "b", "c"], 0, False),
        (["a", "b"], 1, False),
    ],
    ids=["all", "missing", "twice", "never sent", "not all sent"],
)
def test_every_message_exactly_once(handled: list[str], unsent: int, ok: bool) -> None:
    assert checks.exactly_once({"K": ["a", "b"]}, {("dr_engine", "K"): handled}, unsent).ok is ok


def test_X7_an_acknowledged_event_that_is_not_stored_is_found() -> None:
    one, other = ("CP1", "tx", 0, T0), ("CP1", "tx", 1, T0)
    assert checks.nothing_lost({one}, {one, other}).ok
    assert not checks.nothing_lost({one, other}, {one}).ok
    assert not checks.nothing_lost(set(), set()).ok
