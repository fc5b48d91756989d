"""What we send, in 3.1 and in 3.0.1, by the schemas of the specification; and the schemas' own teeth."""

from typing import Any

import pytest
from openadr3.entities import coerce
from toadr3.models import Event as Event301
from toadr3.models import Report as Report301

from protocols.openadr.objects import (
    Event,
    Notification,
    ObjectOperation,
    OpenAdrObject,
    Program,
    Report,
    Resource,
    Subscription,
    Ven,
)
from protocols.openadr.versions import Version, typed_targets
from protocols.openadr.wire import decode, encode
from tests.openadr_schema import faults
from tests.protocols.openadr.test_wire import EVENT, REPORT

OPERATION = ObjectOperation(
    objects=("EVENT",), operations=("CREATE", "UPDATE", "DELETE"), callback_url="https://us.example/hook", bearer_token="t"
)
SENT: dict[str, OpenAdrObject] = {
    "vens": Ven(ven_name="store-042", object_type="VEN_VEN_REQUEST"),
    "resources": Resource(resource_name="hall-cars", ven_id="v1", object_type="VEN_RESOURCE_REQUEST"),
    "reports": decode(Report, REPORT | {"programID": "prg-1"}),
    "subscriptions": Subscription(client_name="store-042", program_id="prg-1", object_operations=(OPERATION,)),
    "events": decode(Event, EVENT),
    "programs": decode(Program, {"programName": "flex", "targets": ["GROUP:north", "GROUP:south", "VEN_NAME:us"]}),
}


@pytest.mark.parametrize("path", SENT)
@pytest.mark.parametrize("version", Version)
def test_X5_what_we_send_obeys_the_schemas_of_either_version(version: Version, path: str) -> None:
    assert faults(version, f"/openadr3/{version}/{path}", encode(SENT[path], version)) == []


@pytest.mark.parametrize("path", SENT)
def test_X5_a_library_of_3_1_reads_what_we_send(path: str) -> None:
    wire = encode(SENT[path])
    read: Any = coerce({"objectType": path[:-1].upper()} | wire)
    assert read.__class__.__name__ == type(SENT[path]).__name__


@pytest.mark.parametrize(("path", "kind"), [("reports", Report301), ("events", Event301)])
def test_X5_a_library_of_3_0_1_reads_what_we_send(path: str, kind: Any) -> None:
    wire = encode(SENT[path], Version.V3_0_1)
    stamped = {"id": "x", "createdDateTime": "2026-06-03T00:00:00Z", "modificationDateTime": "2026-06-03T00:00:00Z"}
    assert kind.model_validate(stamped | wire).program_id == "prg-1"


@pytest.mark.parametrize(
    ("version", "path", "body"),
    [
        (Version.V3_1, "vens", {"venName": "x"}),
        (Version.V3_1, "vens", {"venName": "", "objectType": "VEN_VEN_REQUEST"}),
        (Version.V3_1, "resources", {"objectType": "VEN_RESOURCE_REQUEST", "resourceName": "x", "venID": "a b"}),
        (Version.V3_1, "reports", REPORT | {"programID": "prg-1"}),
        (Version.V3_0_1, "reports", REPORT),
        (Version.V3_1, "events", EVENT | {"targets": [{"type": "GROUP", "values": ["x"]}]}),
        (Version.V3_0_1, "events", EVENT),
        (Version.V3_0_1, "events", {"programID": "p"}),
        (
            Version.V3_1,
            "events",
            {"programID": "p", "intervals": [{"id": 0, "payloads": [{"type": "SIMPLE", "values": [4]}]}]},
        ),
        (
            Version.V3_1,
            "events",
            {"programID": "p", "intervals": [{"id": 0, "payloads": [{"type": "USAGE", "values": [-1]}]}]},
        ),
        (
            Version.V3_1,
            "events",
            {"programID": "p", "intervals": [{"id": 0, "payloads": [{"type": "USAGE", "values": []}]}]},
        ),
        (Version.V3_1, "events", {"programID": "p", "intervalPeriod": {"start": "yesterday"}}),
        (Version.V3_1, "events", {"programID": "p", "duration": "1h"}),
        (Version.V3_1, "subscriptions", {"clientName": "c", "objectOperations": [{"objects": ["EVENT"]}]}),
        (Version.V3_0_1, "subscriptions", {"clientName": "c", "objectOperations": []}),
    ],
)
def test_the_schemas_find_what_is_wrong(version: Version, path: str, body: dict[str, Any]) -> None:
    assert faults(version, f"/openadr3/{version}/{path}", body) != []


def test_X5_targets_keep_their_types_in_strings_and_back() -> None:
    older = [{"type": "GROUP", "values": ["north", "a:b"]}, {"type": "VEN_NAME", "values": ["us"]}]
    wire = {"programName": "p", "targets": older}
    kept = typed_targets(wire)
    assert kept["targets"] == ["GROUP:north", "GROUP:a:b", "VEN_NAME:us"]
    assert encode(decode(Program, kept), Version.V3_0_1)["targets"] == older
    assert encode(Program(program_name="p", targets=("plain",)), Version.V3_0_1)["targets"] == [
        {"type": "GROUP", "values": ["plain"]}
    ]


def test_X5_what_3_0_1_has_not_is_not_said_in_it() -> None:
    event = decode(Event, EVENT | {"duration": "PT2H"})
    older = encode(event, Version.V3_0_1)
    assert "duration" not in older
    assert "reportIntervals" not in older["reportDescriptors"][0]
    assert encode(Event(program_id="p"), Version.V3_0_1)["intervals"] == []
    note = Notification(object_type="EVENT", operation="UPDATE", object=older)
    assert encode(note, Version.V3_0_1)["operation"] == "PUT"
    assert "programID" not in encode(SENT["reports"])
