"""The objects of OpenADR 3.1 as typed data: what a VTN keeps, what clients send, what it notifies.

Field names are the wire names in snake_case, their order is the specification's; limits of length and range are those of
its schemas. One type serves for what a client sends and for what the VTN gives back: `id` and the times are the VTN's.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from protocols.openadr.durations import Duration

_SPECIAL = {"url": "URL", "token_url": "tokenURL"}


def _wire_name(name: str) -> str:
    if name in _SPECIAL:
        return _SPECIAL[name]
    first, *rest = name.split("_")
    return first + "".join("ID" if part == "id" else part.capitalize() for part in rest)


Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
ObjectId = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"^[a-zA-Z0-9_-]*\Z")]
Text = Annotated[str, msgspec.Meta(max_length=4096)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Targets = Annotated[tuple[Name, ...], msgspec.Meta(max_length=1000)]
OBJECT_TYPES = ("PROGRAM", "EVENT", "REPORT", "SUBSCRIPTION", "VEN", "RESOURCE")
OPERATIONS = ("CREATE", "READ", "UPDATE", "DELETE")
ObjectType = Annotated[str, msgspec.Meta(pattern=rf"^(?:{'|'.join(OBJECT_TYPES)})\Z")]
Operation = Annotated[str, msgspec.Meta(pattern=rf"^(?:{'|'.join(OPERATIONS)})\Z")]
AGGREGATED_REPORT = "AGGREGATED_REPORT"
"""The resource name of a sum over several resources."""


class OpenAdrObject(msgspec.Struct, frozen=True, kw_only=True, rename=_wire_name, omit_defaults=True):
    """What all types have in common."""


class Addressable(OpenAdrObject, frozen=True, kw_only=True):
    """What a VTN keeps under an id."""

    id: ObjectId | None = None
    created_date_time: Moment | None = None
    modification_date_time: Moment | None = None
    object_type: str | None = None


class Point(OpenAdrObject, frozen=True, kw_only=True):
    """A point of a curve."""

    x: float
    y: float


Value = int | float | str | bool | Point


class ValuesMap(OpenAdrObject, frozen=True, kw_only=True):
    """Values and what they are: a payload, or an attribute."""

    type: Name
    values: Annotated[tuple[Value, ...], msgspec.Meta(max_length=10_000)]


class IntervalPeriod(OpenAdrObject, frozen=True, kw_only=True):
    """When an interval is. `start` NOW: as soon as it is read, or right after the interval before."""

    start: Moment | None = None
    duration: Duration | None = None
    randomize_start: Duration | None = None


class Interval(OpenAdrObject, frozen=True, kw_only=True):
    """A span of time with its payloads; `id` is its author's, and no order."""

    id: Int32
    interval_period: IntervalPeriod | None = None
    payloads: Annotated[tuple[ValuesMap, ...], msgspec.Meta(max_length=100)]


Intervals = Annotated[tuple[Interval, ...], msgspec.Meta(max_length=10_000)]


class EventPayloadDescriptor(
    OpenAdrObject, frozen=True, kw_only=True, tag_field="objectType", tag="EVENT_PAYLOAD_DESCRIPTOR"
):
    """Units of an event's payloads of one type."""

    payload_type: Name
    units: Text | None = None
    currency: Text | None = None


class ReportPayloadDescriptor(
    OpenAdrObject, frozen=True, kw_only=True, tag_field="objectType", tag="REPORT_PAYLOAD_DESCRIPTOR"
):
    """Units and quality of a report's payloads of one type; `confidence` in percent."""

    payload_type: Name
    reading_type: Text | None = None
    units: Text | None = None
    accuracy: float | None = None
    confidence: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None


class ReportDescriptor(OpenAdrObject, frozen=True, kw_only=True):
    """A report that an event asks for. Numbers count intervals; -1 means the last, all, as many as the report has, or for
    ever (see `reporting`)."""

    payload_type: Name
    reading_type: Text | None = None
    units: Text | None = None
    targets: Targets | None = None
    aggregate: bool = False
    start_interval: Int32 = -1
    num_intervals: Int32 = -1
    historical: bool = True
    frequency: Int32 = -1
    repeat: Int32 = 1
    report_intervals: Text | None = None


class ProgramDescription(OpenAdrObject, frozen=True, kw_only=True):
    """Where a program is described."""

    url: Text


class Program(Addressable, frozen=True, kw_only=True):
    """A programme of demand response; `program_name` is unique to a VTN."""

    program_name: Name
    interval_period: IntervalPeriod | None = None
    program_descriptions: tuple[ProgramDescription, ...] | None = None
    payload_descriptors: tuple[EventPayloadDescriptor | ReportPayloadDescriptor, ...] | None = None
    attributes: tuple[ValuesMap, ...] | None = None
    targets: Targets | None = None


class Event(Addressable, frozen=True, kw_only=True):
    """What a VTN asks for. A lower `priority` goes first; without intervals it only asks for reports."""

    program_id: ObjectId
    event_name: Text | None = None
    duration: Duration | None = None
    priority: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] | None = None
    targets: Targets | None = None
    report_descriptors: Annotated[tuple[ReportDescriptor, ...], msgspec.Meta(max_length=100)] | None = None
    payload_descriptors: tuple[EventPayloadDescriptor, ...] | None = None
    interval_period: IntervalPeriod | None = None
    intervals: Intervals | None = None


class ReportResource(OpenAdrObject, frozen=True, kw_only=True):
    """What is reported of one resource, or of all together (AGGREGATED_REPORT)."""

    resource_name: Name
    interval_period: IntervalPeriod | None = None
    intervals: Intervals


class Report(Addressable, frozen=True, kw_only=True):
    """What a VEN reports about an event; `program_id` is said in 3.0.1 alone."""

    program_id: ObjectId | None = None
    event_id: ObjectId = msgspec.field(name="eventID")
    client_name: Name
    client_id: Text | None = None
    report_name: Text | None = None
    payload_descriptors: tuple[ReportPayloadDescriptor, ...] | None = None
    resources: Annotated[tuple[ReportResource, ...], msgspec.Meta(max_length=100_000)]


class ObjectOperation(OpenAdrObject, frozen=True, kw_only=True):
    """What is notified, and where to; `bearer_token` is the subscriber's, for its own door."""

    objects: Annotated[tuple[ObjectType, ...], msgspec.Meta(min_length=1)]
    operations: Annotated[tuple[Operation, ...], msgspec.Meta(min_length=1)]
    callback_url: Annotated[str, msgspec.Meta(max_length=4096, pattern=r"^[a-zA-Z][a-zA-Z0-9+.-]*://\S+\Z")]
    bearer_token: Text | None = None


class Subscription(Addressable, frozen=True, kw_only=True):
    """A wish to be notified, of one program or of all."""

    client_name: Name
    client_id: Text | None = None
    program_id: ObjectId | None = None
    object_operations: Annotated[tuple[ObjectOperation, ...], msgspec.Meta(min_length=1, max_length=100)]
    targets: Targets | None = None


class Ven(Addressable, frozen=True, kw_only=True):
    """A client in its role as a VEN. In a request `object_type` says who sends it: VEN_VEN_REQUEST or BL_VEN_REQUEST; only
    business logic gives `client_id` and `targets`."""

    ven_name: Name
    client_id: Text | None = None
    attributes: tuple[ValuesMap, ...] | None = None
    targets: Targets | None = None


class Resource(Addressable, frozen=True, kw_only=True):
    """What a VEN controls; in a request `object_type` is VEN_RESOURCE_REQUEST or BL_RESOURCE_REQUEST."""

    resource_name: Name
    ven_id: ObjectId | None = None
    client_id: Text | None = None
    attributes: tuple[ValuesMap, ...] | None = None
    targets: Targets | None = None


class Notification(OpenAdrObject, frozen=True, kw_only=True):
    """What a VTN tells a subscriber; `object` is in wire form, and of type `object_type`."""

    object_type: ObjectType
    operation: Operation
    object: dict[str, Any]
    targets: Targets | None = None


class MqttAuthentication(OpenAdrObject, frozen=True, kw_only=True):
    """How to come in at the broker: ANONYMOUS, OAUTH2_BEARER_TOKEN (`username` may be the text {clientID}), CERTIFICATE."""

    method: Text
    username: Text | None = None
    ca_cert: str | None = None
    client_cert: str | None = None
    client_key: str | None = None


class MqttBinding(OpenAdrObject, frozen=True, kw_only=True):
    """The VTN's broker; `uris` such as mqtts://broker.example:8883."""

    uris: Annotated[tuple[Text, ...], msgspec.Meta(max_length=100)] = msgspec.field(name="URIS")
    serialization: Text | None = None
    authentication: MqttAuthentication | None = None


class Notifiers(OpenAdrObject, frozen=True, kw_only=True):
    """How a VTN tells of changes."""

    webhook: bool = msgspec.field(name="WEBHOOK", default=False)
    mqtt: MqttBinding | None = msgspec.field(name="MQTT", default=None)


class OperationTopics(OpenAdrObject, frozen=True, kw_only=True):
    """The broker's topic for each operation on some objects, and one for all of them where there is one."""

    create: Text | None = msgspec.field(name="CREATE", default=None)
    update: Text | None = msgspec.field(name="UPDATE", default=None)
    delete: Text | None = msgspec.field(name="DELETE", default=None)
    every: Text | None = msgspec.field(name="ALL", default=None)

    def to_hear_all(self) -> tuple[str, ...]:
        """What to subscribe to in order to miss nothing."""
        if self.every:
            return (self.every,)
        return tuple(topic for topic in (self.create, self.update, self.delete) if topic)


class NotifierTopics(OpenAdrObject, frozen=True, kw_only=True):
    """The answer to a question for topics."""

    topics: OperationTopics


class Problem(OpenAdrObject, frozen=True, kw_only=True):
    """Why a VTN refused."""

    type: Text | None = None
    title: Text | None = None
    status: Int32 | None = None
    detail: Text | None = None
    instance: Text | None = None


class TokenServer(OpenAdrObject, frozen=True, kw_only=True):
    """Where tokens are given: the answer of /auth/server."""

    token_url: Text


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token as RFC 6749 gives it, in snake_case; `expires_in` in seconds."""

    access_token: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
    token_type: Text = "Bearer"
    expires_in: Annotated[float, msgspec.Meta(ge=0)] | None = None
    scope: Text | None = None
