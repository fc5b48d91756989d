"""What the schemas of OpenADR say of the objects that clients send, as JSON Schema, for tests alone: written from the
specification's tables, and judged by a validator that knows nothing of ours.

One rule is left out with intent: the enumerations give setpoints a minimum of 0, by which no export can be asked for. A
field that the schemas do not name is a fault here, though they would let it pass.
"""

from typing import Any, Final

import jsonschema_rs

from protocols.openadr.versions import Version

NAME = {"type": "string", "minLength": 1, "maxLength": 128}
ID = NAME | {"pattern": "^[a-zA-Z0-9_-]*$"}
TEXT = {"type": "string"}
NUMBER = {"type": "number"}
INT32 = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}
TIME = {"type": "string", "format": "date-time"}
DURATION = {
    "type": "string",
    "pattern": r"^(-?)P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)([DW]))?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$",
}
NOT_NEGATIVE = {"type": "number", "minimum": 0}
VALUES: Final = {
    "SIMPLE": {"enum": [0, 1, 2, 3]},
    "DATA_QUALITY": {"enum": ["OK", "MISSING", "ESTIMATED", "BAD"]},
    "DISPATCH_SETPOINT": NUMBER,
    "DISPATCH_SETPOINT_RELATIVE": NUMBER,
    "DELTA_USAGE": NUMBER,
    "BASELINE": NUMBER,
    "READING": NUMBER,
    "USAGE": NOT_NEGATIVE,
    "DEMAND": NOT_NEGATIVE,
    "UP_REGULATION_AVAILABLE": NOT_NEGATIVE,
    "DOWN_REGULATION_AVAILABLE": NOT_NEGATIVE,
}
READINGS = ["DIRECT_READ", "ESTIMATED", "SUMMED", "MEAN", "PEAK", "FORECAST", "AVERAGE"]
UNITS = ["KWH", "GHG", "VOLTS", "AMPS", "CELSIUS", "FAHRENHEIT", "PERCENT", "KW", "KVAH", "KVARH", "KVAR", "KVA"]


def closed(required: str = "", **properties: Any) -> dict[str, Any]:
    """An object with these fields and no others."""
    return {"type": "object", "required": required.split(), "properties": properties, "additionalProperties": False}


def listed(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


POINT = closed("x y", x=NUMBER, y=NUMBER)
VALUES_MAP = closed(
    "type values",
    type=NAME,
    values=listed({"anyOf": [NUMBER, {"type": "string"}, {"type": "boolean"}, POINT]}),
) | {
    "allOf": [
        {"if": {"properties": {"type": {"const": name}}}, "then": {"properties": {"values": listed(rule) | {"minItems": 1}}}}
        for name, rule in VALUES.items()
    ]
}


def schemas(version: Version) -> dict[str, dict[str, Any]]:
    """By path: what may be sent there."""
    is_older = version is Version.V3_0_1
    targets = listed(VALUES_MAP if is_older else NAME)
    period = closed("start" if is_older else "", start=TIME, duration=DURATION, randomizeStart=DURATION)
    interval = closed("id payloads", id=INT32, intervalPeriod=period, payloads=listed(VALUES_MAP))
    of_events = closed(
        "payloadType",
        objectType={"const": "EVENT_PAYLOAD_DESCRIPTOR"},
        payloadType=NAME,
        units={"enum": UNITS},
        currency={"type": "string", "pattern": "^[A-Z]{3}$"},
    )
    of_reports = closed(
        "payloadType",
        objectType={"const": "REPORT_PAYLOAD_DESCRIPTOR"},
        payloadType=NAME,
        readingType={"enum": READINGS},
        units={"enum": UNITS},
        accuracy=NUMBER,
        confidence={"type": "integer", "minimum": 0, "maximum": 100},
    )
    wish = closed(
        "payloadType",
        payloadType=NAME,
        readingType={"enum": READINGS},
        units={"enum": UNITS},
        targets=targets,
        aggregate={"type": "boolean"},
        startInterval=INT32,
        numIntervals=INT32,
        historical={"type": "boolean"},
        frequency=INT32,
        repeat=INT32,
        **({} if is_older else {"reportIntervals": {"enum": ["INTERVALS", "SUB_INTERVALS", "OPEN_INTERVALS"]}}),
    )
    program = closed(
        "programName",
        objectType={"const": "PROGRAM"},
        programName=NAME,
        intervalPeriod=period,
        programDescriptions=listed(closed("URL", URL={"type": "string", "format": "uri"})),
        payloadDescriptors=listed({"anyOf": [of_events, of_reports]}),
        targets=targets,
        **({} if is_older else {"attributes": listed(VALUES_MAP)}),
    )
    event = closed(
        "programID intervals" if is_older else "programID",
        objectType={"const": "EVENT"},
        programID=ID,
        eventName=TEXT,
        priority={"type": "integer", "minimum": 0},
        targets=targets,
        reportDescriptors=listed(wish),
        payloadDescriptors=listed(of_events),
        intervalPeriod=period,
        intervals=listed(interval),
        **({} if is_older else {"duration": DURATION}),
    )
    resource_told = closed("resourceName intervals", resourceName=NAME, intervalPeriod=period, intervals=listed(interval))
    report = closed(
        "programID eventID clientName resources" if is_older else "eventID clientName resources",
        objectType={"const": "REPORT"},
        eventID=ID,
        clientName=NAME,
        reportName=TEXT,
        payloadDescriptors=listed(of_reports),
        resources=listed(resource_told),
        **({"programID": ID} if is_older else {}),
    )
    operation = closed(
        "objects operations callbackUrl",
        objects=listed({"enum": ["PROGRAM", "EVENT", "REPORT", "SUBSCRIPTION", "VEN", "RESOURCE"]}),
        operations=listed({"enum": ["CREATE", "READ", "UPDATE", "DELETE"]}),
        callbackUrl={"type": "string", "format": "uri"},
        bearerToken=TEXT,
    )
    subscription = closed(
        "clientName programID objectOperations" if is_older else "clientName objectOperations",
        objectType={"const": "SUBSCRIPTION"},
        clientName=NAME,
        programID=ID,
        objectOperations=listed(operation),
        targets=targets,
    )
    of_bl = {} if is_older else {"clientID": TEXT}
    ven_type = {"const": "VEN"} if is_older else {"enum": ["VEN_VEN_REQUEST", "BL_VEN_REQUEST"]}
    resource_type = {"const": "RESOURCE"} if is_older else {"enum": ["VEN_RESOURCE_REQUEST", "BL_RESOURCE_REQUEST"]}
    kept = {"attributes": listed(VALUES_MAP), "targets": targets}
    ven = closed("venName" if is_older else "objectType venName", objectType=ven_type, venName=NAME, **kept, **of_bl)
    resource = closed(
        "resourceName" if is_older else "objectType resourceName venID",
        objectType=resource_type,
        resourceName=NAME,
        venID=ID,
        **kept,
        **of_bl,
    )
    return {
        "programs": program,
        "events": event,
        "reports": report,
        "subscriptions": subscription,
        "vens": ven,
        "resources": resource,
    }


_VALIDATORS: Final = {
    version: {
        path: jsonschema_rs.Draft202012Validator(schema, validate_formats=True) for path, schema in schemas(version).items()
    }
    for version in Version
}


def faults(version: Version, path: str, body: Any) -> list[str]:
    """What is wrong with a body that was sent to a path such as `/openadr3/3.1.0/vens/v1`."""
    parts = [part for part in path.split("/") if part in _VALIDATORS[version]]
    return [
        f"{'/'.join(map(str, one.instance_path))}: {one.message}"
        for one in _VALIDATORS[version][parts[-1]].iter_errors(body)
    ]
