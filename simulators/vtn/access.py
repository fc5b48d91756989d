"""Who may do what: clients with their secrets, the tokens they were given (RFC 6749, client credentials), and scopes.

A client gives its credentials by HTTP Basic or in the form. Tokens are opaque, live for a while, and end with the process: a
VTN that was started again knows none of them.
"""

import base64
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

from runtime.clock import Clock
from simulators.vtn.problem import Refusal


class Role(StrEnum):
    """What a client is: business logic, which asks; or a VEN, which answers."""

    BL = "bl"
    VEN = "ven"


SCOPES: Final[Mapping[Role, frozenset[str]]] = {
    Role.BL: frozenset({"read_all", "write_programs", "write_events", "write_subscriptions", "write_vens"}),
    Role.VEN: frozenset({"read_targets", "read_ven_objects", "write_reports", "write_subscriptions", "write_vens"}),
}
SCOPES_301: Final[Mapping[Role, frozenset[str]]] = {
    Role.BL: SCOPES[Role.BL],
    Role.VEN: frozenset({"read_all", "write_reports", "write_subscriptions", "write_vens"}),
}
BEARER: Final = {"WWW-Authenticate": "Bearer"}


@dataclass(frozen=True, slots=True)
class Client:
    """A client that was enrolled."""

    client_id: str
    secret: str
    role: Role


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows, until when (monotonic seconds)."""

    client: Client
    scopes: frozenset[str]
    until: float

    @property
    def is_bl(self) -> bool:
        """Whether business logic asks."""
        return self.client.role is Role.BL


class AuthError(Exception):
    """A refused token request; `error` is RFC 6749's word for it."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.status = status


class Access:
    """The clients and the tokens they hold."""

    def __init__(
        self,
        clients: Iterable[Client],
        clock: Clock,
        token_s: float = 3600,
        scopes: Mapping[Role, frozenset[str]] = SCOPES,
    ) -> None:
        self._clients = {client.client_id: client for client in clients}
        self._clock = clock
        self._scopes = scopes
        self._tokens: dict[str, Grant] = {}
        self.token_s = token_s

    def token(self, authorization: str | None, form: str) -> dict[str, str | int]:
        """The answer to a token request. Raises AuthError."""
        pairs = parse_qsl(form, keep_blank_values=True, max_num_fields=20)
        fields = dict(pairs)
        if len(fields) != len(pairs):
            raise AuthError("invalid_request", "a parameter is given twice")
        if "grant_type" not in fields:
            raise AuthError("invalid_request", "grant_type is missing")
        if fields["grant_type"] != "client_credentials":
            raise AuthError("unsupported_grant_type", "grant_type must be client_credentials")
        client = self._known(*_credentials(authorization, fields))
        allowed = self._scopes[client.role]
        scopes = frozenset(fields.get("scope", "").split()) or allowed
        if not scopes <= allowed:
            raise AuthError("invalid_scope", f"this client may have {' '.join(sorted(allowed))}")
        self._forget_old()
        token = secrets.token_urlsafe(32)
        self._tokens[token] = Grant(client, scopes, self._clock.monotonic() + self.token_s)
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": int(self.token_s),
            "scope": " ".join(sorted(scopes)),
        }

    def grant(self, authorization: str | None) -> Grant:
        """What the bearer of a request may do. Raises Refusal (401)."""
        kind, _, token = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Refusal(401, "give a token: Authorization: Bearer …", BEARER)
        grant = self._tokens.get(token.strip())
        if grant is None or grant.until <= self._clock.monotonic():
            raise Refusal(401, "the token is not known, or has expired", BEARER)
        return grant

    def revoke_all(self) -> None:
        """Forget all tokens, as a VTN does that is started again."""
        self._tokens.clear()

    def _known(self, client_id: str, secret: str) -> Client:
        client = self._clients.get(client_id)
        expected = client.secret if client is not None else ""
        if client is None or not hmac.compare_digest(expected.encode(), secret.encode()):
            raise AuthError("invalid_client", "the client or its secret is not known", 401)
        return client

    def _forget_old(self) -> None:
        now = self._clock.monotonic()
        self._tokens = {token: grant for token, grant in self._tokens.items() if grant.until > now}


def _credentials(authorization: str | None, fields: Mapping[str, str]) -> tuple[str, str]:
    in_form = "client_id" in fields or "client_secret" in fields
    if authorization is None:
        if not fields.get("client_id") or not fields.get("client_secret"):
            raise AuthError("invalid_request", "give client_id and client_secret, in the form or by HTTP Basic")
        return fields["client_id"], fields["client_secret"]
    if in_form and "client_secret" in fields:
        raise AuthError("invalid_request", "credentials are given by HTTP Basic or in the form, not both")
    kind, _, given = authorization.partition(" ")
    try:
        name, colon, secret = base64.b64decode(given.strip(), validate=True).decode().partition(":")
    except ValueError as error:  # no Base64, or no text in it
        raise AuthError("invalid_client", "the Authorization header cannot be read", 401) from error
    if kind.lower() != "basic" or not colon:
        raise AuthError("invalid_client", "the Authorization header is not HTTP Basic", 401)
    return unquote_plus(name), unquote_plus(secret)
