"""Signed values are checked."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.csms import Signature
from csms.domain.ocmf import BadKey, NotOcmf, public_key, read, verdict
from tests.csms.domain.signing import Meter

METER = Meter()
RECORD = METER.record(150.3, 4.405)


@pytest.mark.parametrize(
    ("register_wh", "expected"),
    [
        (150_300.0, Signature.VALID),
        (150_300.4, Signature.VALID),
        (4_405.0, Signature.VALID),
        (150_302.0, Signature.INVALID),
        (150.3, Signature.INVALID),
        (None, Signature.INVALID),
    ],
)
def test_X3_what_is_signed_has_to_be_the_register(register_wh: float | None, expected: Signature) -> None:
    assert verdict(RECORD, METER.public_key, register_wh) is expected
    assert verdict(b64encode(RECORD.encode()).decode(), METER.public_key, register_wh) is expected


def test_X3_a_changed_record_is_invalid_and_so_is_one_under_another_key() -> None:
    assert verdict(RECORD.replace("150.3", "160.3"), METER.public_key, 160_300.0) is Signature.INVALID
    assert verdict(RECORD, Meter().public_key, 150_300.0) is Signature.INVALID
    assert verdict(RECORD.replace('"SD": "30', '"SD": "31'), METER.public_key, 150_300.0) is Signature.INVALID


def test_X3_what_cannot_be_judged_is_signed_and_no_more() -> None:
    other = Meter(algorithm="ECDSA-secp192k1-SHA256")
    for data, key in ((RECORD, None), (RECORD, "no key"), ("something", METER.public_key), ("?", METER.public_key)):
        assert verdict(data, key, 150_300.0) is Signature.SIGNED
    assert verdict(other.record(150.3), other.public_key, 150_300.0) is Signature.SIGNED


@pytest.mark.parametrize(
    ("curve", "algorithm"),
    [
        (ec.SECP384R1(), "ECDSA-secp384r1-SHA256"),
        (ec.SECP256K1(), "ECDSA-secp256k1-SHA256"),
        (ec.BrainpoolP256R1(), "ECDSA-brainpool256r1-SHA256"),
    ],
)
def test_X3_other_curves(curve: ec.EllipticCurve, algorithm: str) -> None:
    meter = Meter(curve, algorithm)
    assert verdict(meter.record(1.5, encoding="base64"), meter.public_key, 1_500.0) is Signature.VALID


def test_keys_are_read_as_stations_tell_them() -> None:
    named = f"oca:base16:asn1:{METER.der.hex()}"
    told = (METER.public_key, METER.der.hex(), METER.der.hex().upper(), named, b64encode(named.encode()).decode(), METER.pem)
    numbers = {public_key(text).public_numbers() for text in told}
    assert len(numbers) == 1
    rsa_key = rsa.generate_private_key(65537, 2048).public_key()
    other = b64encode(rsa_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    for text in ("", "no key", "oca:base16:asn1:3059", b64encode(b"nothing").decode(), other):
        with pytest.raises(BadKey):
            public_key(text)


@pytest.mark.parametrize(
    "record",
    [
        "",
        "OCMF|{}",
        "OCMF|{}|{}",
        'OCMF|[]|{"SD":"00"}',
        'OCMF|{"RD":[1]}|{"SD":"00"}',
        'OCMF|{"RD":[{"RV":"much"}]}|{"SD":"00"}',
        'OCMF|{"RD":[]}|{"SD":"xx"}',
        'OCMF|{"RD":[]}|{"SD":7}',
        f'OCMF|{"[" * 100_000}|{{"SD":"00"}}',
    ],
    ids=range(9),
)
def test_broken_records_are_told(record: str) -> None:
    with pytest.raises(NotOcmf):
        read(record)
    assert verdict(record, METER.public_key, 1.0) is Signature.SIGNED


@settings(max_examples=40)
@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_is_told_there_is_a_verdict(payload: str, signature: str) -> None:
    assert verdict(f"OCMF|{payload}|{signature}", METER.public_key, 1.0) in Signature
