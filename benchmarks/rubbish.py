"""What a fuzzing station sends: messages with something wrong in them, frames that are none, and bytes."""

import json
from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

AT = "2026-06-03T00:00:00Z"
_TOKEN = {"idToken": "CARD-1", "type": "ISO14443"}
_VARIABLE = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}
_READINGS = [{"timestamp": AT, "sampledValue": [{"value": 1.5, "measurand": "Energy.Active.Import.Register"}]}]
_PERIODS = [{"startPeriod": 0, "limit": 16.0}]
_PROFILE = {
    "id": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": [{"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": _PERIODS}],
}
MESSAGES: list[tuple[str, dict[str, Any]]] = [
    ("BootNotification", {"reason": "PowerUp", "chargingStation": {"model": "m", "vendorName": "v"}}),
    ("StatusNotification", {"timestamp": AT, "connectorStatus": "Available", "evseId": 1, "connectorId": 1}),
    (
        "TransactionEvent",
        {
            "eventType": "Updated",
            "timestamp": AT,
            "triggerReason": "MeterValuePeriodic",
            "seqNo": 1,
            "transactionInfo": {"transactionId": "tx-1", "chargingState": "Charging"},
            "evse": {"id": 1, "connectorId": 1},
            "idToken": _TOKEN,
            "meterValue": _READINGS,
        },
    ),
    ("MeterValues", {"evseId": 1, "meterValue": _READINGS}),
    ("Authorize", {"idToken": _TOKEN}),
    ("SecurityEventNotification", {"type": "StartupOfTheDevice", "timestamp": AT}),
    (
        "NotifyReport",
        {"requestId": 1, "generatedAt": AT, "seqNo": 0, "reportData": [{**_VARIABLE, "variableAttribute": [{}]}]},
    ),
    ("ReportChargingProfiles", {"requestId": 1, "chargingLimitSource": "CSO", "evseId": 1, "chargingProfile": [_PROFILE]}),
    ("ReservationStatusUpdate", {"reservationId": 1, "reservationUpdateStatus": "Expired"}),
    ("FirmwareStatusNotification", {"status": "Installed", "requestId": 1}),
    ("LogStatusNotification", {"status": "Uploaded", "requestId": 1}),
    ("DataTransfer", {"vendorId": "com.example", "messageId": "x", "data": {"a": 1}}),
    ("NotifyChargingLimit", {"chargingLimit": {"chargingLimitSource": "EMS"}, "evseId": 1}),
    ("ClearedChargingLimit", {"chargingLimitSource": "EMS", "evseId": 1}),
    ("NotifyCustomerInformation", {"data": "d", "seqNo": 0, "generatedAt": AT, "requestId": 1}),
    ("Heartbeat", {}),
    ("StartTransaction", {"connectorId": 1, "idTag": "CARD-1", "meterStart": 0, "timestamp": AT}),
    ("SetChargingProfile", {}),
    ("Heartbeat-Signed", {"payload": "e30", "protected": "e30", "signature": "eA"}),
]
"""Valid ones, but for the last three."""

WRONG: list[Any] = [
    *(None, True, 0, -1, 1.5, 10**30, -(2**31) - 1, 1e308, "", " ", "\x00", "é\u202e\U0001f697", "x" * 5_000),
    *("2026-06-03 10:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "NaN", [], {}, [None], {"": 0}),
]
"""What stands in the place of some field."""


def rubbish(random: Random) -> str | bytes:
    """The next thing to send."""
    match random.randrange(10):
        case 0:
            return random.randbytes(random.randrange(300))
        case 1:
            text = whole(random)
            place = random.randrange(len(text))
            return text[:place] + random.choice(["", "[", '"', "\\", "}", "\x00", "\ufffd"]) + text[place + 1 :]
        case 2:
            return json.dumps([random.choice([2, 3, 4, 5, 6, 9, "2", None]), *random.sample(WRONG, random.randrange(5))])
        case _:
            return whole(random)


def whole(random: Random) -> str:
    """A CALL, mostly with something wrong somewhere in its payload."""
    action, payload = random.choice(MESSAGES)
    payload = deepcopy(payload)
    for _ in range(random.randrange(4)):
        bend(random, payload)
    message_id = random.choice(["1", "2", f"{random.getrandbits(64):x}", "x" * 40])
    return json.dumps([2, message_id, action, payload])


def bend(random: Random, payload: dict[str, Any]) -> None:
    """Put something wrong in one place, leave something out, or add what nobody knows."""
    inside, key = random.choice(list(_places(payload)) or [(payload, "unheard_of")])
    match random.randrange(4):
        case 0 if isinstance(inside, list) or key in inside:
            del inside[key]
        case 1 if isinstance(inside, dict):
            inside["unheard_of"] = deepcopy(random.choice(WRONG))
        case _:
            inside[key] = deepcopy(random.choice(WRONG))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON tree that can be written to."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield value, key
        yield from _places(inner)
