"""Who somebody is: signed cookies, signed personal links, and the token that a form must bring back."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

from itsdangerous import BadSignature, URLSafeSerializer

from runtime.clock import Clock

COOKIE = "gridstay"
MEMBERS_STAY = timedelta(days=30)
STAFF_STAYS = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody's browser. `secret` is what the forms' tokens are made of. `by_code`: the member has shown to be
    the one who reads their messages; who came by a personal link may be anybody it was passed on to."""

    secret: str
    until: datetime
    member_id: str | None = None
    by_code: bool = False
    staff: bool = False


class Passes:
    """Writes and reads what we sign with the key. `operator_token` opens the staff's pages; a new one closes them again."""

    def __init__(self, key: str, operator_token: str, clock: Clock) -> None:
        self._key = key
        self._token = operator_token
        self._clock = clock

    def fresh(self) -> Session:
        """A session of nobody yet."""
        return Session(token_urlsafe(16), self._clock.now() + MEMBERS_STAY)

    def of_member(self, member_id: str, *, by_code: bool) -> Session:
        """The session of a member who has just signed in: a new one, so that nobody else knows its secret."""
        return replace(self.fresh(), member_id=member_id, by_code=by_code)

    def of_staff(self, token: str) -> Session | None:
        """The session of staff who gave the operator's token; None for another one."""
        if not hmac.compare_digest(token.strip().encode(), self._token.encode()):
            return None
        return replace(self.fresh(), staff=True, until=self._clock.now() + STAFF_STAYS)

    def written(self, session: Session) -> str:
        """The cookie's value."""
        staff = self._mark() if session.staff else ""
        fields = [session.secret, int(session.until.timestamp()), session.member_id or "", session.by_code, staff]
        return str(self._signer("session").dumps(fields))

    def read(self, cookie: str | None) -> Session | None:
        """The session; None for a cookie that is not ours, or no longer good."""
        try:
            secret, until, member_id, by_code, staff = self._signer("session").loads(cookie or "")
        except (BadSignature, ValueError, TypeError):
            return None
        ends = datetime.fromtimestamp(until, self._clock.now().tzinfo)
        if ends <= self._clock.now() or (staff and staff != self._mark()):
            return None
        return Session(secret, ends, member_id or None, by_code, bool(staff))

    def form_token(self, session: Session) -> str:
        """What a form of this session must bring: nobody else's page can know it."""
        return self._digest("form", session.secret)

    def is_form_token(self, session: Session, given: str) -> bool:
        """Whether it is the session's."""
        return hmac.compare_digest(self.form_token(session).encode(), given.encode())

    def new_number(self, session: Session) -> str:
        """The number of the member who joins in this session: the same for a form that is sent twice, and nobody can choose
        it."""
        return f"W{int(self._digest('join', session.secret), 16) % 10**9:09}"

    def link(self, member_id: str, booking_id: str) -> str:
        """The last part of the personal link in a confirmation."""
        return str(self._signer("link").dumps([member_id, booking_id]))

    def of_link(self, given: str) -> tuple[str, str] | None:
        """The member and the booking that a personal link names; None for one that is not ours."""
        try:
            member_id, booking_id = self._signer("link").loads(given)
        except (BadSignature, ValueError, TypeError):
            return None
        return member_id, booking_id

    def _signer(self, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._key, salt=f"gridstay {purpose}", signer_kwargs={"digest_method": sha256})

    def _mark(self) -> str:
        return self._digest("staff", self._token)

    def _digest(self, purpose: str, text: str) -> str:
        return hmac.new(self._key.encode(), f"{purpose} {text}".encode(), sha256).hexdigest()[:32]


def personal_links(passes: Passes, public_url: object) -> Callable[[str, str], str] | None:
    """What makes a guest's own link to a stay, below the address at which guests find our pages; None without one."""
    if public_url is None:
        return None
    base = str(public_url).rstrip("/")
    return lambda member_id, booking_id: f"{base}/s/{passes.link(member_id, booking_id)}"
