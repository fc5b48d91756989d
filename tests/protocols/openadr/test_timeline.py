"""From events to what holds when: the specification's examples as a table, and what must be true of any events."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.openadr.durations import FOREVER
from protocols.openadr.objects import Event
from protocols.openadr.timeline import MOST_SPANS, Claim, NotSchedulable, Span, evenly, is_void, timeline, unroll
from protocols.openadr.wire import decode

DAY = datetime(2026, 11, 24, tzinfo=UTC)
SEEN = DAY + timedelta(hours=6)
SINCE, UNTIL = DAY - timedelta(days=1), DAY + timedelta(days=3)


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


def event(**fields: Any) -> Event:
    return decode(Event, {"programID": "p", **fields})


def interval(number: int, *values: float, period: dict[str, Any] | None = None, kind: str = "PRICE") -> dict[str, Any]:
    found: dict[str, Any] = {"id": number, "payloads": [{"type": kind, "values": list(values)}]}
    return found if period is None else {**found, "intervalPeriod": period}


def of(start: str | None, duration: str | None = None, randomize: str | None = None) -> dict[str, Any]:
    fields = {"start": start, "duration": duration, "randomizeStart": randomize}
    return {name: text for name, text in fields.items() if text is not None}


def told(found: list[Span]) -> list[tuple[float | None, float | None, Any]]:
    """Start and end in hours of the day (None: never), and the value of the one payload."""

    def hours(moment: datetime) -> float | None:
        return None if moment == FOREVER else round((moment - DAY) / timedelta(hours=1), 4)

    return [(hours(span.start), hours(span.end), span.payloads[0].values[0]) for span in found]


MIDNIGHT = of("2026-11-24T00:00:00Z", "PT1H")
EXAMPLES: dict[str, tuple[dict[str, Any], list[tuple[float | None, float | None, Any]]]] = {
    "one interval": ({"intervalPeriod": MIDNIGHT, "intervals": [interval(0, 0.17)]}, [(0, 1, 0.17)]),
    "contiguous by the event's period": (
        {"intervalPeriod": MIDNIGHT, "intervals": [interval(0, 1), interval(1, 2), interval(9, 3)]},
        [(0, 1, 1), (1, 2, 2), (2, 3, 3)],
    ),
    "an interval's own duration": (
        {"intervalPeriod": MIDNIGHT, "intervals": [interval(0, 1), interval(1, 2, period=of(None, "PT2H")), interval(2, 3)]},
        [(0, 1, 1), (1, 3, 2), (3, 4, 3)],
    ),
    "a gap by an interval's own start": (
        {
            "intervalPeriod": of("2026-11-24T05:00:00Z", "PT30M"),
            "intervals": [interval(0, -120), interval(1, -90), interval(2, 60, period=of("2026-11-24T06:30:00Z", "PT30M"))],
        },
        [(5, 5.5, -120), (5.5, 6, -90), (6.5, 7, 60)],
    ),
    "an overlap: the later one takes over": (
        {"intervalPeriod": MIDNIGHT, "intervals": [interval(0, 1), interval(1, 2, period=of("2026-11-24T00:30:00Z"))]},
        [(0, 0.5, 1), (0.5, 1.5, 2)],
    ),
    "an insert: the one before goes on after it": (
        {
            "intervals": [
                interval(0, 1, period=of("2026-11-24T00:00:00Z", "PT3H")),
                interval(1, 2, period=of("2026-11-24T01:00:00Z", "PT1H")),
            ]
        },
        [(0, 1, 1), (1, 2, 2), (2, 3, 1)],
    ),
    "periods in the intervals alone": (
        {
            "intervals": [
                interval(0, 1, period=of("2026-11-24T01:00:00Z", "PT1H")),
                interval(1, 2, period=of(None, "PT1H")),
                interval(2, 3, period=of("0001-01-01", "PT1H")),
            ]
        },
        [(1, 2, 1), (2, 3, 2), (3, 4, 3)],
    ),
    "now, for ever": (
        {"intervalPeriod": of("0001-01-01", "P9999Y"), "intervals": [interval(0, 5)]},
        [(6, None, 5)],
    ),
    "now by the first interval": (
        {"intervals": [interval(0, 5, period=of("0001-01-01T00:00:00", "PT1H")), interval(1, 6, period=of(None, "PT1H"))]},
        [(6, 7, 5), (7, 8, 6)],
    ),
    "a first interval that says now, under an event with a start": (
        {"intervalPeriod": MIDNIGHT, "intervals": [interval(0, 5, period=of("0001-01-01"))]},
        [(0, 1, 5)],
    ),
    "no start at all is now": ({"intervalPeriod": of(None, "PT1H"), "intervals": [interval(0, 5)]}, [(6, 7, 5)]),
    "three prices in three hours": (
        {"intervals": [interval(0, 0.17, 0.03, 0.11, period=of("2026-11-24T00:00:00Z", "PT3H"))]},
        [(0, 1, 0.17), (1, 2, 0.03), (2, 3, 0.11)],
    ),
    "a loop for half a day": (
        {
            "duration": "PT5H",
            "intervalPeriod": of("2026-11-24T00:00:00Z", "PT2H"),
            "intervals": [interval(0, 1), interval(1, 2)],
        },
        [(0, 2, 1), (2, 4, 2), (4, 5, 1)],
    ),
    "cut off by the event's duration": (
        {"duration": "PT90M", "intervalPeriod": MIDNIGHT, "intervals": [interval(0, 1), interval(1, 2), interval(2, 3)]},
        [(0, 1, 1), (1, 1.5, 2)],
    ),
    "a daily tariff without end": (
        {
            "duration": "P9999Y",
            "intervalPeriod": of("2020-01-01T00:00:00Z", "PT12H"),
            "intervals": [interval(0, 1), interval(1, 2)],
        },
        [(12 * n, 12 * n + 12, 1 + n % 2) for n in range(-2, 6)],
    ),
    "without length": ({"intervalPeriod": of("2026-11-24T00:00:00Z", "PT0S"), "intervals": [interval(0, 1)]}, []),
    "only reports": ({"intervalPeriod": MIDNIGHT, "reportDescriptors": [{"payloadType": "USAGE"}]}, []),
    "before the window": ({"intervalPeriod": of("2026-01-01T00:00:00Z", "PT1H"), "intervals": [interval(0, 1)]}, []),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_X5_the_specification_s_examples(name: str) -> None:
    fields, expected = EXAMPLES[name]
    assert told(unroll(event(**fields), SEEN, SINCE, UNTIL)) == expected


@pytest.mark.parametrize(
    ("values", "payloads"),
    [
        ([{"x": 0.9, "y": 0.4}, {"x": 1, "y": 0}], "CURVE"),
        ([0.1, 0.9], "OLS"),
    ],
)
def test_X5_values_that_belong_together_stay_together(values: list[Any], payloads: str) -> None:
    fields = {"intervalPeriod": MIDNIGHT, "intervals": [{"id": 0, "payloads": [{"type": payloads, "values": values}]}]}
    (span,) = unroll(event(**fields), SEEN, SINCE, UNTIL)
    assert len(span.payloads[0].values) == 2


def test_X5_payloads_of_different_pace_each_keep_theirs() -> None:
    payloads = [{"type": "PRICE", "values": [1, 2]}, {"type": "GHG", "values": [7, 8, 9]}, {"type": "SIMPLE", "values": [1]}]
    fields = {"intervalPeriod": of("2026-11-24T00:00:00Z", "PT6H"), "intervals": [{"id": 0, "payloads": payloads}]}
    found = unroll(event(**fields), SEEN, SINCE, UNTIL)
    values = [tuple(span.value(kind) for kind in ("PRICE", "GHG", "SIMPLE")) for span in found]
    assert [span.start for span in found] == [at(0), at(2), at(3), at(4)]
    assert values == [(1, 7, 1), (1, 8, 1), (2, 8, 1), (2, 9, 1)]
    assert found[0].value("OTHER") is None


def test_X5_chance_moves_the_first_start_and_all_that_follow_it() -> None:
    fields = {
        "intervalPeriod": of("2026-11-24T00:00:00Z", "PT1H", "PT30M"),
        "intervals": [
            interval(0, 1),
            interval(1, 2),
            interval(2, 3, period=of("2026-11-24T04:00:00Z")),
            interval(3, 4, period=of("2026-11-24T08:00:00Z", None, "PT6M")),
            interval(4, 5),
        ],
    }
    draws = {0: 0.5, 3: -1.0}
    found = told(unroll(event(**fields), SEEN, SINCE, UNTIL, lambda position: draws[position]))
    assert found == [(0.25, 1.25, 1), (1.25, 2.25, 2), (4.25, 5.25, 3), (7.9, 8.9, 4), (8.9, 9.9, 5)]


@given(st.text(max_size=10), st.integers(0, 1000))
@settings(max_examples=30)
def test_X5_chance_is_within_its_bounds_and_the_same_again(seed: str, position: int) -> None:
    assert -1 <= evenly(seed)(position) <= 1
    assert evenly(seed)(position) == evenly(seed)(position)


@pytest.mark.parametrize(
    ("fields", "void"),
    [
        ({"intervalPeriod": of("0001-01-01", "PT0S"), "intervals": [interval(0, 1)]}, True),
        ({"intervalPeriod": of("0001-01-01", "PT0S"), "intervals": [interval(0, 1, period=of(None, "PT5M"))]}, False),
        ({"intervalPeriod": MIDNIGHT, "duration": "PT0S", "intervals": [interval(0, 1)]}, True),
        ({"intervalPeriod": MIDNIGHT, "intervals": [interval(0, 1)]}, False),
        (
            {"intervalPeriod": of("0001-01-01", "PT0H"), "reportDescriptors": [{"payloadType": "X"}]},
            False,
        ),  # asks for reports
        ({}, False),
    ],
)
def test_X5_an_event_is_cancelled_by_having_no_length(fields: dict[str, Any], void: bool) -> None:
    assert is_void(event(**fields), SEEN) is void


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"intervals": [interval(0, 1)]}, "no duration"),
        ({"intervalPeriod": of("2026-11-24T00:00:00Z", "-PT5M"), "intervals": [interval(0, 1)]}, "negative"),
        ({"intervalPeriod": of("0001-01-01", "P9999Y"), "intervals": [interval(0, 1, 2)]}, "several values"),
        (
            {"duration": "P9999Y", "intervalPeriod": of("2026-11-23T00:00:00Z", "PT0.001S"), "intervals": [interval(0, 1)]},
            str(MOST_SPANS),
        ),
    ],
)
def test_X5_what_has_no_time_is_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotSchedulable, match=reason):
        unroll(event(**fields), SEEN, SINCE, UNTIL)


def test_X5_times_at_the_ends_of_the_calendar_do_not_overflow() -> None:
    for start in ("9998-12-31T23:00:00Z", "0002-01-01T00:00:00Z"):
        fields = {"intervalPeriod": of(start, "P9000Y", "P9998Y"), "intervals": [interval(0, 1), interval(1, 2)]}
        unroll(event(**fields), SEEN, SINCE, UNTIL, lambda _: -1.0)
        unroll(event(**fields), SEEN, SINCE, UNTIL, lambda _: 1.0)


# Several events --------------------------------------------------------------------------------------------------------


def claim(name: str, start: float, end: float, priority: int | None = None, modified: datetime | None = None) -> Claim:
    return Claim(name, (Span(at(start), at(end), 0, 0, ()),), priority, modified)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ([claim("a", 0, 6, 5), claim("b", 2, 3, 0)], [("a", 0, 2), ("b", 2, 3), ("a", 3, 6)]),
        ([claim("a", 0, 6, 0), claim("b", 2, 8, 5)], [("a", 0, 6), ("b", 6, 8)]),
        ([claim("a", 0, 2), claim("b", 1, 3, 99)], [("a", 0, 1), ("b", 1, 3)]),  # any priority is above none
        ([claim("a", 0, 2, 1, at(0)), claim("b", 1, 3, 1, at(1))], [("a", 0, 1), ("b", 1, 3)]),  # changed last
        ([claim("b", 0, 2, 1), claim("a", 1, 3, 1)], [("b", 0, 1), ("a", 1, 3)]),  # by id
        ([claim("a", 0, 1), claim("b", 2, 3)], [("a", 0, 1), ("b", 2, 3)]),
        ([], []),
    ],
)
def test_X5_the_first_by_priority_holds(claims: list[Claim], expected: list[tuple[str, float, float]]) -> None:
    for order in (claims, claims[::-1]):
        assert [(one.event_id, one.start, one.end) for one in timeline(order)] == [(n, at(s), at(e)) for n, s, e in expected]


CLAIMS = st.lists(
    st.tuples(
        st.integers(0, 5).map(str),
        st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)), max_size=4),
        st.none() | st.integers(0, 2),
        st.none() | st.integers(0, 3),
    ),
    max_size=5,
    unique_by=lambda one: one[0],
)


@given(CLAIMS)
@settings(max_examples=80)
def test_X5_no_overlap_the_best_rank_and_full_coverage(drawn: list[Any]) -> None:
    claims = [
        Claim(
            name,
            tuple(Span(at(start), at(start + length), n, n, ()) for n, (start, length) in enumerate(spans)),
            priority,
            None if modified is None else at(modified),
        )
        for name, spans, priority, modified in drawn
    ]
    found = timeline(claims)
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert all(one.start < one.end for one in found)
    for hour in range(60):
        middle = at(hour + 0.5)
        covering = [one for one in claims if any(span.start <= middle < span.end for span in one.spans)]
        holding = [one.event_id for one in found if one.start <= middle < one.end]
        assert holding == ([min(covering, key=lambda one: one.rank).event_id] if covering else [])


@given(
    st.lists(st.tuples(st.none() | st.integers(0, 30), st.integers(0, 8), st.integers(1, 3)), min_size=1, max_size=5),
    st.none() | st.integers(0, 60),
)
@settings(max_examples=80)
def test_X5_one_event_s_spans_are_in_order_and_never_overlap(parts: list[Any], whole: int | None) -> None:
    intervals = [
        interval(
            number,
            *range(values),
            period=of(None if start is None else f"{at(start):%Y-%m-%dT%H:%M:%SZ}", f"PT{hours}H"),
        )
        for number, (start, hours, values) in enumerate(parts)
    ]
    fields: dict[str, Any] = {"intervals": intervals}
    if whole is not None:
        fields["duration"] = f"PT{whole}H"
    found = unroll(event(**fields), SEEN, SINCE, UNTIL)
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert all(span.start < span.end for span in found)
    if whole is not None and found:
        first = min(span.start for span in unroll(event(intervals=intervals), SEEN, SINCE, UNTIL))
        assert max(span.end for span in found) <= first + timedelta(hours=whole)
