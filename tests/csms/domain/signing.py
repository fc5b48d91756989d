"""A meter that signs in OCMF, for tests."""

import json
from base64 import b64encode
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class Meter:
    """Signs registers with a key of its own."""

    def __init__(self, curve: ec.EllipticCurve | None = None, algorithm: str = "ECDSA-secp256r1-SHA256") -> None:
        self._key = ec.generate_private_key(curve or ec.SECP256R1())
        self._algorithm = algorithm

    @property
    def der(self) -> bytes:
        """Its public key."""
        return self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def pem(self) -> str:
        """The same, as text."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def public_key(self) -> str:
        """As OCPP tells it."""
        return b64encode(self.der).decode()

    def record(self, *kilowatt_hours: float, encoding: str | None = None) -> str:
        """A signed record of readings."""
        readings: list[dict[str, Any]] = [{"RV": value, "RI": "1-b:1.8.0", "ST": "G"} for value in kilowatt_hours]
        if readings:
            readings[0]["RU"] = "kWh"
        payload = json.dumps({"FV": "1.0", "PG": "T1", "MS": "1", "RD": readings}, separators=(",", ":"))
        signature = self._key.sign(payload.encode(), ec.ECDSA(hashes.SHA256()))
        told = {"SA": self._algorithm, "SD": signature.hex()}
        if encoding == "base64":
            told |= {"SE": "base64", "SD": b64encode(signature).decode()}
        return f"OCMF|{payload}|{json.dumps(told)}"

    def signed(self, *kilowatt_hours: float, key: bool = True) -> dict[str, str]:
        """A `signedMeterValue`."""
        data = b64encode(self.record(*kilowatt_hours).encode()).decode()
        told = {"signedMeterData": data, "encodingMethod": "OCMF", "signingMethod": "", "publicKey": ""}
        return told | ({"publicKey": self.public_key} if key else {})
