"""Which reports are made when, and what stands in them."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dr_engine.domain.grid_event import GridEvent, requested, runs, segments
from dr_engine.domain.grid_report import Figures, Slot, Wish, forecast, report, wishes
from dr_engine.domain.metering import Quality
from protocols.openadr.objects import Event
from protocols.openadr.power import NoPower, PowerRule
from protocols.openadr.timeline import NotSchedulable
from protocols.openadr.wire import decode, encode

DAY = datetime(2026, 6, 3, tzinfo=UTC)
EVERY = timedelta(minutes=30)


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


def event(*asked: dict[str, Any], intervals: int = 3, **fields: Any) -> Event:
    parts = [{"id": 10 + number, "payloads": []} for number in range(intervals)]
    period = {"start": "2026-06-03T01:00:00Z", "duration": "PT1H"}
    given = {"id": "e", "programID": "p", "intervalPeriod": period, "reportDescriptors": list(asked), "intervals": parts}
    return decode(Event, given | fields)


def found(one: Event, hours: float, seen: float = 0) -> list[tuple[str, float, list[int]]]:
    return [
        (wish.name, (wish.due - DAY) / timedelta(hours=1), [slot.interval_id for slot in wish.slots])
        for wish in wishes(one, at(seen), at(hours), EVERY)
    ]


USAGE = {"payloadType": "USAGE"}
FORECAST = {"payloadType": "UP_REGULATION_AVAILABLE", "historical": False, "startInterval": 0}
PARTS = {"payloadType": "DELTA_USAGE", "startInterval": 0, "numIntervals": 1, "repeat": -1}


@pytest.mark.parametrize(
    ("one", "hours", "expected"),
    [
        (event(USAGE), 3.9, []),
        (event(USAGE), 4, [("e 0.0", 4, [10, 11, 12])]),
        (event(USAGE, eventName="up"), 4, [("up 0.0", 4, [10, 11, 12])]),
        (event(PARTS), 3, [("e 0.0", 2, [10]), ("e 0.1", 3, [11])]),
        (event({"payloadType": "X_WEATHER"}), 9, []),  # nothing that we know
        (event({"payloadType": "USAGE", "frequency": 0}), 4, [("e 0.0", 4, [10, 11, 12])]),
        (event(FORECAST), 1, [("e 0.0", 1, [10, 11, 12])]),
        (event(FORECAST | {"numIntervals": 2, "frequency": 1, "repeat": -1}), 2.5, [("e 0.1", 2, [11, 12])]),
        (event(FORECAST | {"frequency": 0}), 2.2, [("e 0.4", 2, [11, 12])]),
        (event(FORECAST | {"frequency": 0}), 9, []),  # the event is over
        (event(FORECAST | {"numIntervals": 2, "frequency": 1, "repeat": -1}, intervals=0), 7.5, [("e 0.6", 7, [6, 7])]),
        (event(FORECAST | {"numIntervals": 2, "frequency": 1, "repeat": 3}, intervals=0), 7.5, [("e 0.2", 3, [2, 3])]),
        (event(FORECAST | {"frequency": 0}, intervals=0), 1.7, [("e 0.3", 1.5, [0])]),
        (event(USAGE, duration="PT6H"), 4, [("e 0.0", 4, [10, 11, 12])]),
        (event(USAGE, duration="PT6H"), 7, [("e 0.0", 4, [10, 11, 12]), ("e 0.1.0", 7, [10, 11, 12])]),
        (event(USAGE, duration="PT2H"), 3, [("e 0.0", 3, [10, 11])]),
        (event(USAGE, duration="P9999Y"), 8, [("e 0.0", 4, [10, 11, 12]), ("e 0.1.0", 7, [10, 11, 12])]),
        (event(USAGE, intervalPeriod={"start": "0001-01-01", "duration": "P9999Y"}), 99, []),
    ],
)
def test_X5_reports_are_made_when_they_are_due(one: Event, hours: float, expected: list[Any]) -> None:
    assert found(one, hours) == expected


def test_X5_descriptors_of_one_timing_are_one_report_and_sums_are_apart() -> None:
    one = event(USAGE, {"payloadType": "BASELINE"}, {"payloadType": "USAGE", "aggregate": True})
    both, whole = wishes(one, DAY, at(4), EVERY)
    assert (both.payload_types, both.is_aggregate) == (("USAGE", "BASELINE"), False)
    assert (whole.payload_types, whole.is_aggregate) == (("USAGE",), True)


SLOTS = (Slot(10, at(1), at(2)), Slot(11, at(2), at(2.5)))


def payloads(wire: Any, resource: int = 0, interval: int = 0) -> dict[str, Any]:
    return {one["type"]: one["values"][0] for one in wire["resources"][resource]["intervals"][interval]["payloads"]}


def test_X5_a_discharge_is_a_negative_delta_beside_its_baseline() -> None:
    wish = Wish("r", at(2.5), SLOTS, ("DELTA_USAGE",), is_aggregate=False)
    figures = {"CP1-1": [Figures(-2950, 400, Quality.GOOD), Figures(100, 400, Quality.ESTIMATED)]}
    wire = encode(report("e", "us", wish, figures))
    assert (wire["eventID"], wire["clientName"], wire["reportName"]) == ("e", "us", "r")
    assert payloads(wire) == {"DELTA_USAGE": -3.35, "BASELINE": 0.4, "DATA_QUALITY": "OK"}
    assert payloads(wire, interval=1) == {"DELTA_USAGE": -0.3, "BASELINE": 0.4, "DATA_QUALITY": "ESTIMATED"}
    assert wire["resources"][0]["intervals"][1]["intervalPeriod"] == {"start": "2026-06-03T02:00:00Z", "duration": "PT30M"}


def test_X5_a_sum_is_as_good_as_its_worst_and_missing_without_anybody() -> None:
    wish = Wish("r", at(2.5), SLOTS[:1], ("DELTA_USAGE",), is_aggregate=True)
    both = {"a": [Figures(-1000, 0, Quality.GOOD)], "b": [Figures(-500, 100, Quality.MISSING)]}
    assert payloads(encode(report("e", "us", wish, both))) == {
        "DELTA_USAGE": -1.6,
        "BASELINE": 0.1,
        "DATA_QUALITY": "MISSING",
    }
    assert payloads(encode(report("e", "us", wish, {})))["DATA_QUALITY"] == "MISSING"


def test_X5_net_export_is_never_told_as_usage() -> None:
    wish = Wish("r", at(2.5), SLOTS, ("USAGE", "DEMAND", "READING"), is_aggregate=False)
    wire = encode(report("e", "us", wish, {"a": [Figures(-1000, 0, Quality.GOOD), Figures(500, 0, Quality.GOOD)]}))
    assert payloads(wire) == {"READING": -1.0, "DATA_QUALITY": "BAD"}
    assert payloads(wire, interval=1) == {"USAGE": 0.5, "DEMAND": 1.0, "READING": 0.5, "DATA_QUALITY": "OK"}
    assert [one["units"] for one in wire["payloadDescriptors"]] == ["KWH", "KW", "KWH"]


def test_X5_a_forecast_bears_its_confidence_and_is_never_below_zero() -> None:
    wish = Wish("f", at(1), SLOTS, ("UP_REGULATION_AVAILABLE", "X_OTHER"), is_aggregate=False)
    available = {"hall-cars": {"UP_REGULATION_AVAILABLE": [12.0, -0.5]}}
    wire = encode(forecast("e", "us", wish, available, {"UP_REGULATION_AVAILABLE": 90}))
    assert [one["resourceName"] for one in wire["resources"]] == ["hall-cars"]
    assert wire["payloadDescriptors"] == [
        {
            "objectType": "REPORT_PAYLOAD_DESCRIPTOR",
            "payloadType": "UP_REGULATION_AVAILABLE",
            "readingType": "FORECAST",
            "units": "KW",
            "confidence": 90,
        }
    ]
    assert [payloads(wire, interval=number) for number in (0, 1)] == [
        {"UP_REGULATION_AVAILABLE": 12.0},
        {"UP_REGULATION_AVAILABLE": 0.0},
    ]


@pytest.mark.parametrize(
    "one",
    [
        event(FORECAST | {"numIntervals": 2_000_000_000}, intervals=0),
        event(FORECAST | {"startInterval": 2_000_000_000}, intervals=0),
        event(FORECAST | {"numIntervals": 2, "frequency": 2_000_000_000, "repeat": -1}, intervals=0),
        event(PARTS | {"numIntervals": 900, "frequency": 1}, intervals=2000),
    ],
)
def test_X5_reports_without_measure_are_refused(one: Event) -> None:
    with pytest.raises(NotSchedulable):
        wishes(one, DAY, at(9), EVERY)


NUMBERS = st.sampled_from([-1, 0, 1, 2, 3, 48, 2**31 - 1, -(2**31)])
TIMES = st.sampled_from(["0001-01-01", "0002-01-01T00:00:00Z", "2026-06-03T01:00:00Z", "9998-12-31T00:00:00Z", "9999-01-01"])
LENGTHS = st.sampled_from(["PT0S", "PT1S", "PT30M", "P1M", "P9999Y", "P9998Y", "-PT5M", "-P9999Y", "P9999999D"])
PERIODS = st.fixed_dictionaries({}, optional={"start": TIMES, "duration": LENGTHS, "randomizeStart": LENGTHS})
PAYLOADS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["DISPATCH_SETPOINT", "DISPATCH_SETPOINT_RELATIVE", "SIMPLE", "CURVE"]),
        "values": st.lists(st.sampled_from([0, -5, 1e308, -1e300, 7.5, True, "x"]), max_size=3),
    }
)
PARTS_OF_EVENTS = st.lists(
    st.fixed_dictionaries({"id": NUMBERS, "payloads": st.lists(PAYLOADS, max_size=2)}, optional={"intervalPeriod": PERIODS}),
    max_size=3,
)
REPORTS = st.fixed_dictionaries(
    {"payloadType": st.sampled_from(["USAGE", "UP_REGULATION_AVAILABLE"])},
    optional={
        "startInterval": NUMBERS,
        "numIntervals": NUMBERS,
        "frequency": NUMBERS,
        "repeat": NUMBERS,
        "historical": st.booleans(),
    },
)
EVENTS = st.fixed_dictionaries(
    {"id": st.just("e"), "programID": st.just("p")},
    optional={
        "duration": LENGTHS,
        "priority": st.integers(0, 3),
        "intervalPeriod": PERIODS,
        "intervals": PARTS_OF_EVENTS,
        "reportDescriptors": st.lists(REPORTS, max_size=2),
    },
)


@given(EVENTS, st.sampled_from([0.0, 3.5, 50.0]))
@settings(max_examples=80)
def test_X5_any_event_that_can_be_read_is_carried_out_or_refused(wire: dict[str, Any], hours: float) -> None:
    one, now = decode(Event, wire), at(hours)
    found = GridEvent(one, DAY, PowerRule(levels_w={1: -1000}), {})
    try:
        segments([found], now)
    except (NotSchedulable, NoPower, OverflowError):
        pass
    else:  # what is found sound is carried out
        assert all(requested(run.after(now), [0.0] * len(run.after(now))) for run in runs([found], now))
    with suppress(NotSchedulable, OverflowError):
        assert all(wish.slots for wish in wishes(one, DAY, now, EVERY))
