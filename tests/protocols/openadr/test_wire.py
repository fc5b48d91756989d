"""Objects in and out: what is mended, what is refused, and that nothing goes out which the specification forbids."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.openadr.durations import ENDLESS, NOW, Duration
from protocols.openadr.objects import (
    Event,
    EventPayloadDescriptor,
    Interval,
    IntervalPeriod,
    Notification,
    ObjectOperation,
    Program,
    Report,
    ReportPayloadDescriptor,
    Resource,
    Subscription,
    Token,
    TokenServer,
    ValuesMap,
    Ven,
)
from protocols.openadr.wire import MOST_OCTETS, NotOpenAdr, NotSendable, decode, encode, loads

EVENT: dict[str, Any] = {
    "programID": "prg-1",
    "eventName": "FRR-up 2026-11-24 14:00",
    "priority": 0,
    "targets": ["ven-store-042"],
    "intervalPeriod": {"start": "2026-11-24T05:00:00Z", "duration": "PT30M"},
    "payloadDescriptors": [
        {"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": "DISPATCH_SETPOINT_RELATIVE", "units": "KW"},
        {"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": "X_INCENTIVE", "units": "KWH", "currency": "JPY"},
    ],
    "reportDescriptors": [
        {
            "payloadType": "DELTA_USAGE",
            "readingType": "DIRECT_READ",
            "units": "KWH",
            "aggregate": False,
            "historical": True,
            "reportIntervals": "INTERVALS",
        }
    ],
    "intervals": [
        {
            "id": 0,
            "payloads": [
                {"type": "DISPATCH_SETPOINT_RELATIVE", "values": [-120.0]},
                {"type": "X_AWARDED_CAPACITY_UP", "values": [150.0]},
                {"type": "X_INCENTIVE", "values": [25.0]},
            ],
        },
        {"id": 1, "payloads": [{"type": "DISPATCH_SETPOINT_RELATIVE", "values": [-90.0]}]},
        {
            "id": 2,
            "intervalPeriod": {"start": "2026-11-24T06:30:00Z", "duration": "PT30M", "randomizeStart": "PT0S"},
            "payloads": [{"type": "DISPATCH_SETPOINT_RELATIVE", "values": [60.0]}],
        },
    ],
}
REPORT: dict[str, Any] = {
    "eventID": "evt-1",
    "clientName": "ra-ven-042",
    "reportName": "perf-evt-1-v1",
    "payloadDescriptors": [
        {
            "objectType": "REPORT_PAYLOAD_DESCRIPTOR",
            "payloadType": "DELTA_USAGE",
            "readingType": "DIRECT_READ",
            "units": "KWH",
            "accuracy": 0.5,
            "confidence": 95,
        }
    ],
    "resources": [
        {
            "resourceName": "AGGREGATED_REPORT",
            "intervalPeriod": {"start": "2026-11-24T05:00:00Z", "duration": "PT30M"},
            "intervals": [
                {
                    "id": 0,
                    "payloads": [
                        {"type": "DELTA_USAGE", "values": [-59.21]},
                        {"type": "BASELINE", "values": [12.4]},
                        {"type": "DATA_QUALITY", "values": ["OK"]},
                    ],
                }
            ],
        }
    ],
}


def test_X5_an_event_is_read_and_written_without_loss() -> None:
    event = decode(Event, EVENT)
    assert event.intervals is not None
    assert event.intervals[0].payloads[0] == ValuesMap(type="DISPATCH_SETPOINT_RELATIVE", values=(-120.0,))
    assert event.interval_period == IntervalPeriod(
        start=datetime(2026, 11, 24, 5, tzinfo=UTC), duration=Duration(exact=timedelta(minutes=30))
    )
    again = encode(event)
    assert again["intervals"][2]["intervalPeriod"]["randomizeStart"] == "PT0S"
    assert decode(Event, again) == event


def test_X5_a_report_is_read_and_written_without_loss() -> None:
    report = decode(Report, REPORT)
    assert encode(report) == REPORT


def test_X5_unknown_fields_are_passed_over_and_nulls_are_absent() -> None:
    given = {**EVENT, "myPrivateObject": "whatever", "duration": None, "intervals": None}
    assert decode(Event, given).intervals is None


# Tolerance ------------------------------------------------------------------------------------------------------------


def test_X5_slips_of_the_user_guide_are_mended() -> None:
    event = decode(
        Event,
        {
            "id": "0",
            "createdDateTime": "14:13:26",
            "programID": "44",
            "intervalPeriod": {"start": "0001-01-01", "duration": "PT0H"},
            "payloadDescriptors": [{"payLoadType": "STORAGE_CHARGE_LEVEL", "units": "PERCENTAGE"}],
            "reportDescriptors": [{"payLoadType": "USAGE", "aggregate": True}],
        },
    )
    assert event.created_date_time is None
    assert event.interval_period is not None
    assert event.interval_period.start == NOW
    assert event.payload_descriptors == (EventPayloadDescriptor(payload_type="STORAGE_CHARGE_LEVEL", units="PERCENT"),)
    assert event.report_descriptors is not None
    assert event.report_descriptors[0].payload_type == "USAGE"


def test_X5_objects_of_3_0_1_are_taken() -> None:
    program = decode(
        Program,
        {
            "programName": "p",
            "programLongName": "gone in 3.1",
            "targets": [{"type": "GROUP", "values": ["north", "south"]}],
            "payloadDescriptors": [
                {"payloadType": "PRICE", "units": "KWH", "currency": "USD"},
                {"payloadType": "USAGE", "readingType": "DIRECT_READ"},
            ],
        },
    )
    assert program.targets == ("north", "south")
    assert program.payload_descriptors == (
        EventPayloadDescriptor(payload_type="PRICE", units="KWH", currency="USD"),
        ReportPayloadDescriptor(payload_type="USAGE", reading_type="DIRECT_READ"),
    )
    report = decode(Report, {**REPORT, "programID": "prg-1"})
    assert (report.event_id, report.program_id) == ("evt-1", "prg-1")
    notification = decode(Notification, {"objectType": "PROGRAM", "operation": "POST", "object": {"programName": "p"}})
    assert notification.operation == "CREATE"
    subscription = decode(
        Subscription,
        {
            "clientName": "c",
            "programID": "p",
            "objectOperations": [{"objects": ["EVENT"], "operations": ["POST", "PUT"], "callbackUrl": "http://a/b"}],
        },
    )
    assert subscription.object_operations[0].operations == ("CREATE", "UPDATE")


def test_X5_a_report_s_descriptors_describe_reports_whatever_a_client_calls_them() -> None:
    wrong = [{"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": "USAGE", "units": "KWH"}]
    report = decode(Report, {**REPORT, "payloadDescriptors": wrong})
    assert report.payload_descriptors == (ReportPayloadDescriptor(payload_type="USAGE", units="KWH"),)


def test_X5_an_event_in_a_notification_is_read_like_any_other() -> None:
    wire = {**EVENT, "id": "e1", "modificationDateTime": "2026-11-24T04:00:00Z", "objectType": "EVENT"}
    told = decode(Notification, {"objectType": "EVENT", "operation": "UPDATE", "object": wire})
    assert decode(Event, told.object) == decode(Event, wire)
    assert decode(Event, told.object).modification_date_time == datetime(2026, 11, 24, 4, tzinfo=UTC)


# Refusals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "payload", "place"),
    [
        (Event, {}, "programID"),
        (Event, [], "object"),
        (Event, {**EVENT, "programID": "a b"}, "programID"),
        (Event, {**EVENT, "programID": "a\n"}, "programID"),
        (Event, {**EVENT, "programID": "x" * 129}, "programID"),
        (Event, {**EVENT, "priority": -1}, "priority"),
        (Event, {**EVENT, "priority": "0"}, "priority"),
        (Event, {**EVENT, "intervals": [{"payloads": []}]}, "`id`"),
        (Event, {**EVENT, "intervals": [{"id": 0}]}, "payloads"),
        (Event, {**EVENT, "intervals": [{"id": 0, "payloads": [{"type": "", "values": []}]}]}, "type"),
        (Event, {**EVENT, "intervals": [{"id": 0, "payloads": [{"type": "A"}]}]}, "values"),
        (Event, {**EVENT, "intervals": [{"id": 0, "payloads": [{"type": "A", "values": [None]}]}]}, "values"),
        (Event, {**EVENT, "intervals": [{"id": 0, "payloads": [{"type": "A", "values": [{"x": 1}]}]}]}, "`y`"),
        (Event, {**EVENT, "intervalPeriod": {"start": "soon"}}, "soon"),
        (Event, {**EVENT, "intervalPeriod": {"duration": "5 minutes"}}, "5 minutes"),
        (Event, {**EVENT, "intervalPeriod": {"duration": 5}}, "Duration"),
        (Event, {**EVENT, "intervals": [{"id": 0, "payloads": [{"type": "A", "values": [float("inf")]}]}]}, "finite"),
        (Report, {**REPORT, "clientName": ""}, "clientName"),
        (Report, {k: v for k, v in REPORT.items() if k != "eventID"}, "eventID"),
        (Report, {**REPORT, "resources": [{"intervals": []}]}, "resourceName"),
        (Subscription, {"clientName": "c", "objectOperations": []}, "objectOperations"),
        (
            Subscription,
            {"clientName": "c", "objectOperations": [{"objects": ["X"], "operations": ["READ"], "callbackUrl": "http://a"}]},
            "objects",
        ),
        (
            Subscription,
            {"clientName": "c", "objectOperations": [{"objects": ["VEN"], "operations": ["READ"], "callbackUrl": "a b"}]},
            "callbackUrl",
        ),
        (Program, {"programName": ""}, "programName"),
        (Ven, {}, "venName"),
        (Resource, {"resourceName": "r" * 129}, "resourceName"),
        (Token, {"token_type": "Bearer"}, "access_token"),
        (TokenServer, {}, "tokenURL"),
    ],
)
def test_X5_what_breaks_the_schema_is_refused_with_its_place(kind: type[Any], payload: Any, place: str) -> None:
    with pytest.raises(NotOpenAdr) as refusal:
        decode(kind, payload)
    assert place in str(refusal.value)


def test_X5_hostile_bodies_are_refused() -> None:
    with pytest.raises(NotOpenAdr, match="octets"):
        loads(b" " * (MOST_OCTETS + 1))
    for body in (b"", b"{", b"\xff", b"[" * 100_000, b'{"a":NaN}'):
        with pytest.raises(NotOpenAdr):
            loads(body)
    nested: Any = []
    for _ in range(500):
        nested = [nested]
    with pytest.raises(NotOpenAdr, match="nested"):
        decode(Event, {**EVENT, "targets": nested})
    many = [{"id": 0, "payloads": []}] * 10_001
    with pytest.raises(NotOpenAdr, match="intervals"):
        decode(Event, {**EVENT, "intervals": many})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*EVENT, "start", "values"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
@settings(max_examples=80)
def test_X5_anything_at_all_is_read_or_refused(payload: Any) -> None:
    for kind in (Event, Report, Notification):
        try:
            decode(kind, payload)
        except NotOpenAdr:
            continue


# What we send ---------------------------------------------------------------------------------------------------------


def report_of(*payloads: ValuesMap) -> Report:
    interval = Interval(id=0, payloads=payloads)
    return Report(event_id="e", client_name="c", resources=(_resource(interval),))


def _resource(interval: Interval) -> Any:
    return decode(Report, REPORT).resources[0].__class__(resource_name="r", intervals=(interval,))


@pytest.mark.parametrize(
    ("payload_type", "value"),
    [
        ("USAGE", -1.0),  # net export is told as DELTA_USAGE
        ("DEMAND", -0.1),
        ("DELTA_USAGE", "a lot"),
        ("BASELINE", True),
        ("DATA_QUALITY", "good"),
        ("UP_REGULATION_AVAILABLE", -5),
        ("SIMPLE", 4),
    ],
)
def test_X5_values_that_their_type_does_not_allow_do_not_go_out(payload_type: str, value: Any) -> None:
    with pytest.raises(NotSendable, match=payload_type):
        encode(report_of(ValuesMap(type=payload_type, values=(value,))))


def test_X5_negative_setpoints_and_signed_deltas_may_go_out() -> None:
    encode(report_of(ValuesMap(type="DELTA_USAGE", values=(-59.2,)), ValuesMap(type="DATA_QUALITY", values=("OK",))))
    setpoint = ValuesMap(type="DISPATCH_SETPOINT", values=(-30,))
    encode(Event(program_id="p", intervals=(Interval(id=0, payloads=(setpoint,)),)))


@pytest.mark.parametrize(
    "message",
    [
        Event(program_id="a b"),
        Report(event_id="e", client_name="", resources=()),
        Ven(ven_name="v" * 129),
        Subscription(client_name="c", object_operations=()),
        Event(program_id="p", interval_period=IntervalPeriod(start=datetime(2026, 1, 1))),  # noqa: DTZ001
    ],
)
def test_X5_nothing_that_breaks_the_schema_goes_out(message: Any) -> None:
    with pytest.raises(NotSendable):
        encode(message)


def test_X5_our_own_requests_are_spelled_as_the_specification_has_them() -> None:
    operation = ObjectOperation(
        objects=("EVENT",), operations=("CREATE",), callback_url="https://us.example/hook", bearer_token="t"
    )
    assert encode(Subscription(client_name="us", program_id="p", object_operations=(operation,))) == {
        "clientName": "us",
        "programID": "p",
        "objectOperations": [
            {
                "objects": ["EVENT"],
                "operations": ["CREATE"],
                "callbackUrl": "https://us.example/hook",
                "bearerToken": "t",
            }
        ],
    }
    assert encode(Ven(ven_name="us", object_type="VEN_VEN_REQUEST")) == {"objectType": "VEN_VEN_REQUEST", "venName": "us"}
    period = IntervalPeriod(start=NOW, duration=ENDLESS)
    assert encode(Event(program_id="p", interval_period=period))["intervalPeriod"] == {
        "start": "0001-01-01T00:00:00Z",
        "duration": "P9999Y",
    }
