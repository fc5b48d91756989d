"""Events of OpenADR 2.0b as those of 3.1."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dr_engine.domain.capacity import Block
from dr_engine.domain.grid_event import GridEvent, runs
from dr_engine.domain.grid_event_2b import NoSignal, as_event, can_be_held, event_id
from dr_engine.domain.settlement import RequestInterval
from protocols.openadr.objects import Event
from protocols.openadr.power import PowerRule, units_of
from protocols.openadr.wire import decode

DAY = datetime(2026, 6, 3, tzinfo=UTC)
HALF = timedelta(minutes=30)
KILOWATTS = {"name": "powerReal", "unit": "W", "scale": "k"}


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


def found(
    *powers: float,
    name: str = "LOAD_DISPATCH",
    kind: str = "setpoint",
    measurement: dict[str, Any] | None = None,
    length: timedelta = HALF,
    whole: timedelta = timedelta(hours=1),
    **descriptor: Any,
) -> dict[str, Any]:
    intervals = [{"uid": number, "duration": length, "signal_payload": power} for number, power in enumerate(powers)]
    signal = {"signal_name": name, "signal_type": kind, "intervals": intervals, "measurement": measurement}
    return {
        "event_descriptor": {"event_id": "e1", "modification_number": 0, "priority": 0, "event_status": "far", **descriptor},
        "active_period": {"dtstart": at(1), "duration": whole},
        "event_signals": [{"signal_name": "ELECTRICITY_PRICE", "signal_type": "price", "intervals": []}, signal],
    }


def asked(given: dict[str, Any], rule: PowerRule | None = None) -> list[tuple[datetime, datetime, float, bool]]:
    event = decode(Event, as_event(given, "p"))
    units = units_of(event.payload_descriptors or ())
    return [
        (part.start, part.end, round(part.power_w, 6), part.is_relative)
        for run in runs([GridEvent(event, DAY, rule or PowerRule(), units)], DAY)
        for part in run.parts
    ]


@pytest.mark.parametrize(
    ("given", "rule", "expected"),
    [
        (found(-30, -20, measurement=KILOWATTS), None, [(at(1), at(1.5), -30_000, False), (at(1.5), at(2), -20_000, False)]),
        (found(-30, measurement={"unit": "W", "scale": "none"}), None, [(at(1), at(1.5), -30, False)]),
        (found(-30), None, [(at(1), at(1.5), -30_000, False)]),  # the programme's units
        (found(-5, kind="delta"), None, [(at(1), at(1.5), -5_000, True)]),
        (found(2, name="simple", kind="level"), PowerRule(levels_w={2: -7_000}), [(at(1), at(1.5), -7_000, True)]),
        (found(-5, length=timedelta()), None, [(at(1), at(2), -5_000, False)]),
        (found(-5, event_status="cancelled"), None, []),
    ],
)
def test_X5_a_2_0b_event_asks_for_the_same(given: dict[str, Any], rule: PowerRule | None, expected: list[Any]) -> None:
    assert asked(given, rule) == expected


def test_X5_an_active_period_without_length_has_no_end() -> None:
    (first, *_) = asked(found(-5, length=timedelta(), whole=timedelta()))
    assert first == (at(1), at(24), -5_000, False)


def test_X5_modifications_are_in_order_and_priority_0_is_none() -> None:
    old, new = (decode(Event, as_event(found(-5, modification_number=n, priority=n), "p")) for n in (0, 1))
    assert old.modification_date_time is not None
    assert new.modification_date_time is not None
    assert old.modification_date_time < new.modification_date_time
    assert (old.priority, new.priority) == (None, 1)


def test_X5_an_id_that_3_1_forbids_is_hashed() -> None:
    assert event_id(found(event_id="e-1_A")) == "e-1_A"
    assert event_id(found(event_id="urn:e/1")).startswith("2b-")
    assert event_id(found(event_id="urn:e/1")) != event_id(found(event_id="urn:e/2"))


def test_X5_an_event_that_says_nothing_of_power_is_refused() -> None:
    with pytest.raises(NoSignal, match="CHARGE_STATE"):
        as_event(found(5, name="CHARGE_STATE", kind="setpoint"), "p")


BLOCKS = [Block(at(1), at(1.5), -10_000, 8_000, 0, 2), Block(at(1.5), at(2), -6_000, 8_000, 0, 2)]


@pytest.mark.parametrize(
    ("start", "end", "power_w", "holds"),
    [
        (1, 2, -6_000, True),
        (1, 1.5, -10_000, True),
        (1, 2, -10_000, False),
        (1, 2, 8_000, True),
        (1, 2, 9_000, False),
        (3, 4, -1, False),
    ],
)
def test_X5_what_to_opt_in_to(start: float, end: float, power_w: int, holds: bool) -> None:
    assert can_be_held([RequestInterval(at(start), at(end), power_w)], BLOCKS) is holds
