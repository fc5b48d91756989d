"""What numbers mean: sign, units, percentages and levels, by the programme's rule."""

from datetime import UTC, datetime
from typing import Any

import pytest

from protocols.openadr.objects import EventPayloadDescriptor, ValuesMap
from protocols.openadr.power import NoPower, Positive, PowerRule, Reading, Wanted, units_of, wanted
from protocols.openadr.timeline import Span

START, END = datetime(2026, 11, 24, 5, tzinfo=UTC), datetime(2026, 11, 24, 6, tzinfo=UTC)
OURS = PowerRule()
TURNED = PowerRule(positive=Positive.EXPORT)
OF_100 = PowerRule(full_w=100_000)
LEVELS = PowerRule(levels_w={1: -20_000, 2: -40_000})
PRIVATE = PowerRule(types={"X_REDUCE": Reading.RELATIVE}, positive=Positive.EXPORT)


def span(**values: Any) -> Span:
    return Span(START, END, 0, 0, tuple(ValuesMap(type=kind, values=(value,)) for kind, value in values.items()))


@pytest.mark.parametrize(
    ("rule", "values", "units", "expected"),
    [
        (OURS, {"DISPATCH_SETPOINT": -30.5}, {}, Wanted(-30_500, is_relative=False)),  # below 0, which the schema forbids
        (OURS, {"DISPATCH_SETPOINT": 0}, {}, Wanted(0, is_relative=False)),
        (
            OURS,
            {"DISPATCH_SETPOINT_RELATIVE": -120.0},
            {"DISPATCH_SETPOINT_RELATIVE": "KW"},
            Wanted(-120_000, is_relative=True),
        ),
        (OURS, {"DISPATCH_SETPOINT": 1500}, {"DISPATCH_SETPOINT": "W"}, Wanted(1500, is_relative=False)),
        (OURS, {"DISPATCH_SETPOINT": 2}, {"DISPATCH_SETPOINT": "MW"}, Wanted(2_000_000, is_relative=False)),
        (TURNED, {"DISPATCH_SETPOINT": 30}, {}, Wanted(-30_000, is_relative=False)),
        (TURNED, {"DISPATCH_SETPOINT_RELATIVE": -30}, {}, Wanted(30_000, is_relative=True)),
        (OF_100, {"DISPATCH_SETPOINT": -0.33}, {"DISPATCH_SETPOINT": "PERCENT"}, Wanted(-33_000, is_relative=False)),
        (OF_100, {"DISPATCH_SETPOINT": 33}, {"DISPATCH_SETPOINT": "PERCENT"}, Wanted(33_000, is_relative=False)),
        (LEVELS, {"SIMPLE": 2}, {}, Wanted(-40_000, is_relative=True)),
        (LEVELS, {"SIMPLE": 0}, {}, Wanted(0, is_relative=True)),
        (OURS, {"SIMPLE": 2}, {}, None),  # the programme gives levels no worth
        (PRIVATE, {"X_REDUCE": 5, "DISPATCH_SETPOINT": 1}, {}, Wanted(-5000, is_relative=True)),
        (OURS, {"PRICE": 0.2}, {}, None),
        (OURS, {}, {}, None),
    ],
)
def test_X5_a_power_by_the_programme_s_rule(rule: PowerRule, values: Any, units: Any, expected: Wanted | None) -> None:
    found = wanted(span(**values), rule, units)
    assert found == expected or (
        found is not None
        and expected is not None
        and (round(found.power_w, 6), found.is_relative) == (expected.power_w, expected.is_relative)
    )


@pytest.mark.parametrize(
    ("rule", "values", "units", "reason"),
    [
        (OURS, {"DISPATCH_SETPOINT": "much"}, {}, "no number"),
        (OURS, {"DISPATCH_SETPOINT": True}, {}, "no number"),
        (OURS, {"DISPATCH_SETPOINT": 1e308}, {}, "no grid"),
        (OURS, {"DISPATCH_SETPOINT": 5}, {"DISPATCH_SETPOINT": "KWH"}, "no power"),
        (OURS, {"DISPATCH_SETPOINT": 5}, {"DISPATCH_SETPOINT": "PERCENT"}, "of what"),
        (LEVELS, {"SIMPLE": 3}, {}, "level 3"),
        (LEVELS, {"SIMPLE": 1.5}, {}, "not a level"),
        (LEVELS, {"SIMPLE": "high"}, {}, "not a level"),
    ],
)
def test_X5_what_is_no_power_is_refused(rule: PowerRule, values: Any, units: Any, reason: str) -> None:
    with pytest.raises(NoPower, match=reason):
        wanted(span(**values), rule, units)


def test_X5_an_event_s_units_count_before_its_program_s() -> None:
    program = [EventPayloadDescriptor(payload_type="A", units="KW"), EventPayloadDescriptor(payload_type="B", units="W")]
    mine = [EventPayloadDescriptor(payload_type="A", units="MW"), EventPayloadDescriptor(payload_type="C")]
    assert units_of([*program, *mine]) == {"A": "MW", "B": "W"}
