"""Which reports are due when: the cases of the user guide, section 7.5 and 8.7."""

from itertools import islice

import pytest

from protocols.openadr.objects import ReportDescriptor
from protocols.openadr.reporting import Due, dues, is_ad_hoc


def descriptor(**fields: int | bool) -> ReportDescriptor:
    return ReportDescriptor(payload_type="USAGE", **fields)  # type: ignore[arg-type]


def due(trigger: int, first: int, last: int, *, at_end: bool = True) -> Due:
    return Due(trigger, at_end, first, last)


@pytest.mark.parametrize(
    ("asked", "intervals", "expected"),
    [
        (descriptor(), 4, [due(3, 0, 3)]),
        (descriptor(historical=False), 4, [due(0, 0, 3, at_end=False)]),
        (descriptor(start_interval=1, num_intervals=3), 5, [due(3, 1, 3)]),
        (descriptor(start_interval=5), 10, [due(9, 5, 9)]),
        (descriptor(num_intervals=2), 5, [due(4, 3, 4)]),
        (
            descriptor(start_interval=1, num_intervals=2, frequency=2, repeat=3),
            6,
            [due(1, 0, 1), due(3, 2, 3), due(5, 4, 5)],
        ),
        (
            descriptor(start_interval=1, num_intervals=2, frequency=2, repeat=-1),
            5,
            [due(1, 0, 1), due(3, 2, 3), due(4, 4, 4)],  # the last is about what is left
        ),
        (
            descriptor(start_interval=0, num_intervals=3, frequency=1, repeat=3, historical=False),
            5,
            [due(0, 0, 2, at_end=False), due(1, 1, 3, at_end=False), due(2, 2, 4, at_end=False)],
        ),
        (
            descriptor(start_interval=0, num_intervals=1, frequency=1, repeat=-1),
            3,
            [due(0, 0, 0), due(1, 1, 1), due(2, 2, 2)],
        ),
        (descriptor(start_interval=7), 3, []),
        (descriptor(num_intervals=0), 2, [due(1, 0, 1)]),
        (descriptor(), 0, []),
    ],
)
def test_X5_reports_are_due_as_the_guide_has_them(asked: ReportDescriptor, intervals: int, expected: list[Due]) -> None:
    assert list(dues(asked, intervals)) == expected


def test_X5_a_rolling_forecast_over_implied_intervals_has_no_end() -> None:
    asked = descriptor(start_interval=0, num_intervals=48, historical=False, frequency=1, repeat=-1)
    assert list(islice(dues(asked, None), 3)) == [due(n, n, n + 47, at_end=False) for n in range(3)]


def test_X5_ad_hoc_is_when_the_ven_likes() -> None:
    assert is_ad_hoc(descriptor(frequency=0))
    assert not is_ad_hoc(descriptor())
