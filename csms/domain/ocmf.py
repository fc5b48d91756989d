"""Checks values that a meter has signed in the Open Charge Metering Format (OCMF 1.x): `OCMF|payload|signature`, both JSON.

The signature is ECDSA over the payload's own bytes. What is signed and what a station says beside it have to be the same
register, or else the signature says nothing about what is paid. Other formats are kept, and not judged.
"""

import binascii
import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from contracts.csms import Signature

USUAL = "ECDSA-secp256r1-SHA256"
ALGORITHMS: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "ECDSA-secp256k1-SHA256": hashes.SHA256,
    USUAL: hashes.SHA256,
    "ECDSA-secp384r1-SHA256": hashes.SHA256,
    "ECDSA-secp521r1-SHA256": hashes.SHA256,
    "ECDSA-brainpool256r1-SHA256": hashes.SHA256,
    "ECDSA-brainpoolP256r1-SHA256": hashes.SHA256,
    "ECDSA-brainpool384r1-SHA256": hashes.SHA256,
    "ECDSA-brainpoolP384r1-SHA256": hashes.SHA256,
}
"""Those that can be checked here; which curve it is the key says."""
_SCALE = {"Wh": Decimal(1), "kWh": Decimal(1000)}
_HEX_KEY = "oca:base16:asn1:"
CLOSE_WH = Decimal(1)
"""A station may round what its meter signed."""


class BadKey(ValueError):
    """A public key that cannot be read: give DER in base64 or hex, or PEM."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a meter has signed: the payload as it stands, its signature with the algorithm's name, and the energies in it."""

    payload: str
    algorithm: str
    signature: bytes
    energies_wh: tuple[Decimal, ...]


class NotOcmf(ValueError):
    """It is not in this format, or broken."""


def read(text: str) -> Signed:
    """The parts of a record. Raises NotOcmf."""
    parts = text.strip().split("|")
    if len(parts) != 3 or parts[0] != "OCMF":
        raise NotOcmf("it is not OCMF|payload|signature")
    try:
        payload, signature = json.loads(parts[1], parse_float=Decimal), json.loads(parts[2])
        encoded = signature["SD"]
        value = b64decode(encoded, validate=True) if signature.get("SE") == "base64" else bytes.fromhex(encoded)
        return Signed(parts[1], signature.get("SA", USUAL), value, tuple(_energies(payload.get("RD", ()))))
    except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation, RecursionError) as error:
        raise NotOcmf(f"its parts cannot be read: {error}") from error


def _energies(readings: list[dict[str, Any]]) -> Iterator[Decimal]:
    """The readings in Wh; a unit holds on until another is named."""
    unit = "kWh"
    for reading in readings:
        unit = reading.get("RU", unit)
        if unit in _SCALE and "RV" in reading and (value := Decimal(reading["RV"])).is_finite():
            yield value * _SCALE[unit]


def public_key(text: str) -> ec.EllipticCurvePublicKey:
    """A key as stations tell it: base64 or hex of DER, base64 of a text with that hex, or PEM. Raises BadKey."""
    for content in _contents(text.strip()):
        try:
            key = load_pem_public_key(content) if content.startswith(b"-----") else load_der_public_key(content)
        except (ValueError, UnsupportedAlgorithm):
            continue
        if isinstance(key, ec.EllipticCurvePublicKey):
            return key
    raise BadKey("the public key is no elliptic curve key in DER (base64 or hex) or PEM")


def _contents(text: str) -> Iterator[bytes]:
    if text.startswith("-----"):
        yield text.encode()
        return
    with suppress(ValueError):
        yield bytes.fromhex(text.removeprefix(_HEX_KEY))
    try:
        decoded = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return
    yield decoded
    try:
        inner = decoded.decode("ascii").strip()
    except UnicodeDecodeError:
        return
    if inner != text:
        yield from _contents(inner)


def record_of(data: str) -> str:
    """The record of `signedMeterData`, which is base64 of it by the book, and by some stations the record itself."""
    if data.lstrip().startswith("OCMF|"):
        return data
    try:
        return b64decode(data, validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise NotOcmf("it is neither a record nor base64 of one") from error


def verdict(data: str, key: str | None, register_wh: float | None) -> Signature:
    """What a signed value is worth for a register that was told beside it (None: it cannot be read).

    SIGNED: signed, but not to be judged here: no key is known, or format or algorithm are others. INVALID: the signature
    does not hold, or what is signed is not the register.
    """
    try:
        signed = read(record_of(data))
    except NotOcmf:
        return Signature.SIGNED
    if key is None or signed.algorithm not in ALGORITHMS:
        return Signature.SIGNED
    try:
        known = public_key(key)
    except BadKey:
        return Signature.SIGNED
    if not _holds(signed, known) or register_wh is None:
        return Signature.INVALID
    told = Decimal(repr(register_wh))
    same = any(abs(energy - told) <= CLOSE_WH for energy in signed.energies_wh)
    return Signature.VALID if same else Signature.INVALID


def _holds(signed: Signed, key: ec.EllipticCurvePublicKey) -> bool:
    try:
        key.verify(signed.signature, signed.payload.encode("utf-8"), ec.ECDSA(ALGORITHMS[signed.algorithm]()))
    except (InvalidSignature, ValueError):
        return False
    return True
