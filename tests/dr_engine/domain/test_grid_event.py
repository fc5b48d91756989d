"""Runs of a VTN's events: what becomes a request, cut where the engine needs it, the same whenever it is looked at."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dr_engine.domain.grid_event import AHEAD, AskedPart, GridEvent, Run, over_at, requested, runs
from dr_engine.domain.request import faults
from dr_engine.domain.settlement import RequestInterval
from protocols.openadr.objects import Event
from protocols.openadr.power import PowerRule
from protocols.openadr.wire import decode, encode

DAY = datetime(2026, 6, 3, tzinfo=UTC)


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


def grid_event(name: str, *parts: tuple[float, float, float], kind: str = "DISPATCH_SETPOINT", **fields: Any) -> GridEvent:
    intervals = [
        {
            "id": number,
            "intervalPeriod": {"start": at(start).isoformat(), "duration": f"PT{round(3600 * (end - start))}S"},
            "payloads": [{"type": kind, "values": [power_kw]}],
        }
        for number, (start, end, power_kw) in enumerate(parts)
    ]
    event = decode(Event, {"id": name, "programID": "p", "intervals": intervals, **fields})
    return GridEvent(event, DAY, PowerRule(), {})


def shape(found: list[Run]) -> list[tuple[str, float, float]]:
    return [(run.event_id, (run.start - DAY) / timedelta(hours=1), (run.end - DAY) / timedelta(hours=1)) for run in found]


def test_X5_a_gap_and_another_event_divide_runs() -> None:
    low = grid_event("low", (1, 2, -5), (2, 3, -6), (4, 6, -5), priority=5)
    high = grid_event("high", (4.5, 5, -9), priority=1)
    assert shape(runs([low, high], DAY)) == [("low", 1, 3), ("low", 4, 4.5), ("high", 4.5, 5), ("low", 5, 6)]


def test_X5_no_change_at_all_is_no_request_but_keeps_others_out() -> None:
    pause = grid_event("pause", (2, 3, 0), kind="DISPATCH_SETPOINT_RELATIVE", priority=0)
    assert shape(runs([grid_event("a", (1, 4, -5), priority=1), pause], DAY)) == [("a", 1, 2), ("a", 3, 4)]


def test_X5_what_is_over_or_far_ahead_is_left_out() -> None:
    event = grid_event("a", (1, 2, -5), (5, 6, -5), (72, 73, -5))
    assert shape(runs([event], at(3))) == [("a", 5, 6)]
    assert shape(runs([event], at(72.5) - AHEAD)) == [("a", 72, 73)]


def test_X5_a_long_run_is_cut_at_midnights_the_same_way_all_along() -> None:
    event = grid_event("a", (10, 60, -5))
    assert shape(runs([event], DAY)) == [("a", 10, 24), ("a", 24, 48)]
    assert shape(runs([event], at(30))) == [("a", 24, 48), ("a", 48, 60)]
    assert shape(runs([event], at(50))) == [("a", 48, 60)]


ENDS: list[tuple[dict[str, Any], float | None]] = [
    ({}, 3),
    ({"duration": "PT9H"}, 10),
    ({"duration": "PT30M"}, 1.5),
    ({"duration": "P9999Y"}, None),
    ({"intervals": []}, None),
    ({"intervals": [{"id": 0, "payloads": []}]}, None),
    ({"intervals": [{"id": 0, "payloads": [], "intervalPeriod": {"start": "0001-01-01", "duration": "P9999Y"}}]}, None),
    ({"intervals": [{"id": 0, "payloads": [], "intervalPeriod": {"start": "0001-01-01", "duration": "PT2H"}}]}, 2),
    ({"intervals": [{"id": 0, "payloads": [], "intervalPeriod": {"start": "0001-01-01", "duration": "PT0S"}}]}, 0),
]


@pytest.mark.parametrize(("fields", "end"), ENDS)
def test_X5_an_event_is_over_when_its_last_interval_ends(fields: dict[str, Any], end: float | None) -> None:
    one = grid_event("e", (1, 2, -5), (2, 3, -6))
    event = decode(Event, encode(one.event) | fields)
    assert over_at(event, DAY) == (None if end is None else at(end))


def test_X5_a_void_event_asks_for_nothing() -> None:
    assert runs([grid_event("a", (1, 1, -5))], DAY) == []


def test_X5_changes_stand_beside_the_baseline() -> None:
    parts = (
        AskedPart(at(1), at(2), -3000, is_relative=True),
        AskedPart(at(2), at(3), -4000, is_relative=True),
        AskedPart(at(3), at(4), 0, is_relative=False),
    )
    assert requested(parts, (5000, 6000, 0)) == (
        RequestInterval(at(1), at(2), 2000),
        RequestInterval(at(2), at(3), 2000),
        RequestInterval(at(3), at(4), -1),
    )


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30), st.integers(-9, 9)), min_size=1, max_size=4),
            st.none() | st.integers(0, 3),
        ),
        max_size=4,
    ),
    st.integers(0, 70),
)
@settings(max_examples=60)
def test_X5_runs_never_overlap_and_the_engine_can_carry_each_out(drawn: list[Any], hour: int) -> None:
    events = [
        grid_event(str(number), *((start, start + length, kw) for start, length, kw in parts), priority=priority)
        for number, (parts, priority) in enumerate(drawn)
    ]
    now = at(hour)
    found = runs(events, now)
    assert all(before.end <= after.start for before, after in pairwise(found))
    for run in found:
        assert faults(requested(run.after(now), [0.0] * len(run.after(now))), now) == []
    later = now + timedelta(minutes=30)
    coming = {(run.event_id, run.after(later)) for run in found if run.end > later}
    assert coming <= {(run.event_id, run.after(later)) for run in runs(events, later)}, "a later look gives the same"
