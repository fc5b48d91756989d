"""Signed meter values come out as they went in, and are worth what their signatures are."""

from datetime import UTC, datetime
from typing import Any

from contracts.csms import Signature
from csms.domain.signed import is_signed, signed_values, told_key, verdicts
from protocols.ocpp.messages import MeterValue, SampledValue, SignedMeterValue
from tests.csms.domain.signing import Meter

METER = Meter()
AT = datetime(2026, 6, 3, tzinfo=UTC)
EXPORT = "Energy.Active.Export.Register"


def test_signed_values_are_given_whole_and_others_not() -> None:
    signature = {"signedMeterData": "  b64 ==\n", "encodingMethod": "x"}
    values: list[dict[str, Any]] = [
        {"timestamp": "t1", "sampledValue": [{"value": 1}, {"value": 2, "signedMeterValue": signature, "context": "c"}]},
        {"timestamp": "t2"},
    ]
    assert list(signed_values(values)) == [{"timestamp": "t1", "value": 2, "signedMeterValue": signature, "context": "c"}]


def value(*sampled: SampledValue) -> MeterValue:
    return MeterValue(timestamp=AT, sampled_value=sampled)


def register(wh: float, signed_kwh: float | None = None, measurand: str | None = None) -> SampledValue:
    signed = None
    if signed_kwh is not None:
        data, key = METER.record(signed_kwh), METER.public_key
        signed = SignedMeterValue(signed_meter_data=data, encoding_method="OCMF", public_key=key)
    return SampledValue(value=wh, measurand=measurand, signed_meter_value=signed)


def test_X3_an_instant_is_worth_its_worst_register() -> None:
    power = SampledValue(value=5.0, measurand="Power.Active.Import")
    told = {
        Signature.VALID: value(register(1_500, 1.5), power, register(200, 0.2, EXPORT)),
        Signature.UNSIGNED: value(register(1_500, 1.5), register(200, None, EXPORT)),
        Signature.INVALID: value(register(1_500, None), register(200, 0.3, EXPORT)),
    }
    for worth, said in told.items():
        assert verdicts([said], METER.public_key) == {AT: worth}
    assert verdicts([told[Signature.VALID]], None) == {AT: Signature.SIGNED}
    assert verdicts([value(power)], METER.public_key) == {}
    assert told_key([value(power), told[Signature.VALID]]) == METER.public_key
    assert [is_signed([value(power)]), is_signed([told[Signature.INVALID]])] == [False, True]
